#pragma once

#include <cstdint>
#include <string>

namespace torii::bgp {

// The cost of a changed setting; Speaker::apply() returns a list of them.
enum class ChangeCost : std::uint8_t { None, Refresh, NextSession, Reset };
struct AppliedChange {
    std::string what;  // "neighbor 10.0.0.2"
    ChangeCost cost = ChangeCost::None;
};

enum class PeerAction : std::uint8_t { Clear, SoftIn, SoftOut, Shutdown, Enable, Drain };

}  // namespace torii::bgp
