#include "mgmt/cli/session.hpp"

namespace torii::cli {

void verify(Session& session) {
    std::string answer;
    const bool as_json = std::exchange(session.as_json, false);
    if (!send(session, "POST", "/api/v1/verify", "", {}, &answer)) return;
    const auto report = parse(session, answer);
    if (!report) return;
    if (number(*report, "fault_count") != 0) session.code = kRefused;
    if (as_json) {
        session.out << answer << '\n';
        return;
    }
    const auto count = [&](std::string_view name) {
        return grouped(static_cast<std::uint64_t>(number(*report, name)));
    };
    session.out << "compared: " << count("prefixes") << " prefixes, " << count("groups")
                << " groups, " << count("neighbors")
                << " neighbors\nfaults: " << count("fault_count");
    if (number(*report, "fault_count") != 0)
        session.out << (flag(*report, "healed") ? ", all corrected" : ", some are still there");
    session.out << '\n';
    Table table{{{"KIND"}, {"WHERE"}, {"WANTED", Align::Left, true}, {"FOUND", Align::Left, true}}};
    for (const auto& fault : list(*report, "faults"))
        table.add({text(fault, "kind"), text(fault, "where"), text(fault, "wanted"),
                   text(fault, "found")});
    if (!list(*report, "faults").empty()) table.print(session.out, session.width);
}

}  // namespace torii::cli
