#include <charconv>
#include <memory>

#include "mgmt/event_stream.hpp"
#include "mgmt/router.hpp"
#include "mgmt/rows_json.hpp"

namespace torii::mgmt {
namespace {

bool number(const std::string* text, std::uint64_t& out) {
    if (!text) return true;
    const auto [rest, error] = std::from_chars(text->data(), text->data() + text->size(), out);
    return error == std::errc{} && rest == text->data() + text->size();
}

// The least severity asked for. Nothing: the refusal has been sent.
std::optional<Severity> least_of(const Request& request, const Respond& respond) {
    const auto* text = request.asked("severity");
    if (!text) return Severity::Debug;
    for (const auto s :
         {Severity::Debug, Severity::Info, Severity::Notice, Severity::Warning, Severity::Error})
        if (to_string(s) == *text) return s;
    respond(problem_response(bad_request("severity: one of debug, info, notice, warning, error")));
    return std::nullopt;
}

// Up to `limit` events behind `after`, at or above `least`.
std::vector<LoggedEvent> since(const EventLog& events, std::uint64_t after, std::size_t limit,
                               Severity least) {
    std::vector<LoggedEvent> out;
    for (;;) {
        auto some = events.since(after, limit);
        if (some.empty()) return out;
        after = some.back().sequence;
        for (auto& event : some)
            if (event.severity >= least && out.size() < limit) out.push_back(std::move(event));
        if (out.size() >= limit) return out;
    }
}

// Server-sent events (WHATWG HTML §9.2): each with its sequence as id, so that
// a browser that reconnects sends where it was.
void follow(const Api& api, const Request& request, Severity least, Respond respond) {
    std::uint64_t after = api.events.last_sequence();
    const auto* last = request.header("last-event-id");
    if (!number(last ? last : request.asked("after"), after))
        return respond(problem_response(bad_request("after: a sequence number")));
    Response response;
    response.content_type = "text/event-stream";
    response.headers.emplace_back("Cache-Control", "no-store");
    response.pieces = event_pieces(api.events, after, least);
    respond(std::move(response));
}

void list_events(const Api& api, const Request& request, Respond respond) {
    const auto* accept = request.header("accept");
    const auto least = least_of(request, respond);
    if (!least) return;
    if (accept && accept->find("text/event-stream") != std::string::npos)
        return follow(api, request, *least, std::move(respond));
    std::uint64_t limit = 100, after = 0;
    if (!number(request.asked("limit"), limit) || limit == 0 || limit > 1000)
        return respond(problem_response(bad_request("limit: a number from 1 to 1000")));
    if (!number(request.asked("after"), after))
        return respond(problem_response(bad_request("after: a sequence number")));
    const auto events = request.asked("after") ? since(api.events, after, limit, *least)
                                               : api.events.recent(limit, *least);
    respond(json_response(list_to_json("events", events)));
}

constexpr Endpoint kEndpoints[] = {
    {"GET", "/api/v1/events", Role::Read, list_events},
};

}  // namespace

Pieces event_pieces(const EventLog& events, std::uint64_t after, Severity least) {
    struct State {
        std::uint64_t after;
        bool greeted = false;
    };
    auto state = std::make_shared<State>(State{after, false});
    return [&events, state, least](std::function<void(std::optional<std::string>)> next) {
        std::string out;
        if (!state->greeted) out = ": torii\nretry: 2000\n\n";
        state->greeted = true;
        for (const auto& event : events.since(state->after, 100)) {
            state->after = event.sequence;
            if (event.severity < least) continue;
            out += "id: " + std::to_string(event.sequence) + "\ndata: " + to_json(event) + "\n\n";
        }
        // An empty piece: nothing yet, ask again.
        next(std::move(out));
    };
}

std::span<const Endpoint> event_endpoints() {
    return kEndpoints;
}

}  // namespace torii::mgmt
