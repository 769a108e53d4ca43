#include "rib/groups.hpp"

#include <algorithm>

namespace torii::rib {

GroupId Groups::acquire(SetId set, SetId backup) {
    if (const auto known = index_.find(key(set, backup)); known != index_.end()) {
        ++groups_[known->second].prefixes;
        return known->second;
    }
    if (backup != NextHopSets::kNone) {
        if (backed_ >= most_backed_) return acquire(set, NextHopSets::kNone);
        ++backed_;
    }
    GroupId id;
    if (free_.empty()) {
        id = static_cast<GroupId>(groups_.size());
        groups_.emplace_back();
    } else {
        id = free_.back();
        free_.pop_back();
    }
    groups_[id] = {set, backup, 1};
    index_.emplace(key(set, backup), id);
    fresh_.push_back(id);
    return id;
}

void Groups::release(GroupId id) {
    if (id != kNone && --groups_[id].prefixes == 0) idle_.push_back(id);
}

std::vector<GroupId> Groups::take_unused() {
    auto unused = std::exchange(idle_, {});
    std::ranges::sort(unused);
    unused.erase(std::ranges::unique(unused).begin(), unused.end());
    // Some came into use again.
    std::erase_if(unused, [this](GroupId id) { return groups_[id].prefixes != 0; });
    for (const auto id : unused) {
        index_.erase(key(groups_[id].set, groups_[id].backup));
        if (groups_[id].backup != NextHopSets::kNone) --backed_;
        groups_[id] = {};
    }
    free_.insert(free_.end(), unused.begin(), unused.end());
    return unused;
}

}  // namespace torii::rib
