#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>

#include "dataplane/fib/value.hpp"

namespace torii::dataplane {

// The tries of both families as readers see them, by the upper 64 bits of an address (IPv4: all
// of it, shifted up): a direct stage of 24 bits, then nodes of 256 entries.
struct TrieView {
    const std::uint32_t* root = nullptr;
    const std::uint32_t* nodes = nullptr;
    std::uint32_t node_limit = 0;  // highest index of a node
    unsigned bits = 0;             // that the trie decides at most
    std::uint32_t flags = 0;       // of an entry, which are not the prefixes'
};

// Compares every entry of a range of addresses with one wanted leaf. Control thread.
class TrieSweep {
public:
    // An entry that differs: the first address it stands for, and what is there.
    using Differs = std::function<void(std::uint64_t at, std::uint32_t found)>;
    // The first slot of the root from `first` on, below `end`, that may not be zero.
    using NextSlot = std::function<std::size_t(std::size_t first, std::size_t end)>;

    TrieSweep(TrieView trie, NextSlot next_slot) : trie_(trie), next_slot_(std::move(next_slot)) {}

    // Entries from `first` to `last`, both included. Takes what it compared off `budget`; stops
    // when that is spent. Returns the address behind the last entry compared; 0: behind the
    // last address there is.
    std::uint64_t compare(std::uint64_t first, std::uint64_t last, std::uint32_t leaf,
                          std::size_t& budget, const Differs& differs) const;

private:
    void below(std::uint32_t entry, std::uint64_t base, unsigned decided, std::uint64_t first,
               std::uint64_t last, std::uint32_t leaf, std::size_t& budget,
               const Differs& differs) const;

    std::size_t equal_run(std::size_t slot, std::size_t end, std::uint32_t leaf) const;

    TrieView trie_;
    NextSlot next_slot_;
};

}  // namespace torii::dataplane
