#pragma once

#include <cstddef>
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

// One row of the list of events (base/event_list.hpp).
struct EventKind {
    std::string_view name;  // stable: "BGP-ADJCHANGE-UP"
    Severity severity;
    std::string_view meaning;  // what happened
    std::string_view action;   // what the operator does about it
};

// Names a row of the list. Made from a literal at compile time: a name without a
// row does not compile. A file that emits events includes base/event_list.hpp.
class EventId {
public:
    consteval EventId(const char* name);
    constexpr std::string_view name() const { return kind_->name; }
    constexpr Severity severity() const { return kind_->severity; }

private:
    const EventKind* kind_;
};

// One line of the log, one entry of the event stream. The severity is that of
// the list; fields are printed as key=value in the order given.
struct Event {
    EventId id;
    std::string text;
    std::vector<std::pair<std::string_view, std::string>> fields;
};

// Receives the events of all rooms, on the control thread.
class EventSink {
public:
    virtual ~EventSink() = default;
    virtual void emit(Event event) = 0;
};

}  // namespace torii
