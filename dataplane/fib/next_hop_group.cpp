#include "dataplane/fib/next_hop_group.hpp"

#include <algorithm>
#include <bit>
#include <boost/unordered/unordered_flat_map.hpp>
#include <numeric>

namespace torii::dataplane {
namespace {

// Shares of `total` by weight that add up to it: largest remainders first.
std::vector<std::uint32_t> shares(std::span<const BucketPlan::Member> members,
                                  std::uint32_t total) {
    const auto n = static_cast<std::uint32_t>(members.size());
    if (std::ranges::all_of(members,
                            [&](const auto& m) { return m.weight == members[0].weight; })) {
        std::vector<std::uint32_t> equal(n, total / n);
        for (std::uint32_t i = 0; i < total % n; ++i) ++equal[i];
        return equal;
    }
    std::uint64_t weights = 0;
    for (const auto& m : members) weights += std::max<std::uint16_t>(m.weight, 1);
    std::vector<std::uint32_t> out;
    std::vector<std::pair<std::uint64_t, std::size_t>> remainders;
    std::uint32_t given = 0;
    for (std::size_t i = 0; i < members.size(); ++i) {
        const auto exact = std::uint64_t{total} * std::max<std::uint16_t>(members[i].weight, 1);
        out.push_back(static_cast<std::uint32_t>(exact / weights));
        remainders.emplace_back(exact % weights, i);
        given += out.back();
    }
    // Of equal remainders the first member's, so that shares hold still.
    std::ranges::sort(remainders, [](const auto& a, const auto& b) {
        return a.first != b.first ? a.first > b.first : a.second < b.second;
    });
    for (std::size_t i = 0; given < total; ++given, ++i) ++out[remainders[i].second];
    return out;
}

void give(Bucket& bucket, HopId hop) {
    std::atomic_ref<std::uint32_t>(bucket.hop.word).store(hop, std::memory_order_release);
}

}  // namespace

std::uint32_t BucketPlan::wanted_size(std::span<const Member> members) {
    // Weights want finer buckets, so that a light member's share is not rounded away.
    std::uint64_t weights = 0;
    std::uint16_t lightest = 0xffff;
    for (const auto& m : members) {
        weights += std::max<std::uint16_t>(m.weight, 1);
        lightest = std::min(lightest, std::max<std::uint16_t>(m.weight, 1));
    }
    const auto units = std::clamp<std::uint64_t>(weights / lightest, members.size(), 1024);
    return std::bit_ceil(static_cast<std::uint32_t>(units) * kBucketsPerMember);
}

std::uint32_t BucketPlan::settle(BucketTable& table, std::span<const Member> members,
                                 std::uint32_t idle_before) {
    const auto wanted = shares(members, table.size());
    boost::unordered_flat_map<HopId, std::size_t> index;
    for (std::size_t i = 0; i < members.size(); ++i) index.emplace(members[i].hop, i);

    std::vector<std::uint32_t> owned(members.size(), 0);
    std::vector<std::uint32_t> orphans;
    orphans.reserve(table.size());
    for (std::uint32_t b = 0; b < table.size(); ++b) {
        const HopId hop = table.buckets[b].hop;
        // Of a new table nothing is owned.
        const auto owner = hop == 0 ? index.end() : index.find(hop);
        if (owner == index.end())
            orphans.push_back(b);
        else
            ++owned[owner->second];
    }

    // Takers in turn, so that the buckets of a lost member spread over all others.
    std::size_t next = 0;
    const auto taker = [&]() -> std::size_t {
        for (std::size_t tried = 0; tried < members.size(); ++tried) {
            const auto i = next;
            next = next + 1 == members.size() ? 0 : next + 1;
            if (owned[i] < wanted[i]) return i;
        }
        return members.size();
    };
    for (const auto b : orphans) {
        const auto to = taker();
        // Some member is short whenever a bucket is free: both add up to the table.
        if (to == members.size()) break;
        give(table.buckets[b], members[to].hop);
        ++owned[to];
    }

    std::uint32_t owed = 0;
    for (std::size_t i = 0; i < members.size(); ++i)
        if (owned[i] < wanted[i]) owed += wanted[i] - owned[i];
    if (owed == 0) return 0;
    for (std::uint32_t b = 0; b < table.size() && owed > 0; ++b) {
        auto& bucket = table.buckets[b];
        const auto from = index.at(bucket.hop);
        // One never used (0) holds no flow at all.
        const bool active = bucket.epoch != 0 && bucket.epoch >= idle_before;
        if (owned[from] <= wanted[from] || active) continue;
        const auto to = taker();
        if (to == members.size()) break;
        give(bucket, members[to].hop);
        --owned[from];
        ++owned[to];
        --owed;
    }
    return owed;
}

BucketTablePtr BucketPlan::resized(const BucketTable& table, std::uint32_t count) {
    auto out = make_buckets(count);
    for (std::uint32_t i = 0; i < count; ++i) {
        const Bucket& from = table.buckets[i & table.mask];
        out->buckets[i] = {{from.hop}, {from.epoch}};
    }
    return out;
}

}  // namespace torii::dataplane
