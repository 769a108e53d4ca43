#include <algorithm>
#include <charconv>
#include <memory>

#include "mgmt/json_body.hpp"
#include "mgmt/router.hpp"
#include "mgmt/rows_json.hpp"

namespace torii::mgmt {
namespace {

constexpr std::size_t kMostRows = 1000;
// A slow client holds up to two pieces. The allocator tidies up when something is freed
// that is larger than 64 KiB, and neither a page of these nor its text is.
constexpr std::size_t kRowsAPiece = 150, kUsualLine = 400;

Result<RouteQuery, Problem> parse(const Request& request) {
    constexpr std::string_view kKnown[] = {"table",  "neighbor", "family", "source", "prefix",
                                           "longer", "match",    "limit",  "cursor"};
    for (const auto& [key, _] : request.query)
        if (std::ranges::find(kKnown, key) == std::end(kKnown))
            return Failure{bad_request("unknown parameter " + key.substr(0, 60))};
    RouteQuery query;
    if (const auto* table = request.asked("table")) {
        constexpr std::string_view kTables[] = {"rib", "fib", "adj-in", "adj-out", "filtered"};
        const auto* it = std::ranges::find(kTables, *table);
        if (it == std::end(kTables))
            return Failure{bad_request("table: one of rib, fib, adj-in, adj-out, filtered")};
        query.table = static_cast<RouteTable>(it - kTables);
    }
    if (const auto* neighbor = request.asked("neighbor")) query.neighbor = *neighbor;
    if (query.neighbor.empty() &&
        (query.table == RouteTable::AdjIn || query.table == RouteTable::AdjOut ||
         query.table == RouteTable::Filtered))
        return Failure{bad_request("this table is a neighbor's: add neighbor=ADDRESS")};
    if (const auto* family = request.asked("family")) {
        if (*family != "ipv4" && *family != "ipv6")
            return Failure{bad_request("family: one of ipv4, ipv6")};
        query.family = *family == "ipv4" ? Family::Ip4 : Family::Ip6;
    }
    if (const auto* source = request.asked("source")) {
        if (*source != "bgp" && *source != "static" && *source != "connected")
            return Failure{bad_request("source: one of bgp, static, connected")};
        query.source = *source;
    }
    if (const auto* text = request.asked("prefix")) {
        const auto prefix = Prefix::parse(*text);
        if (!prefix)
            return Failure{
                bad_request("prefix: " + text->substr(0, 60) + " is no prefix or address")};
        query.prefix = *prefix;
        query.match = RouteQuery::Match::Exact;
    }
    if (const auto* longer = request.asked("longer")) {
        if (*longer != "true" && *longer != "false")
            return Failure{bad_request("longer: true or false")};
        if (!request.asked("prefix")) return Failure{bad_request("longer needs prefix=")};
        if (*longer == "true") query.match = RouteQuery::Match::Longer;
    }
    if (const auto* kind = request.asked("match")) {
        if (*kind != "lpm" && *kind != "exact" && *kind != "longer")
            return Failure{bad_request("match: one of exact, longer, lpm")};
        if (!request.asked("prefix")) return Failure{bad_request("match needs prefix=")};
        query.match = *kind == "lpm"      ? RouteQuery::Match::Longest
                      : *kind == "longer" ? RouteQuery::Match::Longer
                                          : RouteQuery::Match::Exact;
    }
    if (const auto* limit = request.asked("limit")) {
        const auto [rest, error] =
            std::from_chars(limit->data(), limit->data() + limit->size(), query.limit);
        if (error != std::errc{} || rest != limit->data() + limit->size() || query.limit == 0 ||
            query.limit > kMostRows)
            return Failure{bad_request("limit: a number from 1 to 1000")};
    }
    if (const auto* cursor = request.asked("cursor")) {
        query.after = Prefix::parse_strict(*cursor);
        if (!query.after) return Failure{bad_request("cursor: not one that a page gave")};
    }
    return query;
}

// The whole table, a row a line, as fast as the client reads. While one page is
// written and sent the control thread makes the next one, and no more than that.
class TableStream : public std::enable_shared_from_this<TableStream> {
public:
    using Next = std::function<void(std::optional<std::string>)>;

    TableStream(const Api& api, RouteQuery query) : api_(api), query_(std::move(query)) {
        query_.limit = kRowsAPiece;
    }

    void give(Next next) {
        if (ended_) return next(std::nullopt);
        if (!page_) {
            if (const auto asked = asked_.lock())
                asked->waiting = std::move(next);
            else
                ask(std::move(next));
            return;
        }
        // The status line is long gone: a stream that fails just stops.
        const auto page = *std::exchange(page_, std::nullopt);
        ended_ = !page || !page->next;
        if (!page) return next(std::nullopt);
        query_.after = page->next;
        // A filter may find nothing in all that one question looks at.
        if (!ended_) {
            if (page->rows.empty()) return ask(std::move(next));
            ask(nullptr);
        }
        next(lines(*page));
    }

private:
    // A question on its way. The question keeps it, not the stream: the function that
    // waits keeps the stream alive.
    struct Asked {
        Next waiting;
    };

    void ask(Next waiting) {
        auto asked = std::make_shared<Asked>(Asked{std::move(waiting)});
        asked_ = asked;
        api_.views.routes->routes(
            query_, answer_on<RoutePage>(api_.post, [self = shared_from_this(),
                                                     asked](Result<RoutePage, Problem> page) {
                self->page_ = std::move(page);
                if (asked->waiting) self->give(std::exchange(asked->waiting, nullptr));
            }));
    }

    static std::optional<std::string> lines(const RoutePage& page) {
        std::string out;
        out.reserve(page.rows.size() * kUsualLine);
        for (const auto& row : page.rows) {
            JsonWriter json{out};
            write(json, row);
            out += '\n';
        }
        return out.empty() ? std::nullopt : std::optional{std::move(out)};
    }

    const Api& api_;
    RouteQuery query_;
    std::weak_ptr<Asked> asked_;
    std::optional<Result<RoutePage, Problem>> page_;  // came before it was wanted
    bool ended_ = false;
};

Pieces stream(const Api& api, RouteQuery query) {
    auto state = std::make_shared<TableStream>(api, std::move(query));
    return [state](TableStream::Next next) { state->give(std::move(next)); };
}

void list_routes(const Api& api, const Request& request, Respond respond) {
    if (!api.views.routes) return respond_missing(respond, "routes");
    auto query = parse(request);
    if (!query) return respond(problem_response(query.error()));
    const auto* accept = request.header("accept");
    if (accept && accept->find("application/x-ndjson") != std::string::npos) {
        Response response;
        response.content_type = "application/x-ndjson";
        response.pieces = stream(api, std::move(*query));
        return respond(std::move(response));
    }
    const bool longest = query->match == RouteQuery::Match::Longest;
    api.views.routes->routes(std::move(*query),
                             reply_with<RoutePage>(api, std::move(respond), [longest](auto& page) {
                                 if (longest && page.rows.empty())
                                     return problem_response(not_found("no route leads there"));
                                 std::string body;
                                 JsonWriter json{body};
                                 json.object().key("routes").array();
                                 for (const auto& row : page.rows) write(json, row);
                                 json.end_array();
                                 if (page.next) json.member("next_cursor", page.next->to_string());
                                 json.member("total", page.total);
                                 json.end_object();
                                 return json_response(std::move(body));
                             }));
}

void put_static(const Api& api, const Request& request, Respond respond) {
    if (!api.views.static_routes) return respond_missing(respond, "static routes");
    const auto prefix = prefix_of(request);
    if (!prefix) return respond(problem_response(prefix.error()));
    auto route = parse_static_route(request.body);
    if (!route) return respond(problem_response(route.error()));
    route->prefix = *prefix;
    api.views.static_routes->put(std::move(*route), reply_put(api, std::move(respond), *prefix));
}

void delete_static(const Api& api, const Request& request, Respond respond) {
    if (!api.views.static_routes) return respond_missing(respond, "static routes");
    const auto prefix = prefix_of(request);
    if (!prefix) return respond(problem_response(prefix.error()));
    api.views.static_routes->erase(*prefix, reply_done(api, std::move(respond)));
}

void explain(const Api& api, const Request& request, Respond respond) {
    if (!api.views.explain) return respond_missing(respond, "explain");
    ExplainQuery query;
    const auto text = [&](const char* key, std::string& out) {
        if (const auto* value = request.asked(key)) out = *value;
    };
    bool good = true;
    const auto number = [&]<class T>(const char* key, T& out) {
        const auto* value = request.asked(key);
        if (!value) return;
        const auto [rest, error] =
            std::from_chars(value->data(), value->data() + value->size(), out);
        good = good && error == std::errc{} && rest == value->data() + value->size();
    };
    text("src", query.source);
    text("dst", query.destination);
    text("port", query.port);
    text("without", query.without);
    if (const auto* proto = request.asked("proto"); proto && !proto->empty() && (*proto)[0] > '9') {
        if (*proto == "tcp")
            query.protocol = 6;
        else if (*proto == "udp")
            query.protocol = 17;
        else if (*proto == "icmp")
            query.protocol = 1;
        else if (*proto == "icmpv6")
            query.protocol = 58;
        else
            good = false;
    } else {
        number("proto", query.protocol);
    }
    number("sport", query.source_port);
    number("dport", query.destination_port);
    if (!good)
        return respond(problem_response(
            bad_request("proto: tcp, udp, icmp, icmpv6 or a number; sport, dport: numbers")));
    if (!IpAddress::parse(query.destination))
        return respond(problem_response(bad_request("dst: an IP address is needed")));
    if (!query.source.empty() && !IpAddress::parse(query.source))
        return respond(problem_response(bad_request("src: not an IP address")));
    api.views.explain->explain(std::move(query),
                               reply_with<Explanation>(api, std::move(respond), [](auto& row) {
                                   return json_response(to_json(row));
                               }));
}

constexpr Endpoint kEndpoints[] = {
    {"GET", "/api/v1/routes", Role::Read, list_routes},
    {"PUT", "/api/v1/routes/static/{prefix...}", Role::Operate, put_static},
    {"DELETE", "/api/v1/routes/static/{prefix...}", Role::Operate, delete_static},
    {"GET", "/api/v1/explain", Role::Read, explain},
};

}  // namespace

std::span<const Endpoint> route_endpoints() {
    return kEndpoints;
}

}  // namespace torii::mgmt
