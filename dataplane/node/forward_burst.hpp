// The fast path, compiled once for each instruction set (see lookup_burst.hpp).
// Three passes over a burst, each of one kind of cache miss, so that the misses of
// a pass overlap: headers (checked without branches), lookups, rewrite and count.
// Whatever is not an ordinary packet falls out into slow_path.cpp.

#include <rte_ethdev.h>

#include "dataplane/fib/bucket_table.hpp"
#include "dataplane/fib/lookup_burst.hpp"
#include "dataplane/node/flow_hash.hpp"
#include "dataplane/node/inspect.hpp"
#include "dataplane/node/slow_path.hpp"
#include "dataplane/node/transmit.hpp"
#include "dataplane/worker.hpp"

namespace torii::dataplane::TORII_ISA {

// The packets of one family in a burst on their way through the passes.
struct Batch {
    rte_mbuf** packet;
    std::uint8_t** frame;
    unsigned count;
    std::uint32_t length[kMaxBurst];  // of the IP packet
    std::uint32_t hop[kMaxBurst];
    std::uint32_t source[kMaxBurst];  // its last four octets
};

TORII_INLINE void count_hop(Count* hops, HopId hop, std::uint32_t length) {
    auto* count = reinterpret_cast<__m128i*>(&hops[hop]);
    _mm_store_si128(count, _mm_add_epi64(_mm_load_si128(count), _mm_set_epi64x(length, 1)));
}

TORII_INLINE void queue(Worker& w, PortIndex port, rte_mbuf* m) {
    w.out[port].packets[w.waiting[port]++] = m;
}

// TTL - 1 in the header, and its checksum by RFC 1624 equation 3: one more, as one's
// complement numbers go, without ever making the minus zero 0xffff.
TORII_INLINE void age_ip4(std::uint8_t* ttl) {
    std::uint32_t x;
    std::memcpy(&x, ttl, 4);
    x += 0xffffu + (static_cast<std::uint32_t>(x >= 0xfffe0000u) << 16);
    std::memcpy(ttl, &x, 4);
}

// Rewrites by a hop unless the packet is too big for it or the hop is none that
// leads out (mtu 0). Returns port and mtu as the hop has them.
template <bool kIp4>
TORII_INLINE bool rewrite(Count* counts, const Hop* hops, std::uint8_t* p, HopId hop,
                          std::uint32_t length, std::uint32_t& port) {
    const __m128i r = _mm_load_si128(reinterpret_cast<const __m128i*>(&hops[hop]));
    const auto port_and_mtu = static_cast<std::uint32_t>(_mm_extract_epi32(r, 3));
    port = port_and_mtu & 0xffff;
    if (__builtin_expect(length > port_and_mtu >> 16, 0)) return false;
    const __m128i o = _mm_loadu_si128(reinterpret_cast<const __m128i*>(p));
    _mm_storeu_si128(reinterpret_cast<__m128i*>(p), _mm_blend_epi16(r, o, 0xc0));
    if (kIp4)
        age_ip4(p + 22);
    else
        --p[21];
    count_hop(counts, hop, length);
    return true;
}

// What a burst's plain rewrite left over: chooses a bucket by the flow, notes that
// it is in use, and rewrites by the member's hop.
template <bool kIp4>
TORII_INLINE void choose_members(Worker& w, PortIndex in, const PortState& port, Batch& b,
                                 const std::uint8_t* deferred, unsigned n) {
    const Hop* hops = w.tables->hops;
    Count* counts = w.counters.hops.data();
    Bucket* bucket[kMaxBurst];
    std::uint8_t chosen[kMaxBurst];
    unsigned groups = 0;
    for (unsigned k = 0; k < n; ++k) {
        const auto i = deferred[k];
        const Hop hop = load(hops[b.hop[i]]);
        if (__builtin_expect(hop.kind() != HopKind::Group, 0)) {
            slow_hop(w, in, port, b.packet[i], b.hop[i]);
            continue;
        }
        const auto* ip = b.frame[i] + kEtherHeader;
        const auto hash = kIp4 ? hash_ip4(ip, b.length[i]) : hash_ip6(ip, b.length[i]);
        const auto& table = *hop.buckets();
        bucket[groups] = &table.buckets[hash & table.mask];
        __builtin_prefetch(bucket[groups]);
        chosen[groups++] = i;
    }
    const auto epoch = w.epoch;
    for (unsigned k = 0; k < groups; ++k) {
        const auto i = chosen[k];
        const auto member = bucket[k]->hop;
        if (__builtin_expect(bucket[k]->epoch != epoch, 0)) bucket[k]->epoch = epoch;
        std::uint32_t out = 0;
        if (__builtin_expect(!rewrite<kIp4>(counts, hops, b.frame[i], member, b.length[i], out),
                             0)) {
            slow_hop(w, in, port, b.packet[i], member);
            continue;
        }
        queue(w, static_cast<PortIndex>(out), b.packet[i]);
        count_hop(counts, b.hop[i], b.length[i]);
    }
}

template <bool kIp4>
TORII_INLINE void send_off(Worker& w, PortIndex in, const PortState& port, Batch& b,
                           const unsigned count) {
    const Hop* hops = w.tables->hops;
    Count* counts = w.counters.hops.data();
    std::uint8_t deferred[kMaxBurst];
    std::uint32_t out[kMaxBurst];
    std::uint32_t differ = 0;
    unsigned later = 0;
#pragma GCC unroll 4
    for (unsigned i = 0; i < count; ++i) {
        if (__builtin_expect(
                !rewrite<kIp4>(counts, hops, b.frame[i], b.hop[i], b.length[i], out[i]), 0)) {
            deferred[later++] = static_cast<std::uint8_t>(i);
            out[i] = kMaxPorts;
        }
        differ |= out[i] ^ out[0];
    }
    if (__builtin_expect(differ == 0 && later == 0, 1)) {
        // All to one port: the burst is its own transmit buffer.
        const auto one = static_cast<PortIndex>(out[0]);
        auto& waiting = w.waiting[one];
        if (waiting == 0 && count >= kFlushAt) {
            std::uint32_t bytes = 0;
            for (unsigned i = 0; i < count; ++i) bytes += b.length[i];
            return transmit_burst(w, one, b.packet, count, bytes + count * kEtherHeader);
        }
        std::memcpy(&w.out[one].packets[waiting], b.packet, count * sizeof(rte_mbuf*));
        waiting = static_cast<std::uint16_t>(waiting + count);
        return;
    }
    if (__builtin_expect(later == 0, 1)) {
        for (unsigned i = 0; i < count; ++i) queue(w, static_cast<PortIndex>(out[i]), b.packet[i]);
        return;
    }
    for (unsigned i = 0; i < count; ++i)
        if (out[i] != kMaxPorts) queue(w, static_cast<PortIndex>(out[i]), b.packet[i]);
    choose_members<kIp4>(w, in, port, b, deferred, later);
}

// Ethernet padding and trailers do not travel on.
TORII_INLINE void trim(rte_mbuf* m, std::uint32_t length) {
    const auto frame = length + kEtherHeader;
    m->pkt_len = frame;
    m->data_len = static_cast<std::uint16_t>(frame);
}

// What the first sixteen octets of an ordinary frame look like: our MAC, a source
// that is no group, the type, and the header's first octet.
template <bool kIp4>
TORII_INLINE void ordinary(const PortState& port, __m128i& expected, __m128i& mask) {
    alignas(16) std::uint8_t e[16] = {}, m[16] = {};
    std::memcpy(e, &port.mac_bits, 6);
    std::memset(m, 0xff, 6);
    m[6] = 1;
    e[12] = kIp4 ? 0x08 : 0x86;
    e[13] = kIp4 ? 0x00 : 0xdd;
    e[14] = kIp4 ? 0x45 : 0x60;
    m[12] = m[13] = 0xff;
    m[14] = kIp4 ? 0xff : 0xf0;
    expected = _mm_load_si128(reinterpret_cast<const __m128i*>(e));
    mask = _mm_load_si128(reinterpret_cast<const __m128i*>(m));
}

// Whether any source is one of our addresses, by exact comparison of all with each.
TORII_INLINE bool any_own(const OwnFilter& own, const std::uint32_t* sources, unsigned n) {
    if (__builtin_expect(own.count > OwnFilter::kExact, 0)) {
        for (unsigned i = 0; i < n; ++i)
            if (own.may_have(__builtin_bswap32(sources[i]))) return true;
        return false;
    }
    std::uint32_t hit = 0;
    for (unsigned k = 0; k < own.count; ++k) {
        const std::uint32_t word = own.words[k];
        for (unsigned i = 0; i < n; ++i) hit |= sources[i] == word;
    }
    return hit != 0;
}

TORII_INLINE std::uint32_t header_sum(const std::uint8_t* ip) {
    std::uint64_t a, b;
    std::uint32_t c;
    std::memcpy(&a, ip, 8);
    std::memcpy(&b, ip + 8, 8);
    std::memcpy(&c, ip + 16, 4);
    const std::uint64_t sum = (a & 0xffffffff) + (a >> 32) + (b & 0xffffffff) + (b >> 32) + c;
    auto folded = static_cast<std::uint32_t>((sum & 0xffff) + (sum >> 16 & 0xffff) + (sum >> 32));
    folded = (folded & 0xffff) + (folded >> 16);
    return (folded & 0xffff) + (folded >> 16);
}

template <bool kSoftwareChecksum>
TORII_INLINE std::uint64_t check_ip4(const PortState& port, const std::uint8_t* octets,
                                     const OwnFilter& own, const rte_mbuf* m, const std::uint8_t* p,
                                     std::uint32_t& total) {
    std::uint64_t macs;
    std::memcpy(&macs, p, 8);
    std::uint32_t type;
    std::memcpy(&type, p + 12, 4);
    total = read16(p + 16);
    std::uint32_t source;
    std::memcpy(&source, p + 26, 4);
    std::uint64_t ok =
        ((type & 0xffffff) == 0x450008) & ((macs & 0x1ffffffffffffULL) == port.mac_bits) &
        (p[22] > 1) & (m->data_len >= 34) & (total - 20 <= m->data_len - 34u) &
        (total <= port.max_frame - kEtherHeader) & ((octets[source & 0xff] | octets[p[30]]) == 0) &
        !own.may_have(__builtin_bswap32(source));
    if constexpr (kSoftwareChecksum) {
        ok &= header_sum(p + 14) == 0xffff;
    } else {
        ok &= (m->ol_flags & RTE_MBUF_F_RX_IP_CKSUM_MASK) == RTE_MBUF_F_RX_IP_CKSUM_GOOD;
    }
    return ok;
}

TORII_INLINE std::uint64_t check_ip6(const PortState& port, const std::uint8_t* octets,
                                     const OwnFilter& own, const rte_mbuf* m, const std::uint8_t* p,
                                     std::uint32_t& total) {
    std::uint64_t macs;
    std::memcpy(&macs, p, 8);
    std::uint32_t type;
    std::memcpy(&type, p + 12, 4);
    total = read16(p + 18) + 40u;
    return ((type & 0xf0ffff) == 0x60dd86) & ((macs & 0x1ffffffffffffULL) == port.mac_bits) &
           (p[21] > 1) & (p[20] != kHopByHop) & (m->data_len >= 54) & (total <= m->data_len - 14u) &
           (m->pkt_len <= port.max_frame) & ((octets[p[22]] | octets[p[38]]) == 0) &
           !own.may_have(read32(p + 34));
}

// Keeps the good packets of a batch that has others and gives the rest back: pk and
// frame keep them. Returns how many.
template <class Check>
TORII_INLINE unsigned divide(Batch& b, rte_mbuf** packet, std::uint8_t** frame, Check&& check) {
    unsigned left = 0, kept = 0;
    for (unsigned i = 0; i < b.count; ++i) {
        std::uint32_t total = 0;
        auto* m = b.packet[i];
        auto* f = b.frame[i];
        if (check(m, f, total)) {
            packet[kept] = m;
            frame[kept] = f;
            b.length[kept++] = total;
        } else {
            b.packet[left] = m;
            b.frame[left++] = f;
        }
    }
    b.packet = packet;
    b.frame = frame;
    b.count = kept;
    return left;
}

// Passes 2 and 3. The number of packets is a constant where a burst is full and
// ordinary, which spares every loop its ends.
TORII_INLINE void finish_ip4(Worker& w, PortIndex in, const PortState& port, Batch& b, bool padded,
                             const unsigned count) {
    const auto fib = w.tables->fib4;
    // A loop of its own, so that as many misses as possible are under way at once.
#pragma GCC unroll 8
    for (unsigned i = 0; i < count; ++i) b.hop[i] = fib.root[b.hop[i] >> 8];
    std::uint32_t deep = 0;
    for (unsigned i = 0; i < count; ++i) deep |= b.hop[i];
    if (__builtin_expect(padded, 0))
        for (unsigned i = 0; i < count; ++i) trim(b.packet[i], b.length[i]);
    if (__builtin_expect((deep & value::kChild) != 0, 0))
        for (unsigned i = 0; i < count; ++i)
            if (b.hop[i] & value::kChild)
                b.hop[i] =
                    fib.blocks[(b.hop[i] & value::kPayload) * std::size_t{256} + b.frame[i][33]];
    const std::uint32_t fallback = *fib.fallback;
    for (unsigned i = 0; i < count; ++i) {
        const auto h = b.hop[i] & value::kPayload;
        b.hop[i] = h != 0 ? h : fallback;
    }
    send_off<true>(w, in, port, b, count);
}

TORII_INLINE void finish_ip6(Worker& w, PortIndex in, const PortState& port, Batch& b, bool padded,
                             const std::uint64_t* high, const std::uint64_t* low,
                             const unsigned count) {
    if (__builtin_expect(padded, 0))
        for (unsigned i = 0; i < count; ++i) trim(b.packet[i], b.length[i]);
    lookup6_burst(w.tables->fib6, high, low, b.hop, count);
    send_off<false>(w, in, port, b, count);
}

// Passes 1 to 3 for the packets of one family; the others stay in pk. Returns how
// many stay. The first pass only gathers evidence that some packet is not ordinary;
// which one is asked when there is any.
template <bool kSoftwareChecksum>
TORII_INLINE unsigned pass_ip4(Worker& w, PortIndex in, const PortState& port, rte_mbuf** pk,
                               std::uint8_t** frame, unsigned n) {
    Batch b;
    b.packet = pk;
    b.frame = frame;
    b.count = n;
    const std::uint8_t* octets = octets4_plain();
    const OwnFilter& own = *w.tables->own.load(std::memory_order_acquire);
    __m128i expected, mask, odd = _mm_setzero_si128();
    ordinary<true>(port, expected, mask);
    // The least of each octet of all packets, for the TTL; lengths that disagree; flags.
    __m128i least = _mm_set1_epi8(-1);
    std::uint64_t any_flags = 0, all_flags = ~std::uint64_t{0};
    std::uint32_t disagree = 0, bad = 0;
    for (unsigned i = 0; i < n; ++i) {
        const auto* m = pk[i];
        const auto* p = frame[i];
        odd = _mm_or_si128(
            odd, _mm_and_si128(
                     mask, _mm_xor_si128(expected,
                                         _mm_loadu_si128(reinterpret_cast<const __m128i*>(p)))));
        least = _mm_min_epu8(least, _mm_loadu_si128(reinterpret_cast<const __m128i*>(p + 16)));
        const std::uint32_t total = read16_fast(p + 16);
        b.length[i] = total;
        // Negative: the frame is shorter than its packet; positive: it is padded.
        disagree |= m->data_len - kEtherHeader - total;
        bad |= static_cast<std::uint32_t>(octets[p[26]] | octets[p[30]]);
        std::memcpy(&b.source[i], p + 26, 4);
        if constexpr (kSoftwareChecksum) {
            bad |= header_sum(p + 14) ^ 0xffff;
        } else {
            any_flags |= m->ol_flags;
            all_flags &= m->ol_flags;
        }
        b.hop[i] = read32(p + 30);
    }
    if constexpr (!kSoftwareChecksum) {
        bad |= (any_flags & RTE_MBUF_F_RX_IP_CKSUM_BAD) != 0;
        bad |= (all_flags & RTE_MBUF_F_RX_IP_CKSUM_GOOD) == 0;
    }
    const auto padded = disagree;
    std::uint32_t below = disagree | (static_cast<std::uint32_t>(_mm_extract_epi8(least, 6)) - 2u);
    const std::uint32_t largest = port.max_frame - kEtherHeader;
    for (unsigned i = 0; i < n; ++i) below |= (b.length[i] - 20) | (largest - b.length[i]);
    rte_mbuf* packet_kept[kMaxBurst];
    std::uint8_t* frame_kept[kMaxBurst];
    unsigned left = 0;
    if (__builtin_expect(
            (below >> 31 | bad) != 0 ||
                _mm_movemask_epi8(_mm_cmpeq_epi8(odd, _mm_setzero_si128())) != 0xffff ||
                any_own(own, b.source, n),
            0)) {
        left = divide(b, packet_kept, frame_kept,
                      [&](const rte_mbuf* m, const std::uint8_t* f, std::uint32_t& total) {
                          return check_ip4<kSoftwareChecksum>(port, octets, own, m, f, total) != 0;
                      });
        if (b.count == 0) return left;
        for (unsigned i = 0; i < b.count; ++i) b.hop[i] = read32(b.frame[i] + 30);
        finish_ip4(w, in, port, b, padded != 0, b.count);
        return left;
    }
    finish_ip4(w, in, port, b, padded != 0, n);
    return 0;
}

TORII_INLINE unsigned pass_ip6(Worker& w, PortIndex in, const PortState& port, rte_mbuf** pk,
                               std::uint8_t** frame, unsigned n) {
    Batch b;
    b.packet = pk;
    b.frame = frame;
    b.count = n;
    std::uint64_t high[kMaxBurst], low[kMaxBurst];
    const std::uint8_t* octets = octets6_plain();
    const OwnFilter& own = *w.tables->own.load(std::memory_order_acquire);
    __m128i expected, mask, odd = _mm_setzero_si128();
    ordinary<false>(port, expected, mask);
    std::uint32_t below = 0, disagree = 0, bad = 0;
    for (unsigned i = 0; i < n; ++i) {
        const auto* m = pk[i];
        const auto* p = frame[i];
        odd = _mm_or_si128(
            odd, _mm_and_si128(
                     mask, _mm_xor_si128(expected,
                                         _mm_loadu_si128(reinterpret_cast<const __m128i*>(p)))));
        const std::uint32_t total = read16_fast(p + 18) + kIp6Header;
        b.length[i] = total;
        disagree |= m->data_len - kEtherHeader - total;
        // p[20] is the next header: hop-by-hop options (0) want a closer look.
        below |= (p[21] - 2u) | (p[20] - 1u);
        bad |= static_cast<std::uint32_t>(octets[p[22]] | octets[p[38]]);
        std::memcpy(&b.source[i], p + 34, 4);
        high[i] = read64(p + 38);
        low[i] = read64(p + 46);
    }
    const auto padded = disagree;
    below |= disagree;
    const std::uint32_t largest = port.max_frame - kEtherHeader;
    for (unsigned i = 0; i < n; ++i) below |= largest - b.length[i];
    rte_mbuf* packet_kept[kMaxBurst];
    std::uint8_t* frame_kept[kMaxBurst];
    unsigned left = 0;
    if (__builtin_expect(
            (below >> 31 | bad) != 0 ||
                _mm_movemask_epi8(_mm_cmpeq_epi8(odd, _mm_setzero_si128())) != 0xffff ||
                any_own(own, b.source, n),
            0)) {
        left = divide(b, packet_kept, frame_kept,
                      [&](const rte_mbuf* m, const std::uint8_t* f, std::uint32_t& total) {
                          return check_ip6(port, octets, own, m, f, total) != 0;
                      });
        if (b.count == 0) return left;
        for (unsigned i = 0; i < b.count; ++i) {
            high[i] = read64(b.frame[i] + 38);
            low[i] = read64(b.frame[i] + 46);
        }
        finish_ip6(w, in, port, b, padded != 0, high, low, b.count);
        return left;
    }
    finish_ip6(w, in, port, b, padded != 0, high, low, n);
    return 0;
}

// The same out of line, for the second family of a mixed burst.
template <bool kSoftwareChecksum>
static __attribute__((noinline)) unsigned some_ip4(Worker& w, PortIndex in, const PortState& port,
                                                   rte_mbuf** pk, std::uint8_t** frame,
                                                   unsigned n) {
    return pass_ip4<kSoftwareChecksum>(w, in, port, pk, frame, n);
}
static __attribute__((noinline)) unsigned some_ip6(Worker& w, PortIndex in, const PortState& port,
                                                   rte_mbuf** pk, std::uint8_t** frame,
                                                   unsigned n) {
    return pass_ip6(w, in, port, pk, frame, n);
}

TORII_INLINE void count_received(Worker& w, PortIndex in, rte_mbuf** pk, unsigned n) {
    w.counters.rx[in].packets += n;
    for (unsigned i = 0; i < n; ++i) w.counters.rx[in].bytes += pk[i]->pkt_len;
}

template <bool kSoftwareChecksum>
TORII_INLINE void pass_all(Worker& w, PortIndex in, const PortState& port, rte_mbuf** pk,
                           const unsigned n) {
    std::uint8_t* frame[kMaxBurst];
    std::uint64_t bytes = 0;
    for (unsigned i = 0; i < n; ++i) {
        frame[i] = rte_pktmbuf_mtod(pk[i], std::uint8_t*);
        __builtin_prefetch(frame[i], 1, 3);
        bytes += pk[i]->pkt_len;
    }
    w.counters.rx[in].packets += n;
    w.counters.rx[in].bytes += bytes;
    // The first packet is a good guess of what most of them are.
    const bool ip6_first = pk[0]->data_len >= 14 && read16(frame[0] + 12) == kEtherIp6;
    unsigned left = 0;
    if (!ip6_first) {
        left = pass_ip4<kSoftwareChecksum>(w, in, port, pk, frame, n);
        if (__builtin_expect(left != 0, 0)) left = some_ip6(w, in, port, pk, frame, left);
    } else {
        left = pass_ip6(w, in, port, pk, frame, n);
        if (__builtin_expect(left != 0, 0))
            left = some_ip4<kSoftwareChecksum>(w, in, port, pk, frame, left);
    }
    for (unsigned i = 0; i < left; ++i) slow_frame(w, in, port, pk[i]);
}

static void forward_burst(Worker& w, PortIndex in, const PortState& port, rte_mbuf** pk,
                          unsigned n) {
    if (__builtin_expect(port.strict_rpf, 0)) {
        count_received(w, in, pk, n);
        for (unsigned i = 0; i < n; ++i) slow_frame(w, in, port, pk[i]);
        return;
    }
    const bool full = n == kMaxBurst;
    if (port.software_checksum) {
        if (full)
            pass_all<true>(w, in, port, pk, kMaxBurst);
        else
            pass_all<true>(w, in, port, pk, n);
    } else {
        if (full)
            pass_all<false>(w, in, port, pk, kMaxBurst);
        else
            pass_all<false>(w, in, port, pk, n);
    }
}

}  // namespace torii::dataplane::TORII_ISA
