// Peer groups: what members inherit, and what a change costs while they are up.
// RowNN is the behaviour's number in docs/peer-groups.md.
#include <algorithm>

#include "bgp/speaker.hpp"
#include "tests/unit/bgp/peer_group_world.hpp"

namespace torii::bgp::test {
namespace {

using namespace std::chrono_literals;
TEST_F(PeerGroup, Row07ExternalTakesAnyAsButOurOwn) {
    const auto own = world.up("10.99.0.1", 65000);
    ASSERT_TRUE(own->notification);
    EXPECT_EQ(own->notification->code, ErrorCode::OpenMessage);
    EXPECT_EQ(own->notification->subcode, open_error::kBadPeerAs);
    EXPECT_FALSE(world.up("10.99.0.2", 65002)->notification);
}

TEST_F(PeerGroup, Row34WrongAsFromADynamicNeighborIsBadPeerAs) {
    nodes().remote_as = {RemoteAs::Kind::Number, 65001};
    apply();
    const auto peer = world.up("10.99.0.1", 65002);
    EXPECT_EQ(peer->notification->subcode, open_error::kBadPeerAs);
}

TEST_F(PeerGroup, Row23DescriptionAndTimersCostNothing) {
    const auto peer = world.up("10.99.0.1", 65001);
    nodes().description = "racks 1 to 4";
    nodes().hold_time = 30s;
    apply();
    EXPECT_EQ(world.view("10.99.0.1").state, "Established");
    EXPECT_EQ(world.view("10.99.0.1").hold_time, 90s);
    EXPECT_EQ(world.view("10.99.0.1").description, "racks 1 to 4");
    // A change that needs a new session is shown as pending until then.
    EXPECT_EQ(world.view("10.99.0.1").pending, std::vector<std::string>{"hold_time"});
}

TEST_F(PeerGroup, Row24WhatTheSessionStandsOnResetsAllMembers) {
    const auto peer = world.up("10.99.0.1", 65001);
    nodes().multihop = 4;
    apply();
    EXPECT_EQ(cease_of(*peer), cease::kOtherConfigChange);
}

TEST_F(PeerGroup, RemoteAsThatStillFitsResetsNobody) {
    const auto peer = world.up("10.99.0.1", 65001), other = world.up("10.99.0.2", 65002);
    nodes().remote_as = {RemoteAs::Kind::Number, 65001};
    apply();
    EXPECT_FALSE(peer->notification);
    EXPECT_EQ(cease_of(*other), cease::kOtherConfigChange);
}

TEST_F(PeerGroup, Row24ANewPasswordResetsNobodyWhoIsUp) {
    const auto peer = world.up("10.99.0.1", 65001);
    nodes().passwords = {"new"};
    apply();
    EXPECT_EQ(world.view("10.99.0.1").state, "Established");
}

TEST_F(PeerGroup, Row25And26ImportListsReachMembersAtOnceWithoutTheirHelp) {
    const auto peer = world.up("10.99.0.1", 65001);
    peer->send(announce({"10.244.1.0/24", "203.0.113.0/24"}, {65001}, "10.99.0.1"));
    world.settle();
    EXPECT_EQ(world.sink.routes.size(), 2u);
    PrefixRule rule;
    rule.prefix = prefix("10.244.0.0/16");
    rule.ge = rule.le = 24;
    wanted.prefix_lists = {{"pods", {rule}}};
    nodes().import_lists = {"pods"};
    apply();
    EXPECT_EQ(world.sink.routes.size(), 1u);
    wanted.prefix_lists[0].rules[0].prefix = prefix("203.0.112.0/22");
    apply();
    EXPECT_TRUE(world.sink.routes.contains(prefix("203.0.113.0/24")));
    EXPECT_EQ(world.sink.routes.size(), 1u);
    EXPECT_FALSE(peer->notification);
}

TEST_F(PeerGroup, ExportListsAreAppliedToMembersThatAreUp) {
    wanted.networks = {prefix("192.0.2.0/24")};
    apply();
    const auto peer = world.up("10.99.0.1", 65001);
    EXPECT_EQ(peer->routes.size(), 1u);
    nodes().export_lists = std::vector<std::string>{};
    apply();
    EXPECT_TRUE(peer->routes.empty());
    nodes().export_lists = {"any"};
    apply();
    EXPECT_EQ(peer->routes.size(), 1u);
}

TEST_F(PeerGroup, ADefaultRouteCanBeToldToMembersAloneWithoutAnExportList) {
    nodes().export_lists = std::vector<std::string>{};
    nodes().default_originate = true;
    apply();
    const auto peer = world.up("10.99.0.1", 65001);
    EXPECT_EQ(peer->routes.size(), 2u);
    EXPECT_EQ(peer->routes.at(prefix("0.0.0.0/0")).next_hop, address("10.99.0.254"));
    EXPECT_TRUE(world.sink.routes.empty());
    nodes().default_originate = false;
    apply();
    EXPECT_TRUE(peer->routes.empty());
    EXPECT_FALSE(peer->notification);
}

TEST_F(PeerGroup, Row27ShutdownClosesAllMembersAndTellsNewOnes) {
    const auto peer = world.up("10.99.0.1", 65001);
    nodes().shutdown = true;
    nodes().shutdown_message = "maintenance";
    apply();
    EXPECT_EQ(cease_of(*peer), cease::kAdminShutdown);
    EXPECT_EQ(shutdown_communication(*peer->notification), "maintenance");
    const auto again = world.connect("10.99.0.1");
    EXPECT_EQ(cease_of(*again), cease::kAdminShutdown);
    nodes().shutdown = false;
    apply();
    EXPECT_FALSE(world.up("10.99.0.1", 65001)->notification);
}

TEST_F(PeerGroup, Row29ClearResetsAllMembers) {
    const auto a = world.up("10.99.0.1", 65001), b = world.up("10.99.0.2", 65002);
    EXPECT_TRUE(world.speaker->act_on_group("nodes", PeerAction::Clear, ""));
    world.settle();
    EXPECT_EQ(cease_of(*a), cease::kAdminReset);
    EXPECT_EQ(cease_of(*b), cease::kAdminReset);
}

TEST_F(PeerGroup, Row29SoftClearResetsNobody) {
    const auto peer = world.up("10.99.0.1", 65001);
    world.speaker->act_on_group("nodes", PeerAction::SoftIn, "");
    world.settle();
    EXPECT_FALSE(peer->notification);
    EXPECT_EQ(peer->refreshes, 2u);
}

TEST_F(PeerGroup, Row30NestedRangesGiveTheLongestMatch) {
    wanted.groups.push_back(group("racks", kInternal));
    wanted.ranges.push_back({prefix("10.99.7.0/24"), "racks", 0});
    apply();
    EXPECT_FALSE(world.up("10.99.7.1", 65000)->notification);
    EXPECT_EQ(world.view("10.99.7.1").group, "racks");
    EXPECT_FALSE(world.up("10.99.8.1", 65001)->notification);
    EXPECT_EQ(world.view("10.99.8.1").group, "nodes");
}

TEST_F(PeerGroup, Row33AConfiguredNeighborInsideARangeWins) {
    wanted.neighbors = {neighbor("10.99.0.5", 65005)};
    apply();
    EXPECT_TRUE(world.up("10.99.0.5", 65001)->notification);
    const auto peer = world.up("10.99.0.5", 65005);
    EXPECT_FALSE(peer->notification);
    EXPECT_FALSE(world.view("10.99.0.5").dynamic);
}

TEST_F(PeerGroup, Row32ADynamicNeighborCanBeNamed) {
    const auto peer = world.up("10.99.0.1", 65001);
    EXPECT_TRUE(world.speaker->act_on_neighbor(address("10.99.0.1"), PeerAction::Shutdown, "bye"));
    world.settle();
    EXPECT_EQ(cease_of(*peer), cease::kAdminShutdown);
    EXPECT_EQ(cease_of(*world.connect("10.99.0.1")), cease::kAdminShutdown);
    world.speaker->act_on_neighbor(address("10.99.0.1"), PeerAction::Enable, "");
    EXPECT_FALSE(world.up("10.99.0.1", 65001)->notification);
}

TEST_F(PeerGroup, DrainAsksOthersToGoElsewhere) {
    wanted.networks = {prefix("192.0.2.0/24")};
    apply();
    const auto peer = world.up("10.99.0.1", 65001);
    world.speaker->act_on_neighbor(address("10.99.0.1"), PeerAction::Drain, "");
    world.settle();
    EXPECT_EQ(peer->routes.at(prefix("192.0.2.0/24")).attributes.at(8), unhex("ffff0000"));
    EXPECT_EQ(world.view("10.99.0.1").admin, "draining");
}

TEST_F(PeerGroup, ADrainMarksTheDefaultRouteOfMembersToo) {
    nodes().default_originate = true;
    apply();
    const auto peer = world.up("10.99.0.1", 65001);
    const auto& attributes = peer->routes.at(prefix("0.0.0.0/0")).attributes;
    EXPECT_FALSE(attributes.contains(8));
    nodes().graceful_shutdown = true;
    apply();
    EXPECT_EQ(peer->routes.at(prefix("0.0.0.0/0")).attributes.at(8), unhex("ffff0000"));
    nodes().graceful_shutdown = false;
    apply();
    EXPECT_FALSE(peer->routes.at(prefix("0.0.0.0/0")).attributes.contains(8));
}

TEST_F(PeerGroup, Row35OverTheListenLimitIsSaid) {
    wanted.listen_limit = 2;
    apply();
    const auto a = world.up("10.99.0.1", 65001), b = world.up("10.99.0.2", 65001);
    const auto c = world.connect("10.99.0.3");
    EXPECT_EQ(cease_of(*c), cease::kConnectionRejected);
    EXPECT_FALSE(a->notification || b->notification);
    EXPECT_TRUE(world.events.has("BGP-LISTEN-LIMIT-NEAR"));
}

TEST_F(PeerGroup, Row36ALimitBelowTheCountKeepsWhoIsThere) {
    const auto a = world.up("10.99.0.1", 65001), b = world.up("10.99.0.2", 65001);
    wanted.listen_limit = 1;
    apply();
    EXPECT_FALSE(a->notification || b->notification);
}

TEST_F(PeerGroup, Row37ARangeThatGoesSaysGoodbye) {
    const auto peer = world.up("10.99.0.1", 65001);
    wanted.ranges.clear();
    apply();
    EXPECT_EQ(cease_of(*peer), cease::kPeerDeconfigured);
    EXPECT_FALSE(world.speaker->neighbor(address("10.99.0.1")));
}

TEST_F(PeerGroup, Row22ANeighborThatGoesSaysGoodbye) {
    wanted.neighbors = {neighbor("10.98.0.5", 65005)};
    apply();
    const auto peer = world.up("10.98.0.5", 65005);
    wanted.neighbors.clear();
    apply();
    EXPECT_EQ(cease_of(*peer), cease::kPeerDeconfigured);
}

TEST_F(PeerGroup, StrangersAreTurnedAway) {
    const auto peer = world.connect("192.0.2.66");
    EXPECT_EQ(cease_of(*peer), cease::kConnectionRejected);
    EXPECT_TRUE(peer->closed);
}

TEST_F(PeerGroup, Row41EqualExportsShareOneUpdateGroupWhateverTheirNames) {
    wanted.groups.push_back(group("more", kExternal));
    wanted.ranges.push_back({prefix("10.98.0.0/16"), "more", 0});
    apply();
    const auto a = world.up("10.99.0.1", 65001), b = world.up("10.98.0.1", 65002);
    EXPECT_EQ(world.speaker->counters().update_groups, 2u);  // one a family
}

TEST_F(PeerGroup, Row19MaximumPrefixesMeansThatTheNextIsTooMany) {
    nodes().max_prefix = {2, MaxPrefixAction::Close, 75, 0s};
    apply();
    const auto peer = world.up("10.99.0.1", 65001);
    peer->send(announce({"10.1.0.0/24", "10.2.0.0/24"}, {65001}, "10.99.0.1"));
    world.settle();
    EXPECT_FALSE(peer->notification);
    EXPECT_TRUE(world.events.has("BGP-MAX-PREFIX-NEAR"));
    peer->send(announce({"10.3.0.0/24"}, {65001}, "10.99.0.1"));
    world.settle();
    EXPECT_EQ(cease_of(*peer), cease::kMaxPrefixes);
    EXPECT_EQ(cease_of(*world.connect("10.99.0.1")), cease::kConnectionRejected);
    world.speaker->act_on_neighbor(address("10.99.0.1"), PeerAction::Clear, "");
    EXPECT_FALSE(world.up("10.99.0.1", 65001)->notification);
}

TEST_F(PeerGroup, MaximumPrefixesCanDropWhatIsTooManyOnly) {
    nodes().max_prefix = {2, MaxPrefixAction::Drop, 75, 0s};
    apply();
    const auto peer = world.up("10.99.0.1", 65001);
    peer->send(announce({"10.1.0.0/24", "10.2.0.0/24", "10.3.0.0/24"}, {65001}, "10.99.0.1"));
    world.settle();
    EXPECT_FALSE(peer->notification);
    EXPECT_EQ(world.sink.routes.size(), 2u);
    EXPECT_EQ(world.rows(RouteTable::Filtered, "10.99.0.1").at(0).filtered_by,
              "beyond the maximum of prefixes");
}

struct GracefulPeer : PeerGroup {
    static Capabilities graceful(bool forwarding = true, bool notification = true) {
        auto c = World::defaults();
        c.graceful_restart = GracefulRestartCapability{
            true, notification, 120, {{Family::Ip4, forwarding}, {Family::Ip6, forwarding}}};
        return c;
    }
    void teach(RawPeer& peer, std::string_view p = "10.244.1.0/24") {
        peer.send(announce({p}, {65001}, "10.99.0.1"));
        world.settle();
    }
    bool held(std::string_view p = "10.244.1.0/24") {
        return world.sink.routes.contains(prefix(p));
    }
};

TEST_F(GracefulPeer, IsToldEndOfRibEvenIfItSaysItRestarts) {
    const auto peer = world.up("10.99.0.1", 65001, graceful());
    EXPECT_EQ(peer->end_of_rib.size(), 2u);
}

TEST_F(GracefulPeer, KeepsItsRoutesOverALostConnectionUntilEndOfRib) {
    auto peer = world.up("10.99.0.1", 65001, graceful());
    teach(*peer);
    teach(*peer, "10.244.2.0/24");
    peer->close();
    world.settle();
    EXPECT_TRUE(held());
    EXPECT_TRUE(world.rows(RouteTable::AdjIn, "10.99.0.1").at(0).stale);
    const auto back = world.up("10.99.0.1", 65001, graceful());
    EXPECT_TRUE(held());
    teach(*back);
    EXPECT_TRUE(held("10.244.2.0/24"));
    Bytes end;
    encode_end_of_rib(Family::Ip4, end);
    back->send(end);
    world.settle();
    EXPECT_TRUE(held());
    EXPECT_FALSE(held("10.244.2.0/24"));
}

// An agent in a crash loop comes up and dies before it says anything, again and again.
TEST_F(GracefulPeer, KeepsItsRoutesOverARestartTimeOfCrashesWhileItsNodeForwards) {
    auto peer = world.up("10.99.0.1", 65001, graceful());
    teach(*peer);
    teach(*peer, "10.244.2.0/24");
    const PeerKey node{address("10.99.0.1")};
    world.speaker->set_liveness(node, true, "");
    const auto crash = [&] {
        peer->close();
        world.settle();
    };
    crash();
    for (int i = 0; i < 5; ++i) {
        world.pass(10s);
        peer = world.up("10.99.0.1", 65001, graceful());
        if (i == 4) teach(*peer, "10.244.2.0/24");
        crash();
        EXPECT_TRUE(held()) << i;
    }
    world.pass(69s);
    EXPECT_TRUE(held());
    world.pass(2s);
    EXPECT_FALSE(held());  // a restart time after the first crash
    EXPECT_TRUE(held("10.244.2.0/24"));
    world.pass(48s);
    EXPECT_TRUE(held("10.244.2.0/24"));
    world.pass(2s);
    EXPECT_FALSE(held("10.244.2.0/24"));
}

TEST_F(GracefulPeer, LosesThemAtTheSecondCrashOtherwise) {
    for (const bool wanted_so : {true, false}) {
        nodes().stale_while_alive = wanted_so;
        apply();
        auto peer = world.up("10.99.0.1", 65001, graceful());
        teach(*peer);
        if (!wanted_so) world.speaker->set_liveness({address("10.99.0.1")}, true, "");
        for (int i = 0; i < 2; ++i) {
            if (i == 1) peer = world.up("10.99.0.1", 65001, graceful());
            peer->close();
            world.settle();
            EXPECT_EQ(held(), i == 0);
        }
    }
}

TEST_F(GracefulPeer, Row40LosesItsRoutesWhenItDoesNotComeBackInTime) {
    auto peer = world.up("10.99.0.1", 65001, graceful());
    teach(*peer);
    peer->close();
    world.settle();
    world.pass(119s);
    EXPECT_TRUE(held());
    world.pass(2s);
    EXPECT_FALSE(held());
    EXPECT_EQ(world.speaker->counters().paths, 0u);
}

TEST_F(GracefulPeer, LosesItsRoutesWhenItsForwardingStateIsLost) {
    auto peer = world.up("10.99.0.1", 65001, graceful());
    teach(*peer);
    peer->close();
    world.settle();
    const auto back = world.up("10.99.0.1", 65001, graceful(false));
    EXPECT_FALSE(held());
}

TEST_F(GracefulPeer, LosesItsRoutesWhenTheCapabilityHasNoFamilies) {
    auto peer = world.up("10.99.0.1", 65001, graceful());
    teach(*peer);
    peer->close();
    world.settle();
    auto c = World::defaults();
    c.graceful_restart = GracefulRestartCapability{false, true, 120, {}};
    const auto back = world.up("10.99.0.1", 65001, c);
    EXPECT_FALSE(held());
}

TEST_F(GracefulPeer, KeepsItsRoutesOverANotificationButNotOverAHardReset) {  // RFC 8538
    for (const std::uint8_t subcode : {cease::kAdminReset, cease::kHardReset}) {
        auto peer = world.up("10.99.0.1", 65001, graceful());
        teach(*peer);
        Bytes bytes;
        encode(Notification{ErrorCode::Cease, subcode, {}}, bytes);
        peer->send(bytes);
        world.settle();
        EXPECT_EQ(held(), subcode == cease::kAdminReset);
    }
}

TEST_F(GracefulPeer, LosesItsRoutesOverANotificationWithoutTheNBit) {
    auto peer = world.up("10.99.0.1", 65001, graceful(true, false));
    teach(*peer);
    Bytes bytes;
    encode(Notification{ErrorCode::Cease, cease::kAdminReset, {}}, bytes);
    peer->send(bytes);
    world.settle();
    EXPECT_FALSE(held());
}

TEST_F(GracefulPeer, ThatComesBackBeforeTheLossWasNoticedIsWelcome) {
    auto peer = world.up("10.99.0.1", 65001, graceful());
    teach(*peer);
    const auto back = world.up("10.99.0.1", 65001, graceful());
    EXPECT_FALSE(back->notification);
    EXPECT_TRUE(peer->closed);
    EXPECT_TRUE(held());
    EXPECT_EQ(world.view("10.99.0.1").state, "Established");
}

TEST_F(GracefulPeer, StaleOrNotIsUnusedWhenItsNextHopIsDead) {
    auto peer = world.up("10.99.0.1", 65001, graceful());
    teach(*peer);
    peer->close();
    world.settle();
    world.tracker.set(address("10.99.0.1"), false);
    world.settle();
    EXPECT_FALSE(held());
}

TEST_F(GracefulPeer, ThatDiesWhileItsRoutesWaitLosesThemAtOnce) {  // RFC 5882 §4.3
    auto peer = world.up("10.99.0.1", 65001, graceful());
    teach(*peer);
    peer->close();
    world.settle();
    ASSERT_TRUE(held());
    world.speaker->set_liveness(address("10.99.0.1"), false, "no echo");
    world.settle();
    EXPECT_FALSE(held());
    EXPECT_EQ(world.speaker->counters().paths, 0u);
    EXPECT_TRUE(world.events.has("BGP-GR-DEAD"));
}

TEST_F(GracefulPeer, ThatIsDeadEndsItsSessionAndKeepsNothing) {  // RFC 9384
    auto peer = world.up("10.99.0.1", 65001, graceful());
    teach(*peer);
    world.speaker->set_liveness(address("10.99.0.1"), false, "no echo");
    world.settle();
    ASSERT_TRUE(peer->notification);
    EXPECT_EQ(peer->notification->code, ErrorCode::Cease);
    EXPECT_EQ(peer->notification->subcode, cease::kHardReset);
    EXPECT_EQ(peer->notification->data, (Bytes{6, cease::kBfdDown}));
    EXPECT_FALSE(held());
}

// RFC 8538 §5.1: a plain NOTIFICATION would ask the peer to keep our routes.
TEST_F(GracefulPeer, IsToldByAHardResetWhatIsForGood) {
    auto peer = world.up("10.99.0.1", 65001, graceful());
    world.speaker->act_on_neighbor(address("10.99.0.1"), PeerAction::Shutdown, "");
    world.settle();
    EXPECT_EQ(peer->notification->subcode, cease::kHardReset);
    EXPECT_EQ(peer->notification->data, (Bytes{6, cease::kAdminShutdown}));
    world.speaker->act_on_neighbor(address("10.99.0.1"), PeerAction::Enable, "");
    peer = world.up("10.99.0.1", 65001, graceful(true, false));
    world.speaker->stop(cease::kAdminShutdown, [] {});
    world.settle();
    EXPECT_EQ(peer->notification->subcode, cease::kAdminShutdown) << "without the N bit";
}

// RFC 8538 §4: the sender of a NOTIFICATION follows the rules of its receiver.
TEST_F(GracefulPeer, KeepsItsRoutesOverAResetOfOurs) {
    auto peer = world.up("10.99.0.1", 65001, graceful());
    teach(*peer);
    world.speaker->act_on_neighbor(address("10.99.0.1"), PeerAction::Clear, "");
    world.settle();
    EXPECT_EQ(peer->notification->subcode, cease::kAdminReset);
    EXPECT_TRUE(held());
}

TEST_F(GracefulPeer, IsWaitedForNoLongerThanWeLike) {
    nodes().stale_time = 5s;
    apply();
    auto peer = world.up("10.99.0.1", 65001, graceful());
    teach(*peer);
    peer->close();
    world.settle();
    EXPECT_TRUE(held());
    world.pass(6s);
    EXPECT_FALSE(held());
}

TEST_F(GracefulPeer, ThatIsShutWhileItRestartsLeavesNothing) {
    auto peer = world.up("10.99.0.1", 65001, graceful());
    teach(*peer);
    peer->close();
    world.settle();
    EXPECT_TRUE(held());
    nodes().shutdown = true;
    apply();
    EXPECT_FALSE(held());
}

TEST_F(GracefulPeer, ThatIsDeadKeepsItsSessionWhereOnlyItsPathsAreToGo) {
    wanted.groups[0].peer.on_death = OnDeath::Suppress;
    apply();
    auto peer = world.up("10.99.0.1", 65001, graceful());
    teach(*peer);
    world.speaker->set_liveness(address("10.99.0.1"), false, "no echo");
    world.settle();
    EXPECT_EQ(world.view("10.99.0.1").state, "Established");
    // A connection that is lost now is not waited for.
    peer->close();
    world.settle();
    EXPECT_FALSE(held());
    // Alive again, it is.
    world.speaker->set_liveness(address("10.99.0.1"), true, "");
    auto back = world.up("10.99.0.1", 65001, graceful());
    teach(*back);
    back->close();
    world.settle();
    EXPECT_TRUE(held());
}

TEST_F(GracefulPeer, IsReportedAsItComesRestartsAndGoes) {
    struct Listener final : PeerListener {
        void peer_changed(const PeerNews& news) override { stages.push_back(news.stage); }
        std::vector<PeerStage> stages;
    } listener;
    world.speaker->watch(&listener);
    auto peer = world.up("10.99.0.1", 65001, graceful());
    teach(*peer);
    peer->close();
    world.settle();
    wanted.ranges.clear();
    apply();
    using enum PeerStage;
    EXPECT_EQ(listener.stages, (std::vector{Down, Up, Restarting, Gone}));
    world.speaker->watch(nullptr);
}

TEST_F(GracefulPeer, ThatIsRemovedLosesEverything) {
    auto peer = world.up("10.99.0.1", 65001, graceful());
    teach(*peer);
    wanted.ranges.clear();
    apply();
    EXPECT_FALSE(held());
    EXPECT_EQ(world.speaker->counters().attribute_sets, 0u);
}

}  // namespace
}  // namespace torii::bgp::test
