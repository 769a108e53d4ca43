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
