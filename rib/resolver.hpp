#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "base/prefix_map.hpp"
#include "rib/next_hop_sets.hpp"
#include "rib/next_hop_tracking.hpp"

namespace torii::rib {

// Finds the connected port behind each next hop, through other routes where it
// must, and tracks the dependencies: a change of one route re-resolves the
// addresses inside it, those the sets that name them, and so on.
//
// A next hop never resolves through a default route (a peer that is gone would
// still look reachable), nor through a route that itself depends on it:
// two routes that need each other are both unreachable, or fall back, instead
// of chasing each other for ever. Recursion ends at kMaxDepth.
class Resolver {
public:
    static constexpr std::uint8_t kMaxDepth = 4;

    // The route in use that decides about an address.
    struct Via {
        RouteKind kind;
        PortIndex port = kAnyPort;                 // Attached
        NextHopSets::Id set = NextHopSets::kNone;  // Forward
    };
    // The longest usable route that contains the address, but for default
    // routes and the sets for which `excluded` returns true.
    using Lookup = std::function<std::optional<Via>(
        const IpAddress&, const std::function<bool(NextHopSets::Id)>& excluded)>;

    Resolver(NextHopSets& sets, Lookup lookup) : sets_(sets), lookup_(std::move(lookup)) {}

    void add_set(NextHopSets::Id id);     // the set is new
    void remove_set(NextHopSets::Id id);  // its last holder is gone

    Reachability track(const IpAddress& address);
    void untrack(const IpAddress& address);

    // True if the address is tracked or is a next hop of a set.
    bool knows(const IpAddress& address) const;

    // The route in use for this prefix has changed.
    void route_changed(const Prefix& prefix);

    // The liveness verdict of a neighbor on a port.
    void set_liveness(const IpAddress& neighbor, PortIndex port, bool alive);

    // A port is up or not. False: it was so before.
    bool set_port(PortIndex port, bool up);
    bool reaches(const IpAddress& neighbor, PortIndex port) const {
        return !is_dead(neighbor, port);
    }

    struct Outcome {
        std::vector<NextHopSets::Id> changed_sets;  // members differ
        std::vector<NextHopSets::Id> flipped_sets;  // became usable, or ceased to be
        std::vector<std::pair<IpAddress, Reachability>> tracked;
    };
    // Works off what route_changed() and add_set() left to do.
    // One call takes a bounded number of steps; settled() returns whether none is left.
    Outcome settle();
    bool settled() const { return pending_.empty() && pending_sets_.empty(); }

private:
    using TrackedId = std::uint32_t;
    struct Tracked {
        IpAddress address;
        std::uint32_t watchers = 0;         // track() minus untrack()
        std::vector<NextHopSets::Id> sets;  // that have the address as member
        std::vector<FibNextHop> resolved;
        NextHopSets::Id via = NextHopSets::kNone;      // the set it was resolved through
        NextHopSets::Id blocked = NextHopSets::kNone;  // passed over: depends on this address
        std::uint8_t depth = 0;
        bool pending = false;

        bool in_use() const { return watchers > 0 || !sets.empty(); }
        Reachability reachability() const { return {!resolved.empty(), depth}; }
    };

    TrackedId enter(const IpAddress& address);
    void leave(TrackedId id);
    void mark(TrackedId id);
    bool resolve(TrackedId id);
    bool depends_on(NextHopSets::Id set, TrackedId id, int levels) const;
    void point(NextHopSets::Id& field, NextHopSets::Id to);
    bool resolve_set(NextHopSet& set) const;
    bool refresh_set(NextHopSets::Id id, Outcome& outcome);
    void refresh_pending(NextHopSets::Id set, Outcome& outcome);

    bool is_dead(const IpAddress& neighbor, PortIndex port) const {
        return (!dead_.empty() && dead_.contains({neighbor, port})) || down_.contains(port);
    }

    NextHopSets& sets_;
    Lookup lookup_;
    std::set<std::pair<IpAddress, PortIndex>> dead_;
    std::set<PortIndex> down_;
    std::vector<NextHopSets::Id> pending_sets_;  // name a neighbor that died or came back
    PrefixMap<TrackedId> index_;
    std::vector<Tracked> tracked_;
    std::vector<TrackedId> free_;
    std::vector<TrackedId> pending_;
};

}  // namespace torii::rib
