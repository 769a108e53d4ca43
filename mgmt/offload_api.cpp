#include "mgmt/router.hpp"
#include "mgmt/rows_json.hpp"

namespace torii::mgmt {
namespace {

void write(JsonWriter& json, const FlowRuleRow& row) {
    json.object();
    json.member("intent", row.intent)
        .member("match", row.match)
        .member("action", row.action)
        .member("place", row.hardware ? "hardware" : "software")
        .member_if("reason", row.reason)
        .member_if("rule", row.rule)
        .member("packets", row.packets);
    json.end_object();
}

void write(JsonWriter& json, const PortOffloadRow& row) {
    json.object();
    json.member("port", row.port)
        .member("driver", row.driver)
        .member("rte_flow", row.rte_flow)
        .member_if("reason", row.reason)
        .member("urgent_queue", row.urgent_queue)
        .member("control_queue", row.control_queue)
        .member("dropped_by_workers", row.dropped);
    json.key("rules").array();
    for (const auto& rule : row.rules) write(json, rule);
    json.end_array();
    json.end_object();
}

void show_offload(const Api& api, const Request&, Respond respond) {
    if (!api.views.offload) return respond_missing(respond, "offload");
    api.views.offload->offload(
        reply_with<OffloadReport>(api, std::move(respond), [](const OffloadReport& report) {
            std::string body;
            JsonWriter json{body};
            json.object().key("ports").array();
            for (const auto& port : report.ports) write(json, port);
            json.end_array().key("drop_sources").array();
            for (const auto& source : report.drop_sources) json.value(source);
            json.end_array().end_object();
            return json_response(std::move(body));
        }));
}

void put_drop_source(const Api& api, const Request& request, Respond respond) {
    if (!api.views.offload) return respond_missing(respond, "offload");
    const auto prefix = prefix_of(request);
    if (!prefix) return respond(problem_response(prefix.error()));
    api.views.offload->put_drop_source(*prefix, reply_put(api, std::move(respond), *prefix));
}

void delete_drop_source(const Api& api, const Request& request, Respond respond) {
    if (!api.views.offload) return respond_missing(respond, "offload");
    const auto prefix = prefix_of(request);
    if (!prefix) return respond(problem_response(prefix.error()));
    api.views.offload->erase_drop_source(*prefix, reply_done(api, std::move(respond)));
}

constexpr Endpoint kEndpoints[] = {
    {"GET", "/api/v1/offload", Role::Read, show_offload},
    {"PUT", "/api/v1/drop-sources/{prefix...}", Role::Operate, put_drop_source},
    {"DELETE", "/api/v1/drop-sources/{prefix...}", Role::Operate, delete_drop_source},
};

}  // namespace

std::span<const Endpoint> offload_endpoints() {
    return kEndpoints;
}

}  // namespace torii::mgmt
