#include "mgmt/event_log.hpp"

#include <algorithm>

namespace torii::mgmt {

void EventLog::append(const Event& event, std::chrono::system_clock::time_point time) {
    LoggedEvent logged;
    logged.time = time;
    logged.severity = event.id.severity();
    logged.id = std::string{event.id.name()};
    logged.text = event.text;
    for (const auto& [name, value] : event.fields) logged.fields.emplace_back(name, value);
    const std::lock_guard lock{mutex_};
    logged.sequence = ++sequence_;
    events_.push_back(std::move(logged));
    if (events_.size() > capacity_) events_.pop_front();
}

std::vector<LoggedEvent> EventLog::since(std::uint64_t after, std::size_t limit) const {
    const std::lock_guard lock{mutex_};
    std::vector<LoggedEvent> out;
    if (events_.empty()) return out;
    const auto first = events_.front().sequence;
    const auto skip = after < first ? 0 : std::min<std::size_t>(after - first + 1, events_.size());
    const auto count = std::min(limit, events_.size() - skip);
    out.assign(events_.begin() + static_cast<std::ptrdiff_t>(skip),
               events_.begin() + static_cast<std::ptrdiff_t>(skip + count));
    return out;
}

std::vector<LoggedEvent> EventLog::recent(std::size_t limit, Severity least) const {
    const std::lock_guard lock{mutex_};
    std::vector<LoggedEvent> out;
    for (auto it = events_.rbegin(); it != events_.rend() && out.size() < limit; ++it)
        if (it->severity >= least) out.push_back(*it);
    std::ranges::reverse(out);
    return out;
}

std::uint64_t EventLog::last_sequence() const {
    const std::lock_guard lock{mutex_};
    return sequence_;
}

}  // namespace torii::mgmt
