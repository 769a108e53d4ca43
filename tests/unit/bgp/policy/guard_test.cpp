#include "bgp/policy/guard.hpp"

#include "tests/unit/bgp/raw_peer.hpp"

namespace torii::bgp::test {
namespace {

using namespace std::chrono_literals;

struct Guarded : testing::Test {
    void SetUp() override {
        wanted = settings();
        wanted.groups = {group("nodes", {RemoteAs::Kind::External, 0})};
        wanted.groups[0].peer.guarded = true;
        wanted.ranges = {{prefix("10.99.0.0/16"), "nodes", 0}};
        wanted.guard = {
            GuardMode::Enforce, {prefix("10.244.0.0/16")}, {prefix("198.18.0.0/24")}, 60s};
        world.speaker->apply(wanted);
        ASSERT_TRUE(world.speaker->start());
        victim = world.up("10.99.0.1", 65001);
        thief = world.up("10.99.0.2", 65002);
        teach(*victim, "10.244.1.0/24", 65001, "10.99.0.1");
        ASSERT_EQ(via("10.244.1.0/24"), address("10.99.0.1"));
    }
    void teach(RawPeer& peer, std::string_view p, std::uint32_t as, std::string_view next_hop) {
        peer.send(announce({p}, {as}, next_hop));
        world.settle();
    }
    IpAddress via(std::string_view p) {
        const auto at = world.sink.routes.find(prefix(p));
        return at == world.sink.routes.end() || at->second.size() != 1 ? IpAddress{}
                                                                       : at->second[0].address;
    }
    std::string refusal() {
        const auto rows = world.rows(RouteTable::Filtered, "10.99.0.2");
        return rows.empty() ? "" : rows[0].filtered_by;
    }
    World world;
    SpeakerSettings wanted;
    std::shared_ptr<RawPeer> victim, thief;
};

TEST_F(Guarded, ANodeMayNotAnnounceItsNeighborsPrefix) {
    teach(*thief, "10.244.1.0/24", 65002, "10.99.0.2");
    EXPECT_EQ(via("10.244.1.0/24"), address("10.99.0.1"));
    EXPECT_EQ(refusal(), "guard: 10.244.1.0/24 is owned by 10.99.0.1");
    EXPECT_TRUE(world.events.has("BGP-GUARD-REFUSED"));
}

TEST_F(Guarded, NorHalfOfIt) {
    teach(*thief, "10.244.1.128/25", 65002, "10.99.0.2");
    EXPECT_FALSE(world.sink.routes.contains(prefix("10.244.1.128/25")));
    EXPECT_EQ(refusal(),
              "guard: 10.244.1.128/25 is inside 10.244.1.0/24, which is owned by 10.99.0.1");
}

TEST_F(Guarded, NoNodeMayOwnAllPods) {
    const auto all = world.up("10.99.0.3", 65003);
    world.speaker->apply(wanted);
    teach(*victim, "10.244.0.0/16", 65001, "10.99.0.1");
    EXPECT_FALSE(world.sink.routes.contains(prefix("10.244.0.0/16")));
    wanted.guard.min_length_ipv4 = 16;
    world.speaker->apply(wanted);
    world.settle();
    EXPECT_TRUE(world.sink.routes.contains(prefix("10.244.0.0/16")));
    wanted.guard.min_length_ipv4 = 25;
    world.speaker->apply(wanted);
    world.settle();
    EXPECT_FALSE(world.sink.routes.contains(prefix("10.244.1.0/24")));
}

// What an operator lists by node is a node's.
TEST_F(Guarded, ARangeOfPodsThatIsAsLongAsANodesMayBeOwned) {
    wanted.guard.pods = {prefix("10.244.0.0/16"), prefix("10.244.7.0/24")};
    world.speaker->apply(wanted);
    teach(*thief, "10.244.7.0/24", 65002, "10.99.0.2");
    EXPECT_EQ(via("10.244.7.0/24"), address("10.99.0.2"));
}

TEST_F(Guarded, ANodeOwnsOnlySoManyAndFollowsWhenItOwnsLess) {
    wanted.guard.prefixes_per_node = 2;
    world.speaker->apply(wanted);
    for (const auto* p : {"10.244.2.0/24", "10.244.3.0/24", "10.244.4.0/24", "198.18.0.1/32"})
        teach(*thief, p, 65002, "10.99.0.2");
    EXPECT_EQ(world.sink.routes.size(), 4u);  // the victim's, two, and the shared one
    EXPECT_EQ(refusal(), "guard: 10.244.4.0/24 is one too many for this node (prefixes_per_node)");
    thief->send(withdraw({"10.244.2.0/24"}));
    world.settle();
    EXPECT_FALSE(world.sink.routes.contains(prefix("10.244.4.0/24")));
    world.pass(30s);
    for (const auto& peer : {victim, thief}) peer->keepalive();
    world.settle();
    world.pass(31s);  // the lease of what it left
    EXPECT_EQ(via("10.244.4.0/24"), address("10.99.0.2"));
}

TEST_F(Guarded, NorAnythingOverIt) {
    teach(*thief, "10.244.0.0/16", 65002, "10.99.0.2");
    EXPECT_EQ(world.sink.routes.size(), 1u);
}

TEST_F(Guarded, SharedRangesAreForAll) {
    teach(*victim, "198.18.0.1/32", 65001, "10.99.0.1");
    teach(*thief, "198.18.0.1/32", 65002, "10.99.0.2");
    EXPECT_EQ(world.sink.routes[prefix("198.18.0.1/32")].size(), 2u);
}

TEST_F(Guarded, WhatIsNeitherPodNorSharedIsRefused) {
    teach(*thief, "203.0.113.0/24", 65002, "10.99.0.2");
    EXPECT_EQ(world.sink.routes.size(), 1u);
}

TEST_F(Guarded, APrefixStaysItsOwnersForALeaseAndIsFreeThen) {
    victim->close();
    world.settle();
    teach(*thief, "10.244.1.0/24", 65002, "10.99.0.2");
    EXPECT_TRUE(world.sink.routes.empty());
    thief->keepalive();
    world.settle();
    world.pass(61s);
    EXPECT_EQ(via("10.244.1.0/24"), address("10.99.0.2"));
}

// A path may go by a withdrawal, an End-of-RIB, a refresh or the end of a session.
TEST_F(Guarded, APrefixThatARestartOrARefreshLeftOutIsFreeAfterTheLease) {
    victim->close();
    world.settle();
    world.pass(61s);
    auto c = World::defaults();
    c.enhanced_refresh = true;
    c.graceful_restart = GracefulRestartCapability{false, false, 120, {{Family::Ip4, true}}};
    auto node = world.up("10.99.0.1", 65001, c);
    teach(*node, "10.244.1.0/24", 65001, "10.99.0.1");
    teach(*node, "10.244.2.0/24", 65001, "10.99.0.1");
    teach(*thief, "10.244.1.0/24", 65002, "10.99.0.2");
    teach(*thief, "10.244.2.0/24", 65002, "10.99.0.2");
    Bytes b;
    encode(RouteRefresh{1, 1, kSafiUnicast}, b);  // BoRR ... EoRR without 10.244.2.0/24
    node->send(b);
    node->send(announce({"10.244.1.0/24"}, {65001}, "10.99.0.1"));
    b.clear();
    encode(RouteRefresh{1, 2, kSafiUnicast}, b);
    node->send(b);
    world.settle();
    EXPECT_TRUE(world.sink.routes.contains(prefix("10.244.1.0/24")));
    EXPECT_FALSE(world.sink.routes.contains(prefix("10.244.2.0/24")));
    thief->keepalive();
    node->keepalive();
    world.settle();
    world.pass(61s);
    EXPECT_EQ(via("10.244.2.0/24"), address("10.99.0.2"));
    EXPECT_EQ(via("10.244.1.0/24"), address("10.99.0.1"));

    node->close();  // and it comes back without 10.244.1.0/24
    world.settle();
    EXPECT_TRUE(world.sink.routes.contains(prefix("10.244.1.0/24")));
    node = world.up("10.99.0.1", 65001, c);
    b.clear();
    encode_end_of_rib(Family::Ip4, b);
    node->send(b);
    thief->keepalive();
    world.settle();
    EXPECT_FALSE(world.sink.routes.contains(prefix("10.244.1.0/24")));
    world.pass(61s);
    EXPECT_EQ(via("10.244.1.0/24"), address("10.99.0.2"));
}

TEST_F(Guarded, ANodeThatIsGuardedNoMoreOwnsNothing) {
    teach(*thief, "10.244.1.0/24", 65002, "10.99.0.2");
    auto own = neighbor("10.99.0.3", 65003);
    own.peer.guarded = true;
    wanted.neighbors = {own};
    world.speaker->apply(wanted);
    const auto third = world.up("10.99.0.3", 65003);
    teach(*third, "10.244.3.0/24", 65003, "10.99.0.3");
    teach(*thief, "10.244.3.0/24", 65002, "10.99.0.2");
    wanted.neighbors[0].peer.guarded = false;
    world.speaker->apply(wanted);
    world.settle();
    third->send(withdraw({"10.244.3.0/24"}));
    thief->keepalive();
    world.settle();
    world.pass(61s);
    EXPECT_EQ(via("10.244.3.0/24"), address("10.99.0.2"));
}

TEST_F(Guarded, WhatGoesWhileTheGuardIsOffIsNotOwnedWhenItIsOnAgain) {
    wanted.guard.mode = GuardMode::Off;
    world.speaker->apply(wanted);
    victim->send(withdraw({"10.244.1.0/24"}));
    world.settle();
    thief->keepalive();
    victim->keepalive();
    world.settle();
    world.pass(61s);
    wanted.guard.mode = GuardMode::Enforce;
    world.speaker->apply(wanted);
    teach(*thief, "10.244.1.0/24", 65002, "10.99.0.2");
    EXPECT_EQ(via("10.244.1.0/24"), address("10.99.0.2"));
}

TEST_F(Guarded, OneOfTwoPathsIsEnoughToOwnAPrefix) {
    wanted.groups[0].peer.add_path = AddPath::Receive;
    world.speaker->apply(wanted);
    world.settle();
    auto c = World::defaults();
    c.add_path_send = {true, true};
    const auto node = world.up("10.99.0.20", 65020, c);
    const auto path = [&](std::uint32_t id, bool announced) {
        Attributes a;
        for (const auto code : {Attribute::Origin, Attribute::AsPath}) a.set(code);
        const Bytes as_path{2, 1, 0, 0, 0xfd, 0xfc};
        a.as_path = as_path;
        a.next_hop = address("10.99.0.20");
        const Announcement one{prefix("10.244.9.0/24"), id};
        OutgoingAttributes out;
        out.next_hop = a.next_hop;
        encode_attributes(a, true, true, out.bytes);
        Bytes message;
        if (announced)
            encode_announcements({&one, 1}, out, {kMaxMessage, true}, message);
        else
            encode_withdrawals({&one, 1}, {kMaxMessage, true}, message);
        node->send(message);
        world.settle();
    };
    path(1, true);
    path(2, true);
    const auto attacker = world.up("10.99.0.5", 65005);
    teach(*attacker, "10.244.9.0/24", 65005, "10.99.0.5");
    path(1, false);
    attacker->keepalive();
    node->keepalive();
    world.settle();
    world.pass(61s);
    EXPECT_EQ(via("10.244.9.0/24"), address("10.99.0.20"));
}

TEST_F(Guarded, ThoseThatWaitFollowInTheOrderOfTheirArrival) {
    const auto second = world.up("10.99.0.9", 65009), third = world.up("10.99.0.3", 65003);
    teach(*second, "10.244.1.0/24", 65009, "10.99.0.9");
    teach(*third, "10.244.1.0/24", 65003, "10.99.0.3");
    victim->send(withdraw({"10.244.1.0/24"}));
    second->keepalive();
    third->keepalive();
    world.settle();
    world.pass(61s);
    EXPECT_EQ(via("10.244.1.0/24"), address("10.99.0.9"));
}

TEST_F(Guarded, WhatTheLimitDropsClaimsNothing) {
    wanted.groups[0].peer.max_prefix = {1, MaxPrefixAction::Drop, 75, 0s};
    world.speaker->apply(wanted);
    teach(*victim, "10.244.2.0/24", 65001, "10.99.0.1");
    teach(*thief, "10.244.2.0/24", 65002, "10.99.0.2");
    EXPECT_EQ(via("10.244.2.0/24"), address("10.99.0.2"));
}

TEST(AGuard, EndsManyLeasesAFewAtATime) {
    ManualClock clock;
    Guard guard{clock};
    guard.configure({GuardMode::Enforce, {}, {}, 60s});
    const PeerKey a{address("10.0.0.1")}, b{address("10.0.0.2")};
    for (unsigned n = 0; n < 200; ++n) {
        const Prefix p{IpAddress::v4(0x0a000000 + n * 256), 24};
        guard.arrive(a, p);
        guard.claim(a, p);
        guard.arrive(b, p);
        EXPECT_FALSE(guard.check(b, p).allowed());
        guard.leave(a, p);
    }
    EXPECT_TRUE(guard.expire(64).empty());
    clock.advance(61s);
    std::size_t ended = 0;
    for (auto some = guard.expire(64); !some.empty(); some = guard.expire(64)) {
        EXPECT_LE(some.size(), 64u);
        ended += some.size();
        EXPECT_TRUE(guard.check(b, some[0].prefix).allowed());
    }
    EXPECT_EQ(ended, 200u);
    EXPECT_FALSE(guard.next_expiry());
}

TEST_F(Guarded, TheTableDecidesWhereThereIsOne) {
    world.speaker->assign_prefixes(address("10.99.0.2"), {prefix("10.244.2.0/24")});
    teach(*thief, "10.244.3.0/24", 65002, "10.99.0.2");
    EXPECT_EQ(refusal(), "guard: 10.244.3.0/24 is not assigned to this node");
    teach(*thief, "10.244.2.0/24", 65002, "10.99.0.2");
    EXPECT_EQ(via("10.244.2.0/24"), address("10.99.0.2"));
    world.speaker->assign_prefixes(address("10.99.0.2"), {prefix("10.244.1.0/24")});
    world.settle();
    EXPECT_FALSE(world.sink.routes.contains(prefix("10.244.1.0/24")))
        << "the victim's by the table no more";
}

TEST_F(Guarded, AlertsWithoutRefusingWhenToldSo) {
    wanted.guard.mode = GuardMode::Alert;
    world.speaker->apply(wanted);
    teach(*thief, "10.244.1.0/24", 65002, "10.99.0.2");
    EXPECT_EQ(world.sink.routes[prefix("10.244.1.0/24")].size(), 2u);
    EXPECT_TRUE(world.events.has("BGP-GUARD-ALERT"));
}

}  // namespace
}  // namespace torii::bgp::test
