#include "mgmt/json_body.hpp"
#include "mgmt/router.hpp"
#include "mgmt/rows_json.hpp"

namespace torii::mgmt {
namespace {

Done<DrainState> answer(const Api& api, Respond respond) {
    return reply_with<DrainState>(api, std::move(respond),
                                  [](auto& state) { return json_response(to_json(state)); });
}

void show(const Api& api, const Request&, Respond respond) {
    if (!api.views.drain) return respond_missing(respond, "drain");
    api.views.drain->drain(answer(api, std::move(respond)));
}

void begin(const Api& api, const Request& request, Respond respond) {
    if (!api.views.drain) return respond_missing(respond, "drain");
    auto reason = parse_reason(request.body);
    if (!reason) return respond(problem_response(reason.error()));
    api.views.drain->set_drain(true, std::move(*reason), answer(api, std::move(respond)));
}

void end(const Api& api, const Request&, Respond respond) {
    if (!api.views.drain) return respond_missing(respond, "drain");
    api.views.drain->set_drain(false, "", answer(api, std::move(respond)));
}

constexpr Endpoint kEndpoints[] = {
    {"GET", "/api/v1/drain", Role::Read, show},
    {"PUT", "/api/v1/drain", Role::Operate, begin},
    {"DELETE", "/api/v1/drain", Role::Operate, end},
};

}  // namespace

std::span<const Endpoint> drain_endpoints() {
    return kEndpoints;
}

}  // namespace torii::mgmt
