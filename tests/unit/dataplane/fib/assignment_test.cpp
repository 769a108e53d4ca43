#include "dataplane/fib/assignment.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>

#include "dataplane/fib/next_hop_group.hpp"
#include "tests/support/flow_histories.hpp"

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
        EXPECT_GE(n / mean, 0.87);
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
    EXPECT_LE(others, size / 50) << others * 100.0 / static_cast<double>(size) << " %";
}

INSTANTIATE_TEST_SUITE_P(Members, AssignmentOf,
                         testing::Values(2, 3, 4, 8, 12, 25, 51, 100, 102, 204, 409, 511));

TEST(Assignment, FollowsWeights) {
    Members m = members(3);
    m[0].weight = 10;
    m[1].weight = 30;
    m[2].weight = 60;
    std::map<std::uint64_t, double> owned;
    const auto all = owners(m);
    for (const auto owner : all) owned[owner] += 100.0 / static_cast<double>(all.size());
    EXPECT_NEAR(owned[m[0].identity], 10, 0.8);
    EXPECT_NEAR(owned[m[1].identity], 30, 2);
    EXPECT_NEAR(owned[m[2].identity], 60, 3);
}

// Fixed, since gateways of different versions share flows.
TEST(Assignment, IsTheSameInEveryVersion) {
    std::uint64_t sum = 0;
    for (const auto owner : owners(members(12))) sum = sum * 31 + owner;
    EXPECT_EQ(sum, 3556575689003444357u);
}

// The long form is `./bench flows`.
TEST(Assignment, IsWhereTablesOfDifferentHistoriesMeet) {
    const auto small = live_through(30, 24);
    EXPECT_TRUE(small.good()) << small.unequal << ' ' << small.active_moved << ' '
                              << small.most_over_mean << ' ' << small.most_moved_beyond;
    EXPECT_EQ(small.histories, 30u);
    EXPECT_GT(small.joins_and_leaves, 50u);
    const auto large = live_through(8, 512);
    EXPECT_TRUE(large.good()) << large.unequal << ' ' << large.active_moved << ' '
                              << large.most_over_mean << ' ' << large.most_moved_beyond;
}

TEST(Assignment, GivesNothingToMembersOfWeightZero) {
    auto m = members(5);
    const auto four = owners({m.begin(), m.begin() + 4});
    m[4].weight = 0;
    EXPECT_EQ(owners(m), four);
    for (auto& member : m) member.weight = 0;
    EXPECT_EQ(owners(m), owners(members(5)));
}

}  // namespace
}  // namespace torii::dataplane
