#include "mgmt/router.hpp"

#include <algorithm>
#include <set>

#include "mgmt/json_writer.hpp"

namespace torii::mgmt {
namespace {

int hex(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

std::string_view segment(std::string_view& path) {
    if (path.starts_with('/')) path.remove_prefix(1);
    const auto out = path.substr(0, path.find('/'));
    path.remove_prefix(out.size());
    return out;
}

enum class Match : std::uint8_t { No, Yes, Broken };

Match match(std::string_view pattern, std::string_view path, Request& request) {
    request.parameters.clear();
    while (!pattern.empty()) {
        const auto wanted = segment(pattern);
        if (!wanted.starts_with('{')) {
            if (path.empty() || segment(path) != wanted) return Match::No;
            continue;
        }
        auto name = wanted.substr(1, wanted.size() - 2);
        std::string_view raw;
        if (name.ends_with("...")) {
            name.remove_suffix(3);
            raw = path.starts_with('/') ? path.substr(1) : path;
            path = {};
        } else {
            raw = segment(path);
        }
        if (raw.empty()) return Match::No;
        auto value = percent_decode(raw, false);
        if (!value) return Match::Broken;
        request.parameters.emplace_back(name, std::move(*value));
    }
    return path.empty() ? Match::Yes : Match::No;
}

}  // namespace

std::optional<std::string> percent_decode(std::string_view text, bool plus_is_space) {
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '+' && plus_is_space) {
            out += ' ';
        } else if (text[i] != '%') {
            out += text[i];
        } else {
            if (i + 2 >= text.size() || hex(text[i + 1]) < 0 || hex(text[i + 2]) < 0)
                return std::nullopt;
            out += static_cast<char>(hex(text[i + 1]) * 16 + hex(text[i + 2]));
            i += 2;
        }
    }
    return out;
}

std::optional<std::vector<std::pair<std::string, std::string>>> parse_query(std::string_view text) {
    std::vector<std::pair<std::string, std::string>> out;
    while (!text.empty()) {
        const auto part = text.substr(0, text.find('&'));
        text.remove_prefix(std::min(text.size(), part.size() + 1));
        if (part.empty()) continue;
        const auto equals = part.find('=');
        auto name = percent_decode(part.substr(0, equals), true);
        auto value = equals == std::string_view::npos
                         ? std::optional<std::string>{""}
                         : percent_decode(part.substr(equals + 1), true);
        if (!name || !value) return std::nullopt;
        out.emplace_back(std::move(*name), std::move(*value));
    }
    return out;
}

Response problem_response(const Problem& problem) {
    Response out;
    out.status = problem.status;
    out.content_type = "application/problem+json";
    JsonWriter json{out.body};
    json.object();
    json.member("type", "urn:torii:problem:" + problem.id)
        .member("title", problem.title)
        .member("status", problem.status)
        .member_if("detail", problem.detail);
    if (!problem.errors.empty()) {
        json.key("errors").array();
        for (const auto& error : problem.errors) {
            json.object();
            json.member_if("file", error.file);
            if (error.line != 0) json.member("line", error.line);
            json.member_if("path", error.path).member("message", error.message);
            if (error.warning) json.member("warning", true);
            json.end_object();
        }
        json.end_array();
    }
    json.end_object();
    return out;
}

Response json_response(std::string body, unsigned status) {
    Response out;
    out.status = status;
    out.body = std::move(body);
    return out;
}

Done<Nothing> reply_done(const Api& api, Respond respond) {
    return reply_with<Nothing>(api, std::move(respond), [](const Nothing&) {
        Response response;
        response.status = 204;
        return response;
    });
}

Done<bool> reply_put(const Api& api, Respond respond, const Prefix& prefix) {
    return reply_with<bool>(api, std::move(respond), [prefix](bool fresh) {
        std::string body;
        JsonWriter json{body};
        json.object();
        json.member("prefix", prefix.to_string()).member("created", fresh);
        json.end_object();
        return json_response(std::move(body), fresh ? 201 : 200);
    });
}

Result<Prefix, Problem> prefix_of(const Request& request) {
    const auto& text = *request.parameter("prefix");
    const auto prefix = Prefix::parse_strict(text);
    if (!prefix) {
        const auto loose = Prefix::parse(text);
        return Failure{bad_request(loose ? "bits set behind the length; did you mean " +
                                               loose->to_string() + "?"
                                         : text.substr(0, 60) + " is no prefix")};
    }
    return *prefix;
}

void respond_missing(const Respond& respond, std::string_view what) {
    respond(problem_response({501,
                              "not-implemented",
                              "Not in this build",
                              std::string{what} + " cannot be asked of this process",
                              {}}));
}

std::vector<Endpoint> all_endpoints() {
    std::vector<Endpoint> out;
    for (const auto table :
         {route_endpoints(), bgp_endpoints(), port_endpoints(), liveness_endpoints(),
          system_endpoints(), capture_endpoints(), drain_endpoints(), offload_endpoints(),
          verify_endpoints(), event_endpoints(), config_endpoints(), looking_glass_endpoints(),
          web_endpoints()})
        out.insert(out.end(), table.begin(), table.end());
    return out;
}

void dispatch(const Api& api, Request request, Respond respond) {
    static const std::vector<Endpoint> endpoints = all_endpoints();
    std::set<std::string_view> methods;
    // HEAD is GET without the body, which the server leaves out.
    std::string_view method = request.method;
    if (method == "HEAD") method = "GET";
    for (const Endpoint& endpoint : endpoints) {
        const auto matched = match(endpoint.pattern, request.path, request);
        if (matched == Match::Broken) {
            respond(problem_response(bad_request("a broken % escape in the path")));
            return;
        }
        if (matched == Match::No) continue;
        if (endpoint.method != method) {
            methods.insert(endpoint.method);
            continue;
        }
        if (request.role < endpoint.least) {
            const bool unknown = request.role == Role::None;
            auto response = problem_response(
                unknown ? Problem{401,
                                  "unauthorized",
                                  "Not authenticated",
                                  "send a bearer token: Authorization: Bearer TOKEN",
                                  {}}
                        : Problem{403,
                                  "forbidden",
                                  "Your role does not allow it",
                                  std::string{"this needs the role "} +
                                      (endpoint.least == Role::Admin ? "admin" : "operate"),
                                  {}});
            if (unknown) response.headers.emplace_back("WWW-Authenticate", "Bearer");
            respond(std::move(response));
            return;
        }
        endpoint.handler(api, request, std::move(respond));
        return;
    }
    if (methods.empty()) {
        respond(problem_response(not_found("no resource " + request.path.substr(0, 200))));
        return;
    }
    std::string allow;
    for (const auto m : methods) allow += (allow.empty() ? "" : ", ") + std::string{m};
    auto response =
        problem_response({405, "method-not-allowed", "Not this method", "allowed: " + allow, {}});
    response.headers.emplace_back("Allow", allow);
    respond(std::move(response));
}

}  // namespace torii::mgmt
