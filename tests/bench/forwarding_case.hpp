#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "dataplane/worker/worker.hpp"
#include "tests/support/emulated_port.hpp"

namespace torii::bench {

using namespace dataplane;
using support::EmulatedPort;

inline constexpr unsigned kFlows = 16'384, kAdjacencies = 64, kOutPorts = 4;

// One thing to measure, in a process of its own: buffers that an earlier case left
// scattered over the pool would make the next one slower.
struct Case {
    std::string name = {};
    std::vector<EmulatedPort::Template> flows = {};
    std::function<unsigned()> turn = {};     // the number of packets moved
    std::function<void()> control = {};      // on the other core, again and again; it sleeps
    std::function<void()> finish = {};       // after the last slice
    std::function<void(bool)> disturb = {};  // whether the next slices are to be disturbed
    std::vector<double> cycles = {};         // of each slice
    std::vector<double> calm = {};           // the same undisturbed, in turns with the others
    unsigned rejected = 0;
    double core_clock = 0;  // cycles of the core in one of the TSC, meanwhile

    double at(double quantile);
    double calm_median();
};

// What a case runs on: port 0 receives, the others send.
struct Bench {
    rte_mempool* pool = nullptr;
    std::vector<std::unique_ptr<EmulatedPort>> ports;
    unsigned burst = kBurst;
};

// Slices during which the kernel took the core from us are thrown away.
void measure(Bench& bench, Case& c, unsigned slices);

// What the other core has to do meanwhile, if anything; set by the worker.
inline std::atomic<const std::function<void()>*> control_work{nullptr};

// The case of that name, or one without a turn. Runs on the measuring lcore, whose
// memory it then is.
Case io_case(Bench& bench, std::string_view name);
Case reference_case(Bench& bench, std::string_view name);
Case torii_case(Bench& bench, std::string_view name);
Case flap_case(Bench& bench, std::string_view name);  // "flap-10000"
std::vector<std::string> torii_cases();

// Destinations within these /24s.
std::vector<EmulatedPort::Template> flows4(const std::vector<std::uint32_t>& nets,
                                           bool zipf = false);
// 10,240 of them, one behind the other.
std::vector<std::uint32_t> pod_nets();

}  // namespace torii::bench
