#pragma once

#include <array>
#include <cstdint>
#include <string>

namespace torii::dataplane {

// Where a fault was: each has its own counter and its own way to be healed.
enum class FaultKind : std::uint8_t {
    Prefix,    // the writer never received what the RIB has, or kept what that has no more
    Entry,     // an entry of the tables is not what the writer wrote
    Group,     // members, or the hop and buckets that stand for them
    Neighbor,  // the hop of a neighbor
    Count,
};
const char* to_text(FaultKind kind);

struct FibFault {
    FaultKind kind = FaultKind::Prefix;
    std::string where;   // a prefix, a group, a neighbor
    std::string wanted;  // by the RIB
    std::string found;   // by a packet
};

struct ProverCounters {
    std::uint64_t passes = 0;
    std::uint64_t prefixes = 0, groups = 0, neighbors = 0;  // compared, in all passes
    std::array<std::uint64_t, static_cast<std::size_t>(FaultKind::Count)> faults{};
};

}  // namespace torii::dataplane
