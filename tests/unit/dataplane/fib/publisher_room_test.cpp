// What finds no room in the workers' tables: it waits, and keeps nothing else out.
#include <gtest/gtest.h>

#include "publisher_world.hpp"

namespace torii::dataplane {
namespace {

using World = PublisherWorld;

TEST(Publisher, RefusesRoutesBeyondItsRoomAndTakesThemWhenThereIsSome) {
    World w{2};
    w.group(1, {"10.1.0.2"});
    w.reachable("10.1.0.2", 2);
    w.route("10.10.0.0/16", 1);
    w.route("10.11.0.0/16", 1);
    w.route("10.12.0.0/16", 1);
    EXPECT_TRUE(w.events.ids.contains("FIB-FULL"));
    EXPECT_EQ(w.publisher.refused(), 1u);
    EXPECT_EQ(w.hop("10.12.0.1").kind(), HopKind::NoRoute);
    w.withdraw("10.10.0.0/16");
    EXPECT_EQ(w.publisher.refused(), 0u);
    EXPECT_EQ(w.hop("10.12.0.1").kind(), HopKind::Forward);
}

TEST(Publisher, LeavesAHostEntryToTheNeighborThatHasItNow) {
    World w;
    w.reachable("10.1.0.2", 2);
    w.reachable("10.1.0.3", 3);
    const auto first = w.neighbors.find(1, ip("10.1.0.2"))->hop;
    const auto second = w.neighbors.find(1, ip("10.1.0.3"))->hop;
    w.publisher.set_host(ip("10.2.0.9"), first);
    w.publisher.set_host(ip("10.2.0.9"), second);
    w.publisher.erase_host(ip("10.2.0.9"), first);
    EXPECT_EQ(w.hop("10.2.0.9").macs[5], 3);
    // What is ours stays ours.
    w.publisher.set_host(ip("10.2.0.9"), HopTable::kLocal);
    w.publisher.set_host(ip("10.2.0.9"), first);
    EXPECT_EQ(w.hop("10.2.0.9").kind(), HopKind::Local);
    w.publisher.erase_host(ip("10.2.0.9"), HopTable::kLocal);
    EXPECT_EQ(w.hop("10.2.0.9").kind(), HopKind::NoRoute);
}

TEST(Publisher, PutsAHostEntryInWhenThereIsRoom) {
    World w{2};
    w.group(1, {"10.1.0.2"});
    w.reachable("10.1.0.2", 2);
    w.route("10.10.0.0/16", 1);
    w.route("10.11.0.0/16", 1);
    w.publisher.set_host(ip("10.2.0.9"), w.neighbors.find(1, ip("10.1.0.2"))->hop);
    EXPECT_EQ(w.hop("10.2.0.9").kind(), HopKind::NoRoute);
    w.withdraw("10.10.0.0/16");
    EXPECT_EQ(w.hop("10.2.0.9").macs[5], 2);
    EXPECT_EQ(w.publisher.refused(), 0u);
}

TEST(Publisher, KeepsOnePrefixThatFindsNoRoomFromDelayingOthers) {
    World w{100, 1};  // one /24 with longer prefixes
    w.group(1, {"10.1.0.2"});
    w.reachable("10.1.0.2", 2);
    w.route("10.10.0.0/28", 1);
    for (int n = 0; n < 60; ++n) w.route(("10.20." + std::to_string(n) + ".0/28").c_str(), 1);
    for (int n = 0; n < 39; ++n) w.route(("10.30." + std::to_string(n) + ".0/24").c_str(), 1);
    for (int n = 0; n < 60; ++n) w.route(("10.40." + std::to_string(n) + ".0/24").c_str(), 1);
    EXPECT_EQ(w.publisher.refused(), 60u);
    w.route("10.50.0.0/24", 1);
    EXPECT_EQ(w.publisher.refused(), 61u);
    w.withdraw("10.40.0.0/24");
    EXPECT_EQ(w.publisher.refused(), 60u);
    EXPECT_EQ(w.hop("10.50.0.1").kind(), HopKind::Forward);
    w.withdraw("10.10.0.0/28");
    w.publisher.reclaim();
    w.publisher.settle(1);
    EXPECT_EQ(w.publisher.refused(), 59u);
}

TEST(Publisher, InstallsRoutesWhoseGroupFoundNoHopWhenThereIsOne) {
    World w{1000, 100, 3};
    w.group(1, {"10.1.0.2"});
    w.reachable("10.1.0.2", 2);
    w.group(2, {"10.1.0.2"});
    w.route("10.10.0.0/24", 1);
    w.route("10.11.0.0/24", 2);
    w.group(3, {"10.1.0.2"});
    w.route("10.12.0.0/24", 3);
    EXPECT_TRUE(w.events.ids.contains("FIB-GROUPS-FULL"));
    EXPECT_EQ(w.hop("10.12.0.1").kind(), HopKind::NoRoute);
    EXPECT_GT(w.publisher.refused(), 0u);
    w.withdraw("10.10.0.0/24");
    rib::FibDelta delta;
    delta.removed_groups.push_back(1);
    w.publisher.apply(delta);
    w.publisher.reclaim();
    w.publisher.settle(1);
    EXPECT_EQ(w.hop("10.12.0.1").macs[5], 2);
    EXPECT_EQ(w.publisher.refused(), 0u);
}

TEST(Publisher, EnlistsMembersThatFoundNoPlaceWhenThereIsOne) {
    World w{1000, 100, 4};
    w.group(1, {"10.1.0.2"});
    w.group(2, {"10.1.0.3", "10.1.0.4"});
    w.route("10.11.0.0/24", 2);
    EXPECT_TRUE(w.events.ids.contains("FIB-NEIGHBORS-FULL"));
    rib::FibDelta delta;
    delta.removed_groups.push_back(1);
    w.publisher.apply(delta);
    w.publisher.reclaim();
    w.publisher.settle(1);
    auto* late = w.neighbors.find(1, ip("10.1.0.4"));
    ASSERT_NE(late, nullptr);
    EXPECT_EQ(late->users, 1u);
    EXPECT_EQ(w.publisher.refused(), 0u);
}

TEST(Publisher, EmitsAFewEventsForThousandsOfRefusals) {
    World w{1};
    w.group(1, {"10.1.0.2"});
    for (int n = 0; n < 250; ++n)
        for (int m = 0; m < 8; ++m)
            w.route(("10." + std::to_string(n) + "." + std::to_string(m) + ".0/24").c_str(), 1);
    EXPECT_EQ(w.publisher.refused(), 1999u);
    EXPECT_LT(w.events.emitted, 20u);
}

TEST(Publisher, NamesEveryHopThatCountsPacketsToANeighbor) {
    World w;
    w.reachable("10.1.0.2", 2);
    w.reachable("10.1.0.3", 3);
    w.group(1, {"10.1.0.2"}, {"10.1.0.3"});
    w.group(2, {"10.1.0.2", "10.1.0.3"});
    w.route("10.10.0.0/24", 1);
    const auto hops_of = [&](const char* address) {
        std::set<HopId> out;
        w.publisher.each_hop_of(*w.neighbors.find(1, ip(address)),
                                [&](HopId hop) { out.insert(hop); });
        return out;
    };
    const auto own = [&](const char* address) { return w.neighbors.find(1, ip(address))->hop; };
    const auto lone = w.fib4.lookup(ip("10.10.0.1").v4());
    EXPECT_EQ(hops_of("10.1.0.2"), (std::set<HopId>{own("10.1.0.2"), lone}));
    EXPECT_EQ(hops_of("10.1.0.3"), (std::set<HopId>{own("10.1.0.3")}));
    w.dies("10.1.0.2");
    EXPECT_EQ(hops_of("10.1.0.3"), (std::set<HopId>{own("10.1.0.3"), lone}));
}

}  // namespace
}  // namespace torii::dataplane
