#include "mgmt/embedded.hpp"
#include "mgmt/metrics_text.hpp"
#include "mgmt/router.hpp"
#include "mgmt/rows_json.hpp"

namespace torii::mgmt {
namespace {

void counters(const Api& api, const Request& request, Respond respond) {
    if (!api.views.metrics) return respond_missing(respond, "counters");
    std::string prefix;
    if (const auto* name = request.asked("name")) prefix = *name;
    api.views.metrics->metrics(
        reply_with<std::vector<Metric>>(api, std::move(respond), [prefix](auto& rows) {
            if (!prefix.empty())
                std::erase_if(rows, [&](const Metric& m) { return !m.name.starts_with(prefix); });
            return json_response(list_to_json("counters", rows));
        }));
}

void metrics(const Api& api, const Request&, Respond respond) {
    if (!api.views.metrics) return respond_missing(respond, "metrics");
    api.views.metrics->metrics(
        reply_with<std::vector<Metric>>(api, std::move(respond), [](auto& rows) {
            Response response;
            response.content_type = "text/plain; version=0.0.4; charset=utf-8";
            response.body = metrics_text(rows);
            return response;
        }));
}

// A probe wants a status code and a human a reason.
template <bool HealthReport::*kGood>
void probe(const Api& api, const Request&, Respond respond) {
    if (!api.views.health) return respond_missing(respond, "health");
    api.views.health->health(reply_with<HealthReport>(api, std::move(respond), [](auto& report) {
        Response response;
        response.content_type = "text/plain; charset=utf-8";
        response.status = report.*kGood ? 200 : 503;
        response.body = report.*kGood ? "ok\n" : "";
        if (!(report.*kGood))
            for (const auto& reason : report.reasons) response.body += reason + '\n';
        return response;
    }));
}

void status(const Api& api, const Request&, Respond respond) {
    if (!api.views.health) return respond_missing(respond, "status");
    api.views.health->health(reply_with<HealthReport>(
        api, std::move(respond), [](auto& report) { return json_response(to_json(report)); }));
}

void openapi(const Api&, const Request&, Respond respond) {
    Response response;
    response.content_type = "application/yaml";
    response.body = std::string{embedded_openapi()};
    respond(std::move(response));
}

constexpr Endpoint kEndpoints[] = {
    {"GET", "/healthz", Role::None, probe<&HealthReport::alive>},
    {"GET", "/readyz", Role::None, probe<&HealthReport::ready>},
    {"GET", "/metrics", Role::Read, metrics},
    {"GET", "/openapi.yaml", Role::None, openapi},
    {"GET", "/api/v1/status", Role::Read, status},
    {"GET", "/api/v1/counters", Role::Read, counters},
};

}  // namespace

std::span<const Endpoint> system_endpoints() {
    return kEndpoints;
}

}  // namespace torii::mgmt
