#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace torii {

enum class Severity : std::uint8_t { Debug, Info, Notice, Warning, Error };

constexpr std::string_view to_string(Severity severity) {
    constexpr std::string_view kNames[] = {"debug", "info", "notice", "warning", "error"};
    return kNames[static_cast<std::size_t>(severity)];
}

// Something an operator may want to know: one log line, one entry of the event
// stream. `id` is stable ("BGP-ADJCHANGE-UP") and points to static storage;
// fields are printed as key=value in the order given.
struct Event {
    Severity severity = Severity::Info;
    std::string_view id;
    std::string text;
    std::vector<std::pair<std::string_view, std::string>> fields;
};

// Where the rooms report events. Called on the control thread.
class EventSink {
public:
    virtual ~EventSink() = default;
    virtual void emit(Event event) = 0;
};

}  // namespace torii
