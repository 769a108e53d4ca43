#pragma once

#include <cstdint>
#include <vector>

#include "base/address.hpp"
#include "bgp/rib/path.hpp"
#include "rib/route.hpp"

namespace torii::bgp {

// What decisions and exports ask about where a path came from.
struct PeerFacts {
    bool alive = false;  // its paths count
    bool ebgp = false;
    bool reflector_client = false;
    bool accept_blackhole = false;
    std::uint32_t identifier = 0;
    std::uint32_t as = 0;
    std::uint16_t weight = 1;
    IpAddress address;
    rib::PortIndex port = rib::kAnyPort;  // of a link-local address
};

// By PeerId. A peer gets a new number with each session that does not continue
// the one before, so that what is left of the old one can be cleared in slices.
using PeerTable = std::vector<PeerFacts>;

}  // namespace torii::bgp
