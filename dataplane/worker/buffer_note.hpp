#pragma once

#include <rte_mbuf.h>

#include <cstdint>

#include "base/address.hpp"
#include "dataplane/fib/hop.hpp"
#include "dataplane/settings.hpp"

namespace torii::dataplane {

// Kept in front of a buffer's data while it travels between threads.
struct BufferNote {
    enum class Kind : std::uint8_t {
        KernelFrame,   // a whole frame, leaves by `port`
        KernelPacket,  // an IP packet behind room for an Ethernet header
        Resumed,       // came in by `port`, waited for a neighbor, which is at `next`
        TimedOut,      // came in by `port`, the neighbor did not answer
        Punted,        // came in by `port`
        Held,          // came in by `port`, waits for `neighbor` or `address`
        Bfd,           // came in by `port`, for a session of this worker
    };
    Kind kind = Kind::KernelFrame;
    PortIndex port = 0;
    PortIndex out_port = 0;      // Held: where the neighbor is
    std::uint32_t neighbor = 0;  // Held: its number; 0: the one at `address`
    IpAddress address;
    bool guarded = false;  // Held, Resumed: not back to where it came from
    HopId hop = 0;         // Resumed: whose counter
    Hop next{};            // Resumed
};
static_assert(sizeof(BufferNote) <= 64);
inline BufferNote& note(rte_mbuf* m) {
    return *static_cast<BufferNote*>(rte_mbuf_to_priv(m));
}

}  // namespace torii::dataplane
