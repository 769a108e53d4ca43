#include "bgp/speaker.hpp"

#include <algorithm>

#include "tests/unit/bgp/raw_peer.hpp"

namespace torii::bgp::test {
namespace {

using namespace std::chrono_literals;

constexpr RemoteAs kExternal{RemoteAs::Kind::External, 0};

struct Nodes : testing::Test {
    void start(SpeakerSettings s) {
        world.speaker->apply(std::move(s));
        ASSERT_TRUE(world.speaker->start());
    }
    static SpeakerSettings with_range() {
        auto s = settings();
        s.groups = {group("nodes", kExternal)};
        s.ranges = {{prefix("10.99.0.0/16"), "nodes", 0}};
        return s;
    }
    World world;
};

TEST_F(Nodes, JoinByAListenRangeWithoutALineOfTheirOwn) {
    start(with_range());
    const auto node = world.up("10.99.0.1", 65001);
    const auto v = world.view("10.99.0.1");
    EXPECT_EQ(v.state, "Established");
    EXPECT_TRUE(v.dynamic);
    EXPECT_EQ(v.group, "nodes");
    EXPECT_EQ(v.remote_as, 65001u);
    EXPECT_TRUE(world.events.has("BGP-ADJCHANGE-UP"));
}

TEST(ASpeaker, MayGoWhileItDials) {
    World world;
    auto wanted = settings();
    wanted.neighbors = {neighbor("127.0.0.1", 65001)};
    wanted.neighbors[0].peer.passive = false;
    wanted.neighbors[0].peer.port = 1;
    world.speaker->apply(wanted);
    ASSERT_TRUE(world.speaker->start());
    world.speaker.reset();
    world.settle();
}

TEST_F(Nodes, AreToldEndOfRibOfEachFamilyAtOnce) {
    start(with_range());
    const auto node = world.up("10.99.0.1", 65001);
    EXPECT_EQ(node->end_of_rib, (std::set{Family::Ip4, Family::Ip6}));
}

TEST_F(Nodes, TeachTheirPodPrefixes) {
    start(with_range());
    const auto node = world.up("10.99.0.1", 65001);
    node->send(announce({"10.244.1.0/24"}, {65001}, "10.99.0.1"));
    node->send(announce({"fd00:1::/64"}, {65001}, "fd99::1"));
    world.settle();
    ASSERT_TRUE(world.sink.routes.contains(prefix("10.244.1.0/24")));
    EXPECT_EQ(world.sink.routes[prefix("10.244.1.0/24")][0].address, address("10.99.0.1"));
    EXPECT_TRUE(world.sink.routes.contains(prefix("fd00:1::/64")));
}

TEST_F(Nodes, LoseTheirRoutesWithTheirSession) {
    start(with_range());
    auto node = world.up("10.99.0.1", 65001);
    node->send(announce({"10.244.1.0/24"}, {65001}, "10.99.0.1"));
    world.settle();
    node->close();
    world.settle();
    EXPECT_TRUE(world.sink.routes.empty());
    EXPECT_EQ(world.speaker->counters().paths, 0u);
    EXPECT_EQ(world.speaker->counters().attribute_sets, 0u);
    EXPECT_EQ(world.view("10.99.0.1").last_reason, "connection closed by the peer");
}

TEST_F(Nodes, WithOneVipShareItsTraffic) {
    auto s = with_range();
    start(s);
    const auto a = world.up("10.99.0.1", 65001), b = world.up("10.99.0.2", 65002);
    a->send(announce({"198.18.0.1/32"}, {65001}, "10.99.0.1"));
    b->send(announce({"198.18.0.1/32"}, {65002}, "10.99.0.2"));
    world.settle();
    EXPECT_EQ(world.sink.routes[prefix("198.18.0.1/32")].size(), 2u);
    a->close();
    world.settle();
    EXPECT_EQ(world.sink.routes[prefix("198.18.0.1/32")].size(), 1u);
}

TEST_F(Nodes, AreRefusedADefaultRouteAndToldWhy) {
    auto s = with_range();
    PrefixList pods{"pods", {}};
    PrefixRule rule;
    rule.prefix = prefix("10.244.0.0/16");
    rule.ge = rule.le = 24;
    pods.rules = {rule};
    s.prefix_lists = {pods};
    s.groups[0].peer.import_lists = {"pods"};
    start(s);
    const auto node = world.up("10.99.0.1", 65001);
    node->send(announce({"0.0.0.0/0", "10.244.7.0/24", "203.0.113.0/24"}, {65001}, "10.99.0.1"));
    world.settle();
    EXPECT_EQ(world.sink.routes.size(), 1u);
    const auto filtered = world.rows(RouteTable::Filtered, "10.99.0.1");
    ASSERT_EQ(filtered.size(), 2u);
    EXPECT_EQ(filtered[0].filtered_by, "pods: no rule permits 0.0.0.0/0");
    EXPECT_EQ(world.view("10.99.0.1").families[0].filtered, 2u);
}

TEST_F(Nodes, OfAnotherAsTeachNothingWithoutAPolicyAndTheReasonIsShown) {
    auto s = with_range();
    s.groups[0].peer.import_lists.reset();
    start(s);
    const auto node = world.up("10.99.0.1", 65001);
    node->send(announce({"10.244.1.0/24"}, {65001}, "10.99.0.1"));
    world.settle();
    EXPECT_TRUE(world.sink.routes.empty());
    EXPECT_EQ(world.rows(RouteTable::Filtered, "10.99.0.1").at(0).filtered_by,
              "no import list for an external peer (RFC 8212)");
}

TEST_F(Nodes, ThatNameThemselvesByAMappedAddressAreMeant) {
    start(with_range());
    const auto node = world.up("10.99.0.1", 65001);
    node->send(announce({"fd00:1::/64"}, {65001}, "::ffff:10.99.0.1"));
    world.settle();
    EXPECT_EQ(world.sink.routes[prefix("fd00:1::/64")].at(0).address, address("10.99.0.1"));
}

TEST_F(Nodes, MayAnnounceIpv4OverAnIpv6NextHop) {
    start(with_range());
    auto c = World::defaults();
    c.extended_next_hop[0] = true;
    const auto node = world.up("10.99.0.1", 65001, c);
    node->send(announce({"10.244.1.0/24"}, {65001}, "fd99::1"));
    world.settle();
    EXPECT_EQ(world.sink.routes[prefix("10.244.1.0/24")].at(0).address, address("fd99::1"));
}

TEST_F(Nodes, AreSeenWithNameAndVersion) {
    start(with_range());
    auto c = World::defaults();
    c.hostname = "node-1";
    c.software = "GoBGP/4.8";
    const auto node = world.up("10.99.0.1", 65001, c);
    EXPECT_EQ(world.view("10.99.0.1").hostname, "node-1");
    EXPECT_EQ(world.view("10.99.0.1").software, "GoBGP/4.8");
}

TEST_F(Nodes, LosePathsWhoseNextHopGoesAndHaveThemBack) {
    start(with_range());
    const auto node = world.up("10.99.0.1", 65001);
    node->send(announce({"10.244.1.0/24"}, {65001}, "10.99.0.1"));
    world.settle();
    world.tracker.set(address("10.99.0.1"), false);
    world.settle();
    EXPECT_TRUE(world.sink.routes.empty());
    EXPECT_EQ(world.rows(RouteTable::LocRib).at(0).because, "next hop is not reachable");
    world.tracker.set(address("10.99.0.1"), true);
    world.settle();
    EXPECT_EQ(world.sink.routes.size(), 1u);
}

TEST_F(Nodes, WhoFallSilentAreDownAfterTheHoldTime) {
    start(with_range());
    const auto node = world.up("10.99.0.1", 65001, World::defaults(), 9);
    world.pass(8900ms);
    EXPECT_EQ(world.view("10.99.0.1").state, "Established");
    world.pass(200ms);
    EXPECT_NE(world.view("10.99.0.1").state, "Established");
    EXPECT_EQ(node->notification->code, ErrorCode::HoldTimerExpired);
}

TEST_F(Nodes, AreKeptAliveAThirdOfTheHoldTimeApart) {
    start(with_range());
    const auto node = world.up("10.99.0.1", 65001, World::defaults(), 9);
    const auto before = node->keepalives;
    for (int i = 0; i < 6; ++i) {
        node->keepalive();
        world.settle();
        world.pass(3010ms);
    }
    EXPECT_GE(node->keepalives, before + 5);
    EXPECT_EQ(world.view("10.99.0.1").state, "Established");
}

TEST_F(Nodes, WhoseKeepaliveHasArrivedAreNotDownBecauseWeWereBusy) {
    start(with_range());
    const auto node = world.up("10.99.0.1", 65001, World::defaults(), 9);
    node->keepalive();
    world.clock.advance(20s);
    world.speaker->run_timers();
    world.settle();
    EXPECT_EQ(world.view("10.99.0.1").state, "Established");
}

TEST_F(Nodes, WithATheirRandomBytesHurtNobodyElse) {
    start(with_range());
    const auto good = world.up("10.99.0.1", 65001);
    good->send(announce({"10.244.1.0/24"}, {65001}, "10.99.0.1"));
    std::uint32_t seed = 12345;
    for (int i = 0; i < 200; ++i) {
        const auto bad = i % 2 == 0 ? world.connect("10.99.0.66") : world.up("10.99.0.66", 65001);
        Bytes noise(1 + seed % 300);
        for (auto& byte : noise)
            byte = static_cast<std::uint8_t>((seed = seed * 1664525 + 1013904223) >> 24);
        if (i % 3 != 0) std::fill_n(noise.begin(), std::min<std::size_t>(16, noise.size()), 0xff);
        if (i % 3 == 2 && noise.size() > 19) {
            noise[16] = static_cast<std::uint8_t>(noise.size() >> 8);
            noise[17] = static_cast<std::uint8_t>(noise.size());
            noise[18] = static_cast<std::uint8_t>(1 + i % 5);
        }
        bad->send(noise);
        world.settle();
    }
    EXPECT_EQ(world.view("10.99.0.1").state, "Established");
    EXPECT_TRUE(world.in_table(prefix("10.244.1.0/24")));
}

TEST_F(Nodes, StopsWithAFarewell) {
    start(with_range());
    const auto node = world.up("10.99.0.1", 65001);
    world.speaker->stop(cease::kAdminShutdown, [] {});
    world.settle();
    ASSERT_TRUE(node->notification);
    EXPECT_EQ(node->notification->subcode, cease::kAdminShutdown);
    EXPECT_TRUE(node->closed);
}

struct Exports : Nodes {
    void SetUp() override {
        auto s = settings();
        s.neighbors = {neighbor("10.99.0.1", 65001), neighbor("10.99.0.2", 65002),
                       neighbor("10.99.0.3", 65000), neighbor("10.99.0.4", 65000)};
        start(s);
    }
};

TEST_F(Exports, PutOurAsInFrontAndOurselvesAsNextHop) {
    const auto a = world.up("10.99.0.1", 65001), b = world.up("10.99.0.2", 65002);
    a->send(announce({"203.0.113.0/24"}, {65001, 64500}, "10.99.0.1"));
    world.settle();
    const auto& told = b->routes.at(prefix("203.0.113.0/24"));
    EXPECT_EQ(told.attributes.at(2), unhex("02030000fde80000fde90000fbf4"));
    EXPECT_EQ(told.next_hop, address("10.99.0.254"));
    EXPECT_FALSE(told.attributes.contains(5));
}

TEST_F(Exports, NeverTellAPeerWhatItTaught) {
    const auto a = world.up("10.99.0.1", 65001), b = world.up("10.99.0.2", 65002);
    a->send(announce({"203.0.113.0/24"}, {65001}, "10.99.0.1"));
    world.settle();
    EXPECT_FALSE(a->routes.contains(prefix("203.0.113.0/24")));
    EXPECT_TRUE(b->routes.contains(prefix("203.0.113.0/24")));
}

TEST_F(Exports, MoveWhenTheBestPathMovesFromOnePeerToAnother) {
    const auto a = world.up("10.99.0.1", 65001), b = world.up("10.99.0.2", 65002);
    a->send(announce({"203.0.113.0/24"}, {65001, 1, 2}, "10.99.0.1"));
    world.settle();
    b->send(announce({"203.0.113.0/24"}, {65002}, "10.99.0.2"));
    world.settle();
    EXPECT_TRUE(a->routes.contains(prefix("203.0.113.0/24")));
    EXPECT_FALSE(b->routes.contains(prefix("203.0.113.0/24"))) << "the better path is its own";
    b->send(withdraw({"203.0.113.0/24"}));
    world.settle();
    EXPECT_FALSE(a->routes.contains(prefix("203.0.113.0/24")));
    EXPECT_TRUE(b->routes.contains(prefix("203.0.113.0/24")));
}

TEST_F(Exports, DoNotGoFromOneInternalPeerToAnother) {
    const auto c = world.up("10.99.0.3", 65000), d = world.up("10.99.0.4", 65000);
    c->send(announce({"203.0.113.0/24"}, {64500}, "10.99.0.3", [](Attributes& a) {
        a.set(Attribute::LocalPref);
        a.local_pref = 100;
    }));
    world.settle();
    EXPECT_TRUE(world.in_table(prefix("203.0.113.0/24")));
    EXPECT_TRUE(d->routes.empty());
}

TEST_F(Exports, KeepTheNextHopTowardsInternalPeers) {
    const auto a = world.up("10.99.0.1", 65001), c = world.up("10.99.0.3", 65000);
    a->send(announce({"203.0.113.0/24"}, {65001}, "10.99.0.1"));
    world.settle();
    const auto& told = c->routes.at(prefix("203.0.113.0/24"));
    EXPECT_EQ(told.next_hop, address("10.99.0.1"));
    EXPECT_EQ(told.attributes.at(5), unhex("00000064"));
}

TEST_F(Exports, AreSentAgainWhenAskedFor) {
    const auto a = world.up("10.99.0.1", 65001), b = world.up("10.99.0.2", 65002);
    a->send(announce({"203.0.113.0/24"}, {65001}, "10.99.0.1"));
    world.settle();
    const auto before = b->announcements;
    Bytes refresh;
    encode(RouteRefresh{kAfiIp4, 0, kSafiUnicast}, refresh);
    b->send(refresh);
    world.settle();
    EXPECT_EQ(b->announcements, before + 1);
}

TEST_F(Exports, ReachWhoComesLate) {
    const auto a = world.up("10.99.0.1", 65001);
    for (int i = 0; i < 200; ++i)
        a->send(announce({"10.1." + std::to_string(i) + ".0/24"},
                         {65001, 64500u + static_cast<unsigned>(i)}, "10.99.0.1"));
    world.settle();
    const auto b = world.up("10.99.0.2", 65002);
    EXPECT_EQ(b->routes.size(), 200u);
    EXPECT_TRUE(b->end_of_rib.contains(Family::Ip4));
}

TEST_F(Exports, WaitForASlowPeerWithinBoundsAndTellItTheLastWord) {
    const auto a = world.up("10.99.0.1", 65001), b = world.up("10.99.0.2", 65002),
               fast = world.up("10.99.0.3", 65000);
    const auto name = [](int i) {
        return "10." + std::to_string(i / 250) + "." + std::to_string(i % 250) + ".0/24";
    };
    b->paused = true;
    for (std::uint32_t round = 0; round < 2; ++round)
        for (int i = 0; i < 1200; ++i) {
            Bytes other{0xd0, 200, 3000 >> 8, 3000 & 0xff};
            other.resize(3004, static_cast<std::uint8_t>(round));
            a->send(announce({name(i)}, {65001, 64500 + round}, "10.99.0.1",
                             [&](Attributes& attributes) { attributes.others = other; }));
            world.settle();
        }
    a->send(withdraw({name(7)}));
    world.settle();
    EXPECT_LT(world.view("10.99.0.2").bytes_queued, 4u * 1024 * 1024);
    EXPECT_EQ(fast->routes.size(), 1199u) << "a slow peer slowed another";
    b->paused = false;
    world.settle();
    EXPECT_EQ(b->routes.size(), 1199u);
    EXPECT_FALSE(b->routes.contains(prefix(name(7))));
    for (const auto& [p, told] : b->routes) ASSERT_EQ(told.attributes.at(200)[0], 1);
}

TEST_F(Exports, AnnounceOurOwnNetworks) {
    auto s = world.speaker->settings();
    s.networks = {prefix("192.0.2.0/24")};
    world.speaker->apply(s);
    const auto a = world.up("10.99.0.1", 65001);
    EXPECT_EQ(a->routes.at(prefix("192.0.2.0/24")).attributes.at(2), unhex("02010000fde8"));
    s.networks.clear();
    world.speaker->apply(s);
    world.settle();
    EXPECT_TRUE(a->routes.empty());
    EXPECT_TRUE(world.sink.routes.empty());
}

TEST_F(Exports, ShowWhatEachPeerIsTold) {
    const auto a = world.up("10.99.0.1", 65001), b = world.up("10.99.0.2", 65002);
    a->send(announce({"203.0.113.0/24"}, {65001}, "10.99.0.1"));
    world.settle();
    const auto rows = world.rows(RouteTable::AdjOut, "10.99.0.2");
    ASSERT_EQ(rows.size(), 1u);
    EXPECT_EQ(rows[0].as_path, "65000 65001");
    EXPECT_TRUE(world.rows(RouteTable::AdjOut, "10.99.0.1").empty());
}

TEST_F(Exports, ShowTheBestPathOfExactlyOnePrefix) {
    const auto a = world.up("10.99.0.1", 65001), b = world.up("10.99.0.2", 65002);
    a->send(announce({"203.0.113.0/24"}, {65001, 65009}, "10.99.0.1"));
    b->send(announce({"203.0.113.0/24"}, {65002}, "10.99.0.2"));
    world.settle();
    const auto best = world.speaker->best_path(prefix("203.0.113.0/24"));
    ASSERT_TRUE(best);
    EXPECT_EQ(best->neighbor, "10.99.0.2");
    EXPECT_EQ(best->because, "shorter AS_PATH");
    for (const auto* other : {"203.0.113.0/25", "203.0.112.0/23", "2001:db8::/32"})
        EXPECT_FALSE(world.speaker->best_path(prefix(other))) << other;
}

TEST(Pages, ShowEachPrefixOnceInOrder) {
    World world;
    auto s = settings();
    s.neighbors = {neighbor("10.99.0.1", 65001)};
    world.speaker->apply(s);
    ASSERT_TRUE(world.speaker->start());
    const auto a = world.up("10.99.0.1", 65001);
    for (int i = 0; i < 250; ++i)
        a->send(announce({"10.1." + std::to_string(i) + ".0/24"}, {65001}, "10.99.0.1"));
    world.settle();
    PathQuery query;
    query.limit = 40;
    std::vector<Prefix> seen;
    for (int guard = 0; guard < 20; ++guard) {
        const auto page = world.speaker->paths(query);
        for (const auto& row : page.rows) seen.push_back(row.prefix);
        if (!page.next) break;
        query.after = page.next;
    }
    EXPECT_EQ(seen.size(), 250u);
    EXPECT_TRUE(std::ranges::is_sorted(seen));
}

TEST(TwoSpeakers, LearnFromEachOther) {
    World left, right;
    auto s = settings();
    s.neighbors = {neighbor("10.99.0.2", 65002)};
    s.networks = {prefix("192.0.2.0/24")};
    left.speaker->apply(s);
    auto t = settings();
    t.asn = 65002;
    t.router_id = 2;
    t.neighbors = {neighbor("10.99.0.1", 65000)};
    t.networks = {prefix("198.51.100.0/24")};
    right.speaker->apply(t);
    ASSERT_TRUE(left.speaker->start() && right.speaker->start());
    int ends[2];
    ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
    left.speaker->adopt(ends[0], address("10.99.0.1"), address("10.99.0.2"));
    right.speaker->adopt(ends[1], address("10.99.0.2"), address("10.99.0.1"));
    for (int i = 0; i < 10; ++i) left.settle(), right.settle();
    EXPECT_TRUE(left.sink.routes.contains(prefix("198.51.100.0/24")));
    EXPECT_TRUE(right.sink.routes.contains(prefix("192.0.2.0/24")));
}

}  // namespace
}  // namespace torii::bgp::test
