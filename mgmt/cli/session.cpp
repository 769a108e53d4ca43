#include "mgmt/cli/session.hpp"

namespace torii::cli {

std::optional<Json> parse(Session& session, const std::string& body) {
    auto value = parse_json(body);
    if (value) return value;
    session.err << "torii answered something that is no JSON\n";
    session.code = kRefused;
    return std::nullopt;
}

void print_problem(Session& session, const Answer& answer) {
    session.code = kRefused;
    if (session.as_json) {
        session.out << answer.body << '\n';
        return;
    }
    const auto value = parse_json(answer.body);
    if (!value || value->kind != Json::Kind::Object) {
        session.err << "error: HTTP " << answer.status << '\n';
        return;
    }
    const auto detail = text(*value, "detail");
    session.err << "error: " << (detail.empty() ? text(*value, "title") : detail) << '\n';
    for (const auto& item : list(*value, "errors")) {
        const auto file = text(item, "file");
        session.err << "  " << file;
        if (!file.empty() && number(item, "line") > 0) session.err << ':' << number(item, "line");
        if (!file.empty()) session.err << ": ";
        if (flag(item, "warning")) session.err << "warning: ";
        if (const auto path = text(item, "path"); !path.empty()) session.err << path << ": ";
        session.err << text(item, "message") << '\n';
    }
}

std::optional<Answer> fetch_answer(Session& session, const std::string& path) {
    auto answer = request(session.target, "GET", path);
    if (!answer) {
        session.err << "error: " << answer.error() << '\n';
        session.code = kUnreachable;
        return std::nullopt;
    }
    if (answer->status >= 300) {
        print_problem(session, *answer);
        return std::nullopt;
    }
    return std::move(*answer);
}

std::optional<std::string> fetch(Session& session, const std::string& path) {
    auto answer = fetch_answer(session, path);
    if (!answer) return std::nullopt;
    return std::move(answer->body);
}

std::optional<Json> get(Session& session, const std::string& path) {
    const auto body = fetch(session, path);
    if (!body) return std::nullopt;
    if (!session.as_json) return parse(session, *body);
    session.out << *body << '\n';
    return std::nullopt;
}

std::optional<Json> get_to_judge(Session& session, const std::string& path) {
    const auto body = fetch(session, path);
    if (!body) return std::nullopt;
    if (session.as_json) session.out << *body << '\n';
    return parse(session, *body);
}

bool send(Session& session, const std::string& method, const std::string& path,
          const std::string& body, const Headers& headers, std::string* got) {
    const auto answer = request(session.target, method, path, body, headers);
    if (!answer) {
        session.err << "error: " << answer.error() << '\n';
        session.code = kUnreachable;
        return false;
    }
    if (answer->status >= 300) {
        print_problem(session, *answer);
        return false;
    }
    if (session.as_json) {
        session.out << (answer->body.empty() ? "{}" : answer->body) << '\n';
        return false;
    }
    if (got) *got = answer->body;
    return true;
}

const Headers& json_headers() {
    static const Headers headers{{"Content-Type", "application/json"}};
    return headers;
}

}  // namespace torii::cli
