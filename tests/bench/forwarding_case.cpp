#include <rte_cycles.h>
#include <sys/resource.h>
#include <sys/time.h>

#include <algorithm>

#include "tests/bench/forwarding_case.hpp"
#include "tests/bench/frames.hpp"

namespace torii::bench {
namespace {

constexpr std::uint64_t kSlice = 20'000;  // packets of one timing
constexpr unsigned kTurn = 50;            // slices with, then as many without a disturbance

double quantile_of(std::vector<double>& values, double quantile) {
    if (values.empty()) return 0;
    const auto k = static_cast<long>(static_cast<double>(values.size() - 1) * quantile);
    std::ranges::nth_element(values, values.begin() + k);
    return values[static_cast<std::size_t>(k)];
}

// Products of which each waits for the one before it take three cycles of the core each, on
// every x86 of these days.
double core_clock() {
    constexpr unsigned kProducts = 10'000;
    std::uint64_t x = 3;
    const auto begin = rte_rdtsc_precise();
    for (unsigned i = 0; i < kProducts / 10; ++i)
        for (unsigned k = 0; k < 10; ++k) {
            x *= x;
            asm volatile("" : "+r"(x));
        }
    return 3.0 * kProducts / static_cast<double>(rte_rdtsc_precise() - begin);
}

}  // namespace

double Case::at(double quantile) {
    return quantile_of(cycles, quantile);
}
double Case::calm_median() {
    return quantile_of(calm, 0.5);
}

void measure(Bench& bench, Case& c, unsigned slices) {
    bench.ports[0]->source(c.flows, static_cast<std::uint16_t>(c.flows.front().size()));
    for (std::uint64_t warm = 0; warm < 3 * kFlows;) warm += c.turn();
    std::vector<double> clocks;
    for (unsigned i = 0; i < slices; ++i) {
        if (i % 20 == 0) clocks.push_back(core_clock());
        const bool calm = c.disturb && i / kTurn % 2 == 0;
        if (c.disturb && i % kTurn == 0) c.disturb(!calm);
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
            (calm ? c.calm : c.cycles)
                .push_back(static_cast<double>(spent) / static_cast<double>(packets));
    }
    c.core_clock = quantile_of(clocks, 0.5);
}

std::vector<EmulatedPort::Template> flows4(const std::vector<std::uint32_t>& nets, bool zipf) {
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

std::vector<std::uint32_t> pod_nets() {
    std::vector<std::uint32_t> nets;
    for (unsigned i = 0; i < 10'240; ++i) nets.push_back(0x0a000000 + (i << 8));
    return nets;
}

}  // namespace torii::bench
