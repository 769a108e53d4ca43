#include "dataplane/fib/publisher.hpp"

#include <gtest/gtest.h>

#include <array>
#include <random>

#include "publisher_world.hpp"
#include "tests/support/sanitized.hpp"

namespace torii::dataplane {
namespace {

using World = PublisherWorld;

TEST(Publisher, TellsOfADeathByOneStoreAndRefillsTheGroupsInTurn) {
    World w;
    for (const auto* address : {"10.1.0.2", "10.1.0.3", "10.1.0.4"})
        w.reachable(address, static_cast<std::uint8_t>(address[7] - '0'));
    constexpr rib::GroupId kGroups = 20;
    for (rib::GroupId id = 1; id <= kGroups; ++id) {
        w.group(id, {"10.1.0.2", "10.1.0.3", "10.1.0.4"});
        w.route(("10.2." + std::to_string(id) + ".0/24").c_str(), id);
    }
    w.group(50, {"10.1.0.2"});  // of it alone: carries the store itself
    w.route("10.3.0.0/24", 50);
    w.dies("10.1.0.2");
    EXPECT_EQ(w.hop("10.3.0.1").kind(), HopKind::Unreachable);
    // Buckets still name the dead one's hop, which says so.
    EXPECT_GT(w.shares("10.2.1.1")[0], 0u);
    EXPECT_TRUE(w.publisher.refill(5));
    EXPECT_EQ(w.shares("10.2.1.1").size(), 2u);
    EXPECT_EQ(w.shares("10.2.20.1").size(), 3u);
    while (w.publisher.refill(5)) {
    }
    EXPECT_EQ(w.shares("10.2.20.1").size(), 2u);
}

TEST(Publisher, SendsToTheBackupAsSoonAsTheOnlyNextHopDies) {
    World w;
    for (const auto* address : {"10.1.0.2", "10.1.0.3", "10.1.0.4"})
        w.reachable(address, static_cast<std::uint8_t>(address[7] - '0'));
    w.group(1, {"10.1.0.2"}, {"10.1.0.3"});
    w.group(2, {"10.1.0.2"}, {"10.1.0.4"});
    w.group(3, {"10.1.0.3"}, {"10.1.0.2"});
    w.route("10.2.1.0/24", 1);
    w.route("10.2.2.0/24", 2);
    w.route("10.2.3.0/24", 3);
    const auto before = w.fib4.lookup(ip("10.2.1.1").v4());
    w.dies("10.1.0.2");
    EXPECT_FALSE(w.publisher.refilling());
    EXPECT_EQ(w.hop("10.2.1.1").macs[5], 3);
    EXPECT_EQ(w.hop("10.2.2.1").macs[5], 4);
    EXPECT_EQ(w.hop("10.2.3.1").macs[5], 3);
    EXPECT_EQ(w.fib4.lookup(ip("10.2.1.1").v4()), before);  // no prefix was written
    w.reachable("10.1.0.3", 33);
    EXPECT_EQ(w.hop("10.2.1.1").macs[5], 33);
    w.dies("10.1.0.3");
    EXPECT_EQ(w.hop("10.2.1.1").kind(), HopKind::Unreachable);
    EXPECT_EQ(w.hop("10.2.2.1").macs[5], 4);
    w.reachable("10.1.0.3", 3);
    EXPECT_EQ(w.hop("10.2.1.1").macs[5], 3);
    w.reachable("10.1.0.2", 2);
    EXPECT_EQ(w.hop("10.2.1.1").macs[5], 2);
    EXPECT_EQ(w.hop("10.2.3.1").macs[5], 3);
    // As the table goes on: another set, with nothing behind it.
    w.group(1, {"10.1.0.3"});
    w.dies("10.1.0.3");
    EXPECT_EQ(w.hop("10.2.1.1").kind(), HopKind::Unreachable);
    EXPECT_EQ(w.neighbors.find(1, ip("10.1.0.2"))->users, 2u);
}

TEST(Publisher, SharesTheBackupWhenAllMembersAreDead) {
    World w;
    w.publisher.guard({*Prefix::parse("198.18.0.0/16")});
    for (const auto* address : {"10.1.0.2", "10.1.0.3", "10.1.0.4", "10.1.0.5"})
        w.reachable(address, static_cast<std::uint8_t>(address[7] - '0'));
    w.group(1, {"10.1.0.2", "10.1.0.3"}, {"10.1.0.4"});
    w.group(2, {"10.1.0.2"}, {"10.1.0.4", "10.1.0.5"});
    w.group(3, {"10.1.0.2"}, {"10.1.0.5"});
    w.route("10.2.1.0/24", 1);
    w.route("10.2.2.0/24", 2);
    w.route("198.18.0.1/32", 3);
    w.dies("10.1.0.2");
    w.dies("10.1.0.3");
    // Before its turn comes the buckets name the dead, and beside them whom to ask then.
    EXPECT_EQ(w.shares("10.2.1.1").size(), 1u);
    EXPECT_EQ(w.hop("10.2.1.1").buckets()->backup, w.neighbors.find(1, ip("10.1.0.4"))->hop);
    while (w.publisher.refill(1)) {
    }
    EXPECT_EQ(w.shares("10.2.1.1"), (std::map<int, unsigned>{{4, 4096}}));
    EXPECT_EQ(w.percent("10.2.2.1"), (std::map<int, int>{{4, 50}, {5, 50}}));
    EXPECT_TRUE(w.hop("198.18.0.1").guarded());
    EXPECT_EQ(w.shares("198.18.0.1"), (std::map<int, unsigned>{{5, 1}}));
    w.reachable("10.1.0.2", 2);
    EXPECT_EQ(w.shares("10.2.1.1"), (std::map<int, unsigned>{{2, 4096}}));
    EXPECT_EQ(w.shares("10.2.2.1"), (std::map<int, unsigned>{{2, 4096}}));
    EXPECT_EQ(w.shares("198.18.0.1"), (std::map<int, unsigned>{{2, 1}}));
}

TEST(Publisher, KeepsFlowsWhereTheyAreWhenARouteMovesToAnotherGroup) {
    World w;
    for (const auto* address : {"10.1.0.2", "10.1.0.3", "10.1.0.4"})
        w.reachable(address, static_cast<std::uint8_t>(address[7] - '0'));
    w.group(1, {"10.1.0.2", "10.1.0.3", "10.1.0.4"});
    w.route("10.2.0.0/24", 1);
    const auto owners = [&] {
        std::vector<int> out;
        const auto h = w.hop("10.2.0.1");
        for (std::uint32_t b = 0; b < h.buckets()->size(); ++b)
            out.push_back(w.hops.read(h.buckets()->buckets[b].hop).macs[5]);
        return out;
    };
    const auto before = owners();
    for (std::uint32_t b = 0; b < before.size(); ++b)
        w.hop("10.2.0.1").buckets()->buckets[b].epoch = 1;  // in use
    // As BGP does it when a node withdraws: another set, another group, in one delta.
    rib::FibDelta delta;
    delta.groups.push_back({2, {{ip("10.1.0.3"), 1, 1}, {ip("10.1.0.4"), 1, 1}}});
    delta.prefixes.push_back(
        {*Prefix::parse("10.2.0.0/24"), rib::FibAction{rib::RouteKind::Forward, 0, 2}});
    delta.removed_groups.push_back(1);
    w.publisher.apply(delta);
    const auto after = owners();
    ASSERT_EQ(after.size(), before.size());
    for (std::size_t b = 0; b < after.size(); ++b)
        if (before[b] != 2) {
            EXPECT_EQ(after[b], before[b]) << b;
        }
}

TEST(Publisher, PutsServiceAddressesInAPoolUnderTheLoopGuard) {
    World w;
    w.publisher.guard({*Prefix::parse("198.18.0.0/16")});
    w.reachable("10.1.0.2", 2);
    w.reachable("10.1.0.3", 3);
    w.group(1, {"10.1.0.2"});
    w.group(2, {"10.1.0.2", "10.1.0.3"});
    w.route("198.18.0.1/32", 1);
    w.route("198.18.1.0/24", 1);  // a network of one node
    w.route("198.18.0.2/32", 2);
    w.route("10.2.0.1/32", 2);  // in no pool
    EXPECT_TRUE(w.hop("198.18.0.1").guarded());
    EXPECT_EQ(w.shares("198.18.0.1").size(), 1u);
    EXPECT_EQ(w.hop("198.18.1.1").kind(), HopKind::Forward);
    EXPECT_TRUE(w.hop("198.18.0.2").guarded());
    EXPECT_EQ(w.hop("10.2.0.1").kind(), HopKind::Group);
    EXPECT_FALSE(w.hop("10.2.0.1").guarded());
    w.failed("10.1.0.2");
    EXPECT_EQ(w.hop("198.18.0.1").kind(), HopKind::Unreachable);
    EXPECT_EQ(w.shares("198.18.0.2").size(), 1u);
}

TEST(Publisher, GivesWhoIsBackItsShareSlowly) {
    World w;
    for (const auto* address : {"10.1.0.2", "10.1.0.3"})
        w.reachable(address, static_cast<std::uint8_t>(address[7] - '0'));
    w.group(1, {"10.1.0.2", "10.1.0.3"});
    w.route("10.2.0.0/24", 1);
    w.failed("10.1.0.2");
    auto* n = w.neighbors.get(1, ip("10.1.0.2"));
    n->share = 1;
    w.reachable("10.1.0.2", 2);
    EXPECT_EQ(w.percent("10.2.0.1"), (std::map<int, int>{{2, 20}, {3, 80}}));
    n->share = Neighbor::kFullShare;
    w.publisher.share_changed(*n);
    w.publisher.refill(1);
    EXPECT_EQ(w.percent("10.2.0.1"), (std::map<int, int>{{2, 50}, {3, 50}}));
}

TEST(Publisher, WhoIsBackEarnsItsShareWhileFlowsStayWhereTheyAre) {
    using namespace std::chrono_literals;
    World w;
    for (const auto* address : {"10.1.0.2", "10.1.0.3"})
        w.reachable(address, static_cast<std::uint8_t>(address[7] - '0'));
    w.group(1, {"10.1.0.2", "10.1.0.3"});
    w.route("10.2.0.0/24", 1);
    w.failed("10.1.0.2");
    // A flow of the one that is left, which is never idle.
    auto* busy = &w.hop("10.2.0.1").buckets()->buckets[5];
    auto* n = w.neighbors.get(1, ip("10.1.0.2"));
    n->slow_start = 30s;
    n->back = std::chrono::steady_clock::time_point{} + 1000s;
    std::vector<int> shares;
    std::uint32_t epoch = 1000;
    for (const auto after : {0s, 9s, 10s, 19s, 20s, 29s, 30s, 300s}) {
        n->share = n->share_at(n->back + after);
        busy->epoch = epoch;
        if (after == 0s)
            w.reachable("10.1.0.2", 2);
        else
            w.publisher.share_changed(*n);
        w.publisher.settle(epoch++);
        w.publisher.refill(1000);
        shares.push_back(w.percent("10.2.0.1")[2]);
        EXPECT_EQ(w.hops.read(busy->hop).macs[5], 3);
    }
    // One to four, two to four, three to four, and half of all.
    EXPECT_EQ(shares, (std::vector<int>{20, 20, 35, 35, 45, 45, 50, 50}));
    EXPECT_EQ(n->share, Neighbor::kFullShare);
    n->slow_start = 0s;
    EXPECT_EQ(n->share_at(n->back), Neighbor::kFullShare);
}

TEST(Publisher, HoldsPacketsUntilTheNeighborIsKnown) {
    World w;
    w.group(1, {"10.1.0.2"});
    w.route("10.244.0.0/24", 1);
    EXPECT_EQ(w.hop("10.244.0.5").kind(), HopKind::Hold);
    w.reachable("10.1.0.2", 7);
    EXPECT_EQ(w.hop("10.244.0.5").kind(), HopKind::Forward);
    EXPECT_EQ(w.hop("10.244.0.5").macs[5], 7);
}

TEST(Publisher, MovesAllPrefixesOfANeighborWithOneWrite) {
    World w;
    w.group(1, {"10.1.0.2"});
    w.reachable("10.1.0.2", 7);
    w.route("10.244.0.0/24", 1);
    w.route("10.245.0.0/16", 1);
    w.reachable("10.1.0.2", 9);
    EXPECT_EQ(w.hop("10.244.0.5").macs[5], 9);
    EXPECT_EQ(w.hop("10.245.3.5").macs[5], 9);
}

TEST(Publisher, SharesBetweenMembersAndTakesTheDeadOut) {
    World w;
    w.group(1, {"10.1.0.2", "10.1.0.3", "10.1.0.4"});
    w.reachable("10.1.0.2", 2);
    w.reachable("10.1.0.3", 3);
    w.reachable("10.1.0.4", 4);
    w.route("10.96.0.1/32", 1);
    ASSERT_EQ(w.hop("10.96.0.1").kind(), HopKind::Group);
    EXPECT_EQ(w.shares("10.96.0.1").size(), 3u);
    w.failed("10.1.0.3");
    auto left = w.shares("10.96.0.1");
    EXPECT_EQ(left.size(), 2u);
    EXPECT_FALSE(left.contains(3));
    w.reachable("10.1.0.3", 3);
    EXPECT_EQ(w.shares("10.96.0.1").size(), 3u);
}

TEST(Publisher, GrowsAGroupFromOneMemberAndShrinksItBack) {
    World w;
    w.group(1, {"10.1.0.2"});
    w.reachable("10.1.0.2", 2);
    w.reachable("10.1.0.3", 3);
    w.route("10.96.0.1/32", 1);
    w.group(1, {"10.1.0.2", "10.1.0.3"});
    EXPECT_EQ(w.shares("10.96.0.1").size(), 2u);
    w.group(1, {"10.1.0.3"});
    EXPECT_EQ(w.shares("10.96.0.1"), (std::map<int, unsigned>{{3, 4096}}));
    EXPECT_EQ(w.neighbors.find(1, ip("10.1.0.2"))->users, 0u);
}

TEST(Publisher, LeavesNoGroupBehind) {
    World w;
    for (int round = 0; round < 1000; ++round) {
        w.group(1, {"10.1.0.2", "10.1.0.3"});
        w.route("10.96.0.1/32", 1);
        w.withdraw("10.96.0.1/32");
        rib::FibDelta delta;
        delta.removed_groups.push_back(1);
        w.publisher.apply(delta);
        w.publisher.reclaim();
    }
    EXPECT_EQ(w.publisher.groups(), 0u);
    EXPECT_EQ(w.fib4.prefixes(), 0u);
    EXPECT_LE(w.hops.pool().used(), HopTable::kFirstPort + kMaxPorts + 2);
}

TEST(Publisher, LeavesNothingBehindAMillionRandomChanges) {
    World w{2000};
    const auto blocks = w.fib4.blocks().used();
    const auto hops = w.hops.pool().used();
    std::mt19937 random{5};
    std::array<bool, 64> grouped{};
    std::array<std::uint32_t, 1024> routed{};  // the group of each prefix; 0: none
    const auto prefix = [](std::size_t i) {
        // Half of them longer than /24, so that blocks come and go.
        return Prefix{IpAddress::v4(static_cast<std::uint32_t>(0x0a640000 + (i << 6))),
                      static_cast<std::uint8_t>(i % 2 ? 26 : 24 + i % 3)};
    };
    const auto withdraw = [&](rib::FibDelta& delta, std::size_t i) {
        delta.prefixes.push_back({prefix(i), std::nullopt});
        routed[i] = 0;
    };
    // A hundred thousand where a sanitizer watches each.
    for (unsigned change = 0; change < (kSanitized ? 100'000u : 1'000'000u); ++change) {
        rib::FibDelta delta;
        const auto i = random() % routed.size();
        const auto id = 1 + random() % (grouped.size() - 1);
        if (routed[i] != 0) {
            withdraw(delta, i);
        } else if (grouped[id] && random() % 64 == 0) {
            for (std::size_t k = 0; k < routed.size(); ++k)
                if (routed[k] == id) withdraw(delta, k);
            delta.removed_groups.push_back(static_cast<rib::GroupId>(id));
            grouped[id] = false;
        } else {
            if (!grouped[id]) {
                rib::GroupChange group{static_cast<rib::GroupId>(id), {}};
                for (auto n = 1 + random() % 3; n > 0; --n)
                    group.members.push_back(
                        {IpAddress::v4(static_cast<std::uint32_t>(0x0a010002 + (id + n) % 16)), 1,
                         1});
                if (random() % 2 == 0) group.backup.push_back({ip("10.1.0.9"), 1, 1});
                delta.groups.push_back(group);
                grouped[id] = true;
            }
            delta.prefixes.push_back({prefix(i), rib::FibAction{rib::RouteKind::Forward, 0,
                                                                static_cast<rib::GroupId>(id)}});
            routed[i] = static_cast<std::uint32_t>(id);
        }
        w.publisher.apply(delta);
        if (change % 64 == 0) w.publisher.reclaim();
    }
    rib::FibDelta rest;
    for (std::size_t i = 0; i < routed.size(); ++i)
        if (routed[i] != 0) withdraw(rest, i);
    for (std::size_t id = 1; id < grouped.size(); ++id)
        if (grouped[id]) rest.removed_groups.push_back(static_cast<rib::GroupId>(id));
    w.publisher.apply(rest);
    w.publisher.reclaim();
    w.publisher.reclaim();
    EXPECT_EQ(w.publisher.groups(), 0u);
    EXPECT_EQ(w.publisher.refused(), 0u);
    EXPECT_EQ(w.fib4.prefixes(), 0u);
    EXPECT_EQ(w.fib4.blocks().used(), blocks);
    // Neighbors stay known; each has one hop.
    EXPECT_LE(w.hops.pool().used(), hops + 16);
}

TEST(Publisher, PrefersARouteOverItsOwnHostEntryAndReturnsToIt) {
    World w;
    w.group(1, {"10.1.0.2"});
    w.reachable("10.1.0.2", 2);
    w.publisher.set_host(ip("10.2.0.9"), HopTable::kBroadcast);
    EXPECT_EQ(w.hop("10.2.0.9").kind(), HopKind::Broadcast);
    w.route("10.2.0.9/32", 1);
    EXPECT_EQ(w.hop("10.2.0.9").kind(), HopKind::Forward);
    w.withdraw("10.2.0.9/32");
    EXPECT_EQ(w.hop("10.2.0.9").kind(), HopKind::Broadcast);
    w.publisher.erase_host(ip("10.2.0.9"), 77);  // of another by now
    EXPECT_EQ(w.hop("10.2.0.9").kind(), HopKind::Broadcast);
    w.publisher.erase_host(ip("10.2.0.9"), HopTable::kBroadcast);
    EXPECT_EQ(w.hop("10.2.0.9").kind(), HopKind::NoRoute);
}

TEST(Publisher, GivesThoseThatJoinTheirShareAlsoWhenEveryBucketIsBusy) {
    World w;
    const auto host = [](int n) { return "10.1.0." + std::to_string(n); };
    std::vector<std::string> names;
    for (int n = 2; n < 14; ++n) {
        names.push_back(host(n));
        w.reachable(names.back().c_str(), static_cast<std::uint8_t>(n));
    }
    std::vector<const char*> few, all;
    for (std::size_t i = 0; i < names.size(); ++i) {
        if (i < 4) few.push_back(names[i].c_str());
        all.push_back(names[i].c_str());
    }
    w.group(1, few);
    w.route("10.2.0.0/24", 1);
    std::uint32_t epoch = 1000;
    const auto busy = [&] {
        const auto* table = w.hop("10.2.0.1").buckets();
        for (std::uint32_t b = 0; b < table->size(); ++b) table->buckets[b].epoch = epoch;
    };
    const auto second = [&] {
        epoch += 4;
        busy();
        w.publisher.settle(epoch);
        w.publisher.refill(1000);
    };
    busy();
    w.publisher.settle(epoch);
    w.group(1, all);
    for (int s = 0; s < 55; ++s) second();
    EXPECT_EQ(w.shares("10.2.0.1").size(), 4u);  // flows come first, for a while
    for (int s = 55; s < 120; ++s) second();
    const auto shares = w.shares("10.2.0.1");
    EXPECT_EQ(shares.size(), 12u);
    const double fair = w.hop("10.2.0.1").buckets()->size() / 12.0;
    for (const auto& [member, n] : shares) EXPECT_NEAR(n / fair, 1, 0.06) << member;
}

struct BusyGroup : World {
    BusyGroup() {
        for (const auto* address : {"10.1.0.2", "10.1.0.3", "10.1.0.4"})
            reachable(address, static_cast<std::uint8_t>(address[7] - '0'));
        group(1, {"10.1.0.2", "10.1.0.3"});
        route("10.2.0.0/24", 1);
        second();
        group(1, {"10.1.0.2", "10.1.0.3", "10.1.0.4"});
    }
    void second() {
        epoch += 4;
        const auto* table = hop("10.2.0.1").buckets();
        for (std::uint32_t b = 0; b < table->size(); ++b) table->buckets[b].epoch = epoch;
        publisher.settle(epoch);
        publisher.refill(1000);
    }
    std::uint32_t epoch = 1000;
};

TEST(Publisher, MovesBusyBucketsAfterTheTimeThatIsConfigured) {
    BusyGroup w;
    w.publisher.set_unbalanced_after(std::chrono::seconds{5});
    for (int s = 0; s < 4; ++s) w.second();
    EXPECT_EQ(w.shares("10.2.0.1").count(4), 0u);
    for (int s = 4; s < 70; ++s) w.second();
    EXPECT_NEAR(w.shares("10.2.0.1")[4] * 3.0 / w.hop("10.2.0.1").buckets()->size(), 1, 0.06);
}

TEST(Publisher, LeavesBusyBucketsAloneForEverWhereThatIsConfigured) {
    BusyGroup w;
    w.publisher.set_unbalanced_after(std::chrono::seconds{0});
    for (int s = 0; s < 500; ++s) w.second();
    EXPECT_EQ(w.shares("10.2.0.1").count(4), 0u);
}

TEST(Publisher, MovesBucketsAFewGroupsAtATimeAndThoseOfTheDeadFirst) {
    World w;
    for (const auto* address : {"10.1.0.2", "10.1.0.3", "10.1.0.4"})
        w.reachable(address, static_cast<std::uint8_t>(address[7] - '0'));
    const auto prefix = [](rib::GroupId id) { return "10.2." + std::to_string(id) + ".0/24"; };
    const auto inside = [](rib::GroupId id) { return "10.2." + std::to_string(id) + ".1"; };
    const auto busy = [&](std::uint32_t epoch) {
        for (rib::GroupId id = 1; id <= 10; ++id) {
            const auto* table = w.hop(inside(id).c_str()).buckets();
            for (std::uint32_t b = 0; b < table->size(); ++b) table->buckets[b].epoch = epoch;
        }
    };
    for (rib::GroupId id = 1; id <= 10; ++id) {
        w.group(id, {"10.1.0.2", "10.1.0.3"});
        w.route(prefix(id).c_str(), id);
    }
    busy(1000);
    w.publisher.settle(1000);
    w.publisher.refill(1000);
    for (rib::GroupId id = 1; id <= 10; ++id) w.group(id, {"10.1.0.2", "10.1.0.3", "10.1.0.4"});
    w.publisher.settle(2000);  // all idle by now
    const auto moved = [&] {
        unsigned n = 0;
        for (rib::GroupId id = 1; id <= 10; ++id) n += w.shares(inside(id).c_str()).contains(4);
        return n;
    };
    EXPECT_EQ(moved(), 0u);
    EXPECT_TRUE(w.publisher.refill(3));
    EXPECT_EQ(moved(), 3u);
    w.dies("10.1.0.2");
    EXPECT_TRUE(w.publisher.refill(10));
    for (rib::GroupId id = 1; id <= 10; ++id)
        EXPECT_FALSE(w.shares(inside(id).c_str()).contains(2));
    while (w.publisher.refill(3)) {
    }
    EXPECT_EQ(moved(), 10u);
}

TEST(Publisher, SendsNoNewFlowsToAMemberOfWeightZero) {
    World w;
    w.reachable("10.1.0.2", 2);
    w.reachable("10.1.0.3", 3);
    w.group(1, {"10.1.0.2", "10.1.0.3"});
    w.route("10.2.0.0/24", 1);
    auto* busy = w.hop("10.2.0.1").buckets()->buckets;
    while (w.hops.read(busy->hop).macs[5] != 2) ++busy;
    busy->epoch = 1000;
    rib::FibDelta delta;
    delta.groups.push_back({1, {{ip("10.1.0.2"), 1, 0}, {ip("10.1.0.3"), 1, 1}}});
    w.publisher.apply(delta);
    w.publisher.settle(1001);
    w.publisher.refill(1000);
    EXPECT_EQ(w.shares("10.2.0.1")[2], 1u);  // the flow that there is
    w.publisher.settle(2000);
    w.publisher.refill(1000);
    EXPECT_EQ(w.shares("10.2.0.1")[2], 0u);
    w.failed("10.1.0.3");  // and none is left
    EXPECT_GT(w.shares("10.2.0.1")[2], 0u);
}

TEST(Publisher, KeepsASuspectOnlyWhereThereIsNoOtherNextHop) {
    World w;
    w.publisher.guard({*Prefix::parse("198.18.0.0/16")});
    for (const auto* address : {"10.1.0.2", "10.1.0.3", "10.1.0.4"})
        w.reachable(address, static_cast<std::uint8_t>(address[7] - '0'));
    w.group(1, {"10.1.0.2"});
    w.group(2, {"10.1.0.2", "10.1.0.3"});
    w.group(3, {"10.1.0.2"}, {"10.1.0.4"});
    w.route("10.2.1.0/24", 1);
    w.route("10.2.2.0/24", 2);
    w.route("10.2.3.0/24", 3);
    w.route("198.18.0.1/32", 1);
    auto* n = w.neighbors.find(1, ip("10.1.0.2"));
    w.publisher.suspect(*n);
    w.failed("10.1.0.2");
    EXPECT_EQ(w.hop("10.2.1.1").macs[5], 2);
    EXPECT_EQ(w.shares("198.18.0.1"), (std::map<int, unsigned>{{2, 1}}));
    EXPECT_EQ(w.shares("10.2.2.1"), (std::map<int, unsigned>{{3, 4096}}));
    EXPECT_EQ(w.hop("10.2.3.1").macs[5], 4);
    // The other one as well: both may be back.
    w.publisher.suspect(*w.neighbors.find(1, ip("10.1.0.3")));
    w.failed("10.1.0.3");
    EXPECT_EQ(w.percent("10.2.2.1"), (std::map<int, int>{{2, 50}, {3, 50}}));
    // It is dead indeed.
    w.publisher.clear_suspicion(*n);
    w.failed("10.1.0.2");
    EXPECT_EQ(w.hop("10.2.1.1").kind(), HopKind::Unreachable);
    EXPECT_EQ(w.hop("198.18.0.1").kind(), HopKind::Unreachable);
    EXPECT_EQ(w.shares("10.2.2.1"), (std::map<int, unsigned>{{3, 4096}}));
    // Back before that was certain.
    w.reachable("10.1.0.3", 3);
    w.publisher.clear_suspicion(*w.neighbors.find(1, ip("10.1.0.3")));
    EXPECT_EQ(w.shares("10.2.2.1"), (std::map<int, unsigned>{{3, 4096}}));
    w.reachable("10.1.0.2", 2);
    EXPECT_EQ(w.hop("10.2.1.1").macs[5], 2);
    EXPECT_EQ(w.shares("10.2.2.1").size(), 2u);
}

}  // namespace
}  // namespace torii::dataplane
