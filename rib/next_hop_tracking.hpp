#pragma once

#include <cstdint>
#include <functional>

#include "base/address.hpp"
#include "rib/route.hpp"

namespace torii::rib {

struct Reachability {
    bool reachable = false;
    std::uint32_t metric = 0;  // cost to get there; 0 when directly connected

    friend bool operator==(const Reachability&, const Reachability&) = default;
};

// Reports to protocols whether an address can serve as next hop (RFC 4271 §9.1.2.1)
// and when that changes. track() answers at once and counts references; the
// listener is called later, from the control loop and never from inside a call
// to track(), once per change. Control thread only.
class NextHopTracker {
public:
    using Listener = std::function<void(const IpAddress&, Reachability)>;
    virtual ~NextHopTracker() = default;
    virtual Reachability track(const IpAddress& next_hop) = 0;
    virtual void untrack(const IpAddress& next_hop) = 0;
    virtual void listen(Listener listener) = 0;

    // The same for an address on a named port, as link-local ones need it: whether packets
    // can leave to it there. The listener gets each port where that may have changed.
    using PortListener = std::function<void(PortIndex)>;
    virtual bool reaches(const IpAddress&, PortIndex) const { return true; }
    virtual void listen_ports(PortListener) {}
};

}  // namespace torii::rib
