#include "tests/threads/world.hpp"

#include <rte_mempool.h>

#include <cstdlib>
#include <mutex>

#include "tests/support/test_eal.hpp"

namespace torii::threads {
namespace {

// ---- a mempool's free list behind a lock

struct FreeList {
    std::mutex mutex;
    std::vector<void*> buffers;
};

int make_free_list(rte_mempool* pool) {
    pool->pool_data = new FreeList;
    return 0;
}
void drop_free_list(rte_mempool* pool) {
    delete static_cast<FreeList*>(pool->pool_data);
}
int give(rte_mempool* pool, void* const* buffers, unsigned n) {
    auto& list = *static_cast<FreeList*>(pool->pool_data);
    const std::lock_guard lock{list.mutex};
    list.buffers.insert(list.buffers.end(), buffers, buffers + n);
    return 0;
}
int take(rte_mempool* pool, void** buffers, unsigned n) {
    auto& list = *static_cast<FreeList*>(pool->pool_data);
    const std::lock_guard lock{list.mutex};
    if (list.buffers.size() < n) return -ENOBUFS;
    for (unsigned i = 0; i < n; ++i) {
        buffers[i] = list.buffers.back();
        list.buffers.pop_back();
    }
    return 0;
}
unsigned count(const rte_mempool* pool) {
    auto& list = *static_cast<FreeList*>(pool->pool_data);
    const std::lock_guard lock{list.mutex};
    return static_cast<unsigned>(list.buffers.size());
}

}  // namespace

void start_eal() {
    static const bool started = [] {
        support::start_test_eal("torii-threads");
        rte_mempool_ops ops{};
        std::snprintf(ops.name, sizeof ops.name, "locked");
        ops.alloc = make_free_list;
        ops.free = drop_free_list;
        ops.enqueue = give;
        ops.dequeue = take;
        ops.get_count = count;
        if (rte_mempool_register_ops(&ops) < 0) std::abort();
        return true;
    }();
    static_cast<void>(started);
}

rte_mempool* make_pool(unsigned buffers) {
    start_eal();
    static unsigned pools = 0;
    const auto name = "pool" + std::to_string(pools++);
    auto* pool = rte_pktmbuf_pool_create_by_ops(name.c_str(), buffers, 0, 64, 2176, 0, "locked");
    if (pool == nullptr) std::abort();
    return pool;
}

RingPtr make_ring(const std::string& name, unsigned size, bool many_producers) {
    start_eal();
    const unsigned flags = (many_producers ? 0 : RING_F_SP_ENQ) | RING_F_SC_DEQ;
    RingPtr ring{rte_ring_create(name.c_str(), size, 0, flags)};
    if (ring == nullptr) std::abort();
    return ring;
}

Readers::Readers(dataplane::Quiescence& quiescence, unsigned threads, Turn turn) : turns_(threads) {
    for (unsigned id = 0; id < threads; ++id)
        threads_.emplace_back([this, id, turn, state = quiescence.state()] {
            rte_rcu_qsbr_thread_register(state, id);
            rte_rcu_qsbr_thread_online(state, id);
            while (!stop_.load(std::memory_order_relaxed)) {
                turn(id);
                turns_[id].made.fetch_add(1, std::memory_order_relaxed);
                rte_rcu_qsbr_quiescent(state, id);
                // As an idle worker, now and then: offline while it sleeps.
                if (turns_[id].made.load(std::memory_order_relaxed) % 64 != 0) continue;
                rte_rcu_qsbr_thread_offline(state, id);
                std::this_thread::yield();
                rte_rcu_qsbr_thread_online(state, id);
            }
            rte_rcu_qsbr_thread_offline(state, id);
            rte_rcu_qsbr_thread_unregister(state, id);
        });
    let_pass(1);
}

void Readers::stop() {
    stop_.store(true, std::memory_order_relaxed);
    for (auto& thread : threads_)
        if (thread.joinable()) thread.join();
}

void Readers::let_pass(std::uint64_t turns) const {
    for (const auto& t : turns_) {
        const auto goal = t.made.load(std::memory_order_relaxed) + turns;
        while (t.made.load(std::memory_order_relaxed) < goal) std::this_thread::yield();
    }
}

}  // namespace torii::threads
