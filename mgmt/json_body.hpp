#pragma once

#include <string>
#include <string_view>

#include "base/result.hpp"
#include "mgmt/views.hpp"

// Bodies of requests; the only place that reads JSON in the server.
namespace torii::mgmt {

// {"via": ["192.0.2.1"], "distance": 5} or {"kind": "discard"}
Result<StaticRouteRequest, Problem> parse_static_route(std::string_view body);

// {"reason": "text"}, or no body at all
Result<std::string, Problem> parse_reason(std::string_view body);

struct DumpBody {
    bool updates = false;
    seconds time{60};  // of updates
};
// {"what": "table"} or {"what": "updates", "seconds": 60}
Result<DumpBody, Problem> parse_dump(std::string_view body);

// {"text": "...", "comment": "...", "confirm_within": 60, "save": true}; a body
// that is no JSON object is the configuration itself. The author is not in it.
Result<CommitRequest, Problem> parse_commit(std::string_view body, std::string_view content_type);

}  // namespace torii::mgmt
