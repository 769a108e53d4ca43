// Cycles a packet of 64-byte frames on one core between emulated NIC rings: source
// and sink alone, reference loops with DPDK's own tables (rewrite of MACs and TTL,
// nothing else), and torii's worker with every check and counter. One JSON line each:
// `value` is what the router costs above source and sink, `total` all of it.
//
//   forwarding [--seconds S] [--only NAME] [--burst N] [--no-huge]
#include <rte_cycles.h>
#include <rte_eal.h>
#include <rte_fib.h>
#include <rte_launch.h>
#include <rte_lcore.h>
#include <rte_lpm.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <functional>
#include <map>
#include <random>
#include <string>

#include "dataplane/fib/bucket_table.hpp"
#include "dataplane/fib/next_hop_group.hpp"
#include "dataplane/node/headers.hpp"
#include "dataplane/node/isa.hpp"
#include "dataplane/node/transmit.hpp"
#include "tests/bench/frames.hpp"
#include "tests/support/emulated_port.hpp"

namespace {

using namespace torii;
using namespace torii::dataplane;
using namespace torii::bench;
using support::EmulatedPort;

constexpr unsigned kFlows = 16'384, kAdjacencies = 64, kOutPorts = 4;
constexpr std::uint64_t kSlice = 20'000;  // packets of one timing

rte_mempool* pool;
std::vector<std::unique_ptr<EmulatedPort>> ports;
double seconds_each = 1.0;
unsigned burst = kBurst;
std::string only;  // the case this process measures
bool huge = true;

// ---- timing

// One thing to measure, in a process of its own: buffers that an earlier case left
// scattered over the pool would make the next one slower.
struct Case {
    std::string name;
    unsigned out = 1;
    std::string peer;
    std::vector<EmulatedPort::Template> flows;
    std::function<unsigned()> turn;  // the number of packets moved
    std::vector<double> cycles;
    unsigned rejected = 0;

    double at(double quantile) {
        if (cycles.empty()) return 0;
        const auto k = static_cast<long>(static_cast<double>(cycles.size() - 1) * quantile);
        std::ranges::nth_element(cycles, cycles.begin() + k);
        return cycles[static_cast<std::size_t>(k)];
    }
};
std::vector<Case> cases;

// Slices during which the kernel took the core from us are thrown away.
void measure(Case& c, unsigned slices) {
    ports[0]->source(c.flows, static_cast<std::uint16_t>(c.flows.front().size()));
    for (std::uint64_t warm = 0; warm < 3 * kFlows;) warm += c.turn();
    for (unsigned i = 0; i < slices; ++i) {
        rusage before{}, after{};
        ::getrusage(RUSAGE_THREAD, &before);
        std::uint64_t packets = 0;
        const auto begin = rte_rdtsc_precise();
        while (packets < kSlice) packets += c.turn();
        const auto spent = rte_rdtsc_precise() - begin;
        ::getrusage(RUSAGE_THREAD, &after);
        if (after.ru_nivcsw != before.ru_nivcsw)
            ++c.rejected;
        else
            c.cycles.push_back(static_cast<double>(spent) / static_cast<double>(packets));
    }
}

// ---- source and sink, and the reference loops

unsigned io_turn(unsigned out) {
    rte_mbuf* packets[kBurst];
    const auto n = rte_eth_rx_burst(0, 0, packets, static_cast<std::uint16_t>(burst));
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
rte_mbuf* waiting[kOutPorts + 1][2 * kBurst];
unsigned waits[kOutPorts + 1];

template <class Lookup>
unsigned reference_turn(Lookup&& lookup, unsigned out) {
    rte_mbuf* packets[kBurst];
    std::uint8_t* frame[kBurst];
    std::uint32_t dst[kBurst], hop[kBurst];
    const unsigned n = rte_eth_rx_burst(0, 0, packets, static_cast<std::uint16_t>(burst));
    for (unsigned i = 0; i < n; ++i) {
        frame[i] = rte_pktmbuf_mtod(packets[i], std::uint8_t*);
        __builtin_prefetch(frame[i], 1);
    }
    for (unsigned i = 0; i < n; ++i) dst[i] = read32(frame[i] + 30);
    lookup(dst, hop, n);
    const auto rewrite = [&](unsigned i) {
        const auto& r = rewrites[hop[i]];
        auto* p = frame[i];
        const auto o = _mm_loadu_si128(reinterpret_cast<const __m128i*>(p));
        const auto m = _mm_load_si128(reinterpret_cast<const __m128i*>(r.macs));
        _mm_storeu_si128(reinterpret_cast<__m128i*>(p), _mm_blend_epi16(m, o, 0xc0));
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

// ---- torii

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

    explicit Router(unsigned out, LookupKind kind = LookupKind::Auto) {
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
        static int made = 0;
        worker->inject =
            rte_ring_create(("inject" + std::to_string(made++)).c_str(), 64, 0, RING_F_SC_DEQ);
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
unsigned verify(Router& r, unsigned out) {
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

std::vector<std::unique_ptr<Router>> routers;

void torii_case(const std::string& name, unsigned out,
                const std::function<std::vector<EmulatedPort::Template>(Router&)>& fill,
                LookupKind kind = LookupKind::Auto) {
    if (name != only) return;
    rng.seed(1);
    routers.push_back(std::make_unique<Router>(out, kind));
    auto& r = *routers.back();
    auto flows = fill(r);
    std::shuffle(flows.begin(), flows.end(), rng);
    ports[0]->source(flows, static_cast<std::uint16_t>(flows.front().size()));
    if (const auto wrong = verify(r, out); wrong != 0)
        std::printf("{\"name\":\"%s\",\"error\":\"%u sampled packets were wrong\"}\n", name.c_str(),
                    wrong);
    cases.push_back({name,
                     out,
                     out == 1 ? "reference-lpm-1port" : "reference-lpm-4port",
                     std::move(flows),
                     [&r] { return r.turn(); },
                     {},
                     0});
}

std::vector<EmulatedPort::Template> flows4(const std::vector<std::uint32_t>& nets,
                                           bool zipf = false) {
    std::vector<EmulatedPort::Template> out;
    for (unsigned i = 0; i < kFlows; ++i) {
        std::size_t at = random_below(nets.size());
        if (zipf) {
            const double u = static_cast<double>(random_below(1'000'000) + 1) / 1e6;
            at = static_cast<std::size_t>(static_cast<double>(nets.size()) * u * u * u * u) %
                 nets.size();
        }
        out.push_back(ip4_frame(nets[at] | (1 + random_below(250))));
    }
    return out;
}

std::vector<EmulatedPort::Template> contiguous4(Router& r, unsigned routes) {
    std::vector<std::uint32_t> nets;
    for (unsigned i = 0; i < routes; ++i) {
        nets.push_back(0x0a000000 + (i << 8));
        r.fib4.set(nets.back(), 24, r.any());
    }
    return flows4(nets);
}

void add_references(const std::vector<EmulatedPort::Template>& flows) {
    rte_lpm_config lpm_config{20'000, 256, 0};
    auto* lpm = rte_lpm_create("ref", 0, &lpm_config);
    rte_fib_conf fib_config{};
    fib_config.type = RTE_FIB_DIR24_8;
    fib_config.max_routes = 20'000;
    fib_config.dir24_8.nh_sz = RTE_FIB_DIR24_8_4B;
    fib_config.dir24_8.num_tbl8 = 256;
    auto* fib = rte_fib_create("ref", 0, &fib_config);
    for (unsigned i = 0; i < 10'240; ++i) {
        const auto adjacency = 1 + random_below(kAdjacencies);
        rte_lpm_add(lpm, 0x0a000000 + (i << 8), 24, adjacency);
        rte_fib_add(fib, 0x0a000000 + (i << 8), 24, adjacency);
    }
    for (unsigned i = 1; i <= kAdjacencies; ++i) rewrites[i].port = 1 + i % kOutPorts;
    for (const unsigned out : {1u, 4u}) {
        const auto suffix = out == 1 ? std::string("-1port") : std::string("-4port");
        if (only == "reference-lpm" + suffix)
            cases.push_back({"reference-lpm" + suffix,
                             out,
                             "",
                             flows,
                             [lpm, out] {
                                 return reference_turn(
                                     [lpm](std::uint32_t* dst, std::uint32_t* hop, unsigned n) {
                                         rte_lpm_lookup_bulk(lpm, dst, hop, n);
                                         for (unsigned i = 0; i < n; ++i) hop[i] &= 0xffffff;
                                     },
                                     out);
                             },
                             {},
                             0});
        if (only == "reference-fib" + suffix)
            cases.push_back({"reference-fib" + suffix,
                             out,
                             "",
                             flows,
                             [fib, out] {
                                 return reference_turn(
                                     [fib](std::uint32_t* dst, std::uint32_t* hop, unsigned n) {
                                         std::uint64_t wide[kBurst];
                                         rte_fib_lookup_bulk(fib, dst, wide, static_cast<int>(n));
                                         for (unsigned i = 0; i < n; ++i)
                                             hop[i] = static_cast<std::uint32_t>(wide[i]);
                                     },
                                     out);
                             },
                             {},
                             0});
    }
}

void run_all() {
    const auto add_flows = [&] {
        std::vector<std::uint32_t> nets;
        for (unsigned i = 0; i < 10'240; ++i) nets.push_back(0x0a000000 + (i << 8));
        return flows4(nets);
    };
    if (only == "io") cases.push_back({"io", 1, "", add_flows(), [] { return io_turn(1); }, {}, 0});
    if (only == "io-4port")
        cases.push_back({"io-4port", 4, "", add_flows(), [] { return io_turn(4); }, {}, 0});

    if (only.starts_with("reference")) add_references(add_flows());
    for (const unsigned out : {1u, 4u}) {
        const auto suffix = out == 1 ? std::string("-1port") : std::string("-4port");
        for (const auto& [label, routes] : std::map<std::string, unsigned>{
                 {"v4-1", 1}, {"v4-1k", 1024}, {"v4-10k", 10'240}, {"v4-64k", 65'536}})
            torii_case(label + suffix, out, [&](Router& r) { return contiguous4(r, routes); });
    }
    for (const auto& [label, kind] : std::map<std::string, LookupKind>{
             {"v4-10k-1port-scalar", LookupKind::Scalar}, {"v4-10k-1port-avx2", LookupKind::Avx2}})
        torii_case(
            label, 1, [&](Router& r) { return contiguous4(r, 10'240); }, kind);
    torii_case("v4-scattered", 1, [&](Router& r) {
        std::vector<std::uint32_t> nets;
        for (unsigned i = 0; i < 10'240; ++i) {
            nets.push_back((1 + random_below(100)) << 24 | random_below(1 << 16) << 8);
            if ((nets.back() >> 24) == 127 || nets.back() >> 24 == 10) nets.back() ^= 0x10000000;
            r.fib4.set(nets.back(), 24, r.any());
        }
        return flows4(nets);
    });
    torii_case("v4-zipf", 1, [&](Router& r) {
        std::vector<std::uint32_t> nets;
        for (unsigned i = 0; i < 10'240; ++i) {
            nets.push_back(0x0b000000 + random_below(1 << 16) * 256);
            r.fib4.set(nets.back(), 24, r.any());
        }
        return flows4(nets, true);
    });
    const auto pods6 = [&](Router& r, bool sixty_four, bool pods) {
        std::vector<EmulatedPort::Template> out;
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
    };
    torii_case("v6-64", 1, [&](Router& r) { return pods6(r, true, false); });
    torii_case("v6-120", 1, [&](Router& r) { return pods6(r, false, true); });
    torii_case("v6-mixed", 1, [&](Router& r) { return pods6(r, true, true); });
    for (const unsigned members : {8u, 256u})
        torii_case("ecmp-" + std::to_string(members), 1, [&](Router& r) {
            std::vector<std::uint32_t> vips;
            for (unsigned i = 0; i < 16; ++i) {
                vips.push_back(0x0a600000 + (i << 8));
                r.fib4.set(vips.back() | 1, 32, r.group(members, i));
            }
            std::vector<EmulatedPort::Template> out;
            for (unsigned i = 0; i < kFlows; ++i)
                out.push_back(ip4_frame(vips[random_below(vips.size())] | 1));
            return out;
        });
}

int on_worker(void*) {
    run_all();
    for (auto& c : cases) {
        measure(c, std::max(20u, static_cast<unsigned>(seconds_each * 2000)));
        if (std::getenv("BENCH_DEBUG") != nullptr) {
            std::ifstream smaps{"/proc/self/smaps_rollup"};
            for (std::string l; std::getline(smaps, l);)
                if (l.starts_with("AnonHuge")) std::fprintf(stderr, "%s\n", l.c_str());
        }
        std::printf("RESULT %f %f %u\n", c.at(0.05), c.at(0.5), c.rejected);
    }
    return 0;
}

int run_case(const std::string& self) {
    std::vector<std::string> words{"bench",
                                   "--lcores",
                                   "0@0,1@1",
                                   "--no-pci",
                                   "--no-telemetry",
                                   "--file-prefix",
                                   "bench" + std::to_string(::getpid()),
                                   "--log-level",
                                   "lib.*:4"};
    if (huge) {
        words.emplace_back("--in-memory");
    } else {
        words.insert(words.end(), {"--no-huge", "-m", "512"});
    }
    for (unsigned p = 0; p <= kOutPorts; ++p)
        words.push_back("--vdev=net_null" + std::to_string(p));
    std::vector<char*> args;
    for (auto& w : words) args.push_back(w.data());
    if (rte_eal_init(static_cast<int>(args.size()), args.data()) < 0) {
        std::fprintf(stderr, "%s: EAL did not start; are there hugepages? (--no-huge)\n",
                     self.c_str());
        return 1;
    }
    pool = rte_pktmbuf_pool_create("p", 32767, 256, 64, RTE_MBUF_DEFAULT_BUF_SIZE, 0);
    if (pool == nullptr) return 1;
    for (std::uint16_t p = 0; p <= kOutPorts; ++p) {
        rte_eth_conf conf{};
        if (rte_eth_dev_configure(p, 1, 1, &conf) != 0 ||
            rte_eth_rx_queue_setup(p, 0, 1024, 0, nullptr, pool) != 0 ||
            rte_eth_tx_queue_setup(p, 0, 1024, 0, nullptr) != 0 || rte_eth_dev_start(p) != 0)
            return 1;
        ports.push_back(std::make_unique<EmulatedPort>(p, pool));
    }
    rte_eal_remote_launch(on_worker, nullptr, 1);
    // Sleeping, not spinning: the other core is to be quiet.
    while (rte_eal_get_lcore_state(1) == RUNNING) ::usleep(10'000);
    rte_eal_wait_lcore(1);
    std::fflush(stdout);
    ::_exit(0);
}

double tsc_mhz() {
    const auto begin = rte_rdtsc();
    ::usleep(50'000);
    return static_cast<double>(rte_rdtsc() - begin) / 5e4;
}

struct Outcome {
    std::string name;
    std::string peer;
    std::vector<double> totals;  // of each launch, its quiet fifth
    unsigned rejected = 0;

    double median() {
        if (totals.empty()) return 0;
        std::ranges::sort(totals);
        return totals[totals.size() / 2];
    }
};

}  // namespace

// Without --case: launches every case in turn, several times over, and prints the
// median of the launches.
int main(int argc, char** argv) {
    bool list = false;
    unsigned launches = 5;
    std::string filter, pass;
    for (int i = 1; i < argc; ++i) {
        const std::string a = argv[i];
        if (a == "--seconds" && i + 1 < argc)
            seconds_each = std::stod(argv[++i]), pass += " --seconds " + std::string(argv[i]);
        if (a == "--case" && i + 1 < argc) only = argv[++i];
        if (a == "--only" && i + 1 < argc) filter = argv[++i];
        if (a == "--launches" && i + 1 < argc)
            launches = static_cast<unsigned>(std::stoi(argv[++i]));
        if (a == "--burst" && i + 1 < argc)
            burst = static_cast<unsigned>(std::stoi(argv[++i])),
            pass += " --burst " + std::string(argv[i]);
        if (a == "--no-huge") huge = false, pass += " --no-huge";
        if (a == "--list") list = true;
    }
    std::ofstream{"/proc/self/autogroup"} << "-19";
    if (!only.empty()) return run_case(argv[0]);

    std::ofstream{"/proc/self/autogroup"} << "-19";
    std::vector<Outcome> outcomes{{"io", "", {}, 0},
                                  {"reference-lpm-1port", "", {}, 0},
                                  {"reference-fib-1port", "", {}, 0},
                                  {"reference-lpm-4port", "", {}, 0},
                                  {"reference-fib-4port", "", {}, 0}};
    for (const unsigned out : {1u, 4u})
        for (const char* label : {"v4-1", "v4-1k", "v4-10k", "v4-64k"})
            outcomes.push_back({label + std::string(out == 1 ? "-1port" : "-4port"),
                                out == 1 ? "reference-lpm-1port" : "reference-lpm-4port",
                                {},
                                0});
    for (const char* name : {"v4-10k-1port-scalar", "v4-10k-1port-avx2", "v4-scattered", "v4-zipf",
                             "v6-64", "v6-120", "v6-mixed", "ecmp-8", "ecmp-256"})
        outcomes.push_back({name, "reference-lpm-1port", {}, 0});
    if (!filter.empty())
        std::erase_if(outcomes, [&](const Outcome& o) {
            return o.name != "io" && !o.name.starts_with("reference-lpm") &&
                   o.name.find(filter) == std::string::npos;
        });
    if (list) {
        for (const auto& o : outcomes) std::puts(o.name.c_str());
        return 0;
    }
    for (unsigned launch = 0; launch < launches; ++launch)
        for (auto& o : outcomes) {
            const auto command = std::string(argv[0]) + " --case " + o.name + pass;
            FILE* child = ::popen(command.c_str(), "r");
            if (child == nullptr) return 1;
            char line[512];
            while (std::fgets(line, sizeof line, child) != nullptr) {
                double quiet = 0, median = 0;
                unsigned rejected = 0;
                if (std::sscanf(line, "RESULT %lf %lf %u", &quiet, &median, &rejected) == 3) {
                    o.totals.push_back(quiet);
                    o.rejected += rejected;
                } else if (line[0] == '{') {
                    std::fputs(line, stdout);
                }
            }
            ::pclose(child);
        }
    const double io = outcomes[0].median();
    const auto above = [&](const std::string& name) {
        for (auto& o : outcomes)
            if (o.name == name) return o.median() - io;
        return 0.0;
    };
    for (auto& o : outcomes) {
        const double peer = above(o.peer);
        std::printf(
            "{\"name\":\"%s\",\"value\":%.2f,\"unit\":\"cycles/packet above source+sink\","
            "\"peer\":\"%s\",\"ratio\":%.3f,\"total\":%.2f,\"mpps\":%.1f,\"launches\":%zu,"
            "\"rejected\":%u}\n",
            o.name.c_str(), o.median() - io, o.peer.c_str(),
            peer > 0 ? (o.median() - io) / peer : 0, o.median(),
            o.median() > 0 ? tsc_mhz() / o.median() : 0, o.totals.size(), o.rejected);
    }
    return 0;
}
