#pragma once

#include <cstdint>
#include <span>
#include <unordered_map>
#include <vector>

#include "rib/fib_delta.hpp"
#include "rib/route.hpp"

namespace torii::rib {

// A set of next hops as a source gave it, shared by all routes that have it,
// and what it resolves to.
struct NextHopSet {
    std::vector<NextHop> members;
    std::vector<FibNextHop> resolved;  // sorted; empty while no member is reachable
    std::uint32_t routes = 0;          // how many routes refer to it, as backup too
    std::uint32_t dependents = 0;      // tracked addresses that resolve through it, or may
    std::uint8_t depth = 0;            // recursion that resolving it took
    bool usable() const { return !resolved.empty(); }
};

// Interns next-hop sets. An identifier that fell out of use is given out again
// only after recycle(), so that what still waits to be resolved means no other set.
class NextHopSets {
public:
    using Id = std::uint32_t;
    static constexpr Id kNone = ~Id{0};

    struct Acquired {
        Id id;
        bool fresh;  // the set had no holder before
    };
    Acquired acquire(std::span<const NextHop> members);
    // True when this was the last holder; the set stays readable until recycle().
    bool release(Id id);
    void recycle();

    NextHopSet& operator[](Id id) { return sets_[id]; }
    const NextHopSet& operator[](Id id) const { return sets_[id]; }
    std::size_t capacity() const { return sets_.size(); }
    std::size_t in_use() const { return by_hash_.size(); }

private:
    std::vector<NextHopSet> sets_;
    std::unordered_multimap<std::uint64_t, Id> by_hash_;
    std::vector<Id> free_;
    std::vector<Id> released_;
};

}  // namespace torii::rib
