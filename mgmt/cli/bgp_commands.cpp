#include <cctype>

#include "mgmt/cli/session.hpp"
#include "mgmt/json_writer.hpp"

namespace torii::cli {
namespace {

std::uint64_t sum(const Json& neighbor, std::string_view key) {
    std::uint64_t out = 0;
    for (const auto& family : list(neighbor, "families"))
        out += static_cast<std::uint64_t>(number(family, key));
    return out;
}

bool established(const Json& row) {
    return text(row, "state") == "Established";
}

// Since when it is up, or why it is not.
std::string last_column(const Json& row) {
    if (established(row)) return text(row, "description");
    const auto reason = text(row, "last_reason");
    return text(row, "admin") == "shutdown" ? "shut down" : reason;
}

void settings(Session& session, const std::vector<Json>& rows) {
    Table table{{{"SETTING"}, {"VALUE", Align::Left, true}, {"FROM"}}};
    for (const auto& row : rows)
        table.add(
            {text(row, "key"), text(row, "value"),
             text(row, "origin") + (flag(row, "pending") ? " (from the next session on)" : "")});
    table.print(session.out, session.width);
}

}  // namespace

void bgp_neighbors(Session& session) {
    const auto answer = get(session, "/api/v1/neighbors");
    if (!answer) return;
    Table table{{{"NEIGHBOR"},
                 {"AS", Align::Right},
                 {"GROUP"},
                 {"STATE"},
                 {"UP/DOWN", Align::Right},
                 {"RCVD", Align::Right},
                 {"ACCEPTED", Align::Right},
                 {"SENT", Align::Right},
                 {"", Align::Left, true}}};
    std::size_t up = 0;
    const auto& rows = list(*answer, "neighbors");
    for (const auto& row : rows) {
        up += established(row) ? 1 : 0;
        table.add({(flag(row, "dynamic") ? "*" : "") + text(row, "address"),
                   std::to_string(number(row, "remote_as")), text(row, "group"), text(row, "state"),
                   duration(number(row, "uptime")), std::to_string(sum(row, "received")),
                   std::to_string(sum(row, "accepted")), std::to_string(sum(row, "advertised")),
                   last_column(row)});
    }
    if (!table.empty()) table.print(session.out, session.width);
    session.out << rows.size() << (rows.size() == 1 ? " neighbor, " : " neighbors, ") << up
                << " established; * came in by a listen range\n";
}

void bgp_neighbor(Session& session, const std::string& address, bool why) {
    const auto answer = get(session, "/api/v1/neighbors/" + percent_encode(address));
    if (!answer) return;
    auto& out = session.out;
    const auto& row = *answer;
    out << text(row, "address") << ", AS " << number(row, "remote_as") << ", local AS "
        << number(row, "local_as");
    if (const auto group = text(row, "group"); !group.empty()) out << ", group " << group;
    if (flag(row, "dynamic")) out << ", dynamic";
    out << "\n  " << text(row, "state") << " for " << duration(number(row, "uptime"));
    if (established(row))
        out << ", hold time " << number(row, "hold_time") << " s, keepalive "
            << number(row, "keepalive") << " s";
    out << '\n';
    const auto line = [&](const char* title, const std::string& value) {
        if (!value.empty()) out << "  " << title << value << '\n';
    };
    line("description: ", text(row, "description"));
    line("router ID: ", text(row, "router_id"));
    line("host name: ", text(row, "hostname"));
    line("software: ", text(row, "software_version"));
    line("local: ", text(row, "local_endpoint"));
    line("remote: ", text(row, "remote_endpoint"));
    line("capabilities: ", words(row, "capabilities"));
    line("last reason: ", text(row, "last_reason"));
    out << "  messages: " << number(row, "messages_received") << " received, "
        << number(row, "messages_sent") << " sent; updates: " << number(row, "updates_received")
        << " received, " << number(row, "updates_sent") << " sent; established "
        << number(row, "times_established") << " times\n\n";
    Table table{{{"FAMILY"},
                 {"RECEIVED", Align::Right},
                 {"ACCEPTED", Align::Right},
                 {"FILTERED", Align::Right},
                 {"ADVERTISED", Align::Right},
                 {"LIMIT", Align::Right},
                 {"END-OF-RIB"}}};
    for (const auto& family : list(row, "families")) {
        const bool in = flag(family, "end_of_rib_received"), sent = flag(family, "end_of_rib_sent");
        table.add(
            {text(family, "family"), std::to_string(number(family, "received")),
             std::to_string(number(family, "accepted")), std::to_string(number(family, "filtered")),
             std::to_string(number(family, "advertised")),
             number(family, "max_prefixes") ? std::to_string(number(family, "max_prefixes")) : "-",
             in && sent ? "both"
             : in       ? "received"
             : sent     ? "sent"
                        : "-"});
    }
    if (!table.empty()) table.print(out, session.width);
    if (why) {
        out << '\n';
        settings(session, list(row, "why"));
    }
}

// The columns of `cilium bgp peers`, to hold both ends side by side.
void bgp_peers(Session& session) {
    const auto answer = get(session, "/api/v1/neighbors");
    if (!answer) return;
    Table table{{{"Local AS"},
                 {"Peer AS"},
                 {"Peer Address"},
                 {"Session State"},
                 {"Uptime"},
                 {"Family"},
                 {"Received"},
                 {"Advertised"}}};
    for (const auto& row : list(*answer, "neighbors")) {
        bool first = true;
        auto state = text(row, "state");
        if (!state.empty()) state[0] = static_cast<char>(std::tolower(state[0]));
        const auto& families = list(row, "families");
        if (families.empty())
            table.add({std::to_string(number(row, "local_as")),
                       std::to_string(number(row, "remote_as")), text(row, "address"), state, "-",
                       "-", "0", "0"});
        for (const auto& family : families) {
            std::vector<std::string> cells(5);
            if (first)
                cells = {std::to_string(number(row, "local_as")),
                         std::to_string(number(row, "remote_as")), text(row, "address"), state,
                         duration(number(row, "uptime"))};
            first = false;
            cells.push_back(text(family, "family") + "/unicast");
            cells.push_back(std::to_string(number(family, "received")));
            cells.push_back(std::to_string(number(family, "advertised")));
            table.add(std::move(cells));
        }
    }
    table.print(session.out, session.width);
}

void bgp_groups(Session& session) {
    const auto answer = get(session, "/api/v1/peer-groups");
    if (!answer) return;
    Table table{{{"GROUP"},
                 {"REMOTE AS"},
                 {"INHERITS"},
                 {"CONFIGURED", Align::Right},
                 {"DYNAMIC", Align::Right},
                 {"ESTABLISHED", Align::Right},
                 {"RANGES", Align::Left, true}}};
    for (const auto& row : list(*answer, "peer_groups"))
        table.add({text(row, "name"), text(row, "remote_as"), text(row, "inherits"),
                   std::to_string(number(row, "members_configured")),
                   std::to_string(number(row, "members_dynamic")),
                   std::to_string(number(row, "members_established")), words(row, "ranges")});
    table.print(session.out, session.width);
}

void bgp_dump(Session& session, const std::string& what, unsigned time) {
    std::string body;
    mgmt::JsonWriter json{body};
    json.object().member("what", what);
    if (what == "updates") json.member("seconds", time);
    json.end_object();
    std::string answer;
    if (!send(session, "POST", "/api/v1/bgp/dump", body, json_headers(), &answer) ||
        session.as_json)
        return;
    const auto parsed = parse(session, answer);
    if (!parsed) return;
    const auto& row = *parsed;
    if (!flag(row, "complete"))
        session.out << text(row, "file") << ": recorded for " << time << " s\n";
    else
        session.out << text(row, "file") << ": " << number(row, "prefixes") << " prefixes, "
                    << number(row, "records") << " paths, " << number(row, "bytes") << " bytes\n";
}

void bgp_act(Session& session, const std::string& what, const std::string& name,
             const std::string& action, const std::string& reason) {
    std::string body;
    if (!reason.empty()) mgmt::JsonWriter{body}.object().member("reason", reason).end_object();
    if (send(session, "POST", "/api/v1/" + what + '/' + percent_encode(name) + '/' + action, body,
             json_headers()))
        session.out << name << ": " << action << '\n';
}

}  // namespace torii::cli
