// torii's own worker on the emulated ports, with every check and counter.
#include <rte_mbuf.h>

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <functional>

#include "dataplane/packet/headers.hpp"
#include "tests/bench/forwarding_router.hpp"

namespace torii::bench {
namespace {

using Flows = std::vector<EmulatedPort::Template>;

// One of so many packets that leave is looked at: right TTL, checksum, MACs, port.
unsigned verify(Bench& bench, Router& r, unsigned out) {
    auto& ports = bench.ports;
    unsigned wrong = 0, looked = 0;
    for (unsigned p = 1; p <= out; ++p)
        ports[p]->sample(61, [&, p](rte_mbuf* m) {
            auto* f = rte_pktmbuf_mtod(m, std::uint8_t*);
            ++looked;
            std::uint8_t plain[64];
            const bool inserted = (m->ol_flags & RTE_MBUF_F_TX_VLAN) != 0;
            const bool tagged = inserted || read16(f + 12) == kEtherVlan;
            if (inserted) {
                wrong += m->vlan_tci != kTaggedVlan;
            } else if (tagged) {
                wrong += read16(f + 14) != kTaggedVlan;
                std::memcpy(plain, f, 12);
                std::memcpy(plain + 12, f + 16, sizeof plain - 12);
                f = plain;
            }
            const bool ip4 = read16(f + 12) == kEtherIp4;
            bool ok = ip4 ? f[22] == 63 && checksum(f + 14, (f[14] & 15u) * 4) == 0 : f[21] == 63;
            ok &= std::memcmp(f + 6, port_mac(p).bytes.data(), 6) == 0;
            auto id = ip4 ? r.fib4.lookup(read32(f + 30))
                          : r.fib6.lookup({read64(f + 38), read64(f + 46)});
            const Hop hop = r.hops.read(id);
            if (hop.kind() == HopKind::Forward)
                ok &= std::memcmp(f, hop.macs, 6) == 0 && hop.port == p + tagged * (kOutPorts + 1);
            else
                ok &= hop.kind() == HopKind::Group && f[0] == 2 && f[1] == 0xaa;
            wrong += !ok;
        });
    for (unsigned n = 0; n < 500'000;) n += r.turn();
    for (unsigned p = 1; p <= out; ++p) ports[p]->sample(0, {});
    const auto& c = r.worker->counters;
    for (const auto& exits : c.exits)
        for (const auto n : exits) wrong += n != 0;
    return looked == 0 ? 1 : wrong;
}

Flows contiguous4(Router& r, unsigned routes) {
    std::vector<std::uint32_t> nets;
    for (unsigned i = 0; i < routes; ++i) {
        nets.push_back(0x0a000000 + (i << 8));
        r.fib4.set(nets.back(), 24, r.any());
    }
    return flows4(nets);
}

Flows scattered4(Router& r) {
    std::vector<std::uint32_t> nets;
    for (unsigned i = 0; i < 10'240; ++i) {
        nets.push_back((1 + random_below(100)) << 24 | random_below(1 << 16) << 8);
        if ((nets.back() >> 24) == 127 || nets.back() >> 24 == 10) nets.back() ^= 0x10000000;
        r.fib4.set(nets.back(), 24, r.any());
    }
    return flows4(nets);
}

Flows zipf4(Router& r) {
    std::vector<std::uint32_t> nets;
    for (unsigned i = 0; i < 10'240; ++i) {
        nets.push_back(0x0b000000 + random_below(1 << 16) * 256);
        r.fib4.set(nets.back(), 24, r.any());
    }
    return flows4(nets, true);
}

Flows pods6(Router& r, bool sixty_four, bool pods) {
    Flows out;
    std::vector<Ip6> nets;
    for (unsigned i = 0; i < 10'240; ++i) {
        if (sixty_four && (!pods || i % 2)) {
            nets.push_back({0xfd00001000000000 | i, 0});
            r.fib6.set(nets.back(), 64, r.any());
        } else {
            nets.push_back({0xfd00002000000000 | random_below(4096), std::uint64_t{i} << 8});
            r.fib6.set(nets.back(), 120, r.any());
        }
    }
    for (unsigned i = 0; i < kFlows; ++i) {
        auto a = nets[random_below(nets.size())];
        a.low |= 1 + random_below(250);
        out.push_back(ip6_frame(a));
    }
    return out;
}

// Sixteen services, each announced by as many nodes: by the same ones, which is one set
// of next hops and hence one group, or each by others.
Flows services4(Router& r, unsigned members, bool same_nodes) {
    std::vector<std::uint32_t> vips;
    const auto shared = r.group(members, 0);
    for (unsigned i = 0; i < 16; ++i) {
        vips.push_back(0x0a600000 + (i << 8));
        r.fib4.set(vips.back() | 1, 32, same_nodes ? shared : r.group(members, i));
    }
    Flows out;
    for (unsigned i = 0; i < kFlows; ++i)
        out.push_back(ip4_frame(vips[random_below(vips.size())] | 1));
    return out;
}

// Every so many flows one that the slow path forwards: it has an option that does nothing.
Flows with_options(Flows flows, unsigned every) {
    for (std::size_t i = 0; i < flows.size(); i += every) {
        auto& f = flows[i];
        f[14] = 0x46;
        write32(&f[34], 0x01010100);
        write16(&f[24], 0);
        write16(&f[24], checksum(&f[14], 24));
    }
    return flows;
}

Flows both_families(Router& r) {
    auto out = contiguous4(r, 10'240);
    const auto six = pods6(r, true, false);
    for (std::size_t i = 0; i < out.size(); ++i) {
        auto& f = out[i];
        if (i % 2 == 0) {
            f = six[i];
            continue;
        }
        f.resize(64);
        write16(&f[16], 50);
        write16(&f[24], 0);
        write16(&f[24], checksum(&f[14], 20));
    }
    return out;
}

struct Scenario {
    std::string_view name;
    unsigned out;
    std::function<Flows(Router&)> fill;
    LookupKind kind = LookupKind::Auto;
    enum class Tags : std::uint8_t { None, InFrames, ByDevice } tags = Tags::None;
};

const std::vector<Scenario>& scenarios() {
    static const std::vector<Scenario> all{
        {"v4-1-1port", 1, [](Router& r) { return contiguous4(r, 1); }},
        {"v4-1k-1port", 1, [](Router& r) { return contiguous4(r, 1024); }},
        {"v4-10k-1port", 1, [](Router& r) { return contiguous4(r, 10'240); }},
        {"v4-64k-1port", 1, [](Router& r) { return contiguous4(r, 65'536); }},
        {"v4-1-4port", 4, [](Router& r) { return contiguous4(r, 1); }},
        {"v4-1k-4port", 4, [](Router& r) { return contiguous4(r, 1024); }},
        {"v4-10k-4port", 4, [](Router& r) { return contiguous4(r, 10'240); }},
        {"v4-64k-4port", 4, [](Router& r) { return contiguous4(r, 65'536); }},
        {"v4-10k-1port-scalar", 1, [](Router& r) { return contiguous4(r, 10'240); },
         LookupKind::Scalar},
        {"v4-10k-1port-avx2", 1, [](Router& r) { return contiguous4(r, 10'240); },
         LookupKind::Avx2},
        {"v4-10k-1port-tagged", 1, [](Router& r) { return contiguous4(r, 10'240); },
         LookupKind::Auto, Scenario::Tags::InFrames},
        {"v4-10k-1port-tagged-by-port", 1, [](Router& r) { return contiguous4(r, 10'240); },
         LookupKind::Auto, Scenario::Tags::ByDevice},
        {"v4-options-64th", 1, [](Router& r) { return with_options(contiguous4(r, 10'240), 64); }},
        {"v4-options-all", 1, [](Router& r) { return with_options(contiguous4(r, 10'240), 1); }},
        {"v4-v6-mixed", 1, both_families},
        {"v4-scattered", 1, scattered4},
        {"v4-zipf", 1, zipf4},
        {"v6-64", 1, [](Router& r) { return pods6(r, true, false); }},
        {"v6-120", 1, [](Router& r) { return pods6(r, false, true); }},
        {"v6-mixed", 1, [](Router& r) { return pods6(r, true, true); }},
        {"ecmp-8", 1, [](Router& r) { return services4(r, 8, true); }},
        {"ecmp-256", 1, [](Router& r) { return services4(r, 256, true); }},
        {"ecmp-8-16sets", 1, [](Router& r) { return services4(r, 8, false); }},
        {"ecmp-256-16sets", 1, [](Router& r) { return services4(r, 256, false); }},
    };
    return all;
}

}  // namespace

std::vector<std::string> torii_cases() {
    std::vector<std::string> names;
    for (const auto& s : scenarios()) names.emplace_back(s.name);
    return names;
}

Case torii_case(Bench& bench, std::string_view name) {
    const auto it = std::ranges::find(scenarios(), name, &Scenario::name);
    if (it == scenarios().end()) return {};
    const std::shared_ptr<Router> r = std::make_shared<Router>(bench.pool, it->out, it->kind);
    auto flows = it->fill(*r);
    std::shuffle(flows.begin(), flows.end(), rng);
    const bool by_device = it->tags == Scenario::Tags::ByDevice;
    bench.ports[0]->strip(by_device ? kTaggedVlan : 0);
    if (it->tags != Scenario::Tags::None) r->tag(by_device);
    if (it->tags == Scenario::Tags::InFrames) {
        constexpr std::uint8_t kTag[] = {0x81, 0, 0, kTaggedVlan};
        for (auto& flow : flows) flow.insert(flow.begin() + 12, std::begin(kTag), std::end(kTag));
    }
    bench.ports[0]->source(flows, static_cast<std::uint16_t>(flows.front().size()));
    if (const auto wrong = verify(bench, *r, it->out); wrong != 0)
        std::printf("{\"name\":\"%s\",\"error\":\"%u sampled packets were wrong\"}\n",
                    it->name.data(), wrong);
    return {std::string(name), std::move(flows), [r] { return r->turn(); }};
}

}  // namespace torii::bench
