#include <algorithm>
#include <cctype>

#include "base/event_list.hpp"
#include "base/suggest.hpp"
#include "mgmt/cli/session.hpp"
#include "mgmt/json_writer.hpp"

namespace torii::cli {
namespace {

std::string event_line(const Json& event) {
    std::string out = text(event, "time") + "  " + text(event, "severity");
    out.resize(std::max<std::size_t>(out.size(), 35), ' ');
    return out + text(event, "id") + "  " + text(event, "text");
}

void write(mgmt::JsonWriter& json, const EventKind& kind) {
    json.object()
        .member("id", kind.name)
        .member("severity", to_string(kind.severity))
        .member("meaning", kind.meaning)
        .member("action", kind.action)
        .end_object();
}

// "data: {...}" lines of an event stream that comes in pieces.
class EventLines {
public:
    explicit EventLines(Session& session) : session_(session) {}
    bool take(std::string_view piece) {
        pending_ += piece;
        for (auto end = pending_.find('\n'); end != std::string::npos; end = pending_.find('\n')) {
            line(pending_.substr(0, end));
            pending_.erase(0, end + 1);
        }
        return static_cast<bool>(session_.out);
    }

private:
    void line(const std::string& text) {
        if (!text.starts_with("data: ")) return;
        if (session_.as_json) {
            session_.out << text.substr(6) << std::endl;
            return;
        }
        if (const auto event = parse_json(std::string_view{text}.substr(6)))
            session_.out << event_line(*event) << std::endl;
    }
    Session& session_;
    std::string pending_;
};

}  // namespace

void port_list(Session& session) {
    const auto answer = get(session, "/api/v1/ports");
    if (!answer) return;
    Table table{{{"PORT"},
                 {"LINK"},
                 {"ADDRESSES", Align::Left, true},
                 {"MTU", Align::Right},
                 {"MAC"},
                 {"RX", Align::Right},
                 {"TX", Align::Right},
                 {"DROPS", Align::Right},
                 {"DEVICE", Align::Left, true}}};
    for (const auto& row : list(*answer, "ports")) {
        const auto count = [&](const char* key) {
            return static_cast<std::uint64_t>(number(row, key));
        };
        table.add({text(row, "name"),
                   !flag(row, "admin_up") ? "shut"
                   : flag(row, "link_up") ? "up"
                                          : "down",
                   words(row, "addresses"), std::to_string(number(row, "mtu")), text(row, "mac"),
                   abbreviated(count("rx_packets")), abbreviated(count("tx_packets")),
                   abbreviated(count("rx_dropped") + count("tx_dropped")),
                   number(row, "vlan") != 0 ? "VLAN " + std::to_string(number(row, "vlan")) +
                                                  " of " + text(row, "parent")
                                            : text(row, "device")});
    }
    table.print(session.out, session.width);
}

void neighbor_list(Session& session) {
    const auto answer = get(session, "/api/v1/adjacencies");
    if (!answer) return;
    Table table{{{"ADDRESS"}, {"PORT"}, {"MAC"}, {"STATE"}, {"AGE", Align::Right}}};
    for (const auto& row : list(*answer, "adjacencies"))
        table.add({text(row, "address"), text(row, "port"), text(row, "mac"), text(row, "state"),
                   duration(number(row, "age"))});
    table.print(session.out, session.width);
}

void counters(Session& session, const std::string& prefix, bool all) {
    const auto answer = get(
        session, "/api/v1/counters" + (prefix.empty() ? "" : "?name=" + percent_encode(prefix)));
    if (!answer) return;
    Table table{{{"COUNTER"}, {"LABELS", Align::Left, true}, {"VALUE", Align::Right}}};
    for (const auto& metric : list(*answer, "counters")) {
        for (const auto& sample : list(metric, "samples")) {
            std::string labels;
            if (const auto* object = find(sample, "labels"))
                for (const auto& label : object->items)
                    labels += (labels.empty() ? "" : " ") + label.name + '=' + label.text;
            const bool histogram = text(metric, "kind") == "histogram";
            const double v = real(sample, histogram ? "count" : "value");
            if (v == 0 && !all) continue;
            const bool whole =
                v >= 0 && v < 1e18 && v == static_cast<double>(static_cast<std::uint64_t>(v));
            table.add({text(metric, "name"), labels,
                       whole ? grouped(static_cast<std::uint64_t>(v)) : std::to_string(v)});
        }
    }
    table.print(session.out, session.width);
    if (!all) session.out << "counters at zero are left out; --all shows them\n";
}

void status(Session& session) {
    const auto answer = get_to_judge(session, "/api/v1/status");
    if (!answer) return;
    const auto& row = *answer;
    const bool ready = flag(row, "ready");
    if (!ready) session.code = kNotReady;
    if (session.as_json) return;
    const bool bgp = number(row, "asn") != 0;
    if (const auto name = text(row, "hostname"); !name.empty()) session.out << name << ": ";
    session.out << "torii " << text(row, "version");
    if (bgp)
        session.out << ", AS " << number(row, "asn") << ", router ID " << text(row, "router_id");
    session.out << ", up " << duration(number(row, "uptime")) << '\n'
                << (ready ? "ready" : "NOT READY") << '\n';
    for (const auto& condition : list(row, "conditions"))
        session.out << (flag(condition, "met") ? "  ok      " : "  NOT MET ")
                    << text(condition, "name") << ": " << text(condition, "value") << '\n';
    for (const auto& reason : list(row, "reasons"))
        if (reason.kind == Json::Kind::Text) session.out << "  " << reason.text << '\n';
    if (bgp)
        session.out << "neighbors: " << number(row, "neighbors_established") << " of "
                    << number(row, "neighbors") << " established\n"
                    << "routes: " << grouped(static_cast<std::uint64_t>(number(row, "routes_ipv4")))
                    << " IPv4, " << grouped(static_cast<std::uint64_t>(number(row, "routes_ipv6")))
                    << " IPv6\n";
    else
        session.out << "no BGP; torii route list shows the routes\n";
    session.out << "configuration: revision " << number(row, "config_revision")
                << (flag(row, "config_saved") ? "" : ", not saved") << '\n';
}

void events(Session& session, std::size_t limit, const std::string& severity, bool follow) {
    if (!follow) {
        const auto answer = get(session, "/api/v1/events?limit=" + std::to_string(limit) +
                                             (severity.empty() ? "" : "&severity=" + severity));
        if (!answer) return;
        for (const auto& event : list(*answer, "events")) session.out << event_line(event) << '\n';
        return;
    }
    EventLines lines{session};
    const auto path =
        std::string{"/api/v1/events"} + (severity.empty() ? "" : "?severity=" + severity);
    const auto answer = stream(session.target, path, {{"Accept", "text/event-stream"}},
                               [&](std::string_view piece) { return lines.take(piece); });
    if (!answer) {
        session.err << "error: " << answer.error() << '\n';
        session.code = kUnreachable;
    } else if (answer->status >= 300) {
        print_problem(session, *answer);
    }
}

void explain_events(Session& session, std::string name) {
    if (name.empty()) {
        std::string rows;
        mgmt::JsonWriter json{rows};
        json.object().key("events").array();
        Table table{{{"ID"}, {"SEVERITY"}, {"MEANING", Align::Left, true}}};
        for (const auto& kind : kEvents) {
            write(json, kind);
            table.add({std::string{kind.name}, std::string{to_string(kind.severity)},
                       std::string{kind.meaning}});
        }
        json.end_array().end_object();
        if (session.as_json)
            session.out << rows << '\n';
        else
            table.print(session.out, session.width);
        return;
    }
    for (char& c : name) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
    const auto* kind = find_event(name);
    if (kind == nullptr) {
        std::vector<std::string_view> names;
        for (const auto& one : kEvents) names.push_back(one.name);
        const auto near = suggest(name, names);
        session.err << "error: no event " << name
                    << (near.empty() ? "; torii events --explain lists them"
                                     : "; did you mean " + near + "?")
                    << '\n';
        session.code = kUsage;
    } else if (session.as_json) {
        std::string row;
        mgmt::JsonWriter json{row};
        write(json, *kind);
        session.out << row << '\n';
    } else {
        session.out << kind->name << "  " << to_string(kind->severity) << '\n'
                    << kind->meaning << "\nWhat to do: " << kind->action << '\n';
    }
}

}  // namespace torii::cli
