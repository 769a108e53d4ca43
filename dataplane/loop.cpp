#include "dataplane/loop.hpp"

#include <rte_cycles.h>
#include <rte_ethdev.h>
#include <rte_pause.h>
#include <rte_ring.h>
#include <sys/prctl.h>
#include <time.h>

#include "dataplane/liveness/detector.hpp"
#include "dataplane/slow/slow_path.hpp"
#include "dataplane/worker/ring.hpp"
#include "dataplane/worker/transmit.hpp"
#include "dataplane/worker/vlan.hpp"

namespace torii::dataplane {
namespace {

constexpr unsigned kInjectBurst = 32;

// Buckets measure time in ticks of about a quarter of a second.
std::uint32_t epoch_of(std::uint64_t tsc, std::uint64_t hz) {
    return static_cast<std::uint32_t>(tsc / (hz / 4)) + 1;
}

// How long an idle worker may sleep: at first hardly, so that a conversation is
// not slowed; after a tenth of a second of silence enough to leave the core alone, and never so
// long that a queue of a fast port fills meanwhile.
class Backoff {
public:
    Backoff(std::uint64_t hz, const std::atomic<std::uint32_t>& most) : hz_(hz), most_(most) {}
    void worked(std::uint64_t now) { last_ = now; }
    // Nanoseconds; 0: spin.
    long nap(std::uint64_t now) const {
        const auto idle = now - last_;
        if (idle < hz_ / 50'000) return 0;
        const long wanted = idle < hz_ / 10 ? 20'000 : 200'000;
        const long most = most_.load(std::memory_order_relaxed);
        // What a wake-up takes by itself.
        constexpr long kWakeUp = 5'000;
        return wanted < most ? wanted : most <= kWakeUp ? 0 : most - kWakeUp;
    }

private:
    std::uint64_t hz_;
    const std::atomic<std::uint32_t>& most_;
    std::uint64_t last_ = 0;
};

}  // namespace

unsigned turn(Worker& w, const std::vector<ReceiveQueue>& queues) {
    rte_mbuf* packets[kBurst];
    unsigned seen = 0;
    for (const auto& q : queues) {
        const unsigned n = rte_eth_rx_burst(q.device, q.queue, packets, kBurst);
        if (n == 0) continue;
        seen += n;
        const auto* port = w.tables->ports[q.port].load(std::memory_order_acquire);
        if (__builtin_expect(port != nullptr, 1))
            forward(w, q.port, *port, packets, n);
        else
            rte_pktmbuf_free_bulk(packets, n);
        flush_from(w, kFlushAt);
    }
    if (__builtin_expect(!ring_is_empty(w.inject), 0)) {
        const unsigned n = ring_take(w.inject, packets, kInjectBurst);
        for (unsigned i = 0; i < n; ++i) injected(w, packets[i]);
        seen += n;
    }
    return seen;
}

void run(Worker& w) {
    ::prctl(PR_SET_TIMERSLACK, 1000UL);
    const auto hz = rte_get_tsc_hz();
    Backoff backoff{hz, w.most_nap};
    rte_rcu_qsbr_thread_register(w.quiescence, w.id);
    rte_rcu_qsbr_thread_online(w.quiescence, w.id);
    std::uint64_t loops = 0, busy = 0, last = rte_rdtsc();
    const auto begin = last;
    bool waiting = false;
    while (!w.stop.load(std::memory_order_relaxed)) {
        w.now = last;
        const auto& queues = *w.queues.load(std::memory_order_acquire);
        const unsigned seen = turn(w, queues);
        ++loops;
        if (seen != 0) waiting = true;
        // After what came in, so that no answer that is here already counts as missing.
        if (w.liveness != nullptr && last >= w.liveness_due) waiting |= w.liveness->turn(w);
        if (waiting) {
            if (seen < kBurst / 2)
                waiting = flush_from(w, 1);
            else
                flush_in_turn(w, loops);
        }
        rte_rcu_qsbr_quiescent(w.quiescence, w.id);

        const auto now = rte_rdtsc();
        if (seen != 0) {
            busy += now - last;
            backoff.worked(now);
        }
        last = now;
        if (seen == 0 || loops % 64 == 0) {
            w.epoch = epoch_of(now, hz);
            w.loops.store(loops, std::memory_order_relaxed);
            w.busy_cycles.store(busy, std::memory_order_relaxed);
            w.total_cycles.store(now - begin, std::memory_order_relaxed);
        }
        if (seen != 0 || w.busy_poll) continue;
        const long nap = backoff.nap(now);
        if (nap == 0) {
            rte_pause();
            continue;
        }
        rte_rcu_qsbr_thread_offline(w.quiescence, w.id);
        const timespec span{0, nap};
        ::nanosleep(&span, nullptr);
        rte_rcu_qsbr_thread_online(w.quiescence, w.id);
        last = rte_rdtsc();
    }
    flush_from(w, 1);
    rte_rcu_qsbr_thread_offline(w.quiescence, w.id);
    rte_rcu_qsbr_thread_unregister(w.quiescence, w.id);
}

}  // namespace torii::dataplane
