// Lookups, updates and memory of torii's FIBs beside DPDK's rte_lpm, rte_fib, rte_lpm6
// and rte_fib6 on the same prefixes. One JSON line a figure.
//
//   fib [--table FILE] [--only SET] [--seconds S] [--no-huge]       FILE: one prefix a line
#include <rte_cycles.h>
#include <rte_eal.h>
#include <rte_fib.h>
#include <rte_fib6.h>
#include <rte_lpm.h>
#include <rte_lpm6.h>
#include <rte_malloc.h>
#include <rte_mempool.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <fstream>
#include <functional>
#include <map>
#include <optional>
#include <random>
#include <span>
#include <string>
#include <vector>

#include "base/prefix.hpp"
#include "dataplane/fast/isa.hpp"
#include "dataplane/fib/fib4.hpp"
#include "dataplane/fib/fib6.hpp"
#include "tests/bench/hugepages.hpp"

namespace {

using namespace torii;
using namespace torii::dataplane;
using bench::Hugepages;

constexpr unsigned kBurstSize = 32, kProbes = 1 << 16;
constexpr unsigned kHugepages = 1'024, kHugepagesForTable = 3'000;
double seconds_each = 0.3;

struct Route4 {
    std::uint32_t address;
    std::uint8_t length;
    std::uint32_t hop;
};
struct Route6 {
    Ip6 address;
    std::uint8_t length;
    std::uint32_t hop;
};
struct Set4 {
    std::string name;
    std::vector<Route4> routes;
};
struct Set6 {
    std::string name;
    std::vector<Route6> routes;
};

std::mt19937_64 rng{1};
double now() {
    return static_cast<double>(rte_rdtsc()) / static_cast<double>(rte_get_tsc_hz());
}

// The quietest tenth of many short turns.
double lookup_ns(const std::function<void(unsigned)>& burst_at) {
    std::vector<double> turns;
    for (const double end = now() + seconds_each; now() < end;) {
        const double begin = now();
        for (unsigned i = 0; i < kProbes / 4; i += kBurstSize)
            burst_at((i + static_cast<unsigned>(turns.size()) * 16384) % kProbes);
        turns.push_back((now() - begin) * 1e9 / (kProbes / 4));
    }
    std::ranges::sort(turns);
    return turns[turns.size() / 10];
}
double update_us(std::size_t n, const std::function<void()>& all) {
    const double begin = now();
    all();
    return (now() - begin) * 1e6 / static_cast<double>(n);
}
std::size_t heap_used() {
    rte_malloc_socket_stats stats{};
    std::size_t used = 0;
    for (int socket = 0; socket < 2; ++socket)
        if (rte_malloc_get_socket_stats(socket, &stats) == 0) used += stats.heap_allocsz_bytes;
    return used;
}

void print(const std::string& set, const std::string& what, const char* unit, double value,
           const char* peer, double peer_value) {
    std::printf(
        "{\"name\":\"%s/%s\",\"value\":%.3f,\"unit\":\"%s\",\"peer\":\"%s\",\"peer_value\":%.3f,"
        "\"ratio\":%.3f}\n",
        set.c_str(), what.c_str(), value, unit, peer, peer_value,
        value > 0 ? peer_value / value : 0);
    std::fflush(stdout);
}

struct Best {
    const char* name = "";
    double value = 1e9;
    void offer(const char* who, double v) {
        if (v < value) name = who, value = v;
    }
};

// Of how many in a hundred prefixes of the Internet which length is.
struct Share {
    std::uint8_t length;
    unsigned percent;
};
constexpr Share kLengths4[] = {{24, 60}, {22, 11}, {23, 10}, {21, 5}, {20, 4}, {19, 3},
                               {16, 2},  {18, 2},  {17, 1},  {14, 1}, {28, 1}};
constexpr Share kLengths6[] = {{48, 47}, {32, 14}, {44, 10}, {40, 9}, {36, 5},
                               {47, 4},  {46, 4},  {45, 3},  {33, 2}, {29, 2}};
std::uint8_t length_of(std::span<const Share> shares) {
    auto left = rng() % 100;
    for (const auto& s : shares) {
        if (left < s.percent) return s.length;
        left -= s.percent;
    }
    return shares.front().length;
}

void bench4(const Set4& set) {
    std::vector<std::uint32_t> at(kProbes + kBurstSize);
    for (auto& a : at) {
        const auto& r = set.routes[rng() % set.routes.size()];
        a = r.address | (static_cast<std::uint32_t>(rng()) &
                         static_cast<std::uint32_t>((1ull << (32 - r.length)) - 1));
    }
    const auto n = static_cast<unsigned>(set.routes.size());
    Best best;
    double fib_memory = 0;
    std::uint64_t checksum_dpdk = 0, checksum_own = 0;
    if (n <= 200'000) {  // its updates are linear in the number of rules
        rte_lpm_config config{n + 1024, 1 << 16, 0};
        auto* lpm = rte_lpm_create("b", 0, &config);
        const auto add = update_us(n, [&] {
            for (const auto& r : set.routes) rte_lpm_add(lpm, r.address, r.length, r.hop & 0xfff);
        });
        std::uint32_t hop[kBurstSize];
        const auto ns =
            lookup_ns([&](unsigned i) { rte_lpm_lookup_bulk(lpm, &at[i], hop, kBurstSize); });
        print(set.name, "rte_lpm", "ns/lookup", ns, "", 0);
        print(set.name, "rte_lpm-add", "us/update", add, "", 0);
        best.offer("rte_lpm", ns);
        rte_lpm_free(lpm);
    }
    for (const auto& [label, type] : std::map<const char*, rte_fib_lookup_type>{
             {"rte_fib-scalar", RTE_FIB_LOOKUP_DIR24_8_SCALAR_MACRO},
             {"rte_fib-avx512", RTE_FIB_LOOKUP_DIR24_8_VECTOR_AVX512}}) {
        const auto before = heap_used();
        rte_fib_conf config{};
        config.type = RTE_FIB_DIR24_8;
        config.max_routes = static_cast<int>(n + 1024);
        config.dir24_8.nh_sz = RTE_FIB_DIR24_8_4B;
        config.dir24_8.num_tbl8 = 1 << 16;
        auto* fib = rte_fib_create("b", 0, &config);
        if (fib == nullptr) continue;
        const auto add = update_us(n, [&] {
            for (const auto& r : set.routes) rte_fib_add(fib, r.address, r.length, r.hop);
        });
        if (rte_fib_select_lookup(fib, type) == 0) {
            std::uint64_t hop[kBurstSize];
            const auto ns =
                lookup_ns([&](unsigned i) { rte_fib_lookup_bulk(fib, &at[i], hop, kBurstSize); });
            print(set.name, label, "ns/lookup", ns, "", 0);
            print(set.name, std::string(label) + "-add", "us/update", add, "", 0);
            best.offer(label, ns);
            checksum_dpdk = 0;
            for (unsigned i = 0; i < kProbes; i += kBurstSize) {
                rte_fib_lookup_bulk(fib, &at[i], hop, kBurstSize);
                for (const auto h : hop) checksum_dpdk = checksum_dpdk * 31 + h;
            }
            checksum_own = 0;
        }
        fib_memory = static_cast<double>(heap_used() - before) / (1 << 20);
        rte_fib_free(fib);
    }
    Quiescence quiescence{1};
    Fib4 fib{n + 1024, 1 << 16, quiescence};
    const auto add = update_us(n, [&] {
        for (const auto& r : set.routes) fib.set(r.address, r.length, r.hop);
    });
    std::uint32_t hop[kBurstSize];
    double own = 0;
    for (const auto kind : {LookupKind::Scalar, LookupKind::Avx2, LookupKind::Avx512}) {
        const auto& isa = choose_isa(kind);
        const auto view = fib.view();
        const auto ns = lookup_ns([&](unsigned i) { isa.lookup4(view, &at[i], hop, kBurstSize); });
        print(set.name, "torii-" + std::string(isa.name), "ns/lookup", ns, best.name, best.value);
        if (&isa == &choose_isa(LookupKind::Auto)) own = ns;
    }
    for (unsigned i = 0; i < kProbes; i += kBurstSize) {
        choose_isa(LookupKind::Auto).lookup4(fib.view(), &at[i], hop, kBurstSize);
        for (const auto h : hop) checksum_own = checksum_own * 31 + h;
    }
    print(set.name, "torii", "ns/lookup", own, best.name, best.value);
    print(set.name, "torii-add", "us/update", add, "", 0);
    print(set.name, "torii-memory", "MiB", static_cast<double>(fib.memory()) / (1 << 20), "rte_fib",
          fib_memory);
    if (checksum_dpdk != checksum_own)
        std::printf("{\"name\":\"%s\",\"error\":\"answers differ from rte_fib's\"}\n",
                    set.name.c_str());
    const auto gone = update_us(n, [&] {
        for (const auto& r : set.routes) fib.erase(r.address, r.length);
    });
    print(set.name, "torii-erase", "us/update", gone, "", 0);
}

void bytes_of(const Ip6& a, std::uint8_t* out) {
    for (unsigned i = 0; i < 8; ++i) {
        out[i] = static_cast<std::uint8_t>(a.high >> (56 - 8 * i));
        out[8 + i] = static_cast<std::uint8_t>(a.low >> (56 - 8 * i));
    }
}

void bench6(const Set6& set) {
    std::vector<std::uint64_t> high(kProbes + kBurstSize), low(kProbes + kBurstSize);
    std::vector<std::uint8_t> wire(16 * (kProbes + kBurstSize));
    for (unsigned i = 0; i < kProbes + kBurstSize; ++i) {
        const auto& r = set.routes[rng() % set.routes.size()];
        Ip6 a = r.address;
        if (r.length < 64) {
            a.high |= rng() & ((1ull << (64 - r.length)) - 1);
            a.low = rng();
        } else if (r.length < 128) {
            a.low |= r.length == 64 ? rng() : rng() & ((1ull << (128 - r.length)) - 1);
        }
        high[i] = a.high;
        low[i] = a.low;
        bytes_of(a, &wire[16 * i]);
    }
    const auto n = static_cast<unsigned>(set.routes.size());
    Best best;
    double fib_memory = 0;
    using Bytes16 = std::uint8_t[16];
    auto* at = reinterpret_cast<Bytes16*>(wire.data());
    for (const auto& [label, type] : std::map<const char*, rte_fib6_lookup_type>{
             {"rte_fib6-scalar", RTE_FIB6_LOOKUP_TRIE_SCALAR},
             {"rte_fib6-avx512", RTE_FIB6_LOOKUP_TRIE_VECTOR_AVX512}}) {
        const auto before = heap_used();
        rte_fib6_conf config{};
        config.type = RTE_FIB6_TRIE;
        config.max_routes = static_cast<int>(n + 1024);
        config.trie.nh_sz = RTE_FIB6_TRIE_4B;
        // It reserves a table for each octet behind the first three, shared or not.
        config.trie.num_tbl8 = std::max(1u << 15, std::min(n * 12, 1u << 19));
        auto* fib = rte_fib6_create("b", 0, &config);
        if (fib == nullptr) continue;
        unsigned refused = 0;
        const auto add = update_us(n, [&] {
            for (const auto& r : set.routes) {
                std::uint8_t a[16];
                bytes_of(r.address, a);
                refused += rte_fib6_add(fib, a, r.length, r.hop) != 0;
            }
        });
        if (refused != 0)
            std::printf("{\"name\":\"%s/%s\",\"refused\":%u}\n", set.name.c_str(), label, refused);
        if (rte_fib6_select_lookup(fib, type) == 0) {
            std::uint64_t hop[kBurstSize];
            const auto ns =
                lookup_ns([&](unsigned i) { rte_fib6_lookup_bulk(fib, &at[i], hop, kBurstSize); });
            print(set.name, label, "ns/lookup", ns, "", 0);
            print(set.name, std::string(label) + "-add", "us/update", add, "", 0);
            best.offer(label, ns);
        }
        fib_memory = static_cast<double>(heap_used() - before) / (1 << 20);
        rte_fib6_free(fib);
    }
    if (n <= 100'000) {
        rte_lpm6_config config{n + 1024, std::max(1u << 15, std::min(n * 8, 1u << 18)), 0};
        if (auto* lpm = rte_lpm6_create("b", 0, &config); lpm != nullptr) {
            for (const auto& r : set.routes) {
                std::uint8_t a[16];
                bytes_of(r.address, a);
                rte_lpm6_add(lpm, a, r.length, r.hop & 0x1fffff);
            }
            std::int32_t hop[kBurstSize];
            const auto ns = lookup_ns(
                [&](unsigned i) { rte_lpm6_lookup_bulk_func(lpm, &at[i], hop, kBurstSize); });
            print(set.name, "rte_lpm6", "ns/lookup", ns, "", 0);
            best.offer("rte_lpm6", ns);
            rte_lpm6_free(lpm);
        }
    }
    Quiescence quiescence{1};
    Fib6 fib{n + 1024, 1 << 18, quiescence};
    unsigned refused = 0;
    const auto add = update_us(n, [&] {
        for (const auto& r : set.routes) refused += !fib.set(r.address, r.length, r.hop);
    });
    if (refused != 0)
        std::printf("{\"name\":\"%s/torii\",\"refused\":%u}\n", set.name.c_str(), refused);
    std::uint32_t hop[kBurstSize];
    double own = 0;
    for (const auto kind : {LookupKind::Scalar, LookupKind::Avx2, LookupKind::Avx512}) {
        const auto& isa = choose_isa(kind);
        const auto view = fib.view();
        const auto ns =
            lookup_ns([&](unsigned i) { isa.lookup6(view, &high[i], &low[i], hop, kBurstSize); });
        print(set.name, "torii-" + std::string(isa.name), "ns/lookup", ns, best.name, best.value);
        if (&isa == &choose_isa(LookupKind::Auto)) own = ns;
    }
    print(set.name, "torii", "ns/lookup", own, best.name, best.value);
    print(set.name, "torii-add", "us/update", add, "", 0);
    print(set.name, "torii-memory", "MiB", static_cast<double>(fib.memory()) / (1 << 20),
          "rte_fib6", fib_memory);
}

std::uint32_t random_hop() {
    return 1 + static_cast<std::uint32_t>(rng() % 4000);
}

}  // namespace

int main(int argc, char** argv) {
    std::string table, only;
    bool huge = true;
    for (int i = 1; i < argc; ++i) {
        const std::string a = argv[i];
        if (a == "--table" && i + 1 < argc) table = argv[++i];
        if (a == "--only" && i + 1 < argc) only = argv[++i];
        if (a == "--seconds" && i + 1 < argc) seconds_each = std::stod(argv[++i]);
        if (a == "--no-huge") huge = false;
    }
    std::ofstream{"/proc/self/autogroup"} << "-19";
    std::optional<Hugepages> pages;
    if (huge) {
        pages.emplace(table.empty() ? kHugepages : kHugepagesForTable);
        std::puts(pages->line().c_str());
        huge = pages->enough();
    }
    std::vector<std::string> words{"bench",
                                   "--lcores",
                                   "0@1",
                                   "--no-pci",
                                   "--no-telemetry",
                                   "--force-max-simd-bitwidth=512",
                                   "--file-prefix",
                                   "fib" + std::to_string(::getpid()),
                                   "--log-level",
                                   "lib.*:4"};
    words.emplace_back(huge ? "--in-memory" : "--no-shconf");
    if (!huge) words.insert(words.end(), {"--no-huge", "-m", "6000"});
    std::vector<char*> args;
    for (auto& w : words) args.push_back(w.data());
    if (rte_eal_init(static_cast<int>(args.size()), args.data()) < 0) return 1;
    bench::remove_runtime_directory();

    std::vector<Set4> sets4(4);
    sets4[0].name = "v4-256-contiguous";
    for (unsigned i = 0; i < 256; ++i)
        sets4[0].routes.push_back({0x0a000000 + (i << 8), 24, random_hop()});
    sets4[1].name = "v4-10k-contiguous";
    for (unsigned i = 0; i < 10'240; ++i)
        sets4[1].routes.push_back({0x0a000000 + (i << 8), 24, random_hop()});
    sets4[2].name = "v4-10k-scattered";
    for (unsigned i = 0; i < 10'240; ++i)
        sets4[2].routes.push_back(
            {static_cast<std::uint32_t>(rng()) & 0xffffff00, 24, random_hop()});
    sets4[3].name = "v4-100k-random";
    for (unsigned i = 0; i < 100'000; ++i) {
        const auto length = length_of(kLengths4);
        const auto address = static_cast<std::uint32_t>(0x01000000 + rng() % 0xdf000000);
        sets4[3].routes.push_back({address & ~0u << (32 - length), length, random_hop()});
    }
    std::vector<Set6> sets6(5);
    sets6[0].name = "v6-256-64";
    for (unsigned i = 0; i < 256; ++i)
        sets6[0].routes.push_back({{0xfd00001000000000 | i, 0}, 64, random_hop()});
    sets6[1].name = "v6-10k-64";
    for (unsigned i = 0; i < 10'240; ++i)
        sets6[1].routes.push_back({{0xfd00001000000000 | i, 0}, 64, random_hop()});
    sets6[2].name = "v6-10k-120";
    for (unsigned i = 0; i < 10'240; ++i)
        sets6[2].routes.push_back(
            {{0xfd00002000000000 | (rng() & 0xffff), rng() & ~0xffull}, 120, random_hop()});
    sets6[3].name = "v6-10k-120-one-64";
    for (unsigned i = 0; i < 10'240; ++i)
        sets6[3].routes.push_back({{0xfd00002000000000, std::uint64_t{i} << 8}, 120, random_hop()});
    sets6[4].name = "v6-100k-random";
    for (unsigned i = 0; i < 100'000; ++i) {
        const auto length = length_of(kLengths6);
        // Registries give out few of the first octets.
        const auto high = 0x2001'0000'0000'0000 + (rng() % 0x0a00'0000'0000'0000);
        sets6[4].routes.push_back(
            {{high & ~std::uint64_t{0} << (64 - length), 0}, length, random_hop()});
    }
    if (!table.empty()) {
        Set4 all4{"v4-table", {}};
        Set6 all6{"v6-table", {}};
        std::ifstream file{table};
        for (std::string line; std::getline(file, line);) {
            while (!line.empty() && line.back() <= ' ') line.pop_back();
            const auto p = Prefix::parse(line);
            if (!p || p->length() == 0) continue;
            if (p->address().is_v4())
                all4.routes.push_back({p->address().v4(), p->length(), random_hop()});
            else
                all6.routes.push_back({Ip6::of(p->address()), p->length(), random_hop()});
        }
        std::shuffle(all4.routes.begin(), all4.routes.end(), rng);
        std::shuffle(all6.routes.begin(), all6.routes.end(), rng);
        Set4 some{"v4-100k-mix",
                  {all4.routes.begin(),
                   all4.routes.begin() +
                       static_cast<long>(std::min<std::size_t>(100'000, all4.routes.size()))}};
        sets4.push_back(std::move(some));
        sets4.push_back(std::move(all4));
        sets6.push_back(std::move(all6));
    }
    const auto wanted = [&](const auto& set) {
        return !set.routes.empty() && (only.empty() || set.name == only);
    };
    for (const auto& s : sets4)
        if (wanted(s)) bench4(s);
    for (const auto& s : sets6)
        if (wanted(s)) bench6(s);
    std::fflush(stdout);
    pages.reset();
    ::_exit(0);
}
