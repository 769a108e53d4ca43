#pragma once

#include <atomic>
#include <cstdint>

namespace torii::dataplane {

// What a packet's destination leads to: an index into the HopTable; 0: nothing.
using HopId = std::uint32_t;

// A 32-bit table entry: | 31 child | 30 longer | 29..24 depth | 23..0 hop or node |
// `depth` is the length of the prefix that wrote the entry; only the writer asks.
namespace value {
inline constexpr std::uint32_t kChild = 1u << 31;
inline constexpr std::uint32_t kLonger = 1u << 30;  // of an IPv6 leaf: ask the hash as well
inline constexpr std::uint32_t kPayload = (1u << 24) - 1;
inline constexpr std::uint32_t kMaxHop = kPayload;

constexpr std::uint32_t leaf(unsigned depth, HopId hop) {
    return depth << 24 | hop;
}
constexpr unsigned depth(std::uint32_t v) {
    return v >> 24 & 63;
}
constexpr std::uint32_t payload(std::uint32_t v) {
    return v & kPayload;
}
constexpr bool is_child(std::uint32_t v) {
    return (v & kChild) != 0;
}

inline void publish(std::uint32_t& entry, std::uint32_t v) {
    std::atomic_ref<std::uint32_t>(entry).store(v, std::memory_order_release);
}
}  // namespace value

}  // namespace torii::dataplane
