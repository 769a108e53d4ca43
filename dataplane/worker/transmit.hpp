#pragma once

#include <rte_mbuf.h>

#include <utility>

#include "dataplane/worker/capture.hpp"
#include "dataplane/worker/worker.hpp"

namespace torii::dataplane {

// Shows a packet that leaves to the capture, if there is one.
inline void show(Worker& w, PortIndex port, const rte_mbuf* m, std::size_t point) {
    auto* capture = w.capture.load(std::memory_order_acquire);
    if (__builtin_expect(capture != nullptr, 0)) capture->offer(m, point, port, w.now);
}

// Frees a packet and counts where it went.
inline void drop(Worker& w, PortIndex in, rte_mbuf* m, Exit exit) {
    show(w, in, m, static_cast<std::size_t>(exit));
    ++w.counters.exits[in][static_cast<std::size_t>(exit)];
    rte_pktmbuf_free(m);
}

// A burst whose packets leave by one exit.
void drop_burst(Worker& w, PortIndex in, rte_mbuf** packets, unsigned n, Exit exit);

// Hands a port's buffer to its device; what the device does not take is counted
// and freed, never retried.
void flush(Worker& w, PortIndex port);
// The same for packets that need no buffer and whose lengths are known.
void transmit_burst(Worker& w, PortIndex port, rte_mbuf** packets, unsigned n, std::uint64_t bytes);

inline void enqueue(Worker& w, PortIndex port, rte_mbuf* m) {
    auto& out = w.out[port];
    out.packets[w.waiting[port]++] = m;
    out.bytes[0] += m->pkt_len;
}

inline void transmit(Worker& w, PortIndex port, rte_mbuf* m) {
    if (w.waiting[port] >= kTransmitFull) flush(w, port);
    enqueue(w, port, m);
}

// In front of what waits: a device with room for one packet takes it.
inline void transmit_first(Worker& w, PortIndex port, rte_mbuf* m) {
    transmit(w, port, m);
    auto* const packets = w.out[port].packets;
    std::swap(packets[w.urgent[port]++], packets[w.waiting[port] - 1]);
}

// Flushes the ports that have at least so many packets waiting; true when some
// port still has any.
inline bool flush_from(Worker& w, unsigned at_least) {
    bool rest = false;
    const unsigned ports = w.port_count.load(std::memory_order_acquire);
    for (unsigned port = 0; port < ports; ++port) {
        if (w.waiting[port] >= at_least) flush(w, static_cast<PortIndex>(port));
        rest |= w.waiting[port] != 0;
    }
    return rest;
}

// Flushes every kFlushLoops-th port, others with each loop: what devices give back for it then
// fits into the cache of the pool. A packet waits for others no longer than so many loops.
inline constexpr unsigned kFlushLoops = 8;
inline void flush_in_turn(Worker& w, std::uint64_t loops) {
    const unsigned ports = w.port_count.load(std::memory_order_acquire);
    for (auto port = static_cast<unsigned>(loops % kFlushLoops); port < ports; port += kFlushLoops)
        flush(w, static_cast<PortIndex>(port));
}

}  // namespace torii::dataplane
