#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "base/clock.hpp"
#include "base/loop.hpp"

namespace torii::bgp {

// Something with deadlines. They may move later without a notification: the
// timers ask again when the old one has passed.
class Timed {
public:
    virtual ~Timed() = default;
    // Does what is due and answers when to come back, nothing for "not again".
    virtual std::optional<Clock::TimePoint> on_time(Clock::TimePoint now) = 0;

private:
    friend class Timers;
    Clock::TimePoint scheduled_ = Clock::TimePoint::max();
};

// One system timer and one heap for all sessions. Re-arming a hold timer costs
// a store into the session and nothing here. What is gone leaves its appointments behind; they
// are cleared away before they are as many as the others.
class Timers {
public:
    using TimePoint = Clock::TimePoint;
    Timers(Loop& loop, const Clock& clock) : clock_(clock), timer_(loop) {}

    TimePoint now() const { return clock_.now(); }
    // Calls on_time() at `when` at the latest.
    void schedule(const std::shared_ptr<Timed>& who, TimePoint when);
    void run_due();
    void stop();
    std::size_t appointments() const { return queue_.size(); }

private:
    struct Entry {
        TimePoint when;
        std::weak_ptr<Timed> who;
        bool operator<(const Entry& other) const { return when > other.when; }
    };
    void push(Entry entry);
    void pop();
    void clear_away();
    void arm();

    const Clock& clock_;
    Timer timer_;
    TimePoint armed_ = TimePoint::max();
    std::vector<Entry> queue_;  // a heap
    std::size_t cleared_at_ = 512;
    bool stopped_ = false;
};

}  // namespace torii::bgp
