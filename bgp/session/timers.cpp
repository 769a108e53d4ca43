#include "bgp/session/timers.hpp"

#include <algorithm>

namespace torii::bgp {

namespace {
// Thousands may be due at once; what came meanwhile has its turn in between.
constexpr std::chrono::milliseconds kTurn{2};
}  // namespace

void Timers::schedule(const std::shared_ptr<Timed>& who, TimePoint when) {
    if (when >= who->scheduled_) return;
    who->scheduled_ = when;
    if (queue_.size() >= 2 * cleared_at_) clear_away();
    push({when, who});
    arm();
}

void Timers::push(Entry entry) {
    queue_.push_back(std::move(entry));
    std::push_heap(queue_.begin(), queue_.end());
}

void Timers::pop() {
    std::pop_heap(queue_.begin(), queue_.end());
    queue_.pop_back();
}

// The memory of what was made with its counts is free only when no entry speaks of it.
void Timers::clear_away() {
    std::erase_if(queue_, [](const Entry& entry) {
        const auto who = entry.who.lock();
        return !who || who->scheduled_ != entry.when;
    });
    std::make_heap(queue_.begin(), queue_.end());
    cleared_at_ = std::max<std::size_t>(queue_.size(), 512);
}

void Timers::run_due() {
    const auto now = clock_.now();
    const auto end = std::chrono::steady_clock::now() + kTurn;
    while (!queue_.empty() && queue_.front().when <= now) {
        const auto entry = queue_.front();
        pop();
        const auto who = entry.who.lock();
        // An earlier appointment was made since; that one is in the queue too.
        if (!who || who->scheduled_ != entry.when) continue;
        who->scheduled_ = TimePoint::max();
        if (const auto again = who->on_time(now))
            schedule(who, std::max(*again, now + std::chrono::milliseconds{1}));
        if (std::chrono::steady_clock::now() >= end) break;
    }
    armed_ = TimePoint::max();
    arm();
}

void Timers::stop() {
    stopped_ = true;
    timer_.cancel();
}

void Timers::arm() {
    if (stopped_ || queue_.empty() || queue_.front().when >= armed_) return;
    armed_ = queue_.front().when;
    timer_.start(std::max(armed_ - clock_.now(), Clock::TimePoint::duration::zero()),
                 [this] { run_due(); });
}

}  // namespace torii::bgp
