#include "dataplane/fib/next_hop_group.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <map>
#include <numeric>
#include <random>

#include "dataplane/packet/flow_hash.hpp"

namespace torii::dataplane {
namespace {

std::vector<BucketPlan::Member> members(unsigned n) {
    std::vector<BucketPlan::Member> out;
    for (unsigned i = 0; i < n; ++i) out.push_back({100 + i, 1});
    return out;
}
std::map<HopId, std::uint32_t> owned(const BucketTable& table) {
    std::map<HopId, std::uint32_t> out;
    for (std::uint32_t b = 0; b < table.size(); ++b) ++out[table.buckets[b].hop];
    return out;
}
BucketTablePtr settled(std::span<const BucketPlan::Member> m) {
    auto table = make_buckets(BucketPlan::wanted_size(m));
    EXPECT_EQ(BucketPlan::settle(*table, m, 1), 0u);
    return table;
}
std::vector<HopId> snapshot(const BucketTable& table) {
    std::vector<HopId> out;
    for (std::uint32_t b = 0; b < table.size(); ++b) out.push_back(table.buckets[b].hop);
    return out;
}

// A flow's hash from the packet's fields in network order, to port 443 of a service.
std::uint32_t hash_of(std::uint32_t source, std::uint32_t port) {
    const auto addresses =
        std::uint64_t{__builtin_bswap32(0x0a600001)} << 32 | __builtin_bswap32(source);
    return flow_hash4(addresses, __builtin_bswap32(port << 16 | 443), kTcp);
}

class GroupOf : public testing::TestWithParam<unsigned> {};

TEST_P(GroupOf, SharesWithinFivePercentOfIdeal) {
    const auto m = members(GetParam());
    const auto table = settled(m);
    const double ideal = static_cast<double>(table->size()) / GetParam();
    for (const auto& [hop, n] : owned(*table)) {
        EXPECT_LE(n / ideal, 1.05);
        EXPECT_GE(n / ideal, 0.87);
    }
    EXPECT_EQ(owned(*table).size(), m.size());
}

TEST_P(GroupOf, MovesOnlyTheFlowsOfAMemberThatLeaves) {
    auto m = members(GetParam());
    auto table = settled(m);
    const auto before = snapshot(*table);
    const auto gone = m[GetParam() / 2].hop;
    m.erase(m.begin() + GetParam() / 2);
    // Everything in use: nothing else may move.
    for (std::uint32_t b = 0; b < table->size(); ++b) table->buckets[b].epoch = 1000;
    BucketPlan::settle(*table, m, 900);
    for (std::uint32_t b = 0; b < table->size(); ++b) {
        if (before[b] == gone) {
            EXPECT_NE(table->buckets[b].hop, gone);
        } else {
            EXPECT_EQ(table->buckets[b].hop, before[b]);
        }
    }
}

TEST_P(GroupOf, MovesNoActiveFlowWhenAMemberJoins) {
    auto m = members(GetParam());
    auto table = settled(m);
    const auto before = snapshot(*table);
    std::mt19937 random{1};
    for (std::uint32_t b = 0; b < table->size(); ++b)
        table->buckets[b].epoch = random() % 2 ? 1000 : 500;
    m.push_back({999, 1});
    if (const auto size = BucketPlan::wanted_size(m); size > table->size())
        table = BucketPlan::resized(*table, size);
    const auto size = static_cast<std::uint32_t>(before.size());
    BucketPlan::settle(*table, m, 900);
    std::uint32_t joined = 0;
    for (std::uint32_t b = 0; b < table->size(); ++b) {
        joined += table->buckets[b].hop == 999;
        if (table->buckets[b].epoch >= 900) {
            EXPECT_EQ(table->buckets[b].hop, before[b & (size - 1)]);
        }
    }
    EXPECT_GT(joined, 0u);
    // Once the rest is idle too, the share is fair.
    EXPECT_EQ(BucketPlan::settle(*table, m, 2000), 0u);
    const double ideal = static_cast<double>(table->size()) / static_cast<double>(m.size());
    for (const auto& [hop, n] : owned(*table)) EXPECT_LE(n / ideal, 1.05);
}

// Clients behind many addresses, each with many ports.
std::vector<std::uint32_t> flow_hashes(unsigned count) {
    std::mt19937 random{7};
    std::vector<std::uint32_t> out;
    for (unsigned i = 0; i < count; ++i)
        out.push_back(hash_of(static_cast<std::uint32_t>(0x0a000000 | (random() & 0xffffff)),
                              static_cast<std::uint32_t>(1024 + random() % 60'000)));
    return out;
}
constexpr unsigned kFlows = 100'000;

TEST_P(GroupOf, SpreadsAHundredThousandFlowsAsEvenlyAsChanceAllows) {
    const unsigned n = GetParam();
    const auto table = settled(members(n));
    std::map<HopId, unsigned> flows;
    for (const auto hash : flow_hashes(kFlows)) ++flows[table->buckets[hash & table->mask].hop];
    EXPECT_EQ(flows.size(), n);
    // Even a perfect draw scatters by the square root of a member's flows.
    const double mean = static_cast<double>(kFlows) / n;
    for (const auto& [hop, count] : flows) EXPECT_LE(count, mean * 1.05 + 4 * std::sqrt(mean));

    std::vector<unsigned> drawn(n);
    std::mt19937_64 random{5};
    for (unsigned i = 0; i < kFlows; ++i) ++drawn[random() % n];
    const auto most = [](const auto& counts) {
        double out = 0;
        for (const auto& [hop, count] : counts) out = std::max(out, static_cast<double>(count));
        return out;
    };
    std::printf(
        "{\"name\":\"flows-%u\",\"value\":%.3f,\"unit\":\"largest share / mean, of buckets\","
        "\"of_flows\":%.3f,\"of_flows_drawn_by_dice\":%.3f}\n",
        n, most(owned(*table)) * n / table->size(), most(flows) / mean,
        *std::ranges::max_element(drawn) / mean);
}

TEST_P(GroupOf, KeepsEveryOtherFlowThroughALossAndAJoin) {
    auto m = members(GetParam());
    auto table = settled(m);
    const auto hashes = flow_hashes(kFlows);
    const auto now_at = [&](std::uint32_t hash) -> Bucket& {
        return table->buckets[hash & table->mask];
    };
    std::vector<HopId> before;
    for (const auto hash : hashes) {
        now_at(hash).epoch = 1000;
        before.push_back(now_at(hash).hop);
    }
    const auto gone = m.back().hop;
    m.pop_back();
    BucketPlan::settle(*table, m, 900);
    unsigned moved = 0, of_the_lost = 0;
    for (std::size_t i = 0; i < hashes.size(); ++i) {
        of_the_lost += before[i] == gone;
        if (before[i] == gone)
            EXPECT_NE(now_at(hashes[i]).hop, gone);
        else
            moved += now_at(hashes[i]).hop != before[i];
        before[i] = now_at(hashes[i]).hop;
    }
    m.push_back({999, 1});
    if (const auto size = BucketPlan::wanted_size(m); size > table->size())
        table = BucketPlan::resized(*table, size);
    BucketPlan::settle(*table, m, 900);
    for (std::size_t i = 0; i < hashes.size(); ++i) moved += now_at(hashes[i]).hop != before[i];
    EXPECT_EQ(moved, 0u);
    std::printf(
        "{\"name\":\"flows-moved-%u\",\"value\":%u,\"unit\":\"flows of others moved by a loss and "
        "a "
        "join\",\"of_the_lost_member\":%u}\n",
        GetParam(), moved, of_the_lost);
}

INSTANTIATE_TEST_SUITE_P(Members, GroupOf, testing::Values(2, 3, 5, 8, 13, 50, 100, 512));

TEST(NextHopGroup, SharesByWeight) {
    const std::vector<BucketPlan::Member> m{{1, 10}, {2, 30}, {3, 60}};
    const auto shares = owned(*settled(m));
    const double total = static_cast<double>(settled(m)->size());
    EXPECT_NEAR(shares.at(1) / total, 0.10, 0.008);
    EXPECT_NEAR(shares.at(2) / total, 0.30, 0.02);
    EXPECT_NEAR(shares.at(3) / total, 0.60, 0.03);
}

TEST(FlowHash, SpreadsFlowsThatCountUpTheirPorts) {
    // More flows than the members need, so that chance alone stays below 5 %.
    for (const unsigned n : {2u, 3u, 5u, 8u, 13u, 50u}) {
        const auto table = settled(members(n));
        std::map<HopId, double> share;
        const unsigned flows = n * 40'000;
        for (unsigned i = 0; i < flows; ++i)
            share[table->buckets[hash_of(0x0a000001 + i / 50'000, 1024 + i % 50'000) & table->mask]
                      .hop] += 1;
        for (const auto& [hop, flows_of] : share) EXPECT_LE(flows_of * n / flows, 1.05) << n;
    }
}

TEST(FlowHash, TreatsAnIcmpErrorAsTheFlowItIsAbout) {
    std::array<std::uint8_t, 28> flow{0x45, 0, 0, 28, 0,  1, 0, 0, 64,   kTcp, 0,    0,
                                      10,   0, 0, 1,  10, 9, 9, 9, 0x12, 0x34, 0x01, 0xbb};
    std::array<std::uint8_t, 56> error{0x45, 0,   0,  56, 0, 1,  0, 0, 64, kIcmp, 0,
                                       0,    172, 16, 0,  1, 10, 0, 0, 1,  3,     4};
    // The server's answer to the flow was too big for a router on the way back.
    std::array<std::uint8_t, 28> answer = flow;
    std::copy_n(flow.begin() + 12, 4, answer.begin() + 16);
    std::copy_n(flow.begin() + 16, 4, answer.begin() + 12);
    std::copy_n(flow.begin() + 20, 2, answer.begin() + 22);
    std::copy_n(flow.begin() + 22, 2, answer.begin() + 20);
    std::ranges::copy(answer, error.begin() + 28);
    EXPECT_EQ(hash_ip4(error.data(), 56), hash_ip4(flow.data(), 28));
    EXPECT_NE(hash_ip4(answer.data(), 28), hash_ip4(flow.data(), 28));
}

TEST(FlowHash, KeepsTheFragmentsOfAPacketTogether) {
    std::array<std::uint8_t, 28> first{0x45, 0, 0, 28, 0,  1, 0x20, 0, 64,   kUdp, 0,    0,
                                       10,   0, 0, 1,  10, 9, 9,    9, 0x12, 0x34, 0x01, 0xbb};
    auto second = first;
    second[6] = 0;
    second[7] = 1;
    second[20] = 0x77;
    EXPECT_EQ(hash_ip4(first.data(), 28), hash_ip4(second.data(), 28));
}

TEST(FlowHash, IsTheSameTheQuickWay) {
    std::mt19937_64 random{1};
    unsigned quick4 = 0, quick6 = 0;
    constexpr std::uint8_t kProtocols[] = {kTcp, kUdp, kIcmp, kIcmp6, 47, 132, kFragment};
    for (unsigned i = 0; i < 20'000; ++i) {
        std::array<std::uint8_t, 96> ip;
        for (auto& octet : ip) octet = static_cast<std::uint8_t>(random());
        const auto protocol = kProtocols[random() % std::size(kProtocols)];
        const auto length = static_cast<std::uint32_t>(20 + random() % 76);
        ip[0] = 0x45;
        ip[9] = protocol;
        if (random() % 2) ip[6] = ip[7] = 0;
        QuickPackets four, six;
        auto hash = quick_hash_ip4(ip.data(), four);
        four.look_length(length, kIp4Header + 4);
        if (four.all()) {
            EXPECT_EQ(hash, hash_ip4(ip.data(), length));
        }
        quick4 += four.all();

        ip[0] = 0x60;
        ip[6] = protocol;
        hash = quick_hash_ip6(ip.data(), six);
        six.look_length(length + 20, kIp6Header + 4);
        if (six.all()) {
            EXPECT_EQ(hash, hash_ip6(ip.data(), length + 20));
        }
        quick6 += six.all();
    }
    EXPECT_GT(quick4, 1000u);
    EXPECT_GT(quick6, 1000u);
}

}  // namespace
}  // namespace torii::dataplane
