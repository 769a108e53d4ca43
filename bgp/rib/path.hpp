#pragma once

#include <cstdint>

namespace torii::bgp {

// Small numbers that stand for things: 0 is "none" everywhere, and for peers
// the router itself.
using AttributesId = std::uint32_t;
using NextHopId = std::uint32_t;
using PeerId = std::uint32_t;  // below 2^24
using EntryId = std::uint32_t;

namespace path_flag {
inline constexpr std::uint8_t kStale = 1;           // kept by graceful restart
inline constexpr std::uint8_t kLongLivedStale = 2;  // RFC 9494
inline constexpr std::uint8_t kOverLimit = 4;       // beyond the maximum, not used
inline constexpr std::uint8_t kAny = 0;             // every path, for a sweep
inline constexpr std::uint8_t kClaims = 8;          // counted by the guard
// In the upper half, which session or refresh of the peer announced it, modulo 16.
constexpr std::uint8_t generation(std::uint32_t flags) {
    return static_cast<std::uint8_t>(flags >> 4 & 15);
}
constexpr std::uint8_t of_generation(std::uint8_t number) {
    return static_cast<std::uint8_t>((number & 15) << 4);
}
}  // namespace path_flag

// One path of one prefix. What was received is kept beside what the import
// policy made of it, so that a new policy needs no help of the peer.
struct Path {
    AttributesId attributes = 0;  // in use; 0: refused
    AttributesId received = 0;
    std::uint32_t peer : 24 = 0;
    std::uint32_t flags : 8 = 0;
    std::uint32_t path_id = 0;  // RFC 7911
};
static_assert(sizeof(Path) == 16);

}  // namespace torii::bgp
