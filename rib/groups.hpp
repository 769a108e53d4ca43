#pragma once

#include <cstdint>
#include <unordered_map>
#include <utility>
#include <vector>

#include "rib/next_hop_sets.hpp"

namespace torii::rib {

// What prefixes of the data plane point to: a set of next hops, and the set that takes
// over when none of those lives. Counts the prefixes; one delta lists the sets that are
// new and those that fell out of use.
class Groups {
public:
    using SetId = NextHopSets::Id;
    static constexpr GroupId kNone = ~GroupId{0};
    struct Group {
        SetId set = NextHopSets::kNone;
        SetId backup = NextHopSets::kNone;
        std::uint32_t prefixes = 0;
    };

    // No more groups than that have a backup: they are a help, and room is for those
    // that prefixes cannot do without.
    void limit_backups(std::size_t most) { most_backed_ = most; }

    GroupId acquire(SetId set, SetId backup);
    void release(GroupId id);

    std::vector<GroupId> take_fresh() { return std::exchange(fresh_, {}); }
    // Those that no prefix uses any more; their identifiers are given out again.
    std::vector<GroupId> take_unused();

    const Group& operator[](GroupId id) const { return groups_[id]; }
    std::size_t limit() const { return groups_.size(); }  // each identifier is below
    // Whether a group stands for the two sets: one beyond the limit lacks its backup.
    bool holds(GroupId id, SetId set, SetId backup) const {
        const auto& group = groups_[id];
        return group.set == set && (group.backup == backup || group.backup == NextHopSets::kNone);
    }
    // Calls visit(id, group) for each that is in use.
    template <class F>
    void each(F&& visit) const {
        for (GroupId id = 0; id < groups_.size(); ++id)
            if (groups_[id].prefixes != 0) visit(id, groups_[id]);
    }

private:
    static std::uint64_t key(SetId set, SetId backup) { return std::uint64_t{set} << 32 | backup; }

    std::vector<Group> groups_;
    std::vector<GroupId> free_, fresh_, idle_;
    std::unordered_map<std::uint64_t, GroupId> index_;
    std::size_t backed_ = 0;
    std::size_t most_backed_ = 16'384;
};

}  // namespace torii::rib
