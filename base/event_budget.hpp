#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

namespace torii {

// How often an event may be emitted that one cause can repeat for every route or neighbor:
// some at once, then as many in each span. One thread.
class EventBudget {
public:
    using Clock = std::chrono::steady_clock;

    explicit EventBudget(unsigned most = 10, Clock::duration span = std::chrono::seconds{10})
        : most_(most), span_(span) {}

    // How many were left out before this one; nothing: this one is left out too.
    std::optional<std::uint64_t> admit(Clock::time_point now = Clock::now()) {
        if (now - began_ >= span_) {
            began_ = now;
            emitted_ = 0;
        }
        if (emitted_ >= most_) {
            ++left_out_;
            return std::nullopt;
        }
        ++emitted_;
        const auto before = left_out_;
        left_out_ = 0;
        return before;
    }

private:
    unsigned most_;
    Clock::duration span_;
    Clock::time_point began_{};
    unsigned emitted_ = 0;
    std::uint64_t left_out_ = 0;
};

}  // namespace torii
