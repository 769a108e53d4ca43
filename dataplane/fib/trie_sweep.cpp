#include "dataplane/fib/trie_sweep.hpp"

#include <algorithm>

namespace torii::dataplane {
namespace {

constexpr unsigned kRootBits = 24, kStride = 8;
constexpr std::size_t kSlots = std::size_t{1} << kRootBits;
// So many empty slots are worth asking the kernel about, which costs as much as comparing as
// many; it is asked about those of a huge page at once.
constexpr std::size_t kGap = 4096, kAsk = std::size_t{1} << 19;

constexpr std::uint64_t last_of(std::uint64_t base, unsigned decided) {
    return decided >= 64 ? base : base | (~std::uint64_t{0} >> decided);
}

}  // namespace

void TrieSweep::below(std::uint32_t entry, std::uint64_t base, unsigned decided,
                      std::uint64_t first, std::uint64_t last, std::uint32_t leaf,
                      std::size_t& budget, const Differs& differs) const {
    if (budget > 0) --budget;
    if (!value::is_child(entry)) {
        if ((entry & ~trie_.flags) != leaf) differs(std::max(first, base), entry);
        return;
    }
    const auto node = value::payload(entry);
    if (decided >= trie_.bits || node == 0 || node > trie_.node_limit ||
        entry != (value::kChild | node))
        return differs(std::max(first, base), entry);
    const auto* entries = trie_.nodes + std::size_t{node} * 256;
    const unsigned below_bits = decided + kStride;
    const auto slot_of = [&](std::uint64_t at) { return at >> (64 - below_bits) & 0xff; };
    const auto from = first > base ? slot_of(first) : 0;
    const auto to = last < last_of(base, decided) ? slot_of(last) : 0xff;
    for (auto slot = from; slot <= to; ++slot)
        below(entries[slot], base | slot << (64 - below_bits), below_bits, first, last, leaf,
              budget, differs);
}

// How many slots from `slot` on have the leaf: all of a chunk, or those before the first other.
std::size_t TrieSweep::equal_run(std::size_t slot, std::size_t end, std::uint32_t leaf) const {
    constexpr std::size_t kChunk = 64;
    const auto* at = trie_.root + slot;
    if (end - slot >= kChunk) {
        std::uint32_t differing = 0;
        for (std::size_t i = 0; i < kChunk; ++i) differing |= (at[i] & ~trie_.flags) ^ leaf;
        if (differing == 0) return kChunk;
    }
    std::size_t same = 0;
    while (slot + same < end && (at[same] & ~trie_.flags) == leaf) ++same;
    return same;
}

std::uint64_t TrieSweep::compare(std::uint64_t first, std::uint64_t last, std::uint32_t leaf,
                                 std::size_t& budget, const Differs& differs) const {
    const auto end = static_cast<std::size_t>(last >> (64 - kRootBits)) + 1;
    auto slot = static_cast<std::size_t>(first >> (64 - kRootBits));
    std::size_t asked = 0;  // up to there
    while (slot < end && budget > 0) {
        if (leaf == 0 && slot >= asked && end - slot > kGap) {
            asked = std::min(end, slot + kAsk);
            slot = next_slot_(slot, asked);
            budget -= std::min(budget - 1, kGap);
            if (slot == asked) continue;
        }
        // Runs of entries of one leaf are most of the table.
        const auto run_end = std::min({end, slot + budget, slot + kGap});
        while (slot < run_end) {
            if (const auto same = equal_run(slot, run_end, leaf); same != 0) {
                slot += same;
                budget -= same;
                continue;
            }
            const auto entry = trie_.root[slot];
            const auto base = static_cast<std::uint64_t>(slot) << (64 - kRootBits);
            below(entry, base, kRootBits, std::max(first, base), last, leaf, budget, differs);
            ++slot;
            break;  // which may have cost more than one entry
        }
    }
    if (slot >= end) return last == ~std::uint64_t{0} ? 0 : last + 1;
    return slot >= kSlots ? 0 : static_cast<std::uint64_t>(slot) << (64 - kRootBits);
}

}  // namespace torii::dataplane
