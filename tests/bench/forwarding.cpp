// Cycles a packet of 64-byte frames on one core between emulated NIC rings: source
// and sink alone, reference loops with DPDK's own tables (rewrite of MACs and TTL,
// nothing else) and one with a router's checks and counters for IPv4, and torii's worker
// with every check and counter. One JSON line each: `value` is what the router costs above
// source and sink, `total` all of it, in cycles of the TSC; `core_cycles` is `value` in those
// of the core, which runs at `core_clock` times the TSC.
//
//   forwarding [--seconds S] [--only NAME,NAME] [--launches N] [--burst N] [--no-huge] [--list]
#include <rte_cycles.h>
#include <rte_eal.h>
#include <rte_ethdev.h>
#include <rte_launch.h>
#include <rte_lcore.h>
#include <rte_mbuf.h>
#include <rte_pause.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <fstream>
#include <optional>
#include <sstream>
#include <string>

#include "tests/bench/forwarding_case.hpp"
#include "tests/bench/hugepages.hpp"

namespace {

using namespace torii;
using namespace torii::bench;

constexpr unsigned kHugepages = 320;

Bench emulated;
double seconds_each = 1.0;

int on_worker(void* name) {
    const std::string_view wanted{*static_cast<std::string*>(name)};
    for (const auto make : {io_case, reference_case, torii_case, flap_case}) {
        auto c = make(emulated, wanted);
        if (!c.turn) continue;
        if (c.control) control_work = &c.control;
        measure(emulated, c, std::max(20u, static_cast<unsigned>(seconds_each * 2000)));
        while (control_work.exchange(nullptr) == nullptr && c.control) rte_pause();
        if (c.finish) c.finish();
        if (c.disturb)
            // A disturbance is in all slices, not in the quiet ones.
            std::printf("RESULT %f %f %u %f\n", c.at(0.5), c.calm_median(), c.rejected,
                        c.core_clock);
        else
            std::printf("RESULT %f 0 %u %f\n", c.at(0.05), c.rejected, c.core_clock);
    }
    return 0;
}

int run_case(std::string name, bool huge) {
    std::vector<std::string> words{"bench",
                                   "--lcores",
                                   "0@0,1@1",
                                   "--no-pci",
                                   "--no-telemetry",
                                   "--file-prefix",
                                   "bench" + std::to_string(::getpid()),
                                   "--log-level",
                                   "lib.*:4"};
    words.emplace_back(huge ? "--in-memory" : "--no-shconf");
    if (!huge) words.insert(words.end(), {"--no-huge", "-m", "512"});
    for (unsigned p = 0; p <= kOutPorts; ++p)
        words.push_back("--vdev=net_null" + std::to_string(p));
    std::vector<char*> args;
    for (auto& w : words) args.push_back(w.data());
    if (rte_eal_init(static_cast<int>(args.size()), args.data()) < 0) {
        std::fprintf(stderr, "EAL did not start; are there hugepages? (--no-huge)\n");
        return 1;
    }
    remove_runtime_directory();
    auto* pool = rte_pktmbuf_pool_create("p", 32767, 256, 64, RTE_MBUF_DEFAULT_BUF_SIZE, 0);
    if (pool == nullptr) return 1;
    emulated.pool = pool;
    for (std::uint16_t p = 0; p <= kOutPorts; ++p) {
        rte_eth_conf conf{};
        if (rte_eth_dev_configure(p, 1, 1, &conf) != 0 ||
            rte_eth_rx_queue_setup(p, 0, 1024, 0, nullptr, pool) != 0 ||
            rte_eth_tx_queue_setup(p, 0, 1024, 0, nullptr) != 0 || rte_eth_dev_start(p) != 0)
            return 1;
        emulated.ports.push_back(std::make_unique<EmulatedPort>(p, pool));
    }
    rte_eal_remote_launch(on_worker, &name, 1);
    ::prctl(PR_SET_TIMERSLACK, 1000UL);
    // Sleeping, not spinning: the other core is to be quiet.
    while (rte_eal_get_lcore_state(1) == RUNNING) {
        const auto* work = control_work.exchange(nullptr);
        if (work == nullptr) {
            ::usleep(10'000);
            continue;
        }
        (*work)();
        control_work = work;
    }
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
    std::vector<double> calm;    // of one that is disturbed half of the time, the other half
    std::vector<double> clocks;  // of the core, in those of the TSC
    unsigned rejected = 0;

    double median() { return middle(totals); }
    double clock() { return middle(clocks); }
    double calm_median() { return middle(calm); }

private:
    static double middle(std::vector<double>& values) {
        if (values.empty()) return 0;
        std::ranges::sort(values);
        return values[values.size() / 2];
    }
};

std::vector<Outcome> all_outcomes() {
    std::vector<Outcome> outcomes;
    const auto add = [&](std::string name, const char* peer) {
        outcomes.emplace_back();
        outcomes.back().name = std::move(name);
        outcomes.back().peer = peer;
    };
    add("io", "");
    for (const char* ports : {"-1port", "-4port"})
        for (const char* what : {"reference-lpm", "reference-fib", "reference-sketch"})
            add(std::string(what) + ports, "");
    for (const auto& name : torii_cases())
        add(name, name.ends_with("-4port") ? "reference-lpm-4port" : "reference-lpm-1port");
    add("flap-10000", "itself without flaps");
    return outcomes;
}

// Whether a name holds one of the words, which commas part.
bool is_among(const std::string& name, const std::string& words) {
    std::istringstream in{words};
    for (std::string word; std::getline(in, word, ',');)
        if (name.find(word) != std::string::npos) return true;
    return false;
}

// One launch of one case; its JSON lines are passed on.
bool launch(const std::string& command, Outcome& o) {
    FILE* child = ::popen(command.c_str(), "r");
    if (child == nullptr) return false;
    char line[512];
    while (std::fgets(line, sizeof line, child) != nullptr) {
        double total = 0, calm = 0, clock = 0;
        unsigned rejected = 0;
        if (std::sscanf(line, "RESULT %lf %lf %u %lf", &total, &calm, &rejected, &clock) == 4) {
            o.totals.push_back(total);
            o.clocks.push_back(clock);
            if (calm > 0) o.calm.push_back(calm);
            o.rejected += rejected;
        } else if (line[0] == '{') {
            std::fputs(line, stdout);
        }
    }
    ::pclose(child);
    return true;
}

void report(std::vector<Outcome>& outcomes) {
    const double io = outcomes[0].median();
    const auto above = [&](const std::string& name) {
        for (auto& o : outcomes)
            if (o.name == name) return o.median() - io;
        return 0.0;
    };
    for (auto& o : outcomes) {
        double peer = above(o.peer), own = o.median() - io;
        // What a disturbance costs is seen in all that a packet costs.
        if (!o.calm.empty()) peer = o.calm_median(), own = o.median();
        std::printf(
            "{\"name\":\"%s\",\"value\":%.2f,\"unit\":\"cycles/packet above source+sink\","
            "\"peer\":\"%s\",\"ratio\":%.3f,\"total\":%.2f,\"mpps\":%.1f,"
            "\"core_cycles\":%.2f,\"core_clock\":%.3f,\"launches\":%zu,\"rejected\":%u}\n",
            o.name.c_str(), o.median() - io, o.peer.c_str(),
            peer > 0 && !o.peer.empty() ? own / peer : 0, o.median(),
            o.median() > 0 ? tsc_mhz() / o.median() : 0, (o.median() - io) * o.clock(), o.clock(),
            o.totals.size(), o.rejected);
    }
}

}  // namespace

// Without --case: launches every case in turn, several times over, and prints the
// median of the launches.
int main(int argc, char** argv) {
    bool list = false, huge = true;
    unsigned launches = 5;
    std::string only, filter, pass;
    for (int i = 1; i < argc; ++i) {
        const std::string a = argv[i];
        const bool more = i + 1 < argc;
        if (a == "--seconds" && more)
            seconds_each = std::stod(argv[++i]), pass += " --seconds " + std::string(argv[i]);
        if (a == "--case" && more) only = argv[++i];
        if (a == "--only" && more) filter = argv[++i];
        if (a == "--launches" && more) launches = static_cast<unsigned>(std::stoi(argv[++i]));
        if (a == "--burst" && more)
            emulated.burst = static_cast<unsigned>(std::stoi(argv[++i])),
            pass += " --burst " + std::string(argv[i]);
        if (a == "--no-huge") huge = false;
        if (a == "--list") list = true;
    }
    std::ofstream{"/proc/self/autogroup"} << "-19";
    if (!only.empty()) return run_case(only, huge);

    auto outcomes = all_outcomes();
    if (!filter.empty())
        std::erase_if(outcomes, [&](const Outcome& o) {
            return o.name != "io" && !o.name.starts_with("reference-lpm") &&
                   !o.name.starts_with("reference-sketch") && !is_among(o.name, filter);
        });
    if (list) {
        for (const auto& o : outcomes) std::puts(o.name.c_str());
        return 0;
    }
    std::optional<Hugepages> pages;
    if (huge) {
        pages.emplace(kHugepages);
        std::puts(pages->line().c_str());
        huge = pages->enough();
    }
    if (!huge) pass += " --no-huge";
    for (unsigned n = 0; n < launches; ++n)
        for (auto& o : outcomes)
            if (!launch(std::string(argv[0]) + " --case " + o.name + pass, o)) return 1;
    report(outcomes);
    return 0;
}
