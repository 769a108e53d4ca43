#pragma once

#include <compare>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "base/address.hpp"
#include "bgp/settings.hpp"

namespace torii::bgp {

// What the decision looks at, collected from wherever it lies.
struct Candidate {
    bool usable = false;  // accepted, and its next hop can be reached
    bool local = false;   // a prefix of our own
    bool long_lived_stale = false;
    bool ebgp = false;
    bool current = false;  // the one in use
    bool has_med = false;
    std::uint8_t origin = 0;
    std::uint8_t cluster_length = 0;
    std::uint16_t path_length = 0;
    std::uint32_t local_pref = 0;
    std::uint32_t med = 0;
    std::uint32_t neighbor_as = 0;
    std::uint32_t metric = 0;
    std::uint32_t identifier = 0;  // the originator's, or the peer's
    std::uint32_t path_id = 0;
    const IpAddress* address = nullptr;  // the peer's; nothing for our own
};

enum class Step : std::uint8_t {
    None,
    OnlyPath,
    Reachable,
    NotLongLivedStale,
    LocalPref,
    LocalOrigin,
    PathLength,
    Origin,
    Med,
    Ebgp,
    Metric,
    Oldest,
    Identifier,
    ClusterLength,
    PeerAddress,
    PathId,
    Count
};
std::string_view to_string(Step step);

struct Decision {
    static constexpr std::size_t kNone = static_cast<std::size_t>(-1);
    std::size_t best = kNone;
    Step why = Step::None;                 // what set the best apart from the closest other
    std::vector<std::uint32_t> multipath;  // indexes, the best included
};

// RFC 4271 §9.1 with what all deployed speakers add. `out` is reused so that
// its vector keeps its memory.
void decide(std::span<const Candidate> candidates, const DecisionSettings& settings,
            const Multipath& multipath, Decision& out);

// Where the second lost against the first.
Step distinguish(const Candidate& winner, const Candidate& loser, const DecisionSettings& settings);

}  // namespace torii::bgp
