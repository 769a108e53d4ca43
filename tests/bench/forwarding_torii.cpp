// torii's own worker on the emulated ports, with every check and counter.
#include <algorithm>
#include <cstdio>
#include <cstring>
#include <functional>

#include "dataplane/fib/bucket_table.hpp"
#include "dataplane/fib/next_hop_group.hpp"
#include "dataplane/node/headers.hpp"
#include "dataplane/node/isa.hpp"
#include "dataplane/node/transmit.hpp"
#include "tests/bench/forwarding_case.hpp"
#include "tests/bench/frames.hpp"

namespace torii::bench {
namespace {

using Flows = std::vector<EmulatedPort::Template>;

struct Router {
    Quiescence quiescence{1};
    Fib4 fib4{2'000'000, 65'536, quiescence};
    Fib6 fib6{1'000'000, 65'536, quiescence};
    HopTable hops{65'536, quiescence};
    Tables tables;
    OwnFilter own;
    Doorbell bell;
    std::unique_ptr<Worker> worker;
    std::vector<PortState> states;
    std::vector<ReceiveQueue> queues{{0, 0, 0}};
    std::vector<HopId> adjacencies;
    std::vector<BucketTablePtr> groups;

    Router(rte_mempool* pool, unsigned out, LookupKind kind) {
        tables.fib4 = fib4.view();
        tables.fib6 = fib6.view();
        tables.hops = hops.data();
        own.add(0x0a636301);
        tables.own = &own;
        states.resize(kOutPorts + 1);
        for (unsigned p = 0; p <= kOutPorts; ++p) {
            states[p].mac = port_mac(p);
            std::memcpy(&states[p].mac_bits, states[p].mac.bytes.data(), 6);
            states[p].device = static_cast<std::uint16_t>(p);
            states[p].software_checksum = false;
            tables.ports[p] = &states[p];
        }
        worker = std::make_unique<Worker>(0, 65'536);
        worker->tables = &tables;
        worker->forward = choose_isa(kind).forward;
        worker->pool = pool;
        worker->port_count = kOutPorts + 1;
        worker->control = worker->exception = &bell;
        worker->inject = rte_ring_create("inject", 64, 0, RING_F_SC_DEQ);
        for (unsigned i = 0; i < kAdjacencies; ++i) {
            const auto id = hops.take();
            const auto port = static_cast<PortIndex>(1 + i % out);
            hops.write(id, Hop::forward(neighbor_mac(i), port_mac(port), port, 1500));
            adjacencies.push_back(id);
        }
    }
    ~Router() { rte_ring_free(worker->inject); }

    static MacAddress neighbor_mac(unsigned i) {
        return {{2, 0xaa, 0, 0, static_cast<std::uint8_t>(i >> 8), static_cast<std::uint8_t>(i)}};
    }
    HopId any() { return adjacencies[random_below(adjacencies.size())]; }
    HopId group(unsigned members, std::uint32_t first) {
        std::vector<BucketPlan::Member> m;
        for (unsigned i = 0; i < members; ++i) {
            const auto id = hops.take();
            const auto port = static_cast<PortIndex>(1 + (first + i) % 1);
            hops.write(id, Hop::forward(neighbor_mac(i), port_mac(port), port, 1500));
            m.push_back({id, 1});
        }
        groups.push_back(make_buckets(BucketPlan::wanted_size(m)));
        BucketPlan::settle(*groups.back(), m, 1);
        const auto id = hops.take();
        hops.write(id, Hop::group(groups.back().get()));
        return id;
    }
    unsigned turn() {
        const auto n = dataplane::turn(*worker, queues);
        worker->now = rte_rdtsc();
        return n;
    }
};

// One of so many packets that leave is looked at: right TTL, checksum, MACs, port.
unsigned verify(Bench& bench, Router& r, unsigned out) {
    auto& ports = bench.ports;
    unsigned wrong = 0, looked = 0;
    for (unsigned p = 1; p <= out; ++p)
        ports[p]->sample(61, [&, p](rte_mbuf* m) {
            auto* f = rte_pktmbuf_mtod(m, std::uint8_t*);
            ++looked;
            const bool ip4 = read16(f + 12) == kEtherIp4;
            bool ok = ip4 ? f[22] == 63 && checksum(f + 14, 20) == 0 : f[21] == 63;
            ok &= std::memcmp(f + 6, port_mac(p).bytes.data(), 6) == 0;
            auto id = ip4 ? r.fib4.lookup(read32(f + 30))
                          : r.fib6.lookup({read64(f + 38), read64(f + 46)});
            const Hop hop = r.hops.read(id);
            if (hop.kind() == HopKind::Forward)
                ok &= std::memcmp(f, hop.macs, 6) == 0 && hop.port == p;
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

struct Scenario {
    std::string_view name;
    unsigned out;
    std::function<Flows(Router&)> fill;
    LookupKind kind = LookupKind::Auto;
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
    bench.ports[0]->source(flows, static_cast<std::uint16_t>(flows.front().size()));
    if (const auto wrong = verify(bench, *r, it->out); wrong != 0)
        std::printf("{\"name\":\"%s\",\"error\":\"%u sampled packets were wrong\"}\n",
                    it->name.data(), wrong);
    return {std::string(name), std::move(flows), [r] { return r->turn(); }};
}

}  // namespace torii::bench
