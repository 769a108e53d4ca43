// Lookups of a whole burst, compiled once for each instruction set: the including
// file defines TORII_ISA and is built with that set's flags. Loads of one kind are
// issued for all packets before the next kind, so that their misses overlap.
// No #pragma once: the namespace differs.

#include <immintrin.h>

#include <bit>
#include <cstdint>

#include "dataplane/fib/fib4.hpp"
#include "dataplane/fib/fib6.hpp"
#include "dataplane/fib/lookup6.hpp"

namespace torii::dataplane::TORII_ISA {

static constexpr unsigned kMaxBurst = 64;

#define TORII_INLINE static inline __attribute__((always_inline))

TORII_INLINE void lookup4_plain(const Fib4View& fib, const std::uint32_t* dst, std::uint32_t* hop,
                                unsigned n) {
    std::uint32_t any = 0;
    for (unsigned i = 0; i < n; ++i) {
        hop[i] = fib.root[dst[i] >> 8];
        any |= hop[i];
    }
    if (__builtin_expect((any & value::kChild) != 0, 0))
        for (unsigned i = 0; i < n; ++i)
            if (hop[i] & value::kChild)
                hop[i] =
                    fib.blocks[(hop[i] & value::kPayload) * std::size_t{256} + (dst[i] & 0xff)];
    const std::uint32_t fallback = *fib.fallback;
    for (unsigned i = 0; i < n; ++i) {
        const auto h = hop[i] & value::kPayload;
        hop[i] = h != 0 ? h : fallback;
    }
}

#ifdef __AVX512F__
// Gathers win while the first stage's lines sit in L1 or L2 and lose beyond:
// the caller chooses.
TORII_INLINE void lookup4_gather(const Fib4View& fib, const std::uint32_t* dst, std::uint32_t* hop,
                                 unsigned n) {
    const __m512i payload = _mm512_set1_epi32(value::kPayload);
    const __m512i fallback = _mm512_set1_epi32(static_cast<int>(*fib.fallback));
    for (unsigned i = 0; i < n; i += 16) {
        const __mmask16 live =
            n - i >= 16 ? __mmask16(0xffff) : static_cast<__mmask16>((1u << (n - i)) - 1);
        const __m512i d = _mm512_maskz_loadu_epi32(live, dst + i);
        __m512i v = _mm512_mask_i32gather_epi32(_mm512_setzero_si512(), live,
                                                _mm512_srli_epi32(d, 8), fib.root, 4);
        const __mmask16 deep = _mm512_movepi32_mask(v);
        v = _mm512_and_si512(v, payload);
        if (__builtin_expect(deep != 0, 0)) {
            // Scaled by 4 the offset needs more than 32 bits from 2^22 blocks on; the
            // writer's limit is far below.
            const __m512i at = _mm512_or_si512(_mm512_slli_epi32(v, 8),
                                               _mm512_and_si512(d, _mm512_set1_epi32(0xff)));
            v = _mm512_and_si512(_mm512_mask_i32gather_epi32(v, deep, at, fib.blocks, 4), payload);
        }
        v = _mm512_mask_mov_epi32(v, _mm512_testn_epi32_mask(v, v), fallback);
        _mm512_mask_storeu_epi32(hop + i, live, v);
    }
}
#endif

// The value of `high` in its line, or 0.
TORII_INLINE std::uint32_t probe_64(const Line64& line, std::uint64_t high) {
#ifdef __AVX512F__
    const auto hit = _mm512_cmpeq_epi64_mask(_mm512_load_si512(&line),
                                             _mm512_set1_epi64(static_cast<long long>(high))) &
                     0x1fu;
    // No slot: the fifth's value is loaded for nothing.
    const auto v = line.values[std::countr_zero(hit | 0x10u)];
    return hit != 0 ? v : 0;
#else
    std::uint32_t v = 0;
    for (unsigned slot = 0; slot < Line64::kSlots; ++slot)
        v |= line.keys[slot] == high ? line.values[slot] : 0;
    return v;
#endif
}

TORII_INLINE std::uint32_t probe_low(const LineLow& line, std::uint64_t low, std::uint32_t tag,
                                     std::uint32_t& passed) {
    passed = line.slots[0].value & LineLow::kPassed;
#ifdef __AVX512F__
    // A slot is four words: two of the address, the tag, and the value, which may differ.
    const auto key = _mm512_broadcast_i32x4(
        _mm_set_epi64x(static_cast<long long>(tag), static_cast<long long>(low)));
    const std::uint32_t same = _mm512_cmpeq_epi32_mask(_mm512_load_si512(&line), key);
    const auto hit = same & same >> 1 & same >> 2 & 0x1111u;
    const auto found = line.slots[std::countr_zero(hit | 0x10000u) >> 2 & 3].value;
    return hit != 0 ? found & ~LineLow::kPassed : 0;
#endif
    std::uint32_t v = 0;
    for (const auto& slot : line.slots)
        v |= ((slot.low == low) & (slot.tag == tag)) != 0 ? slot.value : 0;
    return v & ~LineLow::kPassed;
}

TORII_INLINE std::uint32_t find_site_hop(const Fib6View& fib, const LineHashView<LineLow>& table,
                                         std::uint32_t index, std::uint64_t low) {
    for (auto lengths = fib.sites[index].lengths; lengths != 0;) {
        const auto bit = 63u - static_cast<unsigned>(std::countl_zero(lengths));
        const auto key = low & site::low_mask(bit);
        const auto tag = site::tag(index, bit);
        for (auto at = table.home(LineLow::mix({key, tag}));; at = (at + 1) & table.mask) {
            std::uint32_t passed = 0;
            if (const auto v = probe_low(table.lines[at], key, tag, passed); v != 0) return v;
            if (passed == 0) break;
        }
        lengths &= ~(std::uint64_t{1} << bit);
    }
    return fib.sites[index].own;
}

TORII_INLINE void lookup6_hashed(const Fib6View& fib, const std::uint64_t* high,
                                 const std::uint64_t* low, const std::uint32_t* root,
                                 std::uint32_t* hop, unsigned n) {
    const auto& by_64 = *fib.by_64->load(std::memory_order_acquire);
    const auto* lines = by_64.lines;
    const auto multiplier = by_64.multiplier;
    const auto shift = by_64.shift;
    std::uint32_t home[kMaxBurst], entry[kMaxBurst];
    for (unsigned i = 0; i < n; ++i)
        home[i] = static_cast<std::uint32_t>(high[i] * multiplier >> shift);
    std::uint32_t any = 0;
#pragma GCC unroll 4
    for (unsigned i = 0; i < n; ++i) {
        const Line64& line = lines[home[i]];
        auto v = probe_64(line, high[i]);
        if (__builtin_expect(v == 0, 0) && line.displaced != 0) v = find_64(by_64, high[i]);
        entry[i] = v;
        any |= v;
    }
    for (unsigned i = 0; i < n; ++i) {
        entry[i] = root[i] & value::kLonger ? entry[i] : 0;
        hop[i] = static_cast<std::int32_t>(entry[i]) > 0 ? entry[i] : hop[i];
    }
    if ((any & site::kSite) == 0) return;
    std::uint8_t deep[kMaxBurst];
    unsigned deeps = 0;
    for (unsigned i = 0; i < n; ++i) {
        const auto v = entry[i];
        entry[deeps] = v;
        deep[deeps] = static_cast<std::uint8_t>(i);
        deeps += v >> 31;
    }
    if (deeps == 0) return;
    const auto& by_low = *fib.by_low->load(std::memory_order_acquire);
    std::uint64_t key[kMaxBurst];
    std::uint32_t tag[kMaxBurst];
    const LineLow* at[kMaxBurst];
    for (unsigned k = 0; k < deeps; ++k) {
        // With many lengths the hint's low six bits name some length, which is
        // harmless: a miss, and the slow way below answers.
        const auto bit = site::hint(entry[k]) & 63;
        key[k] = low[deep[k]] & site::low_mask(bit);
        tag[k] = site::tag(value::payload(entry[k]), bit);
        at[k] = &by_low.lines[by_low.home(LineLow::mix({key[k], tag[k]}))];
        __builtin_prefetch(at[k]);
    }
    for (unsigned k = 0; k < deeps; ++k) {
        std::uint32_t passed = 0;
        auto v = probe_low(*at[k], key[k], tag[k], passed);
        if (__builtin_expect(v == 0 || site::hint(entry[k]) == site::kMany, 0))
            v = find_site_hop(fib, by_low, value::payload(entry[k]), low[deep[k]]);
        hop[deep[k]] = v != 0 ? v : hop[deep[k]];
    }
}

// The hash for the few packets of a burst that want it.
TORII_INLINE void lookup6_some(const Fib6View& fib, const std::uint64_t* high,
                               const std::uint64_t* low, const std::uint32_t* root,
                               std::uint32_t* hop, unsigned n) {
    const auto& by_64 = *fib.by_64->load(std::memory_order_acquire);
    for (unsigned i = 0; i < n; ++i) {
        if ((root[i] & value::kLonger) == 0) continue;
        auto v = find_64(by_64, high[i]);
        if (v & site::kSite)
            v = find_site_hop(fib, *fib.by_low->load(std::memory_order_acquire), value::payload(v),
                              low[i]);
        if (v != 0) hop[i] = v;
    }
}

#ifdef __AVX512F__
// The trie, sixteen addresses at a time: most packets of a burst end within a level
// or two of each other. Returns all root entries or'ed; `root` and `hop` are filled.
TORII_INLINE std::uint32_t walk6(const Fib6View& fib, const std::uint64_t* high,
                                 std::uint32_t* root, std::uint32_t* hop, unsigned n) {
    const __m512i byte = _mm512_set1_epi32(0xff), payload = _mm512_set1_epi32(value::kPayload);
    std::uint32_t any = 0;
    for (unsigned i = 0; i < n; i += 16) {
        const __mmask16 live =
            n - i >= 16 ? __mmask16(0xffff) : static_cast<__mmask16>((1u << (n - i)) - 1);
        const __m512i a = _mm512_maskz_loadu_epi64(static_cast<__mmask8>(live), high + i);
        const __m512i b = _mm512_maskz_loadu_epi64(static_cast<__mmask8>(live >> 8), high + i + 8);
        const __m512i bottom = _mm512_inserti64x4(_mm512_castsi256_si512(_mm512_cvtepi64_epi32(a)),
                                                  _mm512_cvtepi64_epi32(b), 1);
        const __m512i top = _mm512_inserti64x4(
            _mm512_castsi256_si512(_mm512_cvtepi64_epi32(_mm512_srli_epi64(a, 32))),
            _mm512_cvtepi64_epi32(_mm512_srli_epi64(b, 32)), 1);
        __m512i v = _mm512_mask_i32gather_epi32(_mm512_setzero_si512(), live,
                                                _mm512_srli_epi32(top, 8), fib.root, 4);
        _mm512_mask_storeu_epi32(root + i, live, v);
        any |= static_cast<std::uint32_t>(_mm512_reduce_or_epi32(v));
        __mmask16 open = _mm512_movepi32_mask(v);
        __m512i next = _mm512_and_si512(top, byte);
        for (unsigned shift = 24; open != 0; shift -= 8) {
            const __m512i at =
                _mm512_or_si512(_mm512_slli_epi32(_mm512_and_si512(v, payload), 8), next);
            v = _mm512_mask_i32gather_epi32(v, open, at, fib.nodes, 4);
            open &= _mm512_movepi32_mask(v);
            next = _mm512_and_si512(
                _mm512_srl_epi32(bottom, _mm_cvtsi32_si128(static_cast<int>(shift))), byte);
        }
        _mm512_mask_storeu_epi32(hop + i, live, _mm512_and_si512(v, payload));
    }
    return any;
}
#else
TORII_INLINE std::uint32_t walk6(const Fib6View& fib, const std::uint64_t* high,
                                 std::uint32_t* root, std::uint32_t* hop, unsigned n) {
    std::uint32_t any = 0;
    for (unsigned i = 0; i < n; ++i) {
        root[i] = fib.root[high[i] >> 40];
        any |= root[i];
    }
    if (any & value::kChild) {
        std::uint8_t open[kMaxBurst];
        unsigned opens = 0;
        for (unsigned i = 0; i < n; ++i) {
            hop[i] = root[i];
            open[opens] = static_cast<std::uint8_t>(i);
            opens += root[i] >> 31;
        }
        for (unsigned shift = 32; opens != 0; shift -= 8) {
            unsigned left = 0;
            for (unsigned k = 0; k < opens; ++k) {
                const auto i = open[k];
                const auto v = fib.nodes[(hop[i] & value::kPayload) * std::size_t{256} +
                                         (high[i] >> shift & 0xff)];
                hop[i] = v;
                open[left] = i;
                left += v >> 31;
            }
            opens = left;
        }
        for (unsigned i = 0; i < n; ++i) hop[i] &= value::kPayload;
    } else {
        for (unsigned i = 0; i < n; ++i) hop[i] = root[i] & value::kPayload;
    }
    return any;
}
#endif

TORII_INLINE void lookup6_burst(const Fib6View& fib, const std::uint64_t* high,
                                const std::uint64_t* low, std::uint32_t* hop, unsigned n) {
    std::uint32_t root[kMaxBurst];
    const auto any = walk6(fib, high, root, hop, n);
    if (any & value::kLonger) {
        std::uint32_t all = value::kLonger;
        for (unsigned i = 0; i < n; ++i) all &= root[i];
        if (all != 0)
            lookup6_hashed(fib, high, low, root, hop, n);
        else
            lookup6_some(fib, high, low, root, hop, n);
    }
    const std::uint32_t fallback = *fib.fallback;
    for (unsigned i = 0; i < n; ++i) hop[i] = hop[i] != 0 ? hop[i] : fallback;
}

}  // namespace torii::dataplane::TORII_ISA
