#include "dataplane/worker/transmit.hpp"

#include <rte_ethdev.h>
#include <rte_pause.h>

#include <utility>

#include "dataplane/worker/vlan.hpp"

namespace torii::dataplane {

namespace {

std::uint16_t queue_of(const Worker& w, const PortState& port) {
    return static_cast<std::uint16_t>(port.locks ? w.id % port.locks->busy.size() : w.id);
}

// Several workers have one queue: the device takes one burst at a time. Workers are not
// preempted by each other, hence wait for no longer than a burst takes.
unsigned transmit_shared(const Worker& w, const PortState& port, rte_mbuf** packets, unsigned n) {
    const auto queue = queue_of(w, port);
    auto& busy = port.locks->busy[queue];
    while (busy.exchange(true, std::memory_order_acquire)) rte_pause();
    const unsigned sent =
        rte_eth_tx_burst(port.device, queue, packets, static_cast<std::uint16_t>(n));
    busy.store(false, std::memory_order_release);
    return sent;
}

}  // namespace

void flush(Worker& w, PortIndex port) {
    const unsigned n = w.waiting[port];
    if (n == 0) return;
    w.waiting[port] = w.urgent[port] = 0;
    auto& out = w.out[port];
    std::uint32_t bytes = 0;
    for (auto& part : out.bytes) bytes += std::exchange(part, 0);
    transmit_burst(w, port, out.packets, n, bytes);
}

void drop_burst(Worker& w, PortIndex in, rte_mbuf** packets, unsigned n, Exit exit) {
    for (unsigned i = 0; i < n; ++i) drop(w, in, packets[i], exit);
}

void transmit_burst(Worker& w, PortIndex port, rte_mbuf** packets, unsigned n,
                    std::uint64_t bytes) {
    const PortState* state = w.tables->ports[port].load(std::memory_order_acquire);
    if (state == nullptr) return drop_burst(w, port, packets, n, Exit::LinkDown);
    if (__builtin_expect(state->shut, 0)) return drop_burst(w, port, packets, n, Exit::PortShut);
    if (__builtin_expect(w.capture.load(std::memory_order_relaxed) != nullptr, 0))
        for (unsigned i = 0; i < n; ++i) show(w, port, packets[i], kTransmitted);
    // Bytes are those of the frames without their tags, as where they come in.
    std::uint32_t tag = 0;
    if (__builtin_expect(state->vlan != 0, 0)) {
        n = put_tags_in(w, *state, packets, n, bytes);
        tag = state->inserts_tags ? 0 : kVlanTag;
    }
    // Some drivers (virtio) put the tag in here, and not when they send. A packet that one does
    // not take ends the burst.
    unsigned ready = n;
    if (__builtin_expect(state->inserts_tags && state->vlan != 0, 0))
        ready = rte_eth_tx_prepare(state->device, queue_of(w, *state), packets,
                                   static_cast<std::uint16_t>(n));
    unsigned sent;
    if (__builtin_expect(state->locks != nullptr, 0))
        sent = transmit_shared(w, *state, packets, ready);
    else
        sent = rte_eth_tx_burst(state->device, static_cast<std::uint16_t>(w.id), packets,
                                static_cast<std::uint16_t>(ready));
    auto& count = w.counters.tx[port];
    count.packets += sent;
    count.bytes += bytes;
    if (__builtin_expect(sent < n, 0)) {
        for (unsigned i = sent; i < n; ++i) count.bytes -= packets[i]->pkt_len - tag;
        w.counters.exits[port][static_cast<std::size_t>(Exit::TransmitFull)] += n - sent;
        rte_pktmbuf_free_bulk(&packets[sent], n - sent);
    }
}

}  // namespace torii::dataplane
