#include "mgmt/cli/session.hpp"

namespace torii::cli {
namespace {

const json::value* find(const json::value& row, std::string_view key) {
    return row.is_object() ? row.get_object().if_contains({key.data(), key.size()}) : nullptr;
}

}  // namespace

std::optional<json::value> parse(Session& session, const std::string& body) {
    json::error_code error;
    auto value = json::parse(body, error);
    if (!error) return value;
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
    json::error_code error;
    const auto value = json::parse(answer.body, error);
    if (error || !value.is_object()) {
        session.err << "error: HTTP " << answer.status << '\n';
        return;
    }
    const auto detail = text(value, "detail");
    session.err << "error: " << (detail.empty() ? text(value, "title") : detail) << '\n';
    for (const auto& item : list(value, "errors")) {
        const auto file = text(item, "file");
        session.err << "  " << file;
        if (!file.empty() && number(item, "line") > 0) session.err << ':' << number(item, "line");
        if (!file.empty()) session.err << ": ";
        if (flag(item, "warning")) session.err << "warning: ";
        if (const auto path = text(item, "path"); !path.empty()) session.err << path << ": ";
        session.err << text(item, "message") << '\n';
    }
}

std::optional<json::value> get(Session& session, const std::string& path) {
    const auto answer = request(session.target, "GET", path);
    if (!answer) {
        session.err << "error: " << answer.error() << '\n';
        session.code = kUnreachable;
        return std::nullopt;
    }
    if (answer->status >= 300) {
        print_problem(session, *answer);
        return std::nullopt;
    }
    if (session.as_json) {
        session.out << answer->body << '\n';
        return std::nullopt;
    }
    return parse(session, answer->body);
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

std::string text(const json::value& row, std::string_view key) {
    const auto* value = find(row, key);
    return value && value->is_string() ? std::string{value->get_string().c_str()} : "";
}

std::int64_t number(const json::value& row, std::string_view key) {
    const auto* value = find(row, key);
    json::error_code error;
    return value && value->is_number() ? value->to_number<std::int64_t>(error) : 0;
}

bool flag(const json::value& row, std::string_view key) {
    const auto* value = find(row, key);
    return value && value->is_bool() && value->get_bool();
}

const json::array& list(const json::value& row, std::string_view key) {
    static const json::array none;
    const auto* value = find(row, key);
    return value && value->is_array() ? value->get_array() : none;
}

std::string words(const json::value& row, std::string_view key) {
    std::string out;
    for (const auto& item : list(row, key))
        if (item.is_string())
            out += (out.empty() ? "" : " ") + std::string{item.get_string().c_str()};
    return out;
}

}  // namespace torii::cli
