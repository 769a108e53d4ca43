#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <vector>

#include "base/address.hpp"
#include "bgp/rib/path.hpp"
#include "rib/next_hop_tracking.hpp"
#include "rib/route.hpp"

namespace torii::bgp {

// Where the packets of a path go: an address and, for link-local ones, a port.
struct NextHopKey {
    IpAddress address;
    rib::PortIndex port = rib::kAnyPort;
    friend auto operator<=>(const NextHopKey&, const NextHopKey&) = default;
};

// The next hops in use, each tracked once however many paths share it.
class NextHops {
public:
    struct Entry {
        NextHopKey key;
        rib::Reachability state;
        std::uint32_t references = 0;
        std::vector<PeerId> peers;  // those that announced it while it was in use
    };
    // Called when a next hop came, went or moved.
    using Changed = std::function<void(NextHopId)>;

    NextHops(rib::NextHopTracker& tracker, Changed changed);
    ~NextHops();
    NextHops(const NextHops&) = delete;
    NextHops& operator=(const NextHops&) = delete;

    NextHopId acquire(const NextHopKey& key);
    void retain(NextHopId id) { ++entries_[id].references; }
    void release(NextHopId id);
    void used_by(NextHopId id, PeerId peer);
    const Entry& operator[](NextHopId id) const { return entries_[id]; }

private:
    void moved(const IpAddress& address, rib::Reachability state);
    void port_changed(rib::PortIndex port);

    rib::NextHopTracker& tracker_;
    Changed changed_;
    std::vector<Entry> entries_{1};  // 0: no next hop, our own prefixes
    std::vector<NextHopId> free_;
    std::map<NextHopKey, NextHopId> index_;
};

}  // namespace torii::bgp
