#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <utility>
#include <vector>

#include "dataplane/fib/quiescence.hpp"

namespace torii::dataplane {

// Things the workers may still be reading. The control thread unlinks a thing,
// retires it here, and calls reclaim() when it is idle; it never waits for a
// worker, and a worker never frees.
template <class T>
class Retired {
public:
    explicit Retired(Quiescence& workers) : workers_(workers) {}

    void retire(T thing) { waiting_.push_back({workers_.start(), std::move(thing)}); }

    // Calls `release` for what no worker can see any more. Tokens only grow, so
    // the first one not yet passed ends the walk.
    template <class F>
    std::size_t reclaim(F&& release) {
        std::size_t freed = 0;
        while (!waiting_.empty() && workers_.passed(waiting_.front().token)) {
            release(std::move(waiting_.front().thing));
            waiting_.pop_front();
            ++freed;
        }
        return freed;
    }
    std::size_t reclaim() {
        return reclaim([](T&&) {});
    }

    std::size_t waiting() const { return waiting_.size(); }

private:
    struct Entry {
        std::uint64_t token;
        T thing;
    };
    Quiescence& workers_;
    std::deque<Entry> waiting_;
};

// Indices 1..limit-1 of a table that workers read; 0 is never given out.
class IndexPool {
public:
    IndexPool(std::uint32_t limit, Quiescence& workers) : limit_(limit), retired_(workers) {}

    // 0: none left.
    std::uint32_t take() {
        if (free_.empty()) reclaim();
        if (!free_.empty()) {
            const auto index = free_.back();
            free_.pop_back();
            ++used_;
            return index;
        }
        if (next_ >= limit_) return 0;
        ++used_;
        return next_++;
    }
    void retire(std::uint32_t index) {
        --used_;
        retired_.retire(index);
    }
    void reclaim() {
        retired_.reclaim([this](std::uint32_t index) { free_.push_back(index); });
    }
    // True when take() would succeed n times.
    bool has(std::uint32_t n) {
        if (free_.size() + (limit_ - next_) < n) reclaim();
        return free_.size() + (limit_ - next_) >= n;
    }

    std::uint32_t used() const { return used_; }
    std::uint32_t limit() const { return limit_ - 1; }
    std::uint32_t highest() const { return next_ - 1; }  // that was ever given out

private:
    std::uint32_t limit_;
    std::uint32_t next_ = 1;
    std::uint32_t used_ = 0;
    std::vector<std::uint32_t> free_;
    Retired<std::uint32_t> retired_;
};

}  // namespace torii::dataplane
