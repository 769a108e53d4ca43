#pragma once

#include <atomic>
#include <cstdint>
#include <memory>

#include "dataplane/packet/exits.hpp"
#include "dataplane/settings.hpp"
#include "dataplane/worker/capture_filter.hpp"

struct rte_mbuf;

namespace torii::dataplane {

// What a packet may be captured at: one of the exits, or a transmit queue.
inline constexpr std::size_t kTransmitted = kExits;
static_assert(kTransmitted < kCapturePoints);

// Packets of one worker on their way to the client. The worker offers, control
// takes; neither waits for the other: what finds no room is lost, and counted.
class CaptureRing {
public:
    static constexpr std::size_t kSlots = 512;
    static constexpr std::uint32_t kMostBytes = 2048;  // of one packet

    explicit CaptureRing(const CaptureFilter& filter);

    void offer(const rte_mbuf* m, std::size_t point, PortIndex port, std::uint64_t tsc);

    bool take(CapturedFrame& out);  // false: nothing there
    std::uint64_t lost() const { return lost_.load(std::memory_order_relaxed); }

private:
    struct Head {
        std::uint64_t tsc = 0;
        std::uint32_t point = 0, port = 0, length = 0, kept = 0;
    };

    bool wanted(const rte_mbuf* m, std::size_t point, PortIndex port);

    CaptureFilter filter_;
    std::uint32_t skip_ = 0;  // until the next of one_in
    std::unique_ptr<Head[]> heads_;
    std::unique_ptr<std::uint8_t[]> bytes_;
    std::atomic<std::uint64_t> lost_{0};
    alignas(64) std::atomic<std::uint64_t> written_{0};
    alignas(64) std::atomic<std::uint64_t> taken_{0};
};

}  // namespace torii::dataplane
