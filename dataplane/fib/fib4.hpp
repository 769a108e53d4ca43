#pragma once

#include <boost/unordered/unordered_flat_map.hpp>
#include <cstdint>
#include <optional>
#include <span>

#include "dataplane/fib/fib_view.hpp"
#include "dataplane/fib/region.hpp"
#include "dataplane/fib/retired.hpp"
#include "dataplane/fib/value.hpp"

namespace torii::dataplane {

// IPv4 longest prefix match by a direct 24-bit stage and 8-bit stages below it: a
// pod's /24 is one memory access. 0.0.0.0/0 is kept beside the tables, so that a
// default route is one write. One writer (control), lock-free readers: each
// entry changes by one store and a block is reused only after a grace period.
class Fib4 {
public:
    Fib4(std::uint32_t max_prefixes, std::uint32_t max_blocks, Quiescence& workers);

    // Adds or changes; false when full, and then nothing changed.
    bool set(std::uint32_t address, unsigned length, HopId hop);
    bool erase(std::uint32_t address, unsigned length);

    // What set() was given; 0: the prefix is not there.
    HopId rule(std::uint32_t address, unsigned length) const;
    // The hop at the prefix's first address, if its own entry is there and no longer one's; 0.
    HopId own_entry(std::uint32_t address, unsigned length) const {
        auto v = root_[address >> 8];
        if (value::is_child(v) && value::payload(v) <= pool_.limit())
            v = blocks_[value::payload(v) * kBlock + (address & 0xff)];
        return !value::is_child(v) && length > 0 && value::depth(v) == length ? value::payload(v)
                                                                              : 0;
    }
    // For comparing the tables with the rules. The first slot from `first` on that may differ
    // from zero.
    std::size_t next_slot(std::size_t first, std::size_t end) const {
        return root_.next_resident(first, end);
    }
    // Writes all that the rules want of the /24 around an address, whatever it has now.
    void repair(std::uint32_t address);
    // No rule is behind what is there in the place of a default route.
    void clear_fallback() { value::publish(fallback_, rule(0, 0)); }
    // Calls visit(address, length) for about `count` prefixes in no order, from `cursor` on,
    // which it advances; true at the end.
    template <class F>
    bool walk_rules(std::optional<std::uint64_t>& cursor, std::size_t count, F&& visit) const {
        auto at = cursor ? rules_.find(*cursor) : rules_.begin();
        for (; at != rules_.end() && count > 0; ++at, --count)
            visit(static_cast<std::uint32_t>(at->first), static_cast<unsigned>(at->first >> 32));
        cursor = at != rules_.end() ? std::optional{at->first} : std::nullopt;
        return !cursor;
    }

    HopId lookup(std::uint32_t address) const;
    Fib4View view() const { return {root_.data(), blocks_.data(), &fallback_}; }

    std::size_t prefixes() const { return rules_.size(); }
    std::size_t prefix_limit() const { return max_prefixes_; }
    const IndexPool& blocks() const { return pool_; }
    std::size_t memory() const;  // octets; asks the kernel
    void reclaim() { pool_.reclaim(); }

private:
    static constexpr unsigned kRootBits = 24;
    static constexpr std::size_t kBlock = 256;

    static std::uint64_t key(std::uint32_t address, unsigned length) {
        return std::uint64_t{length} << 32 | address;
    }
    static std::uint32_t mask(unsigned length) {
        return length == 0 ? 0 : ~std::uint32_t{0} << (32 - length);
    }
    std::span<std::uint32_t> block(std::uint32_t index) {
        return {&blocks_[std::size_t{index} * kBlock], kBlock};
    }
    std::uint32_t covering(std::uint32_t address, unsigned length) const;
    std::uint32_t split(std::uint32_t slot);
    void collapse(std::uint32_t slot, std::uint32_t index);
    template <class F>
    void each_entry(std::uint32_t address, unsigned length, F&& rewrite);

    std::uint32_t max_prefixes_;
    std::uint32_t fallback_ = 0;
    Region<std::uint32_t> root_;
    Region<std::uint32_t> blocks_;
    Region<std::uint16_t> long_prefixes_;  // of each block
    Region<std::uint32_t> owners_;         // of each block: its slot + 1; 0: free
    IndexPool pool_;
    boost::unordered_flat_map<std::uint64_t, HopId> rules_;
    std::uint32_t of_length_[33] = {};
};

}  // namespace torii::dataplane
