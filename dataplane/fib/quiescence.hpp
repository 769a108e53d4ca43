#pragma once

#include <rte_rcu_qsbr.h>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <new>

namespace torii::dataplane {

// When is what the control thread unlinked no longer seen by any worker? Workers
// report quiescent states; the control thread asks and never waits.
class Quiescence {
public:
    explicit Quiescence(unsigned threads) {
        const std::size_t size = rte_rcu_qsbr_get_memsize(threads);
        state_ = static_cast<rte_rcu_qsbr*>(
            std::aligned_alloc(RTE_CACHE_LINE_SIZE, (size + 63) & ~std::size_t{63}));
        if (state_ == nullptr) throw std::bad_alloc{};
        rte_rcu_qsbr_init(state_, threads);
    }
    ~Quiescence() { std::free(state_); }
    Quiescence(const Quiescence&) = delete;
    Quiescence& operator=(const Quiescence&) = delete;

    rte_rcu_qsbr* state() { return state_; }

    std::uint64_t start() { return rte_rcu_qsbr_start(state_); }
    bool passed(std::uint64_t token) { return rte_rcu_qsbr_check(state_, token, false) == 1; }

private:
    rte_rcu_qsbr* state_ = nullptr;
};

}  // namespace torii::dataplane
