#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string_view>

#include "base/address.hpp"
#include "dataplane/liveness/bfd.hpp"

// How an operator wants a neighbor to be watched, and how fast.
namespace torii::dataplane {

// How a node without BFD is watched. Auto: by echo where its kernel returns our packets
// (RFC 9747), else by ARP or neighbor solicitations.
enum class Detect : std::uint8_t { Off, Auto, Echo, Probe };

struct WatchSettings {
    Detect detect = Detect::Auto;
    std::uint32_t interval = 100'000;  // microseconds between packets
    std::uint8_t multiplier = 3;       // unanswered ones that mean failure
    friend bool operator==(const WatchSettings&, const WatchSettings&) = default;
};

struct LivenessProfile {
    WatchSettings watch;
    std::optional<bfd::SessionSettings> bfd;
    bool dampen = true;                  // hold back neighbors that come and go
    bool bfd_shutdown = false;           // the session exists and sends AdminDown
    std::chrono::seconds slow_start{0};  // until a neighbor that is back has its full share

    bool any() const { return watch.detect != Detect::Off || bfd.has_value(); }
    friend bool operator==(const LivenessProfile&, const LivenessProfile&) = default;
};

// A BFD session to a neighbor that is on no link of ours (RFC 5883).
struct MultihopSettings {
    IpAddress address;
    IpAddress local;
    std::uint8_t least_ttl = 1;  // of what we accept
    bfd::SessionSettings bfd;
    bool shutdown = false;
    friend bool operator==(const MultihopSettings&, const MultihopSettings&) = default;
};

// How a routing protocol stands with the neighbor.
enum class RoutingSession : std::uint8_t { None, Down, Up, Restarting };
constexpr std::string_view to_string(RoutingSession session) {
    constexpr std::string_view kNames[] = {"none", "down", "up", "restarting"};
    return kNames[static_cast<std::size_t>(session)];
}

enum class NeighborVerdict : std::uint8_t { Unknown, Up, Down };
constexpr std::string_view to_string(NeighborVerdict verdict) {
    constexpr std::string_view kNames[] = {"unknown", "up", "down"};
    return kNames[static_cast<std::size_t>(verdict)];
}

}  // namespace torii::dataplane
