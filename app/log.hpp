#pragma once

#include <memory>

#include "base/event.hpp"
#include "config/model.hpp"
#include "mgmt/event_log.hpp"

namespace spdlog {
class logger;
}

namespace torii::app {

// Where events end: one line each in the log, one entry each in the event log
// of the API. Writing happens on spdlog's own thread, which drops the oldest
// lines rather than block a thread that emits.
class Log final : public EventSink {
public:
    explicit Log(mgmt::EventLog& events) : events_(events) {}
    ~Log() override;
    Log(const Log&) = delete;
    Log& operator=(const Log&) = delete;

    // Opens the outputs that the settings name; those that cannot be opened are
    // reported on the others. May be called again with other settings.
    void configure(const config::Log& settings);
    void emit(Event event) override;

private:
    mgmt::EventLog& events_;
    config::Log settings_;
    std::shared_ptr<spdlog::logger> logger_;
};

}  // namespace torii::app
