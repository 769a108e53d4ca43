#include <algorithm>

#include "mgmt/cli/session.hpp"
#include "mgmt/json_writer.hpp"

namespace torii::cli {
namespace {

std::string hops(const Json& row) {
    std::string out;
    for (const auto& hop : list(row, "next_hops")) {
        if (!out.empty()) out += ", ";
        const auto address = text(hop, "address"), port = text(hop, "port");
        out += address;
        if (!port.empty()) out += (address.empty() ? "" : "@") + port;
        if (number(hop, "weight") > 1) out += " weight " + std::to_string(number(hop, "weight"));
        if (!flag(hop, "active")) out += " (inactive)";
    }
    const auto kind = text(row, "kind");
    return out.empty() || kind == "discard" || kind == "unreachable" || kind == "local"
               ? kind + (out.empty() || kind == "discard" ? "" : " " + out)
               : out;
}

std::string marks(const Json& row) {
    return std::string{flag(row, "best") ? ">" : " "} + (flag(row, "installed") ? "*" : " ");
}

// The neighbor that taught it, and what it was taken or refused for.
std::string remark(const Json& row) {
    const auto filtered = text(row, "filtered_by");
    if (flag(row, "restored")) return "of the process before, not announced since";
    return filtered.empty() ? text(row, "because") : filtered;
}

std::string path(const Json& row) {
    const auto* bgp = find(row, "bgp");
    return bgp ? text(*bgp, "as_path") : "";
}

Table route_table() {
    return Table{{{""},
                  {"PREFIX"},
                  {"SOURCE"},
                  {"DIST", Align::Right},
                  {"NEXT HOP", Align::Left, true},
                  {"AS PATH", Align::Left, true},
                  {"AGE", Align::Right},
                  {"WHY", Align::Left, true}}};
}

std::string age(const Json& row) {
    return find(row, "age") ? duration(number(row, "age")) : "-";
}

void add(Table& table, const Json& row) {
    table.add({marks(row), text(row, "prefix"), text(row, "source"),
               std::to_string(number(row, "distance")), hops(row), path(row), age(row),
               remark(row)});
}

}  // namespace

namespace {

// Takes a page's rows to the others; its total and its cursor hold for all of them.
void append(Json& all, Json page) {
    const auto& more = list(page, "routes");
    for (auto& member : all.items) {
        if (member.name != "routes") continue;
        member.items.insert(member.items.end(), more.begin(), more.end());
        for (auto& other : page.items)
            if (other.name == "routes") other.items = std::move(member.items);
    }
    all = std::move(page);
}

}  // namespace

void route_list(Session& session, const RouteOptions& options) {
    std::string query;
    const auto ask = [&](const char* key, const std::string& value) {
        if (!value.empty()) query += std::string{"&"} + key + '=' + percent_encode(value);
    };
    ask("prefix", options.prefix);
    if (options.longer) query += "&longer=true";
    ask("source", options.source);
    ask("neighbor", options.neighbor);
    ask("table", options.table);
    ask("family", options.family);
    Json all;
    all.kind = Json::Kind::Object;
    std::size_t shown = 0;
    std::string next;
    do {
        const auto page = std::min<std::size_t>(options.limit - shown, 1000);
        auto path = "/api/v1/routes?limit=" + std::to_string(page) + query;
        if (!next.empty()) path += "&cursor=" + percent_encode(next);
        const auto body = fetch(session, path);
        auto answer = body ? parse(session, *body) : std::nullopt;
        if (!answer) return;
        next = text(*answer, "next_cursor");
        append(all, std::move(*answer));
        shown = list(all, "routes").size();
    } while (!next.empty() && shown < options.limit);
    if (session.as_json) {
        session.out << to_text(all) << '\n';
        return;
    }
    auto table = route_table();
    for (const auto& row : list(all, "routes")) add(table, row);
    if (!table.empty()) table.print(session.out, session.width);
    session.out << shown << " shown of " << number(all, "total") << " prefixes"
                << (next.empty() ? "" : ", there are more") << "; > best, * installed\n";
}

void route_show(Session& session, const std::string& address) {
    const bool prefix = address.find('/') != std::string::npos;
    const auto answer = get_to_judge(session, "/api/v1/routes?prefix=" + percent_encode(address) +
                                                  (prefix ? "&match=exact" : "&match=lpm"));
    if (!answer) return;
    const auto& rows = list(*answer, "routes");
    if (rows.empty()) {
        session.err << "error: no route for " << address << '\n';
        session.code = kRefused;
        return;
    }
    if (session.as_json) return;
    for (const auto& row : rows) {
        auto& out = session.out;
        out << text(row, "prefix") << ", " << text(row, "source") << ", distance "
            << number(row, "distance") << ", " << text(row, "kind")
            << (flag(row, "best") ? ", best" : "") << (flag(row, "installed") ? ", installed" : "")
            << (find(row, "age") ? ", " + age(row) + " old" : "") << '\n';
        for (const auto& hop : list(row, "next_hops")) {
            out << "  via " << text(hop, "address");
            if (const auto port = text(hop, "port"); !port.empty()) out << " on " << port;
            if (const auto mac = text(hop, "mac"); !mac.empty()) out << ", " << mac;
            out << ", weight " << number(hop, "weight") << (flag(hop, "active") ? "" : ", inactive")
                << '\n';
        }
        for (const auto& hop : list(row, "backup"))
            out << "  backup via " << text(hop, "address") << " on " << text(hop, "port") << '\n';
        if (const auto* bgp = find(row, "bgp")) {
            out << "  from " << text(*bgp, "neighbor") << ", AS path "
                << (text(*bgp, "as_path").empty() ? "empty" : text(*bgp, "as_path")) << ", origin "
                << text(*bgp, "origin");
            if (const auto communities = words(*bgp, "communities"); !communities.empty())
                out << ", communities " << communities;
            out << (flag(*bgp, "stale") ? ", stale" : "") << '\n';
        }
        if (const auto why = remark(row); !why.empty()) out << "  because: " << why << '\n';
    }
}

void route_add(Session& session, const std::string& prefix, const std::vector<std::string>& via,
               const std::string& kind, int distance) {
    std::string body;
    mgmt::JsonWriter json{body};
    json.object().member("kind", kind);
    if (!via.empty()) {
        json.key("via").array();
        for (const auto& hop : via) json.value(hop);
        json.end_array();
    }
    json.member("distance", distance).end_object();
    std::string answer;
    if (!send(session, "PUT", "/api/v1/routes/static/" + percent_encode(prefix), body,
              json_headers(), &answer))
        return;
    const bool fresh = answer.find("\"created\":true") != std::string::npos;
    session.out << prefix << (fresh ? ": added" : ": replaced") << '\n';
}

void route_delete(Session& session, const std::string& prefix) {
    if (send(session, "DELETE", "/api/v1/routes/static/" + percent_encode(prefix), "", {}))
        session.out << prefix << ": removed\n";
}

void explain(Session& session, const std::string& query) {
    const auto answer = get(session, "/api/v1/explain?" + query);
    if (!answer) return;
    session.out << "exit: " << text(*answer, "exit");
    for (const char* key : {"prefix", "next_hop", "port", "mac"})
        if (const auto value = text(*answer, key); !value.empty())
            session.out << ", " << key << ' ' << value;
    session.out << '\n';
    Table table{{{"STAGE"}, {"OUTCOME"}, {"BECAUSE", Align::Left, true}}};
    for (const auto& step : list(*answer, "steps"))
        table.add({text(step, "stage"), text(step, "outcome"), text(step, "because")});
    if (!table.empty()) table.print(session.out, session.width);
}

}  // namespace torii::cli
