// What forwarding costs while a route comes and goes, beside what it costs while it
// stays, in turns of some milliseconds each. Through the publisher, as the
// control thread does it, with a group made and taken apart each time.
#include <rte_cycles.h>
#include <unistd.h>

#include "dataplane/fib/publisher.hpp"
#include "tests/bench/forwarding_router.hpp"

namespace torii::bench {
namespace {

constexpr unsigned kFlapsASecond = 10'000;

struct Silent : EventSink {
    void emit(Event) override {}
};

class Flapping {
public:
    explicit Flapping(rte_mempool* pool) : router(pool, 1, LookupKind::Auto) {
        for (unsigned i = 0; i < 2; ++i) {
            auto* n = neighbors_.get(1, neighbor(i));
            n->state = NeighborState::Reachable;
            publisher_.neighbor_changed(
                *n, Hop::forward(Router::neighbor_mac(i), port_mac(1), 1, 1500));
        }
        rte_rcu_qsbr_thread_register(router.quiescence.state(), 0);
        rte_rcu_qsbr_thread_online(router.quiescence.state(), 0);
    }

    unsigned turn() {
        const auto n = router.turn();
        rte_rcu_qsbr_quiescent(router.quiescence.state(), 0);
        return n;
    }

    // On the control core, one at a time, so that no slice is without its share.
    void control() {
        ::usleep(50);
        const auto now = rte_rdtsc(), each = rte_get_tsc_hz() / kFlapsASecond;
        if (!flapping.load(std::memory_order_relaxed)) {
            due_ = now + each;
        } else {
            for (; due_ <= now; due_ += each) flap();
            busy_ += rte_rdtsc() - now;
        }
        publisher_.reclaim();
    }
    void report() const {
        std::printf("{\"name\":\"flaps\",\"value\":%lu,\"us_each\":%.2f}\n", flaps_,
                    flaps_ == 0 ? 0
                                : static_cast<double>(busy_) * 1e6 /
                                      static_cast<double>(rte_get_tsc_hz() * flaps_));
    }

    Router router;
    std::atomic<bool> flapping{false};

private:
    static IpAddress neighbor(unsigned i) { return IpAddress::v4(0x0a636302 + i); }

    void flap() {
        // One of the prefixes that traffic goes to.
        const Prefix prefix{IpAddress::v4(0x0a000000 + (5000u << 8)), 24};
        const auto group = static_cast<rib::GroupId>(1 + flaps_ % 2);
        rib::FibDelta gone;
        gone.prefixes.push_back({prefix, std::nullopt});
        if (flaps_ != 0) gone.removed_groups.push_back(static_cast<rib::GroupId>(3 - group));
        publisher_.apply(gone);
        rib::FibDelta back;
        back.groups.push_back({group, {{neighbor(0), 1, 1}, {neighbor(1), 1, 1}}});
        back.prefixes.push_back({prefix, rib::FibAction{rib::RouteKind::Forward, 0, group}});
        publisher_.apply(back);
        ++flaps_;
    }

    Silent events_;
    Neighbors neighbors_{router.hops, 100};
    Publisher publisher_{router.fib4,       router.fib6, router.hops, neighbors_,
                         router.quiescence, events_,     512};
    std::uint64_t due_ = 0, flaps_ = 0, busy_ = 0;
};

}  // namespace

Case flap_case(Bench& bench, std::string_view name) {
    if (name != "flap-10000") return {};
    const auto f = std::make_shared<Flapping>(bench.pool);
    for (const auto net : pod_nets()) f->router.fib4.set(net, 24, f->router.any());
    Case c{std::string(name), flows4(pod_nets()), [f] { return f->turn(); }};
    bench.ports[0]->source(c.flows, static_cast<std::uint16_t>(c.flows.front().size()));
    c.control = [f] { f->control(); };
    c.disturb = [f](bool on) { f->flapping = on; };
    c.finish = [f] { f->report(); };
    return c;
}

}  // namespace torii::bench
