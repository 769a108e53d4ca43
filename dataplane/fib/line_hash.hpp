#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "base/shared_word.hpp"
#include "dataplane/fib/value.hpp"

namespace torii::dataplane {

// Hash tables whose probe is one cache line: LineHash<Line64> maps the first 64
// bits of an address to a value, LineHash<LineLow> the rest of it within one /64.
// A full line sends keys on to the next and counts them in `displaced`, so that
// most misses end after one line too.
//
// One writer, lock-free readers: a slot's key is written before its value, a
// removed key keeps its slot (value 0) for a grace period, and growth builds a
// new table beside the old one.

struct alignas(64) Line64 {
    static constexpr unsigned kSlots = 5;
    static constexpr std::uint32_t kPassed = 1u << 30;  // with `displaced`, if that is any
    using Key = std::uint64_t;  // 0 (::/64 holds no unicast address) marks a free slot

    std::uint64_t keys[kSlots];
    std::uint32_t values[kSlots];
    std::uint32_t displaced;  // right behind: what a probe that hits no slot reads

    static std::uint64_t mix(Key key) { return key; }
    static bool is_free(Key key) { return key == 0; }
    Key key(unsigned slot) const { return keys[slot]; }
    void set_key(unsigned slot, Key key) {
        std::atomic_ref<std::uint64_t>(keys[slot]).store(key, std::memory_order_release);
    }
    std::uint32_t value(unsigned slot) const { return values[slot]; }
    void set_value(unsigned slot, std::uint32_t v) { value::publish(values[slot], v); }
    void set_passed(std::uint32_t n) { value::publish(displaced, n != 0 ? n | kPassed : 0); }
};
static_assert(sizeof(Line64) == 64);
static_assert(offsetof(Line64, displaced) ==
              offsetof(Line64, values) + Line64::kSlots * sizeof(std::uint32_t));

struct LowKey {
    std::uint64_t low = 0;
    std::uint32_t tag = 0;  // which /64 and which length; 0 marks a free slot

    friend bool operator==(const LowKey&, const LowKey&) = default;
};

struct alignas(64) LineLow {
    static constexpr unsigned kSlots = 4;
    static constexpr std::uint32_t kPassed = 1u << 31;  // in the first slot's value
    using Key = LowKey;

    std::uint64_t lows[kSlots];
    std::uint32_t tags[kSlots];
    std::uint32_t values[kSlots];

    static std::uint64_t mix(std::uint64_t low, std::uint32_t tag) {
        return low ^ tag * 0x9e3779b97f4a7c15ULL;
    }
    static std::uint64_t mix(const Key& key) { return mix(key.low, key.tag); }
    static bool is_free(const Key& key) { return key.tag == 0; }
    Key key(unsigned slot) const { return {lows[slot], tags[slot]}; }
    void set_key(unsigned slot, const Key& key) {
        std::atomic_ref<std::uint64_t>(lows[slot]).store(key.low, std::memory_order_release);
        value::publish(tags[slot], key.tag);
    }
    std::uint32_t value(unsigned slot) const { return read_shared(values[slot]) & ~kPassed; }
    void set_value(unsigned slot, std::uint32_t v) {
        value::publish(values[slot], v | (values[slot] & kPassed));
    }
    // Readers need only whether to go on; there is room for one bit, and the table keeps
    // the number.
    bool passed() const { return (read_shared(values[0]) & kPassed) != 0; }
    void set_passed(std::uint32_t n) {
        value::publish(values[0], value(0) | (n != 0 ? kPassed : 0));
    }
};
static_assert(sizeof(LineLow) == 64);

// What readers see of one generation of a table.
template <class Line>
struct LineHashView {
    const Line* lines = nullptr;
    std::uint64_t multiplier = 1;
    std::uint32_t shift = 31;
    std::uint32_t mask = 0;

    // Two rounds: nodes' prefixes come in steps of a power of two, and one product
    // alone deals an arithmetic sequence to few lines for one multiplier in ten.
    std::uint32_t home(std::uint64_t mixed) const {
        const auto product = mixed * multiplier;
        const auto folded = static_cast<std::uint32_t>(product ^ product >> 32);
        return folded * 0x9e3779b1u >> shift;
    }
};

}  // namespace torii::dataplane
