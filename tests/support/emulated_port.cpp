#include "tests/support/emulated_port.hpp"

#include <algorithm>
#include <cstring>

namespace torii::support {

EmulatedPort::EmulatedPort(std::uint16_t device, rte_mempool* pool)
    : device_(device), pool_(pool), before_(rte_eth_fp_ops[device]) {
    rx_queues_[0] = tx_queues_[0] = this;
    auto& ops = rte_eth_fp_ops[device];
    ops.rxq.data = rx_queues_;
    ops.txq.data = tx_queues_;
    ops.rx_pkt_burst = receive;
    ops.tx_pkt_burst = send;
}

EmulatedPort::~EmulatedPort() {
    rte_eth_fp_ops[device_] = before_;
    for (unsigned i = 0; i < rx_filled_; ++i) rte_pktmbuf_free(rx_[(rx_head_ + i) % kRing]);
}

void EmulatedPort::source(const std::vector<Template>& headers, std::uint16_t frame_length) {
    headers_.resize(headers.size());
    for (std::size_t i = 0; i < headers.size(); ++i)
        std::copy_n(headers[i].begin(), std::min<std::size_t>(headers[i].size(), 64),
                    headers_[i].bytes);
    length_ = frame_length;
    next_header_ = 0;
    for (; rx_filled_ != 0; --rx_filled_, rx_head_ = (rx_head_ + 1) % kRing)
        rte_pktmbuf_free(rx_[rx_head_]);
    rx_head_ = 0;
    if (!headers_.empty())
        while (rx_filled_ + kBatch <= kRing) refill();
}

void EmulatedPort::strip(std::uint16_t vlan) {
    constexpr std::uint64_t kStripped = RTE_MBUF_F_RX_VLAN | RTE_MBUF_F_RX_VLAN_STRIPPED;
    vlan_ = vlan;
    flags_ = RTE_MBUF_F_RX_IP_CKSUM_GOOD | (vlan != 0 ? kStripped : 0);
}

void EmulatedPort::sample(std::uint32_t every, std::function<void(rte_mbuf*)> look) {
    every_ = until_ = every;
    look_ = std::move(look);
}

void EmulatedPort::refill() {
    const unsigned at = (rx_head_ + rx_filled_) % kRing;
    if (rte_pktmbuf_alloc_bulk(pool_, &rx_[at], kBatch) != 0) return;
    for (unsigned i = 0; i < kBatch; ++i) {
        auto* m = rx_[at + i];
        // One whole line of the template: what a NIC writes for a small packet.
        std::memcpy(static_cast<std::uint8_t*>(m->buf_addr) + m->data_off,
                    headers_[next_header_].bytes, 64);
        if (++next_header_ == headers_.size()) next_header_ = 0;
        m->pkt_len = length_;
        m->data_len = length_;
        m->ol_flags = flags_;
        m->vlan_tci = vlan_;
        m->port = device_;
    }
    rx_filled_ += kBatch;
}

std::uint16_t EmulatedPort::receive(void* self, rte_mbuf** packets, std::uint16_t n) {
    auto& port = *static_cast<EmulatedPort*>(self);
    if (port.headers_.empty()) return 0;
    const unsigned take = std::min<unsigned>({n, port.rx_filled_, kRing - port.rx_head_});
    std::memcpy(packets, &port.rx_[port.rx_head_], take * sizeof(rte_mbuf*));
    port.rx_head_ = (port.rx_head_ + take) % kRing;
    port.rx_filled_ -= take;
    port.received_ += take;
    while (port.rx_filled_ + kBatch <= kRing) {
        const auto before = port.rx_filled_;
        // Refill whole batches only: they never wrap.
        if ((port.rx_head_ + port.rx_filled_) % kBatch != 0) break;
        port.refill();
        if (port.rx_filled_ == before) break;
    }
    return static_cast<std::uint16_t>(take);
}

std::uint16_t EmulatedPort::send(void* self, rte_mbuf** packets, std::uint16_t n) {
    auto& port = *static_cast<EmulatedPort*>(self);
    if (port.every_ != 0) {
        for (unsigned i = 0; i < n; ++i)
            if (--port.until_ == 0) {
                port.until_ = port.every_;
                port.look_(packets[i]);
            }
    }
    for (unsigned i = 0; i < n;) {
        if (port.tx_at_ % kBatch == 0 && port.tx_[port.tx_at_] != nullptr) {
            // As drivers do with MBUF_FAST_FREE: back to the pool, 32 at a time.
            rte_mempool_put_bulk(port.pool_, reinterpret_cast<void**>(&port.tx_[port.tx_at_]),
                                 kBatch);
        }
        const unsigned room = kBatch - port.tx_at_ % kBatch;
        const unsigned take = std::min<unsigned>(room, n - i);
        std::memcpy(&port.tx_[port.tx_at_], &packets[i], take * sizeof(rte_mbuf*));
        port.tx_at_ = (port.tx_at_ + take) % kRing;
        i += take;
    }
    port.sent_ += n;
    return n;
}

}  // namespace torii::support
