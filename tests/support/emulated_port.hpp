#pragma once

#include <rte_ethdev.h>
#include <rte_mbuf.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

namespace torii::support {

// A NIC's queues in memory, behind the ordinary rte_eth_rx_burst and tx_burst of a
// net_null device whose functions it replaces.
//
// Receiving works as a driver does: a ring of 1,024 buffers, refilled 32 at a time
// from the mempool. Refilling writes the packet's header into the buffer, as DMA
// would, long before the packet is received: by then it has left the L1 cache.
// Sending puts buffers on a ring of 1,024 and frees them 32 at a time, late.
class EmulatedPort {
public:
    static constexpr unsigned kRing = 1024, kBatch = 32;
    using Template = std::vector<std::uint8_t>;

    EmulatedPort(std::uint16_t device, rte_mempool* pool);
    ~EmulatedPort();
    EmulatedPort(const EmulatedPort&) = delete;
    EmulatedPort& operator=(const EmulatedPort&) = delete;

    // What comes in, in turn; headers of at most 64 octets. Empty: nothing.
    void source(const std::vector<Template>& headers, std::uint16_t frame_length = 60);
    // What comes in had this tag, which the port took out; 0: none.
    void strip(std::uint16_t vlan);
    // Called for one of so many packets sent; 0: never.
    void sample(std::uint32_t every, std::function<void(rte_mbuf*)> look);
    std::uint64_t received() const { return received_; }
    std::uint64_t sent() const { return sent_; }

private:
    struct alignas(64) Header {
        std::uint8_t bytes[64];
    };

    static std::uint16_t receive(void* self, rte_mbuf** packets, std::uint16_t n);
    static std::uint16_t send(void* self, rte_mbuf** packets, std::uint16_t n);
    void refill();

    std::uint16_t device_;
    rte_mempool* pool_;
    std::vector<Header> headers_;
    std::size_t next_header_ = 0;
    std::uint16_t length_ = 60;
    std::uint64_t flags_ = RTE_MBUF_F_RX_IP_CKSUM_GOOD;
    std::uint16_t vlan_ = 0;
    rte_mbuf* rx_[kRing] = {};
    unsigned rx_head_ = 0, rx_filled_ = 0;
    rte_mbuf* tx_[kRing] = {};
    unsigned tx_at_ = 0;
    std::uint64_t received_ = 0, sent_ = 0;
    std::uint32_t every_ = 0, until_ = 0;
    std::function<void(rte_mbuf*)> look_;
    void* rx_queues_[1];
    void* tx_queues_[1];
    struct rte_eth_fp_ops before_;
};

}  // namespace torii::support
