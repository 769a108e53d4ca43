#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/address.hpp"
#include "rib/route.hpp"

namespace torii::bgp {

// The state of a peer, for the liveness of its node.
enum class PeerStage : std::uint8_t {
    Down,        // known, no session
    Up,          // Established
    Restarting,  // no session, its routes are kept for it
    Gone,        // not a peer any more
};

struct PeerNews {
    IpAddress address;
    rib::PortIndex port = rib::kAnyPort;  // the link of a link-local address
    std::string group;
    PeerStage stage = PeerStage::Down;
    std::optional<IpAddress> local;  // our end of the session that is up
};

// Called on the control thread, once a change, from inside the speaker: record the change,
// and call the speaker again only later.
class PeerListener {
public:
    virtual ~PeerListener() = default;
    virtual void peer_changed(const PeerNews& news) = 0;
};

}  // namespace torii::bgp
