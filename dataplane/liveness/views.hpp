#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/address.hpp"
#include "dataplane/liveness/settings.hpp"
#include "rib/route.hpp"

namespace torii::dataplane {

// A BFD session as operators see it; times in microseconds.
struct BfdView {
    std::string_view state, remote_state;
    std::string_view diagnostic, remote_diagnostic;
    std::uint32_t discriminator = 0, remote_discriminator = 0;
    std::uint32_t transmit_interval = 0, detection_time = 0;
    std::uint32_t remote_min_tx = 0, remote_min_rx = 0;
    std::uint8_t remote_multiplier = 0;
    bool remote_independent = false;
    bool authenticated = false;
    std::uint64_t sent = 0, received = 0;
};

// What is known of one neighbor under watch, and what follows from it.
struct LivenessView {
    rib::PortIndex port = rib::kAnyPort;  // kAnyPort: many hops away
    IpAddress address;
    NeighborVerdict verdict = NeighborVerdict::Unknown;
    std::string reason;
    std::chrono::seconds since{0};
    std::uint32_t deaths = 0;           // in a row, as damping counts
    std::chrono::milliseconds held{0};  // damped: not up before this has passed
    std::string_view method;            // "echo", "probe", "none"
    std::string_view watch;             // "up", "down", "unknown", "off"
    std::string_view routing;           // of BGP: "up", "restarting", ...
    bool link = true;
    unsigned worker = 0;
    std::uint64_t echoes_sent = 0, echoes_returned = 0;
    std::uint64_t probes_sent = 0, probes_answered = 0;
    std::uint32_t echo_rtt = 0;  // microseconds; 0: none yet
    std::optional<BfdView> bfd;
};

struct LivenessCounters {
    std::uint64_t up = 0, down = 0, unknown = 0;        // neighbors
    std::uint64_t deaths = 0, returns = 0, damped = 0;  // since the start
    std::uint64_t last_prune_us = 0;  // from the verdict until no group named the dead
    std::uint64_t worst_prune_us = 0;
};

}  // namespace torii::dataplane
