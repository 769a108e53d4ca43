#include "dataplane/worker/transmit.hpp"

#include <rte_ethdev.h>

#include <utility>

#include "dataplane/worker/vlan.hpp"

namespace torii::dataplane {

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
    const unsigned sent = rte_eth_tx_burst(state->device, static_cast<std::uint16_t>(w.id), packets,
                                           static_cast<std::uint16_t>(n));
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
