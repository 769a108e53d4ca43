#include <fstream>
#include <iostream>
#include <iterator>

#include "mgmt/cli/session.hpp"
#include "mgmt/json_writer.hpp"

namespace torii::cli {
namespace {

const Headers kPlain{{"Content-Type", "text/plain"}};

// "-" is standard input.
std::optional<std::string> content(Session& session, const std::string& file) {
    if (file == "-") return std::string{std::istreambuf_iterator<char>{std::cin}, {}};
    std::ifstream in{file, std::ios::binary};
    if (!in) {
        session.err << "error: cannot read " << file << '\n';
        session.code = kUsage;
        return std::nullopt;
    }
    return std::string{std::istreambuf_iterator<char>{in}, {}};
}

void print_commit(Session& session, const std::string& answer) {
    const auto parsed = parse_json(answer);
    if (!parsed) return;
    const auto& state = *parsed;
    session.out << "revision " << number(state, "revision");
    if (const auto summary = text(state, "summary"); !summary.empty())
        session.out << ": " << summary;
    session.out << '\n';
    for (const auto& name : list(state, "sessions_reset"))
        session.out << "  reset: " << name.text << '\n';
    for (const auto& change : list(state, "waits_for_restart"))
        session.out << "  waits for a restart: " << change.text << '\n';
    if (const auto within = number(state, "confirm_within"); within > 0)
        session.out << "rolls back by itself in " << within
                    << " s; to keep it: torii config confirm, to go back now: torii config abort\n";
    for (const auto& failure : list(state, "failed")) {
        session.err << "error: applied in part: " << failure.text << '\n';
        session.code = kRefused;
    }
    if (const auto why = text(state, "not_saved"); !why.empty()) {
        session.err << "error: applied, but not saved: " << why << '\n';
        session.code = kRefused;
    }
}

}  // namespace

void config_show(Session& session, bool defaults, const std::string& revision) {
    const auto path = revision.empty()
                          ? std::string{"/api/v1/config"} + (defaults ? "?defaults=true" : "")
                          : "/api/v1/config/revisions/" + revision;
    const auto answer = request(session.target, "GET", path, "",
                                {{"Accept", session.as_json ? "application/json" : "text/plain"}});
    if (!answer) {
        session.err << "error: " << answer.error() << '\n';
        session.code = kUnreachable;
    } else if (answer->status >= 300) {
        print_problem(session, *answer);
    } else {
        session.out << answer->body << (session.as_json ? "\n" : "");
    }
}

void config_check(Session& session, const std::string& file) {
    const auto body = content(session, file);
    std::string answer;
    if (!body || !send(session, "POST", "/api/v1/config/check", *body, kPlain, &answer)) return;
    const auto value = parse_json(answer);
    if (!value) return;
    for (const auto& item : list(*value, "warnings"))
        session.out << file << ':' << number(item, "line") << ": warning: " << text(item, "path")
                    << ": " << text(item, "message") << '\n';
    session.out << file << " is good\n";
}

void config_diff(Session& session, const std::string& file, const std::string& revision) {
    std::optional<std::string> body = "";
    if (!file.empty()) body = content(session, file);
    const auto path =
        std::string{"/api/v1/config/diff"} + (revision.empty() ? "" : "?revision=" + revision);
    std::string answer;
    if (!body || !send(session, "POST", path, *body, kPlain, &answer)) return;
    const auto value = parse_json(answer);
    if (!value) return;
    for (const auto& change : list(*value, "changes")) {
        const auto cost = text(change, "cost");
        session.out << "  " << text(change, "what");
        if (!cost.empty() && cost != "none") session.out << "  [" << cost << ']';
        session.out << '\n';
    }
    if (const auto diff = text(*value, "text"); !diff.empty()) session.out << diff;
    session.out << text(*value, "summary") << '\n';
}

std::optional<std::string> config_tag(Session& session, std::string* own_text) {
    const auto answer = fetch_answer(session, "/api/v1/config/text");
    if (!answer) return std::nullopt;
    if (own_text) *own_text = answer->body;
    return answer->etag;
}

void config_reload(Session& session) {
    const auto tag = config_tag(session);
    std::string answer;
    if (tag && send(session, "POST", "/api/v1/config/reload", "", {{"If-Match", *tag}}, &answer))
        print_commit(session, answer);
}

void config_commit(Session& session, const std::string& file, const std::string& comment,
                   unsigned confirm_within, bool save, const std::string& if_match) {
    const auto body = content(session, file);
    if (!body) return;
    std::string request;
    mgmt::JsonWriter json{request};
    json.object().member("text", *body).member_if("comment", comment);
    if (confirm_within > 0) json.member("confirm_within", confirm_within);
    if (save) json.member("save", true);
    json.end_object();
    const auto tag = if_match.empty() ? config_tag(session) : std::optional{if_match};
    if (!tag) return;
    auto headers = json_headers();
    headers.emplace_back("If-Match", *tag);
    std::string answer;
    if (send(session, "POST", "/api/v1/config/commit", request, headers, &answer))
        print_commit(session, answer);
}

void config_simple(Session& session, const std::string& path, const std::string& said) {
    std::string answer;
    if (!send(session, "POST", path, "", {}, &answer)) return;
    if (answer.empty())
        session.out << said << '\n';
    else
        print_commit(session, answer);
}

void config_history(Session& session) {
    const auto answer = get(session, "/api/v1/config/revisions");
    if (!answer) return;
    Table table{{{"REVISION", Align::Right},
                 {"TIME"},
                 {"AUTHOR"},
                 {"COMMENT", Align::Left, true},
                 {"CHANGES", Align::Left, true}}};
    for (const auto& row : list(*answer, "revisions"))
        table.add({std::to_string(number(row, "number")), text(row, "time"), text(row, "author"),
                   text(row, "comment"), text(row, "summary")});
    table.print(session.out, session.width);
}

void config_import(Session& session, const std::string& file, const Imported& imported) {
    session.code = imported.code;
    if (session.as_json) {
        std::string all;
        mgmt::JsonWriter json{all};
        json.object().member("configuration", imported.configuration).key("left_out").array();
        for (const auto& item : imported.left_out)
            json.object()
                .member("line", item.line)
                .member("effect", item.effect)
                .member("text", item.text)
                .member("why", item.why)
                .end_object();
        json.end_array().key("problems").array();
        for (const auto& problem : imported.problems) json.value(problem);
        json.end_array().end_object();
        session.out << all << '\n';
        return;
    }
    session.out << imported.configuration;
    std::vector<std::pair<std::string, std::size_t>> counts;
    for (const auto& item : imported.left_out) {
        session.err << file << ':' << item.line << ": " << item.effect << ": " << item.text << " ("
                    << item.why << ")\n";
        if (counts.empty() || counts.back().first != item.effect)
            counts.emplace_back(item.effect, 0);
        ++counts.back().second;
    }
    if (!counts.empty()) session.err << file << ": not carried over as it is:";
    for (const auto& [effect, count] : counts)
        session.err << (&effect == &counts.front().first ? " " : ", ") << count << ' ' << effect;
    if (!counts.empty()) session.err << '\n';
    for (const auto& problem : imported.problems) session.err << problem << '\n';
}

}  // namespace torii::cli
