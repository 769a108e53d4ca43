#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "base/event.hpp"

namespace torii::mgmt {

struct LoggedEvent {
    std::uint64_t sequence = 0;  // 1, 2, 3, ...
    std::chrono::system_clock::time_point time;
    Severity severity = Severity::Info;
    std::string id;
    std::string text;
    std::vector<std::pair<std::string, std::string>> fields;
};

// The last events, for the API. app feeds it from its event sink, the server
// reads it. Any thread may call anything; the lock is held for the copy of one
// event, or of one page, and never while code of another class runs.
class EventLog {
public:
    explicit EventLog(std::size_t capacity = 4096) : capacity_(capacity) {}

    void append(const Event& event, std::chrono::system_clock::time_point time);

    // Up to `limit` events with a sequence above `after`, oldest first.
    std::vector<LoggedEvent> since(std::uint64_t after, std::size_t limit) const;
    // The last `limit` events at or above `least`, oldest first.
    std::vector<LoggedEvent> recent(std::size_t limit, Severity least = Severity::Debug) const;
    std::uint64_t last_sequence() const;

private:
    mutable std::mutex mutex_;
    std::deque<LoggedEvent> events_;
    std::size_t capacity_;
    std::uint64_t sequence_ = 0;
};

}  // namespace torii::mgmt
