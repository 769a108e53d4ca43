#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/address.hpp"
#include "rib/route.hpp"

namespace torii::bgp {

// How a peer stands, for whoever watches over its node as well.
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

// Told on the control thread, once a change, from inside the speaker: it may take a
// note, and call the speaker again only later.
class PeerListener {
public:
    virtual ~PeerListener() = default;
    virtual void peer_changed(const PeerNews& news) = 0;
};

}  // namespace torii::bgp
