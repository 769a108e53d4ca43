#include "dataplane/fib/next_hop_group.hpp"

#include <algorithm>
#include <boost/unordered/unordered_flat_set.hpp>

namespace torii::dataplane {
namespace {

void give(Bucket& bucket, HopId hop) {
    std::atomic_ref<std::uint32_t>(bucket.hop.word).store(hop, std::memory_order_release);
}

std::vector<Assignment::Member> by_identity(std::span<const BucketPlan::Member> members) {
    std::vector<Assignment::Member> out;
    out.reserve(members.size());
    for (const auto& m : members) out.push_back({m.identity != 0 ? m.identity : m.hop, m.weight});
    return out;
}

}  // namespace

std::uint32_t BucketPlan::wanted_size(std::span<const Member> members) {
    return Assignment::size_for(by_identity(members));
}

BucketPlan::BucketPlan(std::span<const Member> members, std::uint32_t size)
    : members_(members.begin(), members.end()) {
    const auto named = by_identity(members);
    owners_ = Assignment::of(named, size != 0 ? size : Assignment::size_for(named));
}

std::uint32_t BucketPlan::settle(BucketTable& table, std::uint32_t idle_before,
                                 std::uint32_t hurry) const {
    boost::unordered_flat_set<HopId> alive;
    for (const auto& m : members_) alive.insert(m.hop);
    const auto mask = static_cast<std::uint32_t>(owners_.size() - 1);
    std::vector<std::uint32_t> owed;
    for (std::uint32_t b = 0; b < table.size(); ++b) {
        auto& bucket = table.buckets[b];
        const HopId wanted = members_[owners_[b & mask]].hop, has = bucket.hop;
        if (has == wanted) continue;
        // One never used (0) holds no flow at all; of a new table nothing is owned.
        const std::uint32_t used = bucket.epoch;
        const bool active = used != 0 && used >= idle_before && has != 0 && alive.contains(has);
        if (active)
            owed.push_back(b);
        else
            give(bucket, wanted);
    }
    const auto now = std::min<std::size_t>(hurry, owed.size());
    std::ranges::partial_sort(
        owed, owed.begin() + static_cast<std::ptrdiff_t>(now), {},
        [&](std::uint32_t b) -> std::uint32_t { return table.buckets[b].epoch; });
    for (std::size_t i = 0; i < now; ++i)
        give(table.buckets[owed[i]], members_[owners_[owed[i] & mask]].hop);
    return static_cast<std::uint32_t>(owed.size() - now);
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
