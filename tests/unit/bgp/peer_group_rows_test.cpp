// Peer groups, the rest of the table in docs/peer-groups.md: RowNN is the
// behaviour's number there. What a file may say at all is tested in
// tests/unit/config/peer_group_rows_test.cpp.
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>

#include <cstring>

#include "bgp/speaker.hpp"
#include "tests/unit/bgp/peer_group_world.hpp"

namespace torii::bgp::test {
namespace {

using namespace std::chrono_literals;

struct PeerGroupRows : PeerGroup {
    // A configured member with the group's settings.
    NeighborSettings& member(std::string_view remote, std::uint32_t as) {
        auto n = neighbor(remote, as);
        n.group = "nodes";
        wanted.neighbors.push_back(n);
        return wanted.neighbors.back();
    }
    std::uint64_t update_groups() { return world.speaker->counters().update_groups; }
};

TEST_F(PeerGroupRows, Row02MembersOfAGroupWithoutAnAsHaveTheirOwn) {
    nodes().remote_as = {};
    member("10.97.0.1", 65001);
    member("10.97.0.2", 65002);
    apply();
    EXPECT_FALSE(world.up("10.97.0.1", 65001)->notification);
    EXPECT_FALSE(world.up("10.97.0.2", 65002)->notification);
}

TEST_F(PeerGroupRows, Row05AGroupThatGetsAnAsKeepsMembersWhoHaveIt) {
    member("10.97.0.1", 65001);
    apply();
    const auto fits = world.up("10.99.0.1", 65001), differs = world.up("10.99.0.2", 65002);
    nodes().remote_as = {RemoteAs::Kind::Number, 65001};
    apply();
    EXPECT_FALSE(fits->notification);
    EXPECT_EQ(cease_of(*differs), cease::kOtherConfigChange);
    EXPECT_TRUE(world.up("10.99.0.2", 65002)->notification);
}

TEST_F(PeerGroupRows, Row09AMemberMovesToAnotherGroupAndIsAsThatOneSays) {
    wanted.groups.push_back(group("others", kExternal));
    member("10.97.0.1", 65001);
    apply();
    const auto peer = world.up("10.97.0.1", 65001);
    wanted.neighbors[0].group = "others";
    apply();
    EXPECT_EQ(world.view("10.97.0.1").group, "others");
    EXPECT_FALSE(peer->notification) << "nothing that the session stands on has changed";
    wanted.neighbors[0].peer.multihop = 3;
    apply();
    EXPECT_EQ(cease_of(*peer), cease::kOtherConfigChange);
}

TEST_F(PeerGroupRows, Row14PolicyAndFlagsOfOneMemberAlone) {
    wanted.networks = {prefix("192.0.2.0/24")};
    PolicyTerm term;
    term.edits.prepend = 1;
    wanted.policies = {{"own", {term}}};
    auto& own = member("10.97.0.1", 65001).peer;
    own.export_policies = {"own"};
    own.as_override = true;
    own.default_originate = true;
    own.remove_private_as = RemovePrivateAs::All;
    apply();
    const auto special = world.up("10.97.0.1", 65001), plain = world.up("10.99.0.1", 65002);
    EXPECT_EQ(special->routes.at(prefix("192.0.2.0/24")).attributes.at(2),
              unhex("02020000fde80000fde8"));
    EXPECT_TRUE(special->routes.contains(prefix("0.0.0.0/0")));
    EXPECT_EQ(plain->routes.at(prefix("192.0.2.0/24")).attributes.at(2), unhex("02010000fde8"));
    EXPECT_FALSE(plain->routes.contains(prefix("0.0.0.0/0")));
}

TEST_F(PeerGroupRows, Row15GroupSettingsReachMembersAtOnceAndGoAgain) {
    wanted.networks = {prefix("192.0.2.0/24")};
    apply();
    const auto peer = world.up("10.99.0.1", 65001);
    nodes().graceful_shutdown = true;
    apply();
    EXPECT_TRUE(peer->routes.at(prefix("192.0.2.0/24")).attributes.contains(8));
    nodes().graceful_shutdown = false;
    apply();
    EXPECT_FALSE(peer->routes.at(prefix("192.0.2.0/24")).attributes.contains(8));
}

TEST_F(PeerGroupRows, Row18FamiliesOfAGroupAndOfAMember) {
    nodes().ipv6 = false;
    member("10.97.0.1", 65001);  // has both
    apply();
    const auto group_member = world.up("10.99.0.1", 65001), own = world.up("10.97.0.1", 65001);
    EXPECT_EQ(group_member->end_of_rib, (std::set{Family::Ip4}));
    EXPECT_EQ(own->end_of_rib, (std::set{Family::Ip4, Family::Ip6}));
}

TEST_F(PeerGroupRows, Row19MaximumPrefixesAreCountedForEachMember) {
    nodes().max_prefix = {2, MaxPrefixAction::Close, 75, 0s};
    apply();
    const auto a = world.up("10.99.0.1", 65001), b = world.up("10.99.0.2", 65002);
    a->send(announce({"10.1.0.0/24", "10.2.0.0/24"}, {65001}, "10.99.0.1"));
    b->send(announce({"10.3.0.0/24", "10.4.0.0/24"}, {65002}, "10.99.0.2"));
    world.settle();
    EXPECT_FALSE(a->notification || b->notification);
    EXPECT_EQ(world.sink.routes.size(), 4u);
}

TEST_F(PeerGroupRows, Row20BindingALiveNeighborCostsWhatChangesForIt) {
    wanted.neighbors = {neighbor("10.97.0.1", 65001)};
    apply();
    const auto peer = world.up("10.97.0.1", 65001);
    wanted.neighbors[0].group = "nodes";
    apply();
    EXPECT_FALSE(peer->notification);
    EXPECT_EQ(world.view("10.97.0.1").group, "nodes");
    wanted.neighbors[0].peer.ttl_security = 1;
    apply();
    EXPECT_EQ(cease_of(*peer), cease::kOtherConfigChange);
}

TEST_F(PeerGroupRows, Row21UnbindingKeepsANeighborWithAnAsOfItsOwn) {
    member("10.97.0.1", 65001);
    apply();
    const auto peer = world.up("10.97.0.1", 65001);
    wanted.neighbors[0].group.clear();
    apply();
    EXPECT_FALSE(peer->notification);
    EXPECT_EQ(world.view("10.97.0.1").state, "Established");
}

TEST_F(PeerGroupRows, Row22AGroupThatGoesSaysGoodbyeToAll) {
    member("10.97.0.1", 65001);
    apply();
    const auto a = world.up("10.97.0.1", 65001), b = world.up("10.99.0.1", 65001);
    wanted.neighbors.clear();
    wanted.groups.clear();
    wanted.ranges.clear();
    apply();
    EXPECT_EQ(cease_of(*a), cease::kPeerDeconfigured);
    EXPECT_EQ(cease_of(*b), cease::kPeerDeconfigured);
}

TEST_F(PeerGroupRows, Row23WhatCostsNoSession) {
    wanted.networks = {prefix("192.0.2.0/24")};
    apply();
    const auto peer = world.up("10.99.0.1", 65001);
    nodes().keepalive = 10s;
    nodes().max_prefix = {100, MaxPrefixAction::Warn, 75, 0s};
    nodes().send_communities = {false, false, false};
    nodes().next_hop_self = true;
    apply();
    EXPECT_FALSE(peer->notification);
    EXPECT_EQ(world.view("10.99.0.1").times_established, 1u);
}

TEST_F(PeerGroupRows, HowWeWouldDialCostsNoSessionThatIsUp) {
    wanted.neighbors = {neighbor("10.99.0.2", 65002)};
    apply();
    const auto member = world.up("10.99.0.1", 65001), other = world.up("10.99.0.2", 65002);
    nodes().passive = true;
    nodes().port = 1790;
    wanted.neighbors[0].peer.passive = false;
    wanted.neighbors[0].peer.port = 1790;
    apply();
    EXPECT_FALSE(member->notification || other->notification);
    EXPECT_TRUE(world.view("10.99.0.1").pending.empty()) << "members are never dialled";
    EXPECT_EQ(world.view("10.99.0.2").pending, (std::vector<std::string>{"passive", "port"}));
}

TEST_F(PeerGroupRows, ASessionThatIsNotSignedWithTheConfiguredKeyIsShown) {
    const auto peer = world.up("10.99.0.1", 65001);
    nodes().passwords = {"new"};
    apply();
    EXPECT_FALSE(peer->notification);
    EXPECT_EQ(world.view("10.99.0.1").pending, std::vector<std::string>{"password"});
    EXPECT_TRUE(world.events.has("BGP-PASSWORD-PENDING"));
    nodes().passwords.clear();
    apply();
    EXPECT_TRUE(world.view("10.99.0.1").pending.empty());
}

TEST_F(PeerGroupRows, APeerThatCannotBeAskedAgainBeginsANewSession) {
    auto c = World::defaults();
    const auto asked = world.up("10.99.0.1", 65001, c);
    c.route_refresh = false;
    const auto other = world.up("10.99.0.2", 65002, c);
    nodes().enforce_first_as = false;
    apply();
    EXPECT_FALSE(asked->notification);
    EXPECT_EQ(asked->refreshes, 2u);
    EXPECT_EQ(cease_of(*other), cease::kOtherConfigChange);
}

TEST_F(PeerGroupRows, ANetworkLineThatWasRedistributedBeforeIsOfTheRouterItself) {
    wanted.redistribute_connected = true;
    apply();
    world.speaker->originate(prefix("192.0.2.0/24"), Origination::Connected);
    const auto peer = world.up("10.99.0.1", 65001);
    EXPECT_EQ(peer->routes.at(prefix("192.0.2.0/24")).attributes.at(1), unhex("02"));
    wanted.networks = {prefix("192.0.2.0/24")};
    apply();
    EXPECT_EQ(peer->routes.at(prefix("192.0.2.0/24")).attributes.at(1), unhex("00"));
}

TEST_F(PeerGroupRows, ARouterIdThatWasDerivedStaysForTheLifeOfTheSpeaker) {
    wanted.router_id_derived = true;
    wanted.router_id = 0x0a000001;
    apply();
    const auto peer = world.up("10.99.0.1", 65001);
    const auto before = peer->open->identifier;
    wanted.router_id = 0xc6336401;  // an address that was added is above the others
    apply();
    EXPECT_FALSE(peer->notification);
    EXPECT_EQ(world.speaker->settings().router_id, before);
    wanted.router_id_derived = false;
    apply();
    EXPECT_TRUE(peer->notification);
}

TEST_F(PeerGroupRows, Row24EachThingThatASessionStandsOn) {
    const std::function<void(PeerSettings&)> kChanges[] = {
        [](auto& s) { s.multihop = 5; },
        [](auto& s) { s.local_as = 64999; },
        [](auto& s) { s.update_source = address("10.99.0.250"); },
        [](auto& s) { s.extended_next_hop = false; },
        [](auto& s) { s.route_server_client = true; },
        [](auto& s) { s.ipv6 = false; },
        [](auto& s) { s.add_path = AddPath::Both; },
        [](auto& s) { s.role = Role::Provider; },
    };
    std::size_t n = 0;
    for (const auto& change : kChanges) {
        const auto peer = world.up("10.99.0.1", 65001);
        ASSERT_FALSE(peer->notification) << n;
        change(nodes());
        apply();
        EXPECT_EQ(cease_of(*peer), cease::kOtherConfigChange) << "change " << n;
        ++n;
    }
}

TEST_F(PeerGroupRows, Row28GracefulRestartHoldsFromTheNextSessionOnAndIsShownAsPending) {
    const auto peer = world.up("10.99.0.1", 65001);
    nodes().graceful_restart = GracefulRestart::Off;
    apply();
    EXPECT_FALSE(peer->notification);
    EXPECT_EQ(world.view("10.99.0.1").pending, std::vector<std::string>{"graceful_restart"});
    peer->close();
    world.settle();
    EXPECT_FALSE(world.up("10.99.0.1", 65001)->open->capabilities.graceful_restart);
    EXPECT_TRUE(world.view("10.99.0.1").pending.empty());
}

TEST_F(PeerGroupRows, Row31ADynamicNeighborIsMadeAtAcceptAndForgottenAfterItsEnd) {
    EXPECT_FALSE(world.speaker->neighbor(address("10.99.0.1")));
    const auto peer = world.up("10.99.0.1", 65001);
    EXPECT_TRUE(world.view("10.99.0.1").dynamic);
    peer->close();
    world.settle();
    EXPECT_EQ(world.view("10.99.0.1").last_reason, "connection closed by the peer");
    world.pass(11min);
    EXPECT_FALSE(world.speaker->neighbor(address("10.99.0.1")));
}

TEST_F(PeerGroupRows, Row42AMemberThatIsToldOtherThingsMovesToAGroupOfItsOwn) {
    member("10.97.0.1", 65001);
    member("10.97.0.2", 65001);
    apply();
    const auto a = world.up("10.97.0.1", 65001), b = world.up("10.97.0.2", 65001);
    EXPECT_EQ(update_groups(), 2u);
    wanted.neighbors[0].peer.export_lists = std::vector<std::string>{};
    apply();
    EXPECT_EQ(update_groups(), 4u);
    EXPECT_FALSE(a->notification || b->notification);
    wanted.neighbors[0].peer.export_lists = {"any"};
    apply();
    EXPECT_EQ(update_groups(), 2u);
}

TEST_F(PeerGroupRows, Row43EverythingThatShapesWhatIsSentDivides) {
    const std::function<void(PeerSettings&)> kChanges[] = {
        [](auto& s) { s.send_communities.standard = false; },
        [](auto& s) { s.next_hop_self = true; },
        [](auto& s) { s.next_hop_unchanged = true; },
        [](auto& s) { s.as_override = true; },
        [](auto& s) { s.remove_private_as = RemovePrivateAs::Replace; },
        [](auto& s) { s.graceful_shutdown = true; },
        [](auto& s) { s.route_reflector_client = true; },
    };
    member("10.97.0.1", 65001);
    member("10.97.0.2", 65001);
    const auto plain = wanted.neighbors[0].peer;
    apply();
    const auto a = world.up("10.97.0.1", 65001), b = world.up("10.97.0.2", 65001);
    std::size_t n = 0;
    for (const auto& change : kChanges) {
        wanted.neighbors[0].peer = plain;
        change(wanted.neighbors[0].peer);
        apply();
        EXPECT_EQ(update_groups(), 4u) << "change " << n++;
    }
    wanted.neighbors[0].peer = plain;
    apply();
    EXPECT_EQ(update_groups(), 2u) << "nobody has lost the session over it";
    EXPECT_FALSE(a->notification || b->notification);
}

TEST_F(PeerGroupRows, Row44ADynamicMemberHasAllOfItsGroup) {
    nodes().hold_time = 30s;
    nodes().local_as = 64999;
    nodes().ipv6 = false;
    nodes().role = Role::Provider;
    nodes().graceful_restart = GracefulRestart::Full;
    nodes().restart_time = 77s;
    apply();
    const auto peer = world.up("10.99.0.1", 65001);
    const auto& open = *peer->open;
    EXPECT_EQ(open.hold_time, 30);
    EXPECT_EQ(open.as, 64999u);
    EXPECT_EQ(open.capabilities.families, (std::array{true, false}));
    EXPECT_EQ(open.capabilities.role, Role::Provider);
    EXPECT_EQ(open.capabilities.graceful_restart->time, 77);
}

TEST_F(PeerGroupRows, Row45AGroupMayBeNamedLikeAnAddress) {
    wanted.groups[0].name = "172.20.9.9";
    wanted.ranges[0].group = "172.20.9.9";
    apply();
    EXPECT_FALSE(world.up("10.99.0.1", 65001)->notification);
    EXPECT_EQ(world.view("10.99.0.1").group, "172.20.9.9");
}

// Keys are the kernel's business, so these go through real sockets on loopback.
struct PeerGroupKeys : PeerGroupRows {
    void SetUp() override {
        const int probe = socket(AF_INET, SOCK_STREAM, 0);
        sockaddr_in any{};
        any.sin_family = AF_INET;
        any.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        socklen_t size = sizeof any;
        ASSERT_EQ(bind(probe, reinterpret_cast<sockaddr*>(&any), sizeof any), 0);
        ASSERT_EQ(getsockname(probe, reinterpret_cast<sockaddr*>(&any), &size), 0);
        port = ntohs(any.sin_port);
        ::close(probe);
        wanted = settings();
        wanted.listen = {{address("127.0.0.1"), port}};
        wanted.groups = {group("nodes", kExternal)};
        wanted.ranges = {{prefix("127.0.0.0/24"), "nodes", 0}};
        world.speaker->apply(wanted);
        ASSERT_TRUE(world.speaker->start());
    }
    // Whether a connection signed so comes about; unsigned or wrong SYNs get no
    // answer, so that a short wait is all there is to wait for.
    bool connects(std::uint8_t last, const std::string& key) {
        const int s = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
        sockaddr_in to{}, from{};
        to.sin_family = from.sin_family = AF_INET;
        to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        to.sin_port = htons(port);
        from.sin_addr.s_addr = htonl(0x7f000000u + last);
        EXPECT_EQ(bind(s, reinterpret_cast<sockaddr*>(&from), sizeof from), 0);
        if (!key.empty()) {
            tcp_md5sig sig{};
            std::memcpy(&sig.tcpm_addr, &to, sizeof to);
            sig.tcpm_keylen = static_cast<std::uint16_t>(key.size());
            std::memcpy(sig.tcpm_key, key.data(), key.size());
            EXPECT_EQ(setsockopt(s, IPPROTO_TCP, TCP_MD5SIG, &sig, sizeof sig), 0);
        }
        (void)::connect(s, reinterpret_cast<sockaddr*>(&to), sizeof to);
        pollfd wait{s, POLLOUT, 0};
        const bool answered = poll(&wait, 1, 250) == 1;
        int error = 0;
        socklen_t size = sizeof error;
        getsockopt(s, SOL_SOCKET, SO_ERROR, &error, &size);
        ::close(s);
        return answered && error == 0;
    }
    std::uint16_t port = 0;
};

TEST_F(PeerGroupKeys, Row38APasswordCoversTheWholeRange) {
    nodes().passwords = {"first"};
    apply();
    EXPECT_TRUE(connects(7, "first"));
    EXPECT_TRUE(connects(200, "first"));
    EXPECT_FALSE(connects(7, ""));
    EXPECT_FALSE(connects(7, "wrong"));
    nodes().passwords = {"second"};
    apply();
    EXPECT_TRUE(connects(7, "second"));
    EXPECT_FALSE(connects(7, "first"));
}

// The kernel has room for so many keys a socket (net.core.optmem_max).
TEST_F(PeerGroupKeys, AnAddressWhoseKeyTheKernelDoesNotTakeIsRefused) {
    nodes().passwords = {"first"};
    wanted.ranges.clear();
    for (unsigned n = 0; n < 3000; ++n)
        wanted.ranges.push_back({Prefix{IpAddress::v4(0x7f010000 + n), 32}, "nodes", 0});
    apply();
    if (!world.events.has("BGP-MD5-FAILED")) GTEST_SKIP() << "it has room for 3000";
    std::string failed;
    for (const auto& event : world.events.events)
        for (const auto& [name, value] : event.fields)
            if (event.id.name() == "BGP-MD5-FAILED" && name == "prefix") failed = value;
    ASSERT_FALSE(failed.empty());
    const auto peer = world.connect(failed.substr(0, failed.find('/')));
    EXPECT_EQ(cease_of(*peer), cease::kConnectionRejected);
    EXPECT_FALSE(world.connect("127.1.0.0")->notification) << "the first key was taken";
}

TEST_F(PeerGroupKeys, Row39APasswordThatIsTakenAwayIsGone) {
    nodes().passwords = {"first"};
    apply();
    EXPECT_TRUE(connects(7, "first"));
    nodes().passwords.clear();
    apply();
    EXPECT_TRUE(connects(7, ""));
    EXPECT_FALSE(connects(7, "first"));
}

}  // namespace
}  // namespace torii::bgp::test
