// What toriid as a process is compared with: the loop of DPDK's l3fwd, with its LPM tables, on
// the same ports. It rewrites MACs and TTL, and neither checks nor counts.
//
//   process_reference ROUTES PORTS EAL-ARGUMENT...
//
// Each line of ROUTES is "PREFIX LENGTH PORT"; the ports are all polled. Without a line bursts are
// sent as they came, by one port after the other: what source and sink cost.
#include <rte_eal.h>
#include <rte_ethdev.h>
#include <rte_lpm.h>
#include <rte_lpm6.h>
#include <rte_mbuf.h>

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <string>

#include "base/address.hpp"
#include "dataplane/packet/headers.hpp"

namespace {

using namespace torii;
using namespace torii::dataplane;

constexpr unsigned kBurst = 64;

struct alignas(16) Rewrite {
    std::uint8_t macs[16];
};
Rewrite rewrites[RTE_MAX_ETHPORTS];
rte_mbuf* waiting[RTE_MAX_ETHPORTS][2 * kBurst];
unsigned waits[RTE_MAX_ETHPORTS];
rte_lpm* lpm4;
rte_lpm6* lpm6;

void look_up(std::uint8_t* const* frame, std::uint32_t* port, unsigned n) {
    if (read16(frame[0] + 12) == kEtherIp4) {
        std::uint32_t address[kBurst];
        for (unsigned i = 0; i < n; ++i) address[i] = read32(frame[i] + 30);
        rte_lpm_lookup_bulk(lpm4, address, port, n);
        for (unsigned i = 0; i < n; ++i) port[i] &= 0xffffff;
        return;
    }
    std::uint8_t address[kBurst][RTE_LPM6_IPV6_ADDR_SIZE];
    std::int32_t hop[kBurst];
    for (unsigned i = 0; i < n; ++i) std::memcpy(address[i], frame[i] + 38, 16);
    rte_lpm6_lookup_bulk_func(lpm6, address, hop, n);
    for (unsigned i = 0; i < n; ++i) port[i] = static_cast<std::uint32_t>(hop[i]);
}

void rewrite(std::uint32_t port, std::uint8_t* p) {
    const auto o = _mm_loadu_si128(reinterpret_cast<const __m128i*>(p));
    const auto macs = _mm_load_si128(reinterpret_cast<const __m128i*>(rewrites[port].macs));
    _mm_storeu_si128(reinterpret_cast<__m128i*>(p), _mm_blend_epi16(macs, o, 0xc0));
    if (p[13] == 0xdd) {
        --p[21];
        return;
    }
    std::uint32_t x;
    std::memcpy(&x, p + 22, 4);
    x = (x - 1) + (1u << 16);
    std::memcpy(p + 22, &x, 4);
}

[[noreturn]] void pass_on(std::uint16_t ports) {
    for (std::uint16_t next = 1;; next = next + 1 < ports ? next + 1 : 1) {
        rte_mbuf* packet[kBurst];
        const auto n = rte_eth_rx_burst(0, 0, packet, kBurst);
        rte_eth_tx_burst(next, 0, packet, n);
    }
}

[[noreturn]] void forward(std::uint16_t ports) {
    for (;;) {
        for (std::uint16_t in = 0; in < ports; ++in) {
            rte_mbuf* packet[kBurst];
            std::uint8_t* frame[kBurst];
            std::uint32_t port[kBurst];
            const unsigned n = rte_eth_rx_burst(in, 0, packet, kBurst);
            if (n == 0) continue;
            for (unsigned i = 0; i < n; ++i) {
                frame[i] = rte_pktmbuf_mtod(packet[i], std::uint8_t*);
                __builtin_prefetch(frame[i], 1);
            }
            look_up(frame, port, n);
            for (unsigned i = 0; i < n; ++i) rewrite(port[i], frame[i]);
            for (unsigned i = 0; i < n; ++i) waiting[port[i]][waits[port[i]]++] = packet[i];
        }
        for (std::uint16_t p = 0; p < ports; ++p)
            if (waits[p] >= kBurst / 2) {
                rte_eth_tx_burst(p, 0, waiting[p], static_cast<std::uint16_t>(waits[p]));
                waits[p] = 0;
            }
    }
}

// False: there are none.
bool read_routes(const char* name) {
    const rte_lpm_config config4{20'000, 256, 0};
    const rte_lpm6_config config6{20'000, 65'536, 0};
    lpm4 = rte_lpm_create("four", 0, &config4);
    lpm6 = rte_lpm6_create("six", 0, &config6);
    std::ifstream file{name};
    std::string prefix;
    bool any = false;
    for (unsigned length = 0, port = 0; file >> prefix >> length >> port; any = true) {
        const auto address = *IpAddress::parse(prefix);
        std::uint8_t octets[16];
        std::ranges::copy(address.bytes(), octets);
        if (address.is_v4())
            rte_lpm_add(lpm4, address.v4(), static_cast<std::uint8_t>(length), port);
        else
            rte_lpm6_add(lpm6, octets, static_cast<std::uint8_t>(length), port);
    }
    return any;
}

}  // namespace

int main(int argc, char** argv) {
    if (argc < 3) return 2;
    const auto ports = static_cast<std::uint16_t>(std::atoi(argv[2]));
    const char* routes = argv[1];
    argv[2] = argv[0];
    if (rte_eal_init(argc - 2, argv + 2) < 0) return 1;
    auto* pool = rte_pktmbuf_pool_create("p", 131'071, 256, 64, RTE_MBUF_DEFAULT_BUF_SIZE, 0);
    if (pool == nullptr) return 1;
    for (std::uint16_t p = 0; p < ports; ++p) {
        rte_eth_conf conf{};
        if (rte_eth_dev_configure(p, 1, 1, &conf) != 0 ||
            rte_eth_rx_queue_setup(p, 0, 1024, 0, nullptr, pool) != 0 ||
            rte_eth_tx_queue_setup(p, 0, 1024, 0, nullptr) != 0 || rte_eth_dev_start(p) != 0)
            return 1;
        rewrites[p].macs[0] = rewrites[p].macs[6] = 2;
        rewrites[p].macs[11] = static_cast<std::uint8_t>(p + 1);
    }
    if (!read_routes(routes)) pass_on(ports);
    forward(ports);
}
