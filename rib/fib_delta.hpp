#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "base/prefix.hpp"
#include "rib/route.hpp"

namespace torii::rib {

// Names a next-hop group; dense, reused after removal.
using GroupId = std::uint32_t;

// A resolved next hop: a port and the neighbor on it to resolve.
struct FibNextHop {
    IpAddress neighbor;
    PortIndex port = 0;
    std::uint16_t weight = 1;

    friend auto operator<=>(const FibNextHop&, const FibNextHop&) = default;
};

// What the data plane does with packets to a prefix. `group` counts for
// Forward alone, `port` for Attached alone.
struct FibAction {
    RouteKind kind = RouteKind::Unreachable;
    PortIndex port = 0;
    GroupId group = 0;

    friend bool operator==(const FibAction&, const FibAction&) = default;
};

struct GroupChange {
    GroupId id = 0;
    std::vector<FibNextHop> members;   // the whole wanted set, sorted
    std::vector<FibNextHop> backup{};  // takes over when no member lives
};
struct PrefixChange {
    Prefix prefix;
    std::optional<FibAction> action;  // nothing: the prefix goes
};

// Changes of the wanted forwarding state, already coalesced: each group and
// prefix appears at most once. To be applied in the order of the members:
// groups are made or changed, prefixes follow, unused groups go.
struct FibDelta {
    std::vector<GroupChange> groups;
    std::vector<PrefixChange> prefixes;
    std::vector<GroupId> removed_groups;

    bool empty() const { return groups.empty() && prefixes.empty() && removed_groups.empty(); }
};

}  // namespace torii::rib
