#pragma once

#include <atomic>
#include <bitset>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "base/prefix.hpp"
#include "dataplane/packet/exits.hpp"
#include "dataplane/settings.hpp"

struct rte_mbuf;

namespace torii::dataplane {

// What a packet may be captured at: one of the exits, or a transmit queue.
inline constexpr std::size_t kTransmitted = kExits;
// Nothing: nobody knows the name. "transmit" is one.
std::optional<std::size_t> capture_point(std::string_view name);
std::string_view capture_point_name(std::size_t point);

// All that is said must hold.
struct CaptureFilter {
    std::bitset<kExits + 1> points;
    std::bitset<kMaxPorts + 1> ports;  // it came in by; of transmitted ones, leaves by. None: any
    std::optional<Prefix> prefix;      // source or destination is inside
    std::uint32_t one_in = 1;          // of those, so many are taken
    std::uint32_t snap = 256;          // bytes of each
};

struct CapturedFrame {
    std::uint64_t tsc = 0;
    std::size_t point = 0;
    PortIndex port = 0;
    std::uint32_t length = 0;  // before it was cut
    std::vector<std::uint8_t> bytes;
};

// Packets of one worker on their way to whoever looks. The worker offers, control
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
