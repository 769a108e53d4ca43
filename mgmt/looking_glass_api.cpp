#include <memory>

#include "mgmt/router.hpp"
#include "mgmt/rows_json.hpp"

// birdwatcher's read-only JSON, so that a looking glass that speaks to it can
// be pointed at us. A protocol is a neighbor there, named by its address.
namespace torii::mgmt {
namespace {

void begin(JsonWriter& json) {
    json.object().key("api").object();
    json.member("Version", "2.2.5").member("result_from_cache", false);
    json.key("cache_status").object().key("cached_at").object();
    json.member("date", rfc3339(std::chrono::system_clock::now()));
    json.end_object().end_object().end_object();
    json.member("ttl", rfc3339(std::chrono::system_clock::now()));
}

void status(const Api& api, const Request&, Respond respond) {
    if (!api.views.health) return respond_missing(respond, "status");
    api.views.health->health(reply_with<HealthReport>(api, std::move(respond), [](auto& report) {
        const auto now = std::chrono::system_clock::now();
        std::string body;
        JsonWriter json{body};
        begin(json);
        json.key("status").object();
        json.member("version", "torii " + report.version)
            .member("router_id", report.router_id)
            .member("hostname", report.hostname)
            .member("current_server", rfc3339(now))
            .member("last_reboot", rfc3339(now - report.uptime))
            .member("last_reconfig", rfc3339(now - report.uptime))
            .member("message", report.ready ? "Daemon is up and running" : "not ready");
        json.end_object().end_object();
        return json_response(std::move(body));
    }));
}

void write_protocol(JsonWriter& json, const NeighborRow& row) {
    std::uint64_t accepted = 0, filtered = 0, advertised = 0;
    for (const auto& family : row.families) {
        accepted += family.accepted;
        filtered += family.filtered;
        advertised += family.advertised;
    }
    const bool up = row.state == "Established";
    json.key(row.address).object();
    json.member("protocol", row.address)
        .member("bird_protocol", "BGP")
        .member("table", "master")
        .member("state", up ? "up" : "start")
        .member("state_changed", rfc3339(std::chrono::system_clock::now() - row.uptime))
        .member("connection", row.state)
        .member("bgp_state", row.state)
        .member("neighbor_address", row.address)
        .member("neighbor_as", row.remote_as)
        .member("neighbor_id", row.router_id)
        .member("description", row.description.empty() ? row.group : row.description)
        .member("last_error", row.last_reason);
    json.key("routes").object();
    json.member("accepted", accepted)
        .member("imported", accepted)
        .member("filtered", filtered)
        .member("exported", advertised)
        .member("preferred", accepted);
    json.end_object().end_object();
}

void protocols(const Api& api, const Request&, Respond respond) {
    if (!api.views.neighbors) return respond_missing(respond, "neighbors");
    api.views.neighbors->neighbors(
        reply_with<std::vector<NeighborRow>>(api, std::move(respond), [](auto& rows) {
            std::string body;
            JsonWriter json{body};
            begin(json);
            json.key("protocols").object();
            for (const auto& row : rows) write_protocol(json, row);
            json.end_object().end_object();
            return json_response(std::move(body));
        }));
}

void write_route(JsonWriter& json, const RouteRow& row) {
    json.object();
    const bool hop = !row.next_hops.empty();
    json.member("network", row.prefix.to_string())
        .member("gateway", hop ? row.next_hops[0].address : "")
        .member("interface", hop ? row.next_hops[0].port : "")
        .member("from_protocol", row.bgp ? row.bgp->neighbor : row.source)
        .member("primary", row.best)
        .member("metric", row.distance)
        .member("age", rfc3339(std::chrono::system_clock::now() - row.age.value_or(seconds{0})))
        .member("learnt_from", row.bgp ? row.bgp->neighbor : "");
    json.key("type").array();
    json.value(row.source == "bgp" ? "BGP" : row.source);
    json.value("unicast");
    json.end_array();
    json.key("bgp").object();
    if (row.bgp) {
        json.member("origin", row.bgp->origin);
        json.key("as_path").array();
        std::string_view left = row.bgp->as_path;
        while (!left.empty()) {
            const auto word = left.substr(0, left.find(' '));
            left.remove_prefix(std::min(left.size(), word.size() + 1));
            if (!word.empty()) json.value(word);
        }
        json.end_array();
        json.member("next_hop", hop ? row.next_hops[0].address : "")
            .member("local_pref", std::to_string(row.bgp->local_pref.value_or(100)))
            .member("med", std::to_string(row.bgp->med.value_or(0)));
        // "64512:100" is [64512, 100] there; large ones have three parts.
        for (const bool large : {false, true}) {
            json.key(large ? "large_communities" : "communities").array();
            for (const auto& community : row.bgp->communities) {
                const auto first = community.find(':'), last = community.rfind(':');
                if (first == std::string::npos || (first != last) != large) continue;
                json.array();
                std::string_view rest = community;
                while (!rest.empty()) {
                    const auto part = rest.substr(0, rest.find(':'));
                    rest.remove_prefix(std::min(rest.size(), part.size() + 1));
                    json.value(part);
                }
                json.end_array();
            }
            json.end_array();
        }
    }
    json.end_object().end_object();
}

void ask(const Api& api, RouteQuery query, Respond respond) {
    query.limit = 1000;
    api.views.routes->routes(std::move(query),
                             reply_with<RoutePage>(api, std::move(respond), [](auto& page) {
                                 std::string body;
                                 JsonWriter json{body};
                                 begin(json);
                                 json.key("routes").array();
                                 for (const auto& row : page.rows) write_route(json, row);
                                 json.end_array();
                                 // A page of the table is all that one question costs.
                                 json.member("truncated", page.next.has_value()).end_object();
                                 return json_response(std::move(body));
                             }));
}

template <RouteTable kTable>
void routes(const Api& api, const Request& request, Respond respond) {
    if (!api.views.routes) return respond_missing(respond, "routes");
    RouteQuery query;
    query.table = kTable;
    query.neighbor = *request.parameter("protocol");
    ask(api, std::move(query), std::move(respond));
}

// torii keeps no list of what it did not export.
void no_export(const Api&, const Request&, Respond respond) {
    std::string body;
    JsonWriter json{body};
    begin(json);
    json.key("routes").array().end_array().end_object();
    respond(json_response(std::move(body)));
}

void net(const Api& api, const Request& request, Respond respond) {
    if (!api.views.routes) return respond_missing(respond, "routes");
    const auto* text =
        request.parameter("net") ? request.parameter("net") : request.asked("prefix");
    const auto prefix = text ? Prefix::parse(*text) : std::nullopt;
    if (!prefix) return respond(problem_response(bad_request("a prefix or address is needed")));
    RouteQuery query;
    query.prefix = *prefix;
    query.match = prefix->is_host() ? RouteQuery::Match::Longest : RouteQuery::Match::Exact;
    ask(api, std::move(query), std::move(respond));
}

constexpr Endpoint kEndpoints[] = {
    {"GET", "/lg/status", Role::Read, status},
    {"GET", "/lg/protocols", Role::Read, protocols},
    {"GET", "/lg/protocols/bgp", Role::Read, protocols},
    {"GET", "/lg/routes/protocol/{protocol}", Role::Read, routes<RouteTable::AdjIn>},
    {"GET", "/lg/routes/filtered/{protocol}", Role::Read, routes<RouteTable::Filtered>},
    {"GET", "/lg/routes/export/{protocol}", Role::Read, routes<RouteTable::AdjOut>},
    {"GET", "/lg/routes/noexport/{protocol}", Role::Read, no_export},
    {"GET", "/lg/routes/prefix", Role::Read, net},
    {"GET", "/lg/route/net/{net...}", Role::Read, net},
};

}  // namespace

std::span<const Endpoint> looking_glass_endpoints() {
    return kEndpoints;
}

}  // namespace torii::mgmt
