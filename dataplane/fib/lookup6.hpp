#pragma once

#include <bit>
#include <cstdint>

#include "base/shared_word.hpp"
#include "dataplane/fib/fib_view.hpp"

namespace torii::dataplane {

// Static, not inline: files built for newer CPUs include them too, and the linker
// must not share those copies.

static inline std::uint32_t find_64(const LineHashView<Line64>& table, std::uint64_t high) {
    for (auto at = table.home(high);; at = (at + 1) & table.mask) {
        const Line64& line = table.lines[at];
        for (unsigned slot = 0; slot < Line64::kSlots; ++slot)
            if (read_shared(line.keys[slot]) == high) return read_shared(line.values[slot]);
        if (read_shared(line.displaced) == 0) return 0;
    }
}

static inline std::uint32_t find_low(const LineHashView<LineLow>& table, std::uint64_t low,
                                     std::uint32_t tag) {
    for (auto at = table.home(LineLow::mix(low, tag));; at = (at + 1) & table.mask) {
        const LineLow& line = table.lines[at];
        for (unsigned slot = 0; slot < LineLow::kSlots; ++slot)
            if (read_shared(line.lows[slot]) == low && read_shared(line.tags[slot]) == tag)
                return line.value(slot);
        if (!line.passed()) return 0;
    }
}

// The hop of an address within a site, whatever lengths that has; 0: none. Out of line: the
// bursts come here for few packets.
static __attribute__((noinline)) std::uint32_t find_site_hop(const Fib6View& fib,
                                                             std::uint32_t index,
                                                             std::uint64_t low) {
    const auto& table = *fib.by_low->load(std::memory_order_acquire);
    // A length may leave between here and the probe: then a shorter one answers.
    for (auto lengths = read_shared(fib.sites[index].lengths); lengths != 0;) {
        const auto bit = 63u - static_cast<unsigned>(std::countl_zero(lengths));
        const auto v = find_low(table, low & site::low_mask(bit), site::tag(index, bit));
        if (v != 0) return v;
        lengths &= ~(std::uint64_t{1} << bit);
    }
    return read_shared(fib.sites[index].own);
}

// One address at a time; what the burst lookups must agree with.
static inline HopId lookup6(const Fib6View& fib, std::uint64_t high, std::uint64_t low) {
    auto v = read_shared(fib.root[high >> 40]);
    for (unsigned shift = 32; value::is_child(v); shift -= 8)
        v = read_shared(fib.nodes[value::payload(v) * std::size_t{256} + (high >> shift & 0xff)]);
    HopId hop = value::payload(v);
    if (v & value::kLonger) {
        const auto entry = find_64(*fib.by_64->load(std::memory_order_acquire), high);
        const auto found =
            entry & site::kSite ? find_site_hop(fib, value::payload(entry), low) : entry;
        if (found != 0) hop = found;
    }
    return hop != 0 ? hop : read_shared(*fib.fallback);
}

}  // namespace torii::dataplane
