#include "mgmt/json_body.hpp"

#include <algorithm>
#include <boost/json.hpp>

namespace torii::mgmt {
namespace {

namespace json = boost::json;

Result<json::object, Problem> parse_object(std::string_view body,
                                           std::initializer_list<std::string_view> known) {
    json::error_code error;
    json::parse_options options;
    options.max_depth = 8;
    const auto value = json::parse(json::string_view{body.data(), body.size()}, error, {}, options);
    if (error) return Failure{bad_request("the body is no JSON: " + error.message())};
    if (!value.is_object()) return Failure{bad_request("the body must be a JSON object")};
    for (const auto& member : value.get_object()) {
        const std::string_view key{member.key().data(), member.key().size()};
        if (std::ranges::find(known, key) == known.end()) {
            std::string list;
            for (const auto name : known) list += (list.empty() ? "" : ", ") + std::string{name};
            return Failure{bad_request("unknown member " + std::string{key.substr(0, 60)} +
                                       "; known: " + list)};
        }
    }
    return value.get_object();
}

// Leaves `out` alone when the member is absent; false when it is no text.
bool text(const json::object& object, std::string_view key, std::string& out) {
    const auto* value = object.if_contains({key.data(), key.size()});
    if (!value) return true;
    if (!value->is_string()) return false;
    out = std::string{value->get_string().data(), value->get_string().size()};
    return true;
}

bool number(const json::object& object, std::string_view key, std::int64_t least, std::int64_t most,
            std::optional<std::int64_t>& out) {
    const auto* value = object.if_contains({key.data(), key.size()});
    if (!value) return true;
    json::error_code error;
    const auto n = value->is_number() ? value->to_number<std::int64_t>(error) : -1;
    if (!value->is_number() || error || n < least || n > most) return false;
    out = n;
    return true;
}

}  // namespace

Result<StaticRouteRequest, Problem> parse_static_route(std::string_view body) {
    const auto object = parse_object(body, {"kind", "via", "distance", "description"});
    if (!object) return Failure{object.error()};
    StaticRouteRequest out;
    if (!text(*object, "kind", out.kind) ||
        (out.kind != "forward" && out.kind != "discard" && out.kind != "unreachable"))
        return Failure{invalid("kind: one of forward, discard, unreachable")};
    if (!text(*object, "description", out.description))
        return Failure{invalid("description: text is wanted")};
    std::optional<std::int64_t> distance;
    if (!number(*object, "distance", 1, 255, distance))
        return Failure{invalid("distance: a number from 1 to 255")};
    if (distance) out.distance = static_cast<std::uint8_t>(*distance);
    if (const auto* via = object->if_contains("via")) {
        constexpr const char* kVia = "via: a list of \"ADDRESS[@PORT] [weight N]\"";
        if (via->is_string()) {
            out.via.emplace_back(via->get_string().c_str());
        } else if (via->is_array()) {
            for (const auto& hop : via->get_array()) {
                if (!hop.is_string()) return Failure{invalid(kVia)};
                out.via.emplace_back(hop.get_string().c_str());
            }
        } else {
            return Failure{invalid(kVia)};
        }
    }
    if (out.kind == "forward" && out.via.empty())
        return Failure{invalid("via: at least one next hop, or another kind")};
    if (out.kind != "forward" && !out.via.empty())
        return Failure{invalid("a " + out.kind + " route has no next hops")};
    return out;
}

Result<std::string, Problem> parse_reason(std::string_view body) {
    std::string reason;
    if (body.empty()) return reason;
    const auto object = parse_object(body, {"reason"});
    if (!object) return Failure{object.error()};
    // RFC 9003: what a Cease may carry.
    if (!text(*object, "reason", reason) || reason.size() > 255)
        return Failure{invalid("reason: a text of at most 255 bytes")};
    return reason;
}

Result<DumpBody, Problem> parse_dump(std::string_view body) {
    DumpBody out;
    if (body.empty()) return out;
    const auto object = parse_object(body, {"what", "seconds"});
    if (!object) return Failure{object.error()};
    std::string what = "table";
    std::optional<std::int64_t> time;
    if (!text(*object, "what", what) || (what != "table" && what != "updates"))
        return Failure{invalid("what: \"table\" or \"updates\"")};
    if (!number(*object, "seconds", 1, 86400, time))
        return Failure{invalid("seconds: a number from 1 to 86400")};
    out.updates = what == "updates";
    if (time && !out.updates) return Failure{invalid("seconds: only updates take time")};
    if (time) out.time = seconds{*time};
    return out;
}

Result<CommitRequest, Problem> parse_commit(std::string_view body, std::string_view content_type) {
    CommitRequest out;
    if (content_type.find("json") == std::string_view::npos) {
        out.text = std::string{body};
        return out;
    }
    const auto object = parse_object(body, {"text", "comment", "confirm_within", "save"});
    if (!object) return Failure{object.error()};
    std::optional<std::int64_t> within;
    if (!text(*object, "text", out.text) || !text(*object, "comment", out.comment))
        return Failure{invalid("text and comment are texts")};
    if (!number(*object, "confirm_within", 1, 86400, within))
        return Failure{invalid("confirm_within: seconds from 1 to 86400")};
    if (within) out.confirm_within = seconds{*within};
    if (const auto* save = object->if_contains("save")) {
        if (!save->is_bool()) return Failure{invalid("save: true or false")};
        out.save = save->get_bool();
    }
    return out;
}

}  // namespace torii::mgmt
