#pragma once

#include <cstdint>

#include "dataplane/fib/region.hpp"
#include "dataplane/node/exits.hpp"
#include "dataplane/settings.hpp"

namespace torii::dataplane {

// One more than the ports: packets that came from the kernel, or from us.
inline constexpr std::size_t kIngresses = kMaxPorts + 1;
inline constexpr PortIndex kFromKernel = kMaxPorts;

struct alignas(16) Count {
    std::uint64_t packets;
    std::uint64_t bytes;
};

// What one thread counted; it alone writes, views sum over threads.
struct alignas(64) Counters {
    explicit Counters(std::uint32_t hop_limit) : hops(hop_limit, 2048) {}

    Count rx[kIngresses] = {};
    Count tx[kMaxPorts] = {};
    std::uint64_t exits[kIngresses][kExits] = {};
    std::uint64_t injected = 0;   // frames and packets of the kernel
    std::uint64_t generated = 0;  // ICMP errors, fragments beyond the first
    std::uint64_t held = 0;       // handed over to wait for a neighbor
    std::uint64_t resumed = 0;    // and back
    Region<Count> hops;           // by HopId
};

}  // namespace torii::dataplane
