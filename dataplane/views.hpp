#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/address.hpp"
#include "base/mac.hpp"
#include "dataplane/settings.hpp"
#include "rib/fib_delta.hpp"

namespace torii::dataplane {

struct Tally {
    std::uint64_t packets = 0;
    std::uint64_t bytes = 0;
};

struct PortView {
    PortIndex index = 0;
    std::string name;
    std::string parent;  // of a sub-port
    std::uint16_t vlan = 0;
    std::string device;
    std::string driver;
    MacAddress mac;
    std::uint16_t mtu = 0;
    bool up = false;
    std::uint32_t speed_mbps = 0;  // 0: unknown
    std::vector<PortAddress> addresses;
    std::uint16_t rx_queues = 0;
    std::uint16_t tx_queues = 0;
    bool hardware_checksum = false;
    // Of a port with sub-ports all that passed its device, of theirs too.
    Tally rx;
    Tally tx;
    std::uint64_t slow = 0;       // packets that were looked at one by one
    std::uint64_t rx_missed = 0;  // lost before a worker saw them
    std::uint64_t rx_errors = 0;
    std::uint64_t tx_errors = 0;
};

// Where packets went that were neither forwarded nor given to the kernel, or
// were: each packet is counted in exactly one exit.
struct ExitView {
    std::string_view name;
    std::string_view kind;  // "forward", "punt", "drop"
    std::string port;       // the one it came in by; "kernel" for what we sent ourselves
    std::uint64_t packets = 0;
};

enum class NeighborState : std::uint8_t { Unresolved, Resolving, Reachable, Static, Failed };
constexpr std::string_view to_string(NeighborState state) {
    constexpr std::string_view kNames[] = {"unresolved", "resolving", "reachable", "static",
                                           "failed"};
    return kNames[static_cast<std::size_t>(state)];
}

struct NeighborView {
    PortIndex port = 0;
    IpAddress address;
    MacAddress mac;
    NeighborState state = NeighborState::Unresolved;
    std::uint32_t groups = 0;  // next-hop groups that use it
    Tally sent;
};

struct GroupView {
    rib::GroupId id = 0;
    std::uint32_t buckets = 0;  // 0: a single member needs none
    struct Member {
        PortIndex port = 0;
        IpAddress neighbor;
        std::uint16_t weight = 1;
        std::uint32_t buckets = 0;
    };
    std::vector<Member> members;
    Tally sent;
};

struct WorkerView {
    std::uint32_t lcore = 0;
    std::uint32_t cpu = 0;
    double busy_ratio = 0;  // since the last view
    std::uint64_t loops = 0;
    std::uint64_t packets = 0;
};

struct ResourceView {
    std::string_view name;
    std::uint64_t used = 0;
    std::uint64_t limit = 0;
};

// Both sides of the books: a quiet system has received() == left().
struct LedgerView {
    std::uint64_t received = 0;   // from ports
    std::uint64_t injected = 0;   // from the kernel
    std::uint64_t generated = 0;  // ICMP errors and extra fragments
    std::uint64_t transmitted = 0;
    std::uint64_t punted = 0;
    std::uint64_t dropped = 0;
    std::uint64_t held = 0;  // waiting for a neighbor

    std::uint64_t entered() const { return received + injected + generated; }
    std::uint64_t left() const { return transmitted + punted + dropped + held; }
};

// An intent of a port (offload/intent.hpp), and the mechanism that acts by it.
struct FlowRuleView {
    std::string_view intent;  // "bgp", "drop_source", ...
    std::string match;
    std::string_view action;  // "queue", "drop"
    bool hardware = false;
    std::string reason;                    // why it is not in hardware
    std::string rule;                      // in testpmd's words; "" where there is no rte_flow
    std::optional<std::uint64_t> packets;  // where the hardware counts
};
struct OffloadView {
    std::string port;
    std::string driver;
    bool rte_flow = false;
    std::string reason;  // why there is none
    std::optional<std::uint16_t> urgent_queue, control_queue;
    std::uint64_t dropped = 0;  // by workers, from listed sources
    std::vector<FlowRuleView> rules;
};

// What the workers' own tables contain for one destination.
struct LookupView {
    std::string_view kind;  // "forward", "group", "hold", "attached", "local", "discard", ...
    PortIndex port = 0;     // of the (first) next hop
    MacAddress mac;
    std::uint32_t buckets = 0;
};

}  // namespace torii::dataplane
