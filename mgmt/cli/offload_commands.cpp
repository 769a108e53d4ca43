#include "mgmt/cli/session.hpp"

namespace torii::cli {
namespace {

// All refusals of a port are often one and the same.
std::string why(const Json& port, const Json& rule) {
    return flag(port, "rte_flow") ? text(rule, "reason") : "";
}

}  // namespace

void offload(Session& session, bool rules) {
    const auto answer = get(session, "/api/v1/offload");
    if (!answer) return;
    auto& out = session.out;
    for (const auto& port : list(*answer, "ports")) {
        std::size_t in_hardware = 0;
        for (const auto& rule : list(port, "rules"))
            in_hardware += text(rule, "place") == "hardware";
        out << text(port, "port") << " (" << text(port, "driver") << "): " << in_hardware << " of "
            << list(port, "rules").size() << " rules in hardware";
        if (const auto reason = text(port, "reason"); !reason.empty()) out << ", " << reason;
        if (find(port, "urgent_queue"))
            out << ", queue " << number(port, "urgent_queue") << " for sessions and neighbors, "
                << number(port, "control_queue") << " for the rest of what is ours";
        out << "; workers dropped "
            << grouped(static_cast<std::uint64_t>(number(port, "dropped_by_workers")))
            << " packets of listed sources\n";
        Table table{{{"INTENT"},
                     {"MATCH", Align::Left, true},
                     {"ACTION"},
                     {"PLACE"},
                     {"PACKETS", Align::Right},
                     {rules ? "RULE" : "WHY", Align::Left, true}}};
        for (const auto& rule : list(port, "rules"))
            table.add({text(rule, "intent"), text(rule, "match"), text(rule, "action"),
                       text(rule, "place"),
                       find(rule, "packets")
                           ? grouped(static_cast<std::uint64_t>(number(rule, "packets")))
                           : "-",
                       rules ? text(rule, "rule") : why(port, rule)});
        table.print(out, session.width);
    }
    const auto sources = words(*answer, "drop_sources");
    out << "drop sources: " << (sources.empty() ? "none" : sources) << '\n';
}

void drop_source(Session& session, const std::string& prefix) {
    std::string answer;
    if (!send(session, "PUT", "/api/v1/drop-sources/" + percent_encode(prefix), "", {}, &answer))
        return;
    const bool fresh = answer.find("\"created\":true") != std::string::npos;
    session.out << prefix << (fresh ? ": dropped from now on\n" : ": was dropped already\n");
}

void undrop_source(Session& session, const std::string& prefix) {
    if (send(session, "DELETE", "/api/v1/drop-sources/" + percent_encode(prefix), "", {}))
        session.out << prefix << ": no longer dropped\n";
}

}  // namespace torii::cli
