#pragma once

#include <chrono>

namespace torii {

// Monotonic time as a dependency, so that tests turn the hands themselves.
class Clock {
public:
    using TimePoint = std::chrono::steady_clock::time_point;
    virtual ~Clock() = default;
    virtual TimePoint now() const = 0;
};

class SteadyClock final : public Clock {
public:
    TimePoint now() const override { return std::chrono::steady_clock::now(); }
};

class ManualClock final : public Clock {
public:
    TimePoint now() const override { return now_; }
    void advance(std::chrono::steady_clock::duration by) { now_ += by; }

private:
    TimePoint now_{std::chrono::hours{1}};
};

}  // namespace torii
