#include "mgmt/cli/session.hpp"

namespace torii::cli {
namespace {

// What watches over it, in a word or two.
std::string watched_by(const Json& row) {
    std::string out;
    if (const auto* bfd = find(row, "bfd")) out = "BFD " + text(*bfd, "state");
    const auto means = text(row, "means");
    if (means != "none") out += (out.empty() ? "" : ", ") + means;
    return out.empty() ? text(row, "watch") : out;
}

std::string milliseconds(std::int64_t microseconds) {
    return microseconds == 0 ? "-" : std::to_string(microseconds / 1000) + " ms";
}

void details(Session& session, const Json& row) {
    auto& out = session.out;
    out << text(row, "address") << ": " << text(row, "verdict") << " since "
        << duration(number(row, "since")) << ", " << text(row, "reason") << '\n'
        << "  echoes    " << number(row, "echoes_sent") << " sent, "
        << number(row, "echoes_returned") << " came back, last after "
        << number(row, "echo_round_trip_us") << " us\n"
        << "  probes    " << number(row, "probes_sent") << " sent, "
        << number(row, "probes_answered") << " answered\n"
        << "  BGP       " << text(row, "bgp") << '\n'
        << "  link      " << (flag(row, "link_up") ? "up" : "down") << '\n';
    if (number(row, "held_ms") > 0)
        out << "  damped    for another " << number(row, "held_ms") << " ms after "
            << number(row, "deaths") << " deaths\n";
    const auto* bfd = find(row, "bfd");
    if (bfd == nullptr) return;
    out << "  BFD       " << text(*bfd, "state") << " (peer " << text(*bfd, "remote_state") << "), "
        << text(*bfd, "diagnostic") << '\n'
        << "            sends every " << milliseconds(number(*bfd, "transmit_interval"))
        << ", gives up after " << milliseconds(number(*bfd, "detection_time")) << '\n'
        << "            peer wants " << milliseconds(number(*bfd, "remote_min_rx")) << ", sends "
        << milliseconds(number(*bfd, "remote_min_tx")) << " x " << number(*bfd, "remote_multiplier")
        << (flag(*bfd, "authenticated") ? ", authenticated" : "") << '\n'
        << "            " << number(*bfd, "sent") << " sent, " << number(*bfd, "received")
        << " received\n";
}

}  // namespace

void liveness(Session& session, const std::string& address) {
    if (!address.empty()) {
        const auto body = fetch(session, "/api/v1/liveness");
        auto answer = body ? parse(session, *body) : std::nullopt;
        if (!answer) return;
        for (auto& member : answer->items)
            std::erase_if(member.items,
                          [&](const Json& row) { return text(row, "address") != address; });
        const auto& rows = list(*answer, "liveness");
        if (session.as_json)
            session.out << to_text(*answer) << '\n';
        else
            for (const auto& row : rows) details(session, row);
        if (!rows.empty()) return;
        session.err << "error: no liveness session for " << address << '\n';
        session.code = kRefused;
        return;
    }
    const auto answer = get(session, "/api/v1/liveness");
    if (!answer) return;
    Table table{{{"ADDRESS"},
                 {"PORT"},
                 {"VERDICT"},
                 {"SINCE", Align::Right},
                 {"BY"},
                 {"BGP"},
                 {"WHY", Align::Left, true}}};
    for (const auto& row : list(*answer, "liveness"))
        table.add({text(row, "address"), text(row, "port"), text(row, "verdict"),
                   duration(number(row, "since")), watched_by(row), text(row, "bgp"),
                   text(row, "reason")});
    table.print(session.out, session.width);
}

}  // namespace torii::cli
