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
struct Passing {
    rte_mbuf* packet[kMaxBurst];
    std::uint8_t* frame[kMaxBurst];
    std::uint32_t length[kMaxBurst];  // of the IP packet
    std::uint32_t hop[kMaxBurst];
    unsigned count;
};

TORII_INLINE void count_hop(Worker& w, HopId hop, std::uint32_t length) {
    auto* count = reinterpret_cast<__m128i*>(&w.counters.hops[hop]);
    _mm_store_si128(count, _mm_add_epi64(_mm_load_si128(count), _mm_set_epi64x(length, 1)));
}

TORII_INLINE void queue(Worker& w, PortIndex port, rte_mbuf* m) {
    auto& out = w.out[port];
    out.packets[out.count++] = m;
}

// TTL - 1 in the header and, by RFC 1624 equation 3, in its checksum.
TORII_INLINE void age_ip4(std::uint8_t* ttl) {
    std::uint32_t x;
    std::memcpy(&x, ttl, 4);
    std::uint32_t sum = (~x >> 16) + 0xfffe;
    sum = (sum & 0xffff) + (sum >> 16);
    x = ((x & 0xffff) - 1) | ~sum << 16;
    std::memcpy(ttl, &x, 4);
}

template <bool kIp4>
TORII_INLINE bool rewrite(Worker& w, const Hop* hops, rte_mbuf* m, std::uint8_t* p, HopId hop,
                          std::uint32_t length) {
    const __m128i r = _mm_load_si128(reinterpret_cast<const __m128i*>(&hops[hop]));
    const auto mtu = static_cast<std::uint32_t>(_mm_extract_epi16(r, 7));
    if (__builtin_expect(length > mtu, 0)) return false;  // or no rewrite at all: mtu 0
    const __m128i o = _mm_loadu_si128(reinterpret_cast<const __m128i*>(p));
    _mm_storeu_si128(reinterpret_cast<__m128i*>(p), _mm_blend_epi16(r, o, 0xc0));
    if (kIp4)
        age_ip4(p + 22);
    else
        --p[21];
    count_hop(w, hop, length);
    queue(w, static_cast<PortIndex>(_mm_extract_epi16(r, 6)), m);
    return true;
}

// The second half of a burst to groups of next hops: choose a bucket by the flow,
// note that it is in use, and rewrite by the member's hop.
template <bool kIp4>
TORII_INLINE void choose_members(Worker& w, PortIndex in, const PortState& port, const Hop* hops,
                                 Passing& p, const std::uint8_t* deferred, unsigned n) {
    Bucket* bucket[kMaxBurst];
    std::uint8_t chosen[kMaxBurst];
    unsigned groups = 0;
    for (unsigned k = 0; k < n; ++k) {
        const auto i = deferred[k];
        const Hop hop = load(hops[p.hop[i]]);
        if (__builtin_expect(hop.kind() != HopKind::Group, 0)) {
            slow_hop(w, in, port, p.packet[i], p.hop[i]);
            continue;
        }
        const auto* ip = p.frame[i] + kEtherHeader;
        const auto hash = kIp4 ? hash_ip4(ip, p.length[i]) : hash_ip6(ip, p.length[i]);
        const auto& table = *hop.buckets();
        bucket[groups] = &table.buckets[hash & table.mask];
        __builtin_prefetch(bucket[groups]);
        chosen[groups++] = i;
    }
    for (unsigned k = 0; k < groups; ++k) {
        const auto i = chosen[k];
        const auto member = bucket[k]->hop;
        if (bucket[k]->epoch != w.epoch) bucket[k]->epoch = w.epoch;
        if (__builtin_expect(!rewrite<kIp4>(w, hops, p.packet[i], p.frame[i], member, p.length[i]),
                             0)) {
            slow_hop(w, in, port, p.packet[i], member);
            continue;
        }
        count_hop(w, p.hop[i], p.length[i]);
    }
}

template <bool kIp4>
TORII_INLINE void send_off(Worker& w, PortIndex in, const PortState& port, Passing& p) {
    const Hop* hops = w.tables->hops;
    std::uint8_t deferred[kMaxBurst];
    unsigned later = 0;
#pragma GCC unroll 4
    for (unsigned i = 0; i < p.count; ++i)
        if (__builtin_expect(
                !rewrite<kIp4>(w, hops, p.packet[i], p.frame[i], p.hop[i], p.length[i]), 0))
            deferred[later++] = static_cast<std::uint8_t>(i);
    if (__builtin_expect(later != 0, 0))
        choose_members<kIp4>(w, in, port, hops, p, deferred, later);
}

// Ethernet padding and trailers do not travel on.
TORII_INLINE void trim(rte_mbuf* m, std::uint32_t length) {
    const auto frame = length + kEtherHeader;
    if (__builtin_expect(m->pkt_len != frame, 0)) {
        m->pkt_len = frame;
        m->data_len = static_cast<std::uint16_t>(frame);
    }
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
    std::uint64_t ok = ((type & 0xffffff) == 0x450008) &
                       ((macs & 0x1ffffffffffffULL) == port.mac_bits) & (p[22] > 1) &
                       (m->data_len >= 34) & (total - 20 <= m->data_len - 34u) &
                       (m->pkt_len <= port.max_frame) &
                       (((octets[source & 0xff] & OctetClass::kSource) |
                         (octets[p[30]] & OctetClass::kDestination)) == 0) &
                       !own.may_have(__builtin_bswap32(source));
    if constexpr (kSoftwareChecksum) {
        std::uint64_t a, b;
        std::uint32_t c;
        std::memcpy(&a, p + 14, 8);
        std::memcpy(&b, p + 22, 8);
        std::memcpy(&c, p + 30, 4);
        std::uint64_t sum = (a & 0xffffffff) + (a >> 32) + (b & 0xffffffff) + (b >> 32) + c;
        sum = (sum & 0xffff) + (sum >> 16 & 0xffff) + (sum >> 32);
        sum = (sum & 0xffff) + (sum >> 16);
        sum = (sum & 0xffff) + (sum >> 16);
        ok &= sum == 0xffff;
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

// Passes 1 to 3 for the packets of one family; the others stay in pk. Returns how
// many stay.
template <bool kSoftwareChecksum>
TORII_INLINE unsigned pass_ip4(Worker& w, PortIndex in, const PortState& port, rte_mbuf** pk,
                               std::uint8_t** frame, unsigned n) {
    Passing p;
    std::uint64_t good = 0;
    std::uint32_t dst[kMaxBurst];
    const std::uint8_t* octets = octets4().data();
    const OwnFilter& own = *w.tables->own.load(std::memory_order_acquire);
    for (unsigned i = 0; i < n; ++i) {
        good |= check_ip4<kSoftwareChecksum>(port, octets, own, pk[i], frame[i], p.length[i]) << i;
        dst[i] = read32(frame[i] + 30);
    }
    unsigned left = 0;
    if (__builtin_expect(good == (~std::uint64_t{0} >> (64 - n)), 1)) {
        p.count = n;
        for (unsigned i = 0; i < n; ++i) {
            p.packet[i] = pk[i];
            p.frame[i] = frame[i];
            trim(pk[i], p.length[i]);
        }
    } else {
        p.count = 0;
        for (unsigned i = 0; i < n; ++i) {
            if (good >> i & 1) {
                p.packet[p.count] = pk[i];
                p.frame[p.count] = frame[i];
                p.length[p.count] = p.length[i];
                dst[p.count] = dst[i];
                trim(pk[i], p.length[i]);
                ++p.count;
            } else {
                pk[left] = pk[i];
                frame[left++] = frame[i];
            }
        }
        if (p.count == 0) return left;
    }
    lookup4_plain(w.tables->fib4, dst, p.hop, p.count);
    send_off<true>(w, in, port, p);
    return left;
}

TORII_INLINE unsigned pass_ip6(Worker& w, PortIndex in, const PortState& port, rte_mbuf** pk,
                               std::uint8_t** frame, unsigned n) {
    Passing p;
    std::uint64_t high[kMaxBurst], low[kMaxBurst];
    const std::uint8_t* octets = octets6().data();
    const OwnFilter& own = *w.tables->own.load(std::memory_order_acquire);
    unsigned left = 0;
    p.count = 0;
    for (unsigned i = 0; i < n; ++i) {
        const auto* f = frame[i];
        std::uint32_t total = 0;
        const bool ok = check_ip6(port, octets, own, pk[i], f, total) != 0;
        p.packet[p.count] = pk[i];
        p.frame[p.count] = frame[i];
        p.length[p.count] = total;
        high[p.count] = read64(f + 38);
        low[p.count] = read64(f + 46);
        p.count += ok;
        if (__builtin_expect(!ok, 0)) {
            pk[left] = pk[i];
            frame[left++] = frame[i];
        }
    }
    if (p.count == 0) return left;
    for (unsigned i = 0; i < p.count; ++i) trim(p.packet[i], p.length[i]);
    lookup6_burst(w.tables->fib6, high, low, p.hop, p.count);
    send_off<false>(w, in, port, p);
    return left;
}

template <bool kSoftwareChecksum>
TORII_INLINE void pass_all(Worker& w, PortIndex in, const PortState& port, rte_mbuf** pk,
                           unsigned n) {
    std::uint8_t* frame[kMaxBurst];
    for (unsigned i = 0; i < n; ++i) {
        frame[i] = rte_pktmbuf_mtod(pk[i], std::uint8_t*);
        __builtin_prefetch(frame[i], 1, 3);
    }
    // The first packet is a good guess of what most of them are.
    const bool ip6_first = pk[0]->data_len >= 14 && read16(frame[0] + 12) == kEtherIp6;
    unsigned left = n;
    if (!ip6_first) left = pass_ip4<kSoftwareChecksum>(w, in, port, pk, frame, left);
    if (__builtin_expect(left != 0, ip6_first)) left = pass_ip6(w, in, port, pk, frame, left);
    if (__builtin_expect(left != 0 && ip6_first, 0))
        left = pass_ip4<kSoftwareChecksum>(w, in, port, pk, frame, left);
    for (unsigned i = 0; i < left; ++i) slow_frame(w, in, port, pk[i]);
}

static void forward_burst(Worker& w, PortIndex in, const PortState& port, rte_mbuf** pk,
                          unsigned n) {
    std::uint64_t bytes = 0;
    for (unsigned i = 0; i < n; ++i) bytes += pk[i]->pkt_len;
    auto& rx = w.counters.rx[in];
    rx.packets += n;
    rx.bytes += bytes;
    if (__builtin_expect(port.strict_rpf, 0)) {
        for (unsigned i = 0; i < n; ++i) slow_frame(w, in, port, pk[i]);
        return;
    }
    if (port.software_checksum)
        pass_all<true>(w, in, port, pk, n);
    else
        pass_all<false>(w, in, port, pk, n);
}

}  // namespace torii::dataplane::TORII_ISA
