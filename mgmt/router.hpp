#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "mgmt/exchange.hpp"
#include "mgmt/http.hpp"

namespace torii::mgmt {

// What handlers may use. Exists as long as the server.
struct Api {
    Views views;
    const EventLog& events;
    Post post;
};

using Handler = void (*)(const Api&, const Request&, Respond);

// One line of the API. `{name}` in a pattern takes one segment, `{name...}`
// all that is left.
struct Endpoint {
    std::string_view method;
    std::string_view pattern;
    Role least;
    Handler handler;
};

// Each *_api.cpp has such a table; router.cpp uses them all.
std::span<const Endpoint> route_endpoints();
std::span<const Endpoint> bgp_endpoints();
std::span<const Endpoint> port_endpoints();
std::span<const Endpoint> liveness_endpoints();
std::span<const Endpoint> system_endpoints();
std::span<const Endpoint> capture_endpoints();
std::span<const Endpoint> drain_endpoints();
std::span<const Endpoint> offload_endpoints();
std::span<const Endpoint> verify_endpoints();
std::span<const Endpoint> event_endpoints();
std::span<const Endpoint> config_endpoints();
std::span<const Endpoint> looking_glass_endpoints();
std::span<const Endpoint> web_endpoints();

std::vector<Endpoint> all_endpoints();

// Finds the handler and calls it; answers 404, 405, 401 and 403 itself.
void dispatch(const Api& api, Request request, Respond respond);

// Most handlers: ask a view, turn its answer into a body.
template <class T, class Write>
Done<T> reply_with(const Api& api, Respond respond, Write write) {
    return answer_on<T>(api.post, [respond = std::move(respond), write](Result<T, Problem> result) {
        respond(result ? write(*result) : problem_response(result.error()));
    });
}

// 204: done, with an empty body.
Done<Nothing> reply_done(const Api& api, Respond respond);
// A prefix that was put is there now: 201 when it is new, 200 when it replaced another.
Done<bool> reply_put(const Api& api, Respond respond, const Prefix& prefix);

// Of the path's {prefix...}: strict; the problem contains what was meant.
Result<Prefix, Problem> prefix_of(const Request& request);
Response json_response(std::string body, unsigned status = 200);
void respond_missing(const Respond& respond, std::string_view what);  // 501

}  // namespace torii::mgmt
