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

std::string tag(std::uint64_t revision) {
    return '"' + std::to_string(revision) + '"';
}

void running(const Api& api, const Request& request, Respond respond) {
    if (!api.views.config) return respond_missing(respond, "the configuration");
    const auto* defaults = request.asked("defaults");
    const auto* accept = request.header("accept");
    const bool json = accept && accept->find("application/json") != std::string::npos;
    const auto* known = request.header("if-none-match");
    api.views.config->running(
        defaults && *defaults != "false",
        reply_with<ConfigText>(api, std::move(respond),
                               [json, known = known ? *known : ""](auto& config) {
                                   Response response;
                                   response.headers.emplace_back("ETag", tag(config.revision));
                                   if (known == tag(config.revision)) {
                                       response.status = 304;
                                       return response;
                                   }
                                   if (!json) {
                                       response.content_type = "text/plain; charset=utf-8";
                                       response.body = std::move(config.text);
                                       return response;
                                   }
                                   JsonWriter writer{response.body};
                                   writer.object();
                                   writer.member("revision", config.revision)
                                       .member("saved", config.saved)
                                       .member("text", config.text);
                                   writer.end_object();
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
    api.views.config->diff(std::move(body->text),
                           reply_with<ConfigDiff>(api, std::move(respond), [](auto& row) {
                               return json_response(to_json(row));
                           }));
}

Done<CommitState> reply_commit(const Api& api, Respond respond) {
    return reply_with<CommitState>(api, std::move(respond), [](auto& state) {
        auto response = json_response(to_json(state));
        response.headers.emplace_back("ETag", tag(state.revision));
        return response;
    });
}

// RFC 9110 §13.1.1: does nothing when somebody else was faster.
void if_match(const Api& api, const Request& request, Respond respond,
              std::function<void(Respond)> then) {
    const auto* wanted = request.header("if-match");
    if (!wanted || *wanted == "*") return then(std::move(respond));
    api.views.config->running(
        false, answer_on<ConfigText>(
                   api.post, [wanted = *wanted, respond = std::move(respond),
                              then = std::move(then)](Result<ConfigText, Problem> config) {
                       if (!config) return respond(problem_response(config.error()));
                       if (wanted != tag(config->revision))
                           return respond(problem_response(
                               {412,
                                "precondition-failed",
                                "Somebody was faster",
                                "the running revision is " + std::to_string(config->revision),
                                {}}));
                       then(respond);
                   }));
}

void reload(const Api& api, const Request& request, Respond respond) {
    if (!api.views.config) return respond_missing(respond, "the configuration");
    if_match(api, request, std::move(respond), [&api](Respond next) {
        api.views.config->reload(reply_commit(api, std::move(next)));
    });
}

void commit(const Api& api, const Request& request, Respond respond) {
    if (!api.views.config) return respond_missing(respond, "the configuration");
    auto body = parse_commit(request.body, content_type(request));
    if (!body) return respond(problem_response(body.error()));
    if (const auto* confirm = request.asked("confirm_within")) {
        std::uint32_t value = 0;
        const auto [rest, error] =
            std::from_chars(confirm->data(), confirm->data() + confirm->size(), value);
        if (error != std::errc{} || rest != confirm->data() + confirm->size() || value == 0 ||
            value > 86400)
            return respond(
                problem_response(bad_request("confirm_within: seconds from 1 to 86400")));
        body->confirm_within = seconds{value};
    }
    if (body->text.empty()) return respond(problem_response(invalid("the configuration is empty")));
    if_match(api, request, std::move(respond),
             [&api, body = std::move(*body), who = request.who](Respond next) {
                 api.views.config->commit(body.text, who, body.comment, body.confirm_within,
                                          reply_commit(api, std::move(next)));
             });
}

void confirm(const Api& api, const Request&, Respond respond) {
    if (!api.views.config) return respond_missing(respond, "the configuration");
    api.views.config->confirm(reply_commit(api, std::move(respond)));
}

void roll_back(const Api& api, const Request& request, Respond respond) {
    if (!api.views.config) return respond_missing(respond, "the configuration");
    const auto& text = *request.parameter("revision");
    std::uint64_t revision = 0;
    const auto [rest, error] = std::from_chars(text.data(), text.data() + text.size(), revision);
    if (error != std::errc{} || rest != text.data() + text.size())
        return respond(problem_response(bad_request("a revision is a number")));
    if_match(api, request, std::move(respond), [&api, revision, who = request.who](Respond next) {
        api.views.config->roll_back(revision, who, reply_commit(api, std::move(next)));
    });
}

void save(const Api& api, const Request&, Respond respond) {
    if (!api.views.config) return respond_missing(respond, "the configuration");
    api.views.config->save(reply_with<Nothing>(api, std::move(respond), [](const Nothing&) {
        Response response;
        response.status = 204;
        return response;
    }));
}

void revisions(const Api& api, const Request&, Respond respond) {
    if (!api.views.config) return respond_missing(respond, "the configuration");
    api.views.config->revisions(reply_with<std::vector<Revision>>(
        api, std::move(respond),
        [](auto& rows) { return json_response(list_to_json("revisions", rows)); }));
}

constexpr Endpoint kEndpoints[] = {
    {"GET", "/api/v1/config", Role::Read, running},
    {"POST", "/api/v1/config/check", Role::Read, check},
    {"POST", "/api/v1/config/diff", Role::Read, diff},
    {"POST", "/api/v1/config/reload", Role::Admin, reload},
    {"POST", "/api/v1/config/commit", Role::Admin, commit},
    {"POST", "/api/v1/config/confirm", Role::Admin, confirm},
    {"POST", "/api/v1/config/rollback/{revision}", Role::Admin, roll_back},
    {"POST", "/api/v1/config/save", Role::Admin, save},
    {"GET", "/api/v1/config/revisions", Role::Read, revisions},
};

}  // namespace

std::span<const Endpoint> config_endpoints() {
    return kEndpoints;
}

}  // namespace torii::mgmt
