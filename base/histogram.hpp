#pragma once

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>

namespace torii {

// How long things took, by classes that are known beforehand. One thread.
class LatencyHistogram {
public:
    // Upper ends, included; what took longer is in none of them.
    static constexpr std::array kBounds{
        std::chrono::microseconds{10},     std::chrono::microseconds{20},
        std::chrono::microseconds{50},     std::chrono::microseconds{100},
        std::chrono::microseconds{200},    std::chrono::microseconds{500},
        std::chrono::microseconds{1000},   std::chrono::microseconds{2000},
        std::chrono::microseconds{5000},   std::chrono::microseconds{20000},
        std::chrono::microseconds{100000}, std::chrono::microseconds{1000000}};

    void add(std::chrono::nanoseconds took) {
        const auto at = std::ranges::lower_bound(kBounds, took);
        if (at != kBounds.end()) ++counts_[static_cast<std::size_t>(at - kBounds.begin())];
        ++count_;
        sum_ += took;
    }
    std::uint64_t count() const { return count_; }
    std::chrono::nanoseconds sum() const { return sum_; }
    // How many took no longer than kBounds[i].
    std::uint64_t up_to(std::size_t i) const {
        std::uint64_t n = 0;
        for (std::size_t k = 0; k <= i; ++k) n += counts_[k];
        return n;
    }

private:
    std::array<std::uint64_t, kBounds.size()> counts_{};
    std::uint64_t count_ = 0;
    std::chrono::nanoseconds sum_{0};
};

}  // namespace torii
