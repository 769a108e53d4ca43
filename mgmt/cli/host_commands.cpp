#include "mgmt/auth.hpp"
#include "mgmt/cli/doctor.hpp"
#include "mgmt/cli/session.hpp"
#include "mgmt/json_writer.hpp"

// Commands that ask no router.
namespace torii::cli {

void doctor(Session& session) {
    constexpr const char* kMarks[] = {"ok    ", "hint  ", "WRONG "};
    constexpr const char* kKinds[] = {"good", "hint", "bad"};
    std::string all;
    mgmt::JsonWriter json{all};
    json.object().key("findings").array();
    for (const auto& finding : examine_host()) {
        const auto kind = static_cast<std::size_t>(finding.kind);
        if (finding.kind == Finding::Kind::Bad) session.code = kRefused;
        if (session.as_json) {
            json.object()
                .member("check", finding.check)
                .member("kind", kKinds[kind])
                .member("what", finding.what)
                .member("mend", finding.mend)
                .end_object();
            continue;
        }
        session.out << kMarks[kind] << finding.what << '\n';
        if (!finding.mend.empty()) session.out << "        " << finding.mend << '\n';
    }
    json.end_array().end_object();
    if (session.as_json) session.out << all << '\n';
}

void token_add(Session& session, const std::string& name, const std::string& role) {
    const auto fresh = mgmt::make_token();
    if (session.as_json) {
        std::string all;
        mgmt::JsonWriter{all}
            .object()
            .member("name", name)
            .member("role", role)
            .member("token", fresh.token)
            .member("hash", fresh.hash)
            .end_object();
        session.out << all << '\n';
        return;
    }
    session.out << "token, shown this once: " << fresh.token
                << "\nfor management.tokens: { name = \"" << name << "\"; role = \"" << role
                << "\"; hash = \"" << fresh.hash << "\"; }\n";
}

}  // namespace torii::cli
