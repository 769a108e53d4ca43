#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace torii::mgmt {

// A BFD session; times in microseconds.
struct BfdRow {
    std::string state, remote_state;
    std::string diagnostic, remote_diagnostic;
    std::uint32_t discriminator = 0, remote_discriminator = 0;
    std::uint32_t transmit_interval = 0, detection_time = 0;
    std::uint32_t remote_min_tx = 0, remote_min_rx = 0;
    std::uint32_t remote_multiplier = 0;
    bool remote_control_plane_independent = false;
    bool authenticated = false;
    std::uint64_t sent = 0, received = 0;
};

// The verdict on one neighbor, and what it rests on.
struct LivenessRow {
    std::string address;
    std::string port;     // "" for one that is many hops away
    std::string verdict;  // "up", "down", "unknown"
    std::string reason;
    std::chrono::seconds since{0};
    std::string watch;  // by echo and probe: "up", "down", "unknown", "off"
    std::string means;  // "echo", "probe", "none"
    std::string bgp;    // "up", "restarting", "down", "none"
    bool link_up = true;
    std::uint32_t deaths = 0;           // in a row, as damping counts
    std::chrono::milliseconds held{0};  // damped for so long still
    unsigned worker = 0;
    std::uint64_t echoes_sent = 0, echoes_returned = 0;
    std::uint32_t echo_round_trip = 0;  // microseconds; 0: none has come back
    std::uint64_t probes_sent = 0, probes_answered = 0;
    std::optional<BfdRow> bfd;
};

}  // namespace torii::mgmt
