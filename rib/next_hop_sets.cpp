#include "rib/next_hop_sets.hpp"

#include <algorithm>
#include <cassert>

namespace torii::rib {
namespace {

std::uint64_t hash_of(std::span<const NextHop> members) {
    std::uint64_t hash = members.size();
    for (const auto& m : members) {
        hash ^= IpAddressHash{}(m.address) + (std::uint64_t{m.port} << 16 | m.weight);
        hash *= 0x9e3779b97f4a7c15ULL;
        hash ^= hash >> 29;
    }
    return hash;
}

}  // namespace

NextHopSets::Acquired NextHopSets::acquire(std::span<const NextHop> members) {
    const auto hash = hash_of(members);
    const auto [first, last] = by_hash_.equal_range(hash);
    for (auto at = first; at != last; ++at) {
        auto& set = sets_[at->second];
        if (std::ranges::equal(set.members, members)) {
            ++set.routes;
            return {at->second, false};
        }
    }

    Id id;
    if (free_.empty()) {
        id = static_cast<Id>(sets_.size());
        sets_.emplace_back();
    } else {
        id = free_.back();
        free_.pop_back();
    }
    sets_[id].members.assign(members.begin(), members.end());
    sets_[id].routes = 1;
    by_hash_.emplace(hash, id);
    return {id, true};
}

bool NextHopSets::release(Id id) {
    auto& set = sets_[id];
    assert(set.routes > 0);
    if (--set.routes > 0) return false;

    const auto [first, last] = by_hash_.equal_range(hash_of(set.members));
    by_hash_.erase(std::find_if(first, last, [id](const auto& e) { return e.second == id; }));
    released_.push_back(id);
    return true;
}

void NextHopSets::recycle() {
    for (const Id id : released_) sets_[id] = {};
    free_.insert(free_.end(), released_.begin(), released_.end());
    released_.clear();
}

}  // namespace torii::rib
