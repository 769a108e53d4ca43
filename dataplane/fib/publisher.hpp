#pragma once

#include <algorithm>
#include <boost/unordered/unordered_flat_map.hpp>
#include <chrono>
#include <cstring>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "base/event.hpp"
#include "base/event_budget.hpp"
#include "base/prefix_map.hpp"
#include "dataplane/fib/bucket_table.hpp"
#include "dataplane/fib/fib4.hpp"
#include "dataplane/fib/fib6.hpp"
#include "dataplane/fib/hop.hpp"
#include "dataplane/fib/neighbors.hpp"
#include "dataplane/fib/next_hop_group.hpp"
#include "dataplane/fib/waiting.hpp"
#include "rib/fib_delta.hpp"

namespace torii::dataplane {

// A next-hop group of the RIB and what the workers see of it.
struct Group {
    rib::GroupId id = 0;
    HopId hop = 0;
    std::vector<rib::FibNextHop> wanted;
    std::vector<Neighbor*> members;  // parallel to wanted
    std::vector<rib::FibNextHop> wanted_backup;
    std::vector<Neighbor*> backup;           // likewise: while no member is up
    BucketTablePtr buckets;                  // two usable members and more
    HopId guarded = 0;                       // the same for prefixes under the loop guard; 0: none
    BucketTablePtr lone;                     // of `guarded`, while there are no other buckets
    bool has_pending_moves = false;          // some bucket is not where it should be
    std::uint32_t pending_since = 0;         // epoch
    bool moves_due = false;                  // waits for its turn to move some buckets
    std::shared_ptr<const BucketPlan> plan;  // while some move is pending
    bool waits = false;                      // for its turn to be refilled

    bool has(const Neighbor& neighbor) const {
        return std::ranges::find(members, &neighbor) != members.end();
    }
    // Some member is not known dead.
    bool lives() const {
        return std::ranges::any_of(
            members, [](const Neighbor* n) { return n->state != NeighborState::Failed; });
    }
};

// Brings the workers' tables to the wanted state: groups before the prefixes that
// use them, prefixes away before the groups they used. Every change is one store
// of what readers see; what they may still see is freed after a grace period.
class Publisher {
public:
    Publisher(Fib4& fib4, Fib6& fib6, HopTable& hops, Neighbors& neighbors, Quiescence& workers,
              EventSink& events, std::uint32_t max_members);

    void apply(const rib::FibDelta& delta);

    // Where the loop guard holds: service addresses inside, that is prefixes with several
    // next hops and single addresses. Routes that come later follow.
    void guard(std::vector<Prefix> pools) { pools_ = std::move(pools); }

    // A host prefix that no route names: neighbors on attached networks, broadcast
    // addresses. A route for the same prefix goes first, and what is ours before a neighbor.
    void set_host(const IpAddress& address, HopId hop);
    // Only if it leads to `hop`: another neighbor may have the address by now.
    void erase_host(const IpAddress& address, HopId hop);

    // A neighbor's MAC or state changed: one store of its hop, which is all that groups
    // with buckets need to send on; those of it alone are rewritten as well. Buckets of
    // members that came up or went down wait for refill().
    void neighbor_changed(Neighbor& neighbor, const std::optional<Hop>& forward);
    // Before a neighbor is set to failed: groups that have no other next hop keep it for a while.
    // And its end, by then or because it is back.
    void suspect(Neighbor& neighbor);
    void clear_suspicion(Neighbor& neighbor);
    // Deals the buckets of some groups out again, those with a neighbor that changed first; true
    // while others wait. Until their turn workers choose another member for flows whose own has
    // failed.
    bool refill(std::size_t groups);
    bool refilling() const { return !refill_.empty() || !moves_.empty(); }
    // The neighbor's share of its weight has changed.
    void share_changed(Neighbor& neighbor);

    // How long a bucket may keep another member than it should because it is in use; 0: for ever.
    void set_unbalanced_after(std::chrono::seconds after) {
        unbalanced_ticks_ = static_cast<std::uint32_t>(after.count()) * kTicksASecond;
    }
    // Has refill() move the idle buckets that members still wait for, and tries again what found
    // no room. Each second.
    void settle(std::uint32_t epoch);
    void reclaim();

    // Packets that went by a hop, for the one question that needs it.
    using Used = std::function<bool(HopId)>;
    void set_traffic_probe(Used used) { used_ = std::move(used); }

    template <class F>
    void each_group(F&& f) const {
        for (const auto& group : groups_)
            if (group != nullptr) f(*group);
    }
    std::size_t groups() const { return group_count_; }
    // Routes, groups and members that wait for room.
    std::size_t refused() const {
        return waiting_.size() + waiting_groups_.size() + short_groups_.size();
    }
    // Every hop that counts packets to the neighbor: its own, and those of groups that carry a
    // copy of it.
    template <class F>
    void each_hop_of(const Neighbor& neighbor, F&& f) const {
        f(neighbor.hop);
        if (neighbor.last_resort != 0) f(neighbor.last_resort);
        const auto holders = holders_.find(const_cast<Neighbor*>(&neighbor));
        if (holders == holders_.end()) return;
        for (const auto* group : holders->second)
            if (group->buckets == nullptr && same_frame(group->hop, neighbor.hop)) f(group->hop);
    }

private:
    friend class Prover;  // compares all of this with the RIB and with the tables
    static constexpr std::uint32_t kTicksASecond = 4;                // of the epoch
    static constexpr std::uint32_t kIdleTicks = kTicksASecond * 30;  // unused ones may move

    void find_predecessors(const rib::FibDelta& delta);
    void inherit_flows(Group& group);
    void change_group(const rib::GroupChange& change);
    bool enlist(Group& group, const std::vector<rib::FibNextHop>& from,
                std::vector<rib::FibNextHop>& wanted, std::vector<Neighbor*>& members);
    void remove_group(rib::GroupId id);
    void change_prefix(const rib::PrefixChange& change);
    void publish(Group& group, bool hurry = false);
    // The table that the group outgrew, which the guarded hop may still lead to.
    BucketTablePtr deal(Group& group, bool hurry);
    void publish_guarded(Group& group);
    std::shared_ptr<const BucketPlan> plan_for(const std::vector<BucketPlan::Member>& members,
                                               std::uint32_t size);
    bool is_guarded(const Prefix& prefix, const Group& group) const;
    void release(Group& group, const std::vector<Neighbor*>& members);
    void note_backup(const Group& group);
    std::optional<HopId> hop_of(const Prefix& prefix, const rib::FibAction& action);
    bool set(const Prefix& prefix, HopId hop);
    void erase(const Prefix& prefix);
    bool same_frame(HopId one, HopId other) const {
        return std::memcmp(hops_.read(one).macs, hops_.read(other).macs, 12) == 0;
    }
    bool fit(const Prefix& prefix, const std::optional<rib::FibAction>& action);
    void retry(std::size_t most);
    void retry_groups();

    Fib4& fib4_;
    Fib6& fib6_;
    HopTable& hops_;
    Neighbors& neighbors_;
    EventSink& events_;
    std::uint32_t max_members_;
    std::uint32_t epoch_ = 1;
    std::vector<std::unique_ptr<Group>> groups_;  // by id
    std::size_t group_count_ = 0;
    boost::unordered_flat_map<HopId, Group*> by_hop_;
    // Of groups that a delta makes: the one that some of their prefixes have now.
    boost::unordered_flat_map<rib::GroupId, Group*> predecessors_;
    std::deque<rib::GroupId> refill_;
    std::deque<rib::GroupId> moves_;  // groups with pending moves, once a second
    std::uint32_t unbalanced_ticks_ = kTicksASecond * 60;
    // The last ones: most services have the same members, and a plan takes up to milliseconds.
    static constexpr std::size_t kPlans = 16;
    std::deque<std::shared_ptr<const BucketPlan>> plans_;
    // Groups by the neighbor they hold: a failure touches only its own.
    boost::unordered_flat_map<Neighbor*, std::vector<Group*>> holders_;
    struct Host {
        HopId route = 0;  // of the RIB; 0: none
        HopId host = 0;   // ours; 0: none
    };
    PrefixMap<Host> hosts_;
    Waiting waiting_;
    std::map<rib::GroupId, rib::GroupChange> waiting_groups_;  // for a hop
    std::map<rib::GroupId, rib::GroupChange> short_groups_;    // for places of their members
    EventBudget refusals_, truncations_, without_neighbor_;
    std::vector<Prefix> pools_;
    Retired<BucketTablePtr> retired_;
    Used used_;
};

}  // namespace torii::dataplane
