#include "dataplane/fib/assignment.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>

#include "dataplane/fib/next_hop_group.hpp"

namespace torii::dataplane {
namespace {

using Members = std::vector<Assignment::Member>;

Members members(unsigned n, std::uint32_t from = 0) {
    Members out;
    for (unsigned i = 0; i < n; ++i)
        out.push_back({Assignment::identity_of(IpAddress::v4(0x0a010002 + from + i)), 1});
    return out;
}
std::vector<std::uint64_t> owners(const Members& m, std::uint32_t size) {
    std::vector<std::uint64_t> out;
    for (const auto i : Assignment::of(m, size)) out.push_back(m[i].identity);
    return out;
}
std::vector<std::uint64_t> owners(const Members& m) {
    return owners(m, Assignment::size_for(m));
}

class AssignmentOf : public testing::TestWithParam<unsigned> {};

TEST_P(AssignmentOf, IsTheSameInWhateverOrderMembersCame) {
    auto m = members(GetParam());
    const auto first = owners(m);
    std::mt19937 random{3};
    for (int i = 0; i < 3; ++i) {
        std::ranges::shuffle(m, random);
        EXPECT_EQ(owners(m), first);
    }
}

TEST_P(AssignmentOf, IsFair) {
    const auto m = members(GetParam());
    std::map<std::uint64_t, unsigned> owned;
    const auto all = owners(m);
    for (const auto owner : all) ++owned[owner];
    EXPECT_EQ(owned.size(), m.size());
    const double mean = static_cast<double>(all.size()) / GetParam();
    for (const auto& [owner, n] : owned) {
        EXPECT_LE(n / mean, 1.05);
        EXPECT_GE(n / mean, 0.95);
    }
}

TEST_P(AssignmentOf, MovesLittleBesideTheShareOfOneThatJoinsOrLeaves) {
    const auto more = members(GetParam() + 1);
    auto less = more;
    const auto joins = less.back().identity;
    less.pop_back();
    const auto before = owners(less), after = owners(more);
    const auto size = std::max(before.size(), after.size());
    unsigned others = 0;
    for (std::size_t b = 0; b < size; ++b) {
        const auto now = after[b % after.size()];
        others += now != joins && now != before[b % before.size()];
    }
    EXPECT_LE(others, size * 35 / 1000) << others * 100.0 / static_cast<double>(size) << " %";
}

INSTANTIATE_TEST_SUITE_P(Members, AssignmentOf,
                         testing::Values(2, 3, 4, 8, 12, 25, 51, 100, 204, 511));

TEST(Assignment, FollowsWeights) {
    Members m = members(3);
    m[0].weight = 10;
    m[1].weight = 30;
    m[2].weight = 60;
    std::map<std::uint64_t, double> owned;
    const auto all = owners(m);
    for (const auto owner : all) owned[owner] += 100.0 / static_cast<double>(all.size());
    EXPECT_NEAR(owned[m[0].identity], 10, 0.2);
    EXPECT_NEAR(owned[m[1].identity], 30, 0.2);
    EXPECT_NEAR(owned[m[2].identity], 60, 0.2);
}

// Fixed, since gateways of different versions share flows.
TEST(Assignment, IsTheSameInEveryVersion) {
    std::uint64_t sum = 0;
    for (const auto owner : owners(members(12))) sum = sum * 31 + owner;
    EXPECT_EQ(sum, 4379174635676787345u);
}

// Two gateways that lived through different joins and leaves agree once flows are idle.
TEST(Assignment, IsWhereTablesOfDifferentHistoriesMeet) {
    std::mt19937 random{11};
    for (int round = 0; round < 30; ++round) {
        std::map<std::uint32_t, HopId> hops[2];
        BucketTablePtr tables[2];
        std::vector<std::uint32_t> last;
        const auto live = [&](int gate, const std::vector<std::uint32_t>& hosts, bool idle) {
            std::vector<BucketPlan::Member> m;
            for (const auto host : hosts) {
                const auto next = static_cast<HopId>(100 * static_cast<std::size_t>(gate + 1) +
                                                     hops[gate].size());
                const auto hop = hops[gate].try_emplace(host, next).first->second;
                m.push_back({hop, 1, Assignment::identity_of(IpAddress::v4(0x0a010000 + host))});
            }
            auto& table = tables[gate];
            const auto size = BucketPlan::wanted_size(m);
            if (!table) table = make_buckets(size);
            if (table->size() < size) table = BucketPlan::resized(*table, size);
            for (std::uint32_t b = 0; b < table->size(); ++b)
                table->buckets[b].epoch = random() % 2 ? 1000 : 500;
            BucketPlan::settle(*table, m, idle ? 2000 : 900);
        };
        for (int gate = 0; gate < 2; ++gate)
            for (int step = 0; step < 10; ++step) {
                std::vector<std::uint32_t> hosts;
                for (std::uint32_t host = 1; host < 40; ++host)
                    if (random() % 3) hosts.push_back(host);
                if (!hosts.empty()) live(gate, hosts, false);
            }
        for (std::uint32_t host = 1; host < 40; ++host)
            if (random() % 2) last.push_back(host);
        if (last.size() < 2) last = {1, 2};
        live(0, last, true);
        std::ranges::reverse(last);
        live(1, last, true);
        std::map<HopId, std::uint32_t> host_of;
        for (const auto& of : hops)
            for (const auto& [host, hop] : of) host_of[hop] = host;
        const auto most = std::max(tables[0]->size(), tables[1]->size());
        for (std::uint32_t b = 0; b < most; ++b)
            ASSERT_EQ(host_of[tables[0]->buckets[b & tables[0]->mask].hop],
                      host_of[tables[1]->buckets[b & tables[1]->mask].hop])
                << b;
    }
}

}  // namespace
}  // namespace torii::dataplane
