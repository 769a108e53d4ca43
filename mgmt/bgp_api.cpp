#include "mgmt/json_body.hpp"
#include "mgmt/router.hpp"
#include "mgmt/rows_json.hpp"

namespace torii::mgmt {
namespace {

void list_neighbors(const Api& api, const Request&, Respond respond) {
    if (!api.views.neighbors) return respond_missing(respond, "neighbors");
    api.views.neighbors->neighbors(reply_with<std::vector<NeighborRow>>(
        api, std::move(respond),
        [](auto& rows) { return json_response(list_to_json("neighbors", rows)); }));
}

void one_neighbor(const Api& api, const Request& request, Respond respond) {
    if (!api.views.neighbors) return respond_missing(respond, "neighbors");
    api.views.neighbors->neighbor(*request.parameter("address"),
                                  reply_with<NeighborRow>(api, std::move(respond), [](auto& row) {
                                      return json_response(to_json(row));
                                  }));
}

void list_groups(const Api& api, const Request&, Respond respond) {
    if (!api.views.neighbors) return respond_missing(respond, "peer groups");
    api.views.neighbors->groups(reply_with<std::vector<GroupRow>>(
        api, std::move(respond),
        [](auto& rows) { return json_response(list_to_json("peer_groups", rows)); }));
}

void one_group(const Api& api, const Request& request, Respond respond) {
    if (!api.views.neighbors) return respond_missing(respond, "peer groups");
    api.views.neighbors->groups(reply_with<std::vector<GroupRow>>(
        api, std::move(respond), [name = *request.parameter("name")](auto& rows) {
            for (const auto& row : rows)
                if (row.name == name) return json_response(to_json(row));
            return problem_response(not_found("no peer group " + name.substr(0, 60)));
        }));
}

std::optional<PeerAction> parse_action(std::string_view text) {
    constexpr std::pair<std::string_view, PeerAction> kActions[] = {
        {"clear", PeerAction::Clear},      {"soft-in", PeerAction::SoftIn},
        {"soft-out", PeerAction::SoftOut}, {"shutdown", PeerAction::Shutdown},
        {"enable", PeerAction::Enable},    {"drain", PeerAction::Drain},
    };
    for (const auto& [name, action] : kActions)
        if (name == text) return action;
    return std::nullopt;
}

void act(const Api& api, const Request& request, Respond respond) {
    if (!api.views.bgp) return respond_missing(respond, "BGP actions");
    const auto action = parse_action(*request.parameter("action"));
    if (!action)
        return respond(problem_response(
            not_found("actions: clear, soft-in, soft-out, shutdown, enable, drain")));
    auto reason = parse_reason(request.body);
    if (!reason) return respond(problem_response(reason.error()));
    auto done = reply_done(api, std::move(respond));
    if (const auto* address = request.parameter("address"))
        api.views.bgp->act_on_neighbor(*address, *action, std::move(*reason), std::move(done));
    else
        api.views.bgp->act_on_group(*request.parameter("name"), *action, std::move(*reason),
                                    std::move(done));
}

void dump(const Api& api, const Request& request, Respond respond) {
    if (!api.views.bgp) return respond_missing(respond, "BGP actions");
    const auto wanted = parse_dump(request.body);
    if (!wanted) return respond(problem_response(wanted.error()));
    auto done = reply_with<MrtRow>(api, std::move(respond), [](auto& row) {
        auto response = json_response(to_json(row));
        if (!row.complete) response.status = 202;
        return response;
    });
    if (wanted->updates)
        api.views.bgp->record_updates(wanted->time, std::move(done));
    else
        api.views.bgp->dump_table(std::move(done));
}

constexpr Endpoint kEndpoints[] = {
    {"POST", "/api/v1/bgp/dump", Role::Operate, dump},
    {"GET", "/api/v1/neighbors", Role::Read, list_neighbors},
    {"GET", "/api/v1/neighbors/{address}", Role::Read, one_neighbor},
    {"POST", "/api/v1/neighbors/{address}/{action}", Role::Operate, act},
    {"GET", "/api/v1/peer-groups", Role::Read, list_groups},
    {"GET", "/api/v1/peer-groups/{name}", Role::Read, one_group},
    {"POST", "/api/v1/peer-groups/{name}/{action}", Role::Operate, act},
};

}  // namespace

std::span<const Endpoint> bgp_endpoints() {
    return kEndpoints;
}

}  // namespace torii::mgmt
