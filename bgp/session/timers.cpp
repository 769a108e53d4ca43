#include "bgp/session/timers.hpp"

#include <algorithm>

namespace torii::bgp {

void Timers::schedule(const std::shared_ptr<Timed>& who, TimePoint when) {
    if (when >= who->scheduled_) return;
    who->scheduled_ = when;
    queue_.push({when, who});
    arm();
}

void Timers::run_due() {
    const auto now = clock_.now();
    while (!queue_.empty() && queue_.top().when <= now) {
        const auto entry = queue_.top();
        queue_.pop();
        const auto who = entry.who.lock();
        // An earlier appointment was made since; that one is in the queue too.
        if (!who || who->scheduled_ != entry.when) continue;
        who->scheduled_ = TimePoint::max();
        if (const auto again = who->on_time(now))
            schedule(who, std::max(*again, now + std::chrono::milliseconds{1}));
    }
    armed_ = TimePoint::max();
    arm();
}

void Timers::stop() {
    stopped_ = true;
    timer_.cancel();
}

void Timers::arm() {
    if (stopped_ || queue_.empty() || queue_.top().when >= armed_) return;
    armed_ = queue_.top().when;
    timer_.start(std::max(armed_ - clock_.now(), Clock::TimePoint::duration::zero()),
                 [this] { run_due(); });
}

}  // namespace torii::bgp
