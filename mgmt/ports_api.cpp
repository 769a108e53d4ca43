#include "mgmt/router.hpp"
#include "mgmt/rows_json.hpp"

namespace torii::mgmt {
namespace {

void list_ports(const Api& api, const Request&, Respond respond) {
    if (!api.views.ports) return respond_missing(respond, "ports");
    api.views.ports->ports(reply_with<std::vector<PortRow>>(
        api, std::move(respond),
        [](auto& rows) { return json_response(list_to_json("ports", rows)); }));
}

void one_port(const Api& api, const Request& request, Respond respond) {
    if (!api.views.ports) return respond_missing(respond, "ports");
    api.views.ports->ports(reply_with<std::vector<PortRow>>(
        api, std::move(respond), [name = *request.parameter("name")](auto& rows) {
            for (const auto& row : rows)
                if (row.name == name) return json_response(to_json(row));
            return problem_response(not_found("no port " + name.substr(0, 60)));
        }));
}

void list_adjacencies(const Api& api, const Request&, Respond respond) {
    if (!api.views.adjacencies) return respond_missing(respond, "ARP and ND");
    api.views.adjacencies->adjacencies(reply_with<std::vector<AdjacencyRow>>(
        api, std::move(respond),
        [](auto& rows) { return json_response(list_to_json("adjacencies", rows)); }));
}

constexpr Endpoint kEndpoints[] = {
    {"GET", "/api/v1/ports", Role::Read, list_ports},
    {"GET", "/api/v1/ports/{name}", Role::Read, one_port},
    {"GET", "/api/v1/adjacencies", Role::Read, list_adjacencies},
};

}  // namespace

std::span<const Endpoint> port_endpoints() {
    return kEndpoints;
}

}  // namespace torii::mgmt
