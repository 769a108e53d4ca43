#include "bgp/rib/decision.hpp"

#include <gtest/gtest.h>

#include <algorithm>

namespace torii::bgp {
namespace {

const IpAddress kLow = IpAddress::v4(1), kHigh = IpAddress::v4(2);

Candidate path() {
    Candidate c;
    c.usable = true;
    c.ebgp = true;
    c.local_pref = 100;
    c.path_length = 2;
    c.neighbor_as = 65001;
    c.identifier = 10;
    c.address = &kLow;
    return c;
}

Decision decide(std::vector<Candidate> all, DecisionSettings settings = {},
                Multipath multipath = {}) {
    Decision out;
    decide(all, settings, multipath, out);
    return out;
}

TEST(Decision, PrefersByEachStepAndSaysWhich) {
    struct Row {
        Step step;
        void (*worsen)(Candidate&);
    };
    const Row rows[] = {
        {Step::Reachable, [](Candidate& c) { c.usable = false; }},
        {Step::NotLongLivedStale, [](Candidate& c) { c.long_lived_stale = true; }},
        {Step::LocalPref, [](Candidate& c) { c.local_pref = 99; }},
        {Step::PathLength, [](Candidate& c) { c.path_length = 3; }},
        {Step::Origin, [](Candidate& c) { c.origin = 2; }},
        {Step::Med, [](Candidate& c) { c.has_med = true, c.med = 5; }},
        {Step::Ebgp, [](Candidate& c) { c.ebgp = false; }},
        {Step::Metric, [](Candidate& c) { c.metric = 7; }},
        {Step::Identifier, [](Candidate& c) { c.identifier = 11; }},
        {Step::ClusterLength, [](Candidate& c) { c.cluster_length = 1; }},
        {Step::PeerAddress, [](Candidate& c) { c.address = &kHigh; }},
        {Step::PathId, [](Candidate& c) { c.path_id = 1; }},
    };
    for (const auto& [step, worsen] : rows) {
        auto worse = path();
        worsen(worse);
        for (const bool first : {true, false}) {
            const auto d = decide(first ? std::vector{path(), worse} : std::vector{worse, path()});
            EXPECT_EQ(d.best, first ? 0u : 1u) << to_string(step);
            EXPECT_EQ(d.why, step) << to_string(step) << " but " << to_string(d.why);
            EXPECT_EQ(distinguish(path(), worse, {}), step);
        }
    }
}

TEST(Decision, HasNoBestWithoutAUsablePath) {
    auto c = path();
    c.usable = false;
    EXPECT_EQ(decide({c, c}).best, Decision::kNone);
    EXPECT_EQ(decide({}).best, Decision::kNone);
}

TEST(Decision, ComparesMedWithinOneNeighborAsOnly) {
    auto a = path(), b = path();
    a.has_med = b.has_med = true;
    a.med = 10;
    b.med = 5;
    b.neighbor_as = 65002;
    b.identifier = 99;
    EXPECT_EQ(decide({a, b}).best, 0u);
    EXPECT_EQ(decide({a, b}, {.always_compare_med = true}).best, 1u);
}

TEST(Decision, DoesNotDependOnTheOrderOfPathsWithMed) {
    auto a = path(), b = path(), c = path();
    for (auto* p : {&a, &b, &c}) p->has_med = true;
    a.med = 10, a.identifier = 1;
    b.med = 5, b.identifier = 2, b.neighbor_as = 65002;
    c.med = 5, c.identifier = 3;
    // a loses to c by MED, so b wins by its identifier, whatever comes first.
    EXPECT_EQ(decide({a, b, c}).best, 1u);
    EXPECT_EQ(decide({c, a, b}).best, 2u);
    EXPECT_EQ(decide({b, c, a}).best, 0u);
}

TEST(Decision, KeepsThePathInUseBetweenEqualExternalOnes) {
    auto a = path(), b = path();
    a.identifier = 1;
    b.identifier = 2;
    b.current = true;
    EXPECT_EQ(decide({a, b}).best, 1u);
    EXPECT_EQ(decide({a, b}).why, Step::Oldest);
    EXPECT_EQ(decide({a, b}, {.compare_router_id = true}).best, 0u);
}

TEST(Decision, SharesAmongEqualPathsUpToTheLimit) {
    std::vector<Candidate> all(600, path());
    for (std::uint32_t i = 0; i < 600; ++i) all[i].identifier = i;
    all[599].path_length = 1;
    EXPECT_EQ(decide(all).multipath.size(), 1u);
    all[599].path_length = 2;
    EXPECT_EQ(decide(all, {}, {512, 64, true}).multipath.size(), 512u);
    const auto few = decide(all, {}, {4, 1, true});
    EXPECT_EQ(few.multipath.size(), 4u);
    EXPECT_NE(std::ranges::find(few.multipath, few.best), few.multipath.end());
}

TEST(Decision, SharesAmongNeighborAsesOnlyWhenRelaxed) {
    auto a = path(), b = path();
    b.neighbor_as = 65002;
    EXPECT_EQ(decide({a, b}, {}, {64, 64, true}).multipath.size(), 2u);
    EXPECT_EQ(decide({a, b}, {}, {64, 64, false}).multipath.size(), 1u);
}

}  // namespace
}  // namespace torii::bgp
