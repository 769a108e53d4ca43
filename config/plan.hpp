#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "config/model.hpp"

namespace torii::config {

// What applying a change disturbs, from nothing to everything.
enum class Cost : std::uint8_t {
    None,         // no effect on sessions or traffic
    Refresh,      // the session stays; routes are re-evaluated or re-sent
    NextSession,  // the session stays; the new value holds from its next one on
    Reset,        // the session restarts
    Restart,      // only a restart of toriid applies it
};
constexpr std::string_view to_string(Cost cost) {
    constexpr std::string_view kNames[] = {"none", "refresh", "next session", "reset", "restart"};
    return kNames[static_cast<std::size_t>(cost)];
}

struct AddNeighbor {
    Neighbor wanted;
};
struct RemoveNeighbor {
    Neighbor had;
};
// `wanted` as written; its effective settings differ (perhaps only because the
// group's do) in `keys`, the dearest of which costs `cost`.
struct ChangeNeighbor {
    Neighbor wanted;
    std::vector<std::string> keys;
    Cost cost = Cost::None;
};
struct AddGroup {
    PeerGroup wanted;
};
struct RemoveGroup {
    std::string name;
};
// What the group's dynamic members feel; configured members have changes of their own.
struct ChangeGroup {
    PeerGroup wanted;
    std::vector<std::string> keys;
    Cost cost = Cost::None;
};
struct AddListenRange {
    ListenRange wanted;
};
struct RemoveListenRange {
    ListenRange had;
};
struct AddRoute {
    StaticRoute wanted;
};
struct RemoveRoute {
    StaticRoute had;
};
struct ChangeRoute {
    StaticRoute wanted;
};
struct AddStaticNeighbor {
    StaticNeighbor wanted;
};
struct RemoveStaticNeighbor {
    StaticNeighbor had;
};
struct AddPrefixList {
    PrefixList wanted;
};
struct RemovePrefixList {
    std::string name;
};
// Peers that use it read or send their routes again.
struct ChangePrefixList {
    PrefixList wanted;
};
struct AddPort {
    Port wanted;
    Cost cost = Cost::None;  // a process without ports has no data plane to add it to
};
struct RemovePort {
    std::string name;
};
struct ChangePort {
    Port wanted;
    std::vector<std::string> keys;
    Cost cost = Cost::None;
};
// A value that is not part of a named thing: "bgp.maximum_paths_ebgp", "log.level".
struct ChangeValue {
    std::string path;
    Cost cost = Cost::None;
};

using Change =
    std::variant<RemoveNeighbor, RemoveListenRange, RemoveRoute, RemoveStaticNeighbor, AddPort,
                 ChangePort, AddPrefixList, ChangePrefixList, AddGroup, ChangeGroup, ChangeValue,
                 AddRoute, ChangeRoute, AddStaticNeighbor, AddNeighbor, ChangeNeighbor,
                 AddListenRange, RemoveGroup, RemovePrefixList, RemovePort>;

// In the order to apply them: what goes first, what is referred to before what
// refers to it.
using Plan = std::vector<Change>;

// Pure: `--check` prints the plan, SIGHUP applies it, a test compares it.
Plan plan(const Model& running, const Model& wanted);

Cost cost_of(const Change& change);
std::string describe(const Change& change);  // "neighbor 10.0.0.2: password (reset)"
// "3 neighbors reset, 1 route added, 0 ports restarted"
std::string summary(const Plan& plan);

}  // namespace torii::config
