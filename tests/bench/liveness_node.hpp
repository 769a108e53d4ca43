#pragma once

#include <rte_cycles.h>
#include <rte_ring.h>

#include <cstdio>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "dataplane/fast/isa.hpp"
#include "dataplane/fib/fib4.hpp"
#include "dataplane/fib/fib6.hpp"
#include "dataplane/liveness/detector.hpp"
#include "dataplane/liveness/frames.hpp"
#include "dataplane/loop.hpp"
#include "dataplane/slow/slow_path.hpp"
#include "dataplane/worker/transmit.hpp"
#include "tests/bench/frames.hpp"

namespace torii::bench {

using namespace dataplane::liveness;

inline constexpr IpAddress kUs = IpAddress::v4(0x0a0a0001);

inline IpAddress neighbor_of(std::uint32_t slot) {
    return IpAddress::v4(0x0a0a0100 + slot);
}

// What a figure must hold. A line of figures ends by saying so, and whether it does.
struct Bar {
    enum class Must : std::uint8_t { BeAtMost, BeAtLeast };
    const char* figure;
    double value;
    Must must;
    double limit;

    bool holds() const { return must == Must::BeAtMost ? value <= limit : value >= limit; }
    std::string text() const {
        char out[96];
        std::snprintf(out, sizeof out, "%s %s %g", figure,
                      must == Must::BeAtMost ? "<=" : ">=", limit);
        return out;
    }
};
inline Bar at_most(const char* figure, double value, double limit) {
    return {figure, value, Bar::Must::BeAtMost, limit};
}
inline Bar at_least(const char* figure, double value, double limit) {
    return {figure, value, Bar::Must::BeAtLeast, limit};
}
inline bool end_line(const char* name, std::initializer_list<Bar> bars) {
    std::string texts;
    bool good = true;
    for (const auto& bar : bars) {
        texts += (texts.empty() ? "\"" : ",\"") + bar.text() + "\"";
        if (bar.holds()) continue;
        good = false;
        std::fprintf(stderr, "%s: missed: %s (is %g)\n", name, bar.text().c_str(), bar.value);
    }
    std::printf(",\"bars\":[%s],\"good\":%s}\n", texts.c_str(), good ? "true" : "false");
    return good;
}

// One worker and its sessions. Port 0 is where packets come from, port 1 leads to the
// neighbors, port 2 elsewhere.
struct Node {
    Quiescence quiescence{1};
    Fib4 fib4{100'000, 1'000, quiescence};
    Fib6 fib6{1'000, 1'000, quiescence};
    HopTable hops{65'536, quiescence};
    Tables tables;
    OwnFilter own;
    Doorbell bell;
    PortState states[3];
    Roster roster{65'535};
    std::unique_ptr<Worker> worker = std::make_unique<Worker>(0, 65'536);
    rte_ring *orders, *reports;
    std::unique_ptr<Detector> detector;
    std::vector<std::unique_ptr<Session>> sessions;
    std::vector<std::unique_ptr<Plan>> plans;
    std::unique_ptr<Directory> directory;
    std::vector<ReceiveQueue> queues{{0, 0, 0}, {1, 1, 0}};
    MicroClock clock{rte_get_tsc_hz()};

    explicit Node(rte_mempool* pool) {
        tables.fib4 = fib4.view();
        tables.fib6 = fib6.view();
        tables.hops = hops.data();
        own.add(kUs.v4());
        tables.own = &own;
        for (unsigned p = 0; p < 3; ++p) {
            states[p].mac = port_mac(p);
            std::memcpy(&states[p].mac_bits, states[p].mac.bytes.data(), 6);
            states[p].device = static_cast<std::uint16_t>(p);
            states[p].addresses = {{kUs, 16}};
            tables.ports[p] = &states[p];
        }
        states[0].software_checksum = false;
        worker->tables = &tables;
        worker->forward = choose_isa(LookupKind::Auto).forward;
        worker->send_routed = send_routed;
        worker->pool = pool;
        worker->port_count = 3;
        bell.asleep = false;
        worker->control = worker->exception = &bell;
        worker->inject = rte_ring_create("inject", 64, 0, 0);
        orders = rte_ring_create("orders", 131'072, 0, 0);
        reports = rte_ring_create("reports", 131'072, 0, 0);
        fib4.set(kUs.v4(), 32, HopTable::kLocal);
        detector = std::make_unique<Detector>(roster, rte_get_tsc_hz(), 1, orders, reports);
        worker->liveness = detector.get();
        worker->now = rte_rdtsc();
    }

    // Neighbors on port 1.
    void watch(std::uint32_t neighbors, std::uint32_t interval, bool by_bfd) {
        std::vector<Session*> all;
        for (std::uint32_t i = 0; i < neighbors; ++i) {
            auto& session = sessions.emplace_back(
                std::make_unique<Session>(i, 0x10000 | i, 42 + i, 1, neighbor_of(i), 0));
            auto& plan = plans.emplace_back(std::make_unique<Plan>());
            plan->watch = {by_bfd ? Detect::Off : Detect::Echo, interval, 3};
            plan->port = 1;
            const Wire wire{{{2, 9, 0, 0, 0, 1}}, port_mac(1), neighbor_of(i), kUs};
            plan->echo = echo_frame(wire, *session, plan->watch);
            plan->control = control_headers(wire, bfd::kSourcePort, bfd::kControlPort);
            plan->bfd = by_bfd;
            plan->bfd_settings.desired_min_tx = plan->bfd_settings.required_min_rx = interval;
            session->wanted = plan.get();
            roster.by_slot[i] = session.get();
            all.push_back(session.get());
            rte_ring_enqueue(orders, session.get());
        }
        directory = std::make_unique<Directory>(all);
        roster.directory = directory.get();
    }

    // As the worker's loop has it.
    unsigned loop() {
        worker->now = rte_rdtsc();
        const auto seen = turn(*worker, queues);
        if (worker->now >= worker->liveness_due) detector->turn(*worker);
        flush_from(*worker, 1);
        return seen;
    }
    void run(double seconds) {
        const auto end = rte_rdtsc() + static_cast<std::uint64_t>(seconds * rte_get_tsc_hz());
        while (rte_rdtsc() < end) loop();
    }
    bool is_up(const Session& s, bool by_bfd) const {
        const auto status = s.read();
        return by_bfd ? status.bfd == bfd::State::Up : status.watch == Watch::State::Up;
    }
    std::size_t up(bool by_bfd) const {
        return static_cast<std::size_t>(
            std::ranges::count_if(sessions, [&](const auto& s) { return is_up(*s, by_bfd); }));
    }
    void settle(bool by_bfd) {
        for (int i = 0; i < 100 && up(by_bfd) != sessions.size(); ++i) run(0.1);
    }
};

// One death among a hundred nodes with ten thousand addresses. The addresses share one
// group of all nodes, or have a group of so many members each, the worst case.
// The groups of all addresses: one that they share, one each, or of one node alone with
// another as its backup.
enum class Spread : std::uint8_t { OneGroup, OneEach, Backups };
bool prune(rte_mempool* pool, std::uint32_t members, Spread spread);

}  // namespace torii::bench
