#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace torii::mgmt {

// What a port is to do with some frames before a worker sees them, and whether the NIC or a worker
// does it.
struct FlowRuleRow {
    std::string
        intent;  // "drop_source", "bgp", "bfd", "vrrp", "arp", "nd", "icmp", "to_us", "rest"
    std::string match;
    std::string action;  // "queue", "drop"
    bool hardware = false;
    std::string reason;  // why a worker does it instead
    std::string rule;    // as testpmd writes it; "" where the port has no rte_flow
    std::optional<std::uint64_t> packets;  // where the port counts them
};

struct PortOffloadRow {
    std::string port;
    std::string driver;
    bool rte_flow = false;
    std::string reason;  // why there is none
    std::optional<std::uint16_t> urgent_queue, control_queue;
    std::uint64_t dropped = 0;  // by workers, from listed sources
    std::vector<FlowRuleRow> rules;
};

struct OffloadReport {
    std::vector<PortOffloadRow> ports;
    std::vector<std::string> drop_sources;
};

}  // namespace torii::mgmt
