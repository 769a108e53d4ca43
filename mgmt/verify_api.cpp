#include "mgmt/router.hpp"
#include "mgmt/rows_json.hpp"

namespace torii::mgmt {
namespace {

std::string to_json(const ProofReport& report) {
    std::string body;
    JsonWriter json{body};
    json.object()
        .member("prefixes", report.prefixes)
        .member("groups", report.groups)
        .member("neighbors", report.neighbors)
        .member("fault_count", report.fault_count)
        .member("healed", report.healed)
        .member("seconds", report.seconds);
    json.key("faults").array();
    for (const auto& fault : report.faults)
        json.object()
            .member("kind", fault.kind)
            .member("where", fault.where)
            .member("wanted", fault.wanted)
            .member("found", fault.found)
            .end_object();
    json.end_array().end_object();
    return body;
}

void verify(const Api& api, const Request&, Respond respond) {
    if (!api.views.verify) return respond_missing(respond, "verify");
    api.views.verify->verify(reply_with<ProofReport>(
        api, std::move(respond),
        [](const ProofReport& report) { return json_response(to_json(report)); }));
}

constexpr Endpoint kEndpoints[] = {
    {"POST", "/api/v1/verify", Role::Operate, verify},
};

}  // namespace

std::span<const Endpoint> verify_endpoints() {
    return kEndpoints;
}

}  // namespace torii::mgmt
