// Source and sink alone, and the loops torii is compared with: DPDK's own tables, and
// nothing but the rewrite of MACs and TTL; and a sketch of a router for IPv4 alone, with
// the checks and counters that one has_pending_moves.
#include <rte_ethdev.h>
#include <rte_fib.h>
#include <rte_lpm.h>
#include <rte_mbuf.h>

#include <algorithm>
#include <cstring>
#include <memory>

#include "dataplane/packet/headers.hpp"
#include "tests/bench/forwarding_case.hpp"
#include "tests/bench/frames.hpp"

namespace torii::bench {
namespace {

unsigned io_turn(const Bench& bench, unsigned out) {
    rte_mbuf* packets[kBurst];
    const auto n = rte_eth_rx_burst(0, 0, packets, static_cast<std::uint16_t>(bench.burst));
    static unsigned next = 0;
    next = next % out + 1;
    if (n != 0) rte_eth_tx_burst(static_cast<std::uint16_t>(next), 0, packets, n);
    return n;
}

struct alignas(16) Rewrite {
    std::uint8_t macs[12];
    std::uint32_t port;
};
Rewrite rewrites[kAdjacencies + 1];
inline void put_macs(const Rewrite& r, std::uint8_t* p) {
    const auto o = _mm_loadu_si128(reinterpret_cast<const __m128i*>(p));
    const auto m = _mm_load_si128(reinterpret_cast<const __m128i*>(r.macs));
    _mm_storeu_si128(reinterpret_cast<__m128i*>(p), _mm_blend_epi16(m, o, 0xc0));
}
rte_mbuf* waiting[kOutPorts + 1][2 * kBurst];
unsigned waits[kOutPorts + 1];

template <class Lookup>
unsigned reference_turn(const Bench& bench, Lookup&& lookup, unsigned out) {
    rte_mbuf* packets[kBurst];
    std::uint8_t* frame[kBurst];
    std::uint32_t dst[kBurst], hop[kBurst];
    const unsigned n = rte_eth_rx_burst(0, 0, packets, static_cast<std::uint16_t>(bench.burst));
    for (unsigned i = 0; i < n; ++i) {
        frame[i] = rte_pktmbuf_mtod(packets[i], std::uint8_t*);
        __builtin_prefetch(frame[i], 1);
    }
    for (unsigned i = 0; i < n; ++i) dst[i] = read32(frame[i] + 30);
    lookup(dst, hop, n);
    const auto rewrite = [&](unsigned i) {
        const auto& r = rewrites[hop[i]];
        auto* p = frame[i];
        put_macs(r, p);
        std::uint32_t x;
        std::memcpy(&x, p + 22, 4);
        x = (x - 1) + (1u << 16);  // as l3fwd: TTL - 1, checksum + 1
        std::memcpy(p + 22, &x, 4);
    };
    if (out == 1) {
        for (unsigned i = 0; i < n; ++i) rewrite(i);
        if (n != 0) rte_eth_tx_burst(1, 0, packets, static_cast<std::uint16_t>(n));
        return n;
    }
    for (unsigned i = 0; i < n; i += 4)
        for (unsigned k = i; k < std::min(i + 4, n); ++k) {
            rewrite(k);
            const auto port = rewrites[hop[k]].port;
            waiting[port][waits[port]++] = packets[k];
        }
    for (unsigned p = 1; p <= out; ++p)
        if (waits[p] >= 32) {
            rte_eth_tx_burst(static_cast<std::uint16_t>(p), 0, waiting[p],
                             static_cast<std::uint16_t>(waits[p]));
            waits[p] = 0;
        }
    return n;
}

// What such a router keeps; ports and hops as above.
struct Sketch {
    std::vector<std::uint32_t> root = std::vector<std::uint32_t>(1u << 24);
    std::uint64_t mac = 0;
    std::uint8_t special[256] = {};
    struct alignas(16) Count {
        std::uint64_t packets, bytes;
    } counts[kAdjacencies + 1] = {};
    std::uint64_t odd = 0;  // what it has no way for

    Sketch() {
        std::memcpy(&mac, port_mac(0).bytes.data(), 6);
        special[0] = special[127] = special[169] = 1;
        std::fill(special + 224, special + 256, 1);
        for (const auto net : pod_nets()) root[net >> 8] = 1 + random_below(kAdjacencies);
    }
    bool ordinary(const rte_mbuf* m, const std::uint8_t* p) const {
        const std::uint32_t total = read16_fast(p + 16);
        return ((raw32(p + 12) & 0xffffff) == 0x450008) & ((raw64(p) & 0xffffffffffff) == mac) &
               (p[22] > 1) & (total - 20 <= m->data_len - 34u) & (special[p[26]] == 0) &
               ((m->ol_flags & RTE_MBUF_F_RX_IP_CKSUM_MASK) == RTE_MBUF_F_RX_IP_CKSUM_GOOD);
    }
    unsigned turn(const Bench& bench, unsigned out);
};

unsigned Sketch::turn(const Bench& bench, unsigned out) {
    rte_mbuf* packets[kBurst];
    std::uint8_t* frame[kBurst];
    std::uint32_t hop[kBurst];
    const unsigned n = rte_eth_rx_burst(0, 0, packets, static_cast<std::uint16_t>(bench.burst));
    for (unsigned i = 0; i < n; ++i) {
        frame[i] = rte_pktmbuf_mtod(packets[i], std::uint8_t*);
        __builtin_prefetch(frame[i], 1);
    }
    std::uint64_t good = 1;
    for (unsigned i = 0; i < n; ++i) {
        good &= ordinary(packets[i], frame[i]);
        hop[i] = read32(frame[i] + 30) >> 8;
    }
    for (unsigned i = 0; i < n; ++i) hop[i] = root[hop[i]];
    if (!good) {
        odd += n;
        rte_pktmbuf_free_bulk(packets, n);
        return n;
    }
    for (unsigned i = 0; i < n; ++i) {
        const auto& r = rewrites[hop[i]];
        auto* p = frame[i];
        const auto length = packets[i]->pkt_len;
        put_macs(r, p);
        auto x = raw32(p + 22);
        auto sum = (x >> 16) + 1;
        sum = (sum & 0xffff) + (sum >> 16);
        x = ((x & 0xffff) - 1) | sum << 16;
        std::memcpy(p + 22, &x, 4);
        ++counts[hop[i]].packets;
        counts[hop[i]].bytes += length;
        const auto port = out == 1 ? 1 : r.port;
        waiting[port][waits[port]++] = packets[i];
    }
    for (unsigned p = 1; p <= out; ++p)
        if (waits[p] >= kBurst) {
            rte_eth_tx_burst(static_cast<std::uint16_t>(p), 0, waiting[p],
                             static_cast<std::uint16_t>(waits[p]));
            waits[p] = 0;
        }
    return n;
}

}  // namespace

Case io_case(Bench& bench, std::string_view name) {
    if (name != "io" && name != "io-4port") return {};
    const unsigned out = name == "io" ? 1 : kOutPorts;
    return {std::string(name), flows4(pod_nets()), [&bench, out] { return io_turn(bench, out); }};
}

Case reference_case(Bench& bench, std::string_view name) {
    if (name.starts_with("reference-sketch")) {
        const unsigned out = name.ends_with("-4port") ? kOutPorts : 1;
        for (unsigned i = 1; i <= kAdjacencies; ++i) rewrites[i].port = 1 + i % kOutPorts;
        const auto sketch = std::make_shared<Sketch>();
        return {std::string(name), flows4(pod_nets()),
                [&bench, sketch, out] { return sketch->turn(bench, out); }};
    }
    const bool with_lpm = name.starts_with("reference-lpm");
    if (!with_lpm && !name.starts_with("reference-fib")) return {};
    const unsigned out = name.ends_with("-4port") ? kOutPorts : 1;
    auto flows = flows4(pod_nets());
    rte_lpm_config lpm_config{20'000, 256, 0};
    auto* lpm = rte_lpm_create("ref", 0, &lpm_config);
    rte_fib_conf fib_config{};
    fib_config.type = RTE_FIB_DIR24_8;
    fib_config.max_routes = 20'000;
    fib_config.dir24_8.nh_sz = RTE_FIB_DIR24_8_4B;
    fib_config.dir24_8.num_tbl8 = 256;
    auto* fib = rte_fib_create("ref", 0, &fib_config);
    if (lpm == nullptr || fib == nullptr) return {};
    for (const auto net : pod_nets()) {
        const auto adjacency = 1 + random_below(kAdjacencies);
        rte_lpm_add(lpm, net, 24, adjacency);
        rte_fib_add(fib, net, 24, adjacency);
    }
    for (unsigned i = 1; i <= kAdjacencies; ++i) rewrites[i].port = 1 + i % kOutPorts;
    if (with_lpm)
        return {std::string(name), std::move(flows), [&bench, lpm, out] {
                    return reference_turn(
                        bench,
                        [lpm](std::uint32_t* dst, std::uint32_t* hop, unsigned n) {
                            rte_lpm_lookup_bulk(lpm, dst, hop, n);
                            for (unsigned i = 0; i < n; ++i) hop[i] &= 0xffffff;
                        },
                        out);
                }};
    return {std::string(name), std::move(flows), [&bench, fib, out] {
                return reference_turn(
                    bench,
                    [fib](std::uint32_t* dst, std::uint32_t* hop, unsigned n) {
                        std::uint64_t wide[kBurst];
                        rte_fib_lookup_bulk(fib, dst, wide, static_cast<int>(n));
                        for (unsigned i = 0; i < n; ++i)
                            hop[i] = static_cast<std::uint32_t>(wide[i]);
                    },
                    out);
            }};
}

}  // namespace torii::bench
