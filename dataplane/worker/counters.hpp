#pragma once

#include <cstdint>

#include "base/shared_word.hpp"
#include "dataplane/fib/region.hpp"
#include "dataplane/packet/exits.hpp"
#include "dataplane/settings.hpp"

namespace torii::dataplane {

// One more than the ports: packets that came from the kernel, or from us.
inline constexpr std::size_t kIngresses = kMaxPorts + 1;
inline constexpr PortIndex kFromKernel = kMaxPorts;

struct alignas(16) Count {
    SharedWord<std::uint64_t> packets;
    SharedWord<std::uint64_t> bytes;
};

// What one thread counted; it alone writes, views sum over threads.
struct alignas(64) Counters {
    explicit Counters(std::uint32_t hop_limit) : hops(hop_limit, 2048) {}

    Count rx[kIngresses] = {};
    Count tx[kMaxPorts] = {};
    SharedWord<std::uint64_t> exits[kIngresses][kExits] = {};
    SharedWord<std::uint64_t> slow[kIngresses] = {};  // packets that took the slow path
    SharedWord<std::uint64_t> injected{};             // frames and packets of the kernel
    SharedWord<std::uint64_t> generated{};            // ICMP errors, fragments beyond the first
    SharedWord<std::uint64_t> held{};                 // handed over to wait for a neighbor
    SharedWord<std::uint64_t> resumed{};              // and back
    Region<Count> hops;                               // by HopId
};

}  // namespace torii::dataplane
