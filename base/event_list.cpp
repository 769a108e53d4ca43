#include "base/event_list.hpp"

#include <algorithm>

namespace torii {

const EventKind* find_event(std::string_view name) {
    const auto* found = std::ranges::find(kEvents, name, &EventKind::name);
    return found == std::end(kEvents) ? nullptr : found;
}

std::string events_document() {
    std::string out =
        "# Events\n\n"
        "Generated from the list of events (`toriid --events`); do not edit.\n\n"
        "Each event is a line of the log (`id=...`), an entry of `torii events` and of "
        "`GET /api/v1/events`.\n`torii events --explain ID` prints the row of one. Names are "
        "stable. Keys of a neighbor are written `bgp.defaults.KEY`:\nthe same key may stand in "
        "its group or in the neighbor itself.\n\n"
        "| id | severity | meaning | what to do |\n| --- | --- | --- | --- |\n";
    std::vector<const EventKind*> sorted;
    for (const auto& kind : kEvents) sorted.push_back(&kind);
    std::ranges::sort(sorted, {}, &EventKind::name);
    for (const auto* kind : sorted)
        out += "| `" + std::string{kind->name} + "` | " + std::string{to_string(kind->severity)} +
               " | " + std::string{kind->meaning} + " | " + std::string{kind->action} + " |\n";
    return out;
}

}  // namespace torii
