#include "dataplane/node/transmit.hpp"

namespace torii::dataplane {

void flush(Worker& w, PortIndex port) {
    auto& out = w.out[port];
    const std::uint16_t n = out.count;
    if (n == 0) return;
    out.count = 0;
    const PortState* state = w.tables->ports[port].load(std::memory_order_acquire);
    if (state == nullptr) {
        for (unsigned i = 0; i < n; ++i) drop(w, kFromKernel, out.packets[i], Exit::LinkDown);
        return;
    }
    std::uint64_t bytes = 0;
    for (unsigned i = 0; i < n; ++i) bytes += out.packets[i]->pkt_len;
    const auto sent =
        rte_eth_tx_burst(state->device, static_cast<std::uint16_t>(w.id), out.packets, n);
    auto& count = w.counters.tx[port];
    count.packets += sent;
    count.bytes += bytes;
    if (__builtin_expect(sent < n, 0)) {
        for (unsigned i = sent; i < n; ++i) count.bytes -= out.packets[i]->pkt_len;
        w.counters.exits[kFromKernel][static_cast<std::size_t>(Exit::TransmitFull)] += n - sent;
        rte_pktmbuf_free_bulk(&out.packets[sent], n - sent);
    }
}

}  // namespace torii::dataplane
