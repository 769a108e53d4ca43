#pragma once

#include <atomic>
#include <cstdint>

#include "dataplane/fib/line_hash.hpp"
#include "dataplane/fib/value.hpp"

// What workers read of the FIBs, whose writers are Fib4 and Fib6.
namespace torii::dataplane {

// What a worker needs for lookups; fixed from start to stop.
struct Fib4View {
    const std::uint32_t* root = nullptr;      // by the first 24 bits
    const std::uint32_t* blocks = nullptr;    // 256 entries each, by the last 8
    const std::uint32_t* fallback = nullptr;  // the default route's hop
};

// Of a /64 that holds longer prefixes.
struct Site {
    std::uint64_t lengths = 0;  // bit n: prefixes of length 65 + n exist here
    std::uint32_t own = 0;      // hop of the /64 itself
    std::uint32_t unused = 0;
};

// The value of a /64: a hop, or | 31 site | 30..24 length - 65, or many | 23..0 site |
namespace site {
inline constexpr std::uint32_t kSite = 1u << 31;
inline constexpr std::uint32_t kMany = 0x7f;
constexpr std::uint32_t hint(std::uint32_t v) {
    return v >> 24 & 0x7f;
}
constexpr std::uint32_t tag(std::uint32_t index, unsigned bit) {
    return index << 6 | bit;
}
constexpr std::uint64_t low_mask(std::uint64_t bit) {  // of length 65 + bit
    return ~std::uint64_t{0} << (63 - bit);
}
}  // namespace site

struct Fib6View {
    const std::uint32_t* root = nullptr;   // by the first 24 bits
    const std::uint32_t* nodes = nullptr;  // 256 entries each, by the next 8
    const Site* sites = nullptr;
    const std::uint32_t* fallback = nullptr;
    const std::atomic<const LineHashView<Line64>*>* by_64 = nullptr;
    const std::atomic<const LineHashView<LineLow>*>* by_low = nullptr;
};

}  // namespace torii::dataplane
