#include <charconv>

#include "mgmt/json_body.hpp"
#include "mgmt/router.hpp"
#include "mgmt/rows_json.hpp"

namespace torii::mgmt {
namespace {

std::string_view content_type(const Request& request) {
    const auto* type = request.header("content-type");
    return type ? std::string_view{*type} : std::string_view{};
}

template <class State>
std::string tag(const State& state) {
    return entity_tag(state.revision, state.edits);
}

std::optional<std::uint64_t> whole_number(const std::string& text) {
    std::uint64_t number = 0;
    const auto [rest, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc{} || rest != text.data() + text.size()) return std::nullopt;
    return number;
}

bool wants_json(const Request& request) {
    const auto* accept = request.header("accept");
    return accept && accept->find("application/json") != std::string::npos;
}

void running(const Api& api, const Request& request, Respond respond) {
    if (!api.views.config) return respond_missing(respond, "the configuration");
    const auto* defaults = request.asked("defaults");
    const auto* known = request.header("if-none-match");
    api.views.config->running(
        defaults && *defaults != "false",
        reply_with<ConfigText>(
            api, std::move(respond),
            [json = wants_json(request), known = known ? *known : ""](auto& config) {
                Response response;
                response.headers.emplace_back("ETag", tag(config));
                if (known == tag(config)) {
                    response.status = 304;
                    return response;
                }
                if (!json) {
                    response.content_type = "text/plain; charset=utf-8";
                    response.body = std::move(config.text);
                    return response;
                }
                response.body = to_json(config);
                return response;
            }));
}

// The operator's own text.
void text(const Api& api, const Request& request, Respond respond) {
    if (!api.views.config) return respond_missing(respond, "the configuration");
    api.views.config->text(reply_with<ConfigText>(
        api, std::move(respond), [json = wants_json(request)](ConfigText& config) {
            Response response;
            response.headers.emplace_back("ETag", tag(config));
            if (json) {
                response.body = to_json(config);
                return response;
            }
            response.content_type = "text/plain; charset=utf-8";
            response.body = std::move(config.text);
            return response;
        }));
}

void check(const Api& api, const Request& request, Respond respond) {
    if (!api.views.config) return respond_missing(respond, "the configuration");
    auto body = parse_commit(request.body, content_type(request));
    if (!body) return respond(problem_response(body.error()));
    api.views.config->check(
        std::move(body->text),
        reply_with<std::vector<ProblemDetail>>(api, std::move(respond), [](auto& problems) {
            bool good = true;
            for (const auto& problem : problems) good = good && problem.warning;
            if (!good) return problem_response(invalid("the configuration has errors", problems));
            std::string out;
            JsonWriter json{out};
            json.object().member("valid", true).key("warnings").array();
            for (const auto& problem : problems) {
                json.object();
                json.member_if("file", problem.file).member("line", problem.line);
                json.member_if("path", problem.path).member("message", problem.message);
                json.end_object();
            }
            json.end_array().end_object();
            return json_response(std::move(out));
        }));
}

void diff(const Api& api, const Request& request, Respond respond) {
    if (!api.views.config) return respond_missing(respond, "the configuration");
    auto body = parse_commit(request.body, content_type(request));
    if (!body) return respond(problem_response(body.error()));
    auto done = reply_with<ConfigDiff>(api, std::move(respond),
                                       [](auto& row) { return json_response(to_json(row)); });
    const auto* wanted = request.asked("revision");
    if (!wanted) return api.views.config->diff(std::move(body->text), std::move(done));
    const auto revision = whole_number(*wanted);
    if (!revision) return done(Failure{bad_request("a revision is a number")});
    api.views.config->diff_to(*revision, std::move(done));
}

Done<CommitState> reply_commit(const Api& api, Respond respond) {
    return reply_with<CommitState>(api, std::move(respond), [](auto& state) {
        auto response = json_response(to_json(state));
        response.headers.emplace_back("ETag", tag(state));
        return response;
    });
}

// The client, and its conditions. A problem: a condition is not understood.
std::optional<Problem> read_conditions(const Request& request, ChangeRequest& out) {
    out.author = request.who;
    if (const auto* wanted = request.header("if-match")) out.if_match = *wanted;
    const auto* confirm = request.asked("confirm_within");
    if (!confirm) return std::nullopt;
    const auto value = whole_number(*confirm);
    if (!value || *value == 0 || *value > 86400)
        return bad_request("confirm_within: seconds from 1 to 86400");
    out.confirm_within = seconds{*value};
    return std::nullopt;
}

void reload(const Api& api, const Request& request, Respond respond) {
    if (!api.views.config) return respond_missing(respond, "the configuration");
    ChangeRequest wanted;
    if (const auto problem = read_conditions(request, wanted))
        return respond(problem_response(*problem));
    api.views.config->reload(std::move(wanted), reply_commit(api, std::move(respond)));
}

void commit(const Api& api, const Request& request, Respond respond) {
    if (!api.views.config) return respond_missing(respond, "the configuration");
    auto body = parse_commit(request.body, content_type(request));
    if (!body) return respond(problem_response(body.error()));
    if (const auto problem = read_conditions(request, *body))
        return respond(problem_response(*problem));
    if (body->text.empty()) return respond(problem_response(invalid("the configuration is empty")));
    api.views.config->commit(std::move(*body), reply_commit(api, std::move(respond)));
}

void confirm(const Api& api, const Request&, Respond respond) {
    if (!api.views.config) return respond_missing(respond, "the configuration");
    api.views.config->confirm(reply_commit(api, std::move(respond)));
}

void abort(const Api& api, const Request& request, Respond respond) {
    if (!api.views.config) return respond_missing(respond, "the configuration");
    api.views.config->abort(request.who, reply_commit(api, std::move(respond)));
}

void roll_back(const Api& api, const Request& request, Respond respond) {
    if (!api.views.config) return respond_missing(respond, "the configuration");
    const auto revision = whole_number(*request.parameter("revision"));
    if (!revision) return respond(problem_response(bad_request("a revision is a number")));
    ChangeRequest wanted;
    if (const auto problem = read_conditions(request, wanted))
        return respond(problem_response(*problem));
    api.views.config->roll_back(*revision, std::move(wanted),
                                reply_commit(api, std::move(respond)));
}

void save(const Api& api, const Request&, Respond respond) {
    if (!api.views.config) return respond_missing(respond, "the configuration");
    api.views.config->save(reply_done(api, std::move(respond)));
}

void revisions(const Api& api, const Request&, Respond respond) {
    if (!api.views.config) return respond_missing(respond, "the configuration");
    api.views.config->revisions(reply_with<std::vector<Revision>>(
        api, std::move(respond),
        [](auto& rows) { return json_response(list_to_json("revisions", rows)); }));
}

void revision(const Api& api, const Request& request, Respond respond) {
    if (!api.views.config) return respond_missing(respond, "the configuration");
    const auto number = whole_number(*request.parameter("revision"));
    if (!number) return respond(problem_response(bad_request("a revision is a number")));
    api.views.config->revision(
        *number, reply_with<ConfigText>(api, std::move(respond),
                                        [json = wants_json(request)](ConfigText& config) {
                                            if (json) return json_response(to_json(config));
                                            Response response;
                                            response.content_type = "text/plain; charset=utf-8";
                                            response.body = std::move(config.text);
                                            return response;
                                        }));
}

constexpr Endpoint kEndpoints[] = {
    {"GET", "/api/v1/config", Role::Read, running},
    {"GET", "/api/v1/config/text", Role::Read, text},
    {"POST", "/api/v1/config/check", Role::Read, check},
    {"POST", "/api/v1/config/diff", Role::Read, diff},
    {"POST", "/api/v1/config/reload", Role::Admin, reload},
    {"POST", "/api/v1/config/commit", Role::Admin, commit},
    {"POST", "/api/v1/config/confirm", Role::Admin, confirm},
    {"POST", "/api/v1/config/abort", Role::Admin, abort},
    {"POST", "/api/v1/config/rollback/{revision}", Role::Admin, roll_back},
    {"POST", "/api/v1/config/save", Role::Admin, save},
    {"GET", "/api/v1/config/revisions", Role::Read, revisions},
    {"GET", "/api/v1/config/revisions/{revision}", Role::Read, revision},
};

}  // namespace

std::span<const Endpoint> config_endpoints() {
    return kEndpoints;
}

}  // namespace torii::mgmt
