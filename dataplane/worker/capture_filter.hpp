#pragma once

#include <bitset>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "base/prefix.hpp"
#include "dataplane/settings.hpp"

// What users of the data plane ask a capture for, and get from it: without the list of exits.
namespace torii::dataplane {

// Room for a number of each exit, and for the transmit queues behind them.
inline constexpr std::size_t kCapturePoints = 128;

// Nothing: no point has the name. "transmit" is one.
std::optional<std::size_t> capture_point(std::string_view name);
std::string_view capture_point_name(std::size_t point);

// All that is set must match.
struct CaptureFilter {
    std::bitset<kCapturePoints> points;
    std::bitset<kMaxPorts + 1> ports;  // it came in by; of transmitted ones, leaves by. None: any
    std::optional<Prefix> prefix;      // source or destination is inside
    std::uint32_t one_in = 1;          // of those, so many are taken
    std::uint32_t snap = 256;          // bytes of each
};

struct CapturedFrame {
    std::uint64_t tsc = 0;
    std::size_t point = 0;
    PortIndex port = 0;
    std::uint32_t length = 0;  // before it was cut
    std::vector<std::uint8_t> bytes;
};

}  // namespace torii::dataplane
