#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "dataplane/fib/fib_view.hpp"
#include "dataplane/fib/hop.hpp"
#include "dataplane/packet/exits.hpp"
#include "dataplane/packet/transmit_locks.hpp"
#include "dataplane/settings.hpp"
#include "dataplane/worker/bgp_sources.hpp"
#include "dataplane/worker/counters.hpp"
#include "dataplane/worker/own_filter.hpp"
#include "dataplane/worker/policing.hpp"

struct rte_mbuf;
struct rte_mempool;
struct rte_rcu_qsbr;
struct rte_ring;

namespace torii::dataplane::liveness {
class Detector;
}

namespace torii::dataplane {

class CaptureRing;

inline constexpr unsigned kBurst = 64;
inline constexpr unsigned kFlushAt = 64;
inline constexpr unsigned kTransmitFull = 128;    // the slow path flushes here, the fast
inline constexpr unsigned kTransmitBuffer = 256;  // path adds at most a burst on top

class SoftFlow;

// Which port a tag maps to (kAnyPort: none), by its VLAN.
struct SubPorts {
    std::array<PortIndex, 4096> of;
    SubPorts() { of.fill(rib::kAnyPort); }
};

// What workers read of a port; replaced as a whole when the configuration changes.
struct alignas(64) PortState {
    std::uint64_t mac_bits = 0;  // the MAC as the first six bytes of a frame load
    std::uint16_t device = 0;    // DPDK's port
    std::uint16_t tx_queues = 1;
    std::uint16_t mtu = 1500;
    std::uint16_t vlan = 0;  // of a sub-port: the tag of what leaves by it
    std::uint32_t max_frame = 1518;
    bool software_checksum = true;  // the port does not report whether it is good
    bool strict_rpf = false;
    bool shut = false;  // administratively: nothing comes in or leaves
    bool twin = false;
    bool drops_early = false;      // some source of `soft` is not dropped by the port itself
    bool inserts_tags = false;     // the device does, else we do
    std::uint32_t ip4_source = 0;  // of the ICMP errors we send about what came in here
    std::shared_ptr<const SubPorts> sub_ports;  // null: tags lead nowhere
    std::shared_ptr<TransmitLocks> locks;       // null: each worker has a transmit queue of its own
    std::array<std::uint8_t, 16> ip6_source{};
    MacAddress mac;
    std::vector<PortAddress> addresses;
    std::shared_ptr<const SoftFlow> soft;  // never null where drops_early
};

// What all workers read and the control thread writes.
struct Tables {
    Fib4View fib4;
    Fib6View fib6;
    const Hop* hops = nullptr;
    std::array<std::atomic<const PortState*>, kMaxPorts> ports{};
    std::atomic<const OwnFilter*> own{nullptr};
    std::atomic<const BgpSources*> bgp{nullptr};                           // null: any source
    std::atomic<const std::vector<std::uint16_t>*> udp_services{nullptr};  // null: none
};

struct ReceiveQueue {
    PortIndex port = 0;
    std::uint16_t device = 0;
    std::uint16_t queue = 0;
};

// Wakes a thread that sleeps in epoll; costs a load when it does not.
struct Doorbell {
    int fd = -1;
    std::atomic<bool> asleep{true};

    void ring();
};

struct Worker;
using ForwardBurst = void (*)(Worker&, PortIndex, const PortState&, rte_mbuf**, unsigned);
using SendRouted = void (*)(Worker&, rte_mbuf*);

struct TransmitBuffer {
    rte_mbuf* packets[kTransmitBuffer];
    alignas(64) std::uint32_t bytes[16] = {};  // of their frames, in parts
};

// One lcore. Everything here is written by its own thread, except the rings and
// what control swaps for it.
struct alignas(64) Worker {
    Worker(unsigned number, std::uint32_t hop_limit) : id(number), counters(hop_limit) {}

    unsigned id;
    const Tables* tables = nullptr;
    ForwardBurst forward = nullptr;
    std::uint32_t epoch = 1;  // of next-hop buckets
    std::uint64_t now = 0;    // TSC at the start of the loop
    bool mixed = false;       // the last burst had packets of both families
    std::atomic<unsigned> port_count{0};
    std::uint16_t waiting[kMaxPorts] = {};  // packets in `out`, by port
    std::uint16_t urgent[kMaxPorts] = {};   // those in front that were put there
    TransmitBuffer out[kMaxPorts];
    Counters counters;

    liveness::Detector* liveness = nullptr;  // none: no neighbor is watched
    std::uint64_t liveness_due = 0;          // TSC of its next turn

    std::atomic<CaptureRing*> capture{nullptr};  // none: no capture runs

    rte_mempool* pool = nullptr;
    rte_ring* punt[kPuntClasses] = {};  // to the exception thread
    rte_ring* hold = nullptr;           // to control
    rte_ring* inject = nullptr;         // from both
    Doorbell* exception = nullptr;
    Doorbell* control = nullptr;
    Policing* policing = &Policing::none();  // of all workers together

    std::atomic<const std::vector<ReceiveQueue>*> queues{nullptr};
    rte_rcu_qsbr* quiescence = nullptr;
    bool busy_poll = false;
    std::atomic<std::uint32_t> most_nap{1'000'000};  // nanoseconds; control sets it
    std::atomic<bool> stop{false};
    SendRouted send_routed = nullptr;  // the slow path's, for liveness
    unsigned lcore = 0;
    std::uint32_t cpu = 0;
    std::atomic<std::uint64_t> loops{0};
    std::atomic<std::uint64_t> busy_cycles{0};
    std::atomic<std::uint64_t> total_cycles{0};
};

}  // namespace torii::dataplane
