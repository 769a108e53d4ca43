#include "dataplane/fib/publisher.hpp"

#include <gtest/gtest.h>

#include <array>
#include <random>
#include <set>

namespace torii::dataplane {
namespace {

struct Silent : EventSink {
    void emit(Event event) override {
        ids.insert(std::string(event.id.name()));
        ++emitted;
    }
    std::set<std::string> ids;
    unsigned emitted = 0;
};

IpAddress ip(const char* text) {
    return *IpAddress::parse(text);
}

struct World {
    explicit World(std::uint32_t prefixes = 1000, std::uint32_t blocks = 100,
                   std::uint32_t free_hops = 900)
        : fib4{prefixes, blocks, workers},
          hops{static_cast<std::uint32_t>(HopTable::kFirstPort + kMaxPorts + free_hops), workers} {}
    Silent events;
    Quiescence workers{1};
    Fib4 fib4;
    Fib6 fib6{1000, 100, workers};
    HopTable hops;
    Neighbors neighbors{hops, 500};
    Publisher publisher{fib4, fib6, hops, neighbors, workers, events, 512};

    void group(rib::GroupId id, std::vector<const char*> members,
               std::vector<const char*> backup = {}) {
        rib::FibDelta delta;
        rib::GroupChange change{id, {}};
        for (const auto* m : members) change.members.push_back({ip(m), 1, 1});
        for (const auto* m : backup) change.backup.push_back({ip(m), 1, 1});
        delta.groups.push_back(change);
        publisher.apply(delta);
    }
    void route(const char* prefix, rib::GroupId id) {
        rib::FibDelta delta;
        delta.prefixes.push_back(
            {*Prefix::parse(prefix), rib::FibAction{rib::RouteKind::Forward, 0, id}});
        publisher.apply(delta);
    }
    void withdraw(const char* prefix) {
        rib::FibDelta delta;
        delta.prefixes.push_back({*Prefix::parse(prefix), std::nullopt});
        publisher.apply(delta);
    }
    void reachable(const char* address, std::uint8_t mac) {
        auto* n = neighbors.get(1, ip(address));
        n->state = NeighborState::Reachable;
        publisher.neighbor_changed(*n, Hop::forward({{2, 0, 0, 0, 0, mac}}, {}, 1, 1500));
        publisher.refill(1000);
    }
    void dies(const char* address) {
        auto* n = neighbors.get(1, ip(address));
        n->state = NeighborState::Failed;
        publisher.neighbor_changed(*n, Hop::of(HopKind::Unreachable));
    }
    void failed(const char* address) {
        dies(address);
        publisher.refill(1000);
    }
    Hop hop(const char* destination) { return hops.read(fib4.lookup(ip(destination).v4())); }
    std::map<int, unsigned> shares(const char* destination) {
        std::map<int, unsigned> out;
        const auto h = hop(destination);
        for (std::uint32_t b = 0; b < h.buckets()->size(); ++b)
            ++out[hops.read(h.buckets()->buckets[b].hop).macs[5]];
        return out;
    }
};

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
    EXPECT_EQ(w.shares("10.2.1.1"), (std::map<int, unsigned>{{4, 1024}}));
    EXPECT_EQ(w.shares("10.2.2.1"), (std::map<int, unsigned>{{4, 512}, {5, 512}}));
    EXPECT_TRUE(w.hop("198.18.0.1").guarded());
    EXPECT_EQ(w.shares("198.18.0.1"), (std::map<int, unsigned>{{5, 1}}));
    w.reachable("10.1.0.2", 2);
    EXPECT_EQ(w.shares("10.2.1.1"), (std::map<int, unsigned>{{2, 1024}}));
    EXPECT_EQ(w.shares("10.2.2.1"), (std::map<int, unsigned>{{2, 1024}}));
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
    auto shares = w.shares("10.2.0.1");
    EXPECT_NEAR(shares[2] * 4, shares[3], 8);
    n->share = Neighbor::kFullShare;
    w.publisher.share_changed(*n);
    w.publisher.refill(1);
    shares = w.shares("10.2.0.1");
    EXPECT_EQ(shares[2], shares[3]);
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
    std::vector<unsigned> shares;
    std::uint32_t epoch = 1000;
    for (const auto after : {0s, 9s, 10s, 19s, 20s, 29s, 30s, 300s}) {
        n->share = n->share_at(n->back + after);
        busy->epoch = epoch;
        if (after == 0s)
            w.reachable("10.1.0.2", 2);
        else
            w.publisher.share_changed(*n);
        w.publisher.settle(epoch++);
        w.publisher.refill(1);
        shares.push_back(w.shares("10.2.0.1")[2]);
        EXPECT_EQ(w.hops.read(busy->hop).macs[5], 3);
    }
    // One to four, two to four, three to four, and half of all.
    EXPECT_EQ(shares, (std::vector<unsigned>{204, 204, 341, 341, 438, 438, 511, 511}));
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
    EXPECT_EQ(w.shares("10.96.0.1"), (std::map<int, unsigned>{{3, 1024}}));
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
    for (unsigned change = 0; change < 1'000'000; ++change) {
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
    };
    busy();
    w.publisher.settle(epoch);
    w.group(1, all);
    for (int s = 0; s < 55; ++s) second();
    EXPECT_EQ(w.shares("10.2.0.1").size(), 4u);  // flows come first, for a while
    for (int s = 55; s < 120; ++s) second();
    const auto shares = w.shares("10.2.0.1");
    EXPECT_EQ(shares.size(), 12u);
    const auto fair = w.hop("10.2.0.1").buckets()->size() / 12;
    for (const auto& [member, n] : shares) EXPECT_NEAR(n, fair, 2) << member;
}

}  // namespace
}  // namespace torii::dataplane
