#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "mgmt/problem.hpp"
#include "mgmt/server.hpp"

// A request and its answer as values, so that handlers and their tests do not
// depend on sockets.
namespace torii::mgmt {

struct Request {
    std::string method;
    std::string path;  // percent-decoded where it is matched, not here
    std::vector<std::pair<std::string, std::string>> query;    // decoded, in order
    std::vector<std::pair<std::string, std::string>> headers;  // names in lower case
    std::string body;
    std::vector<std::pair<std::string_view, std::string>> parameters;  // {name} of the pattern
    Role role = Role::None;
    std::string who;  // "unix uid 0", "token grafana", "127.0.0.1"

    const std::string* parameter(std::string_view name) const { return find(parameters, name); }
    const std::string* asked(std::string_view key) const { return find(query, key); }
    const std::string* header(std::string_view name) const { return find(headers, name); }

private:
    template <class List>
    static const std::string* find(const List& list, std::string_view key) {
        for (const auto& [name, value] : list)
            if (name == key) return &value;
        return nullptr;
    }
};

// Gives a body piece by piece: calls back with the next piece, or with nothing
// at the end. It is asked only when the client has taken what came before, so
// that a slow one costs no memory.
using Pieces = std::function<void(std::function<void(std::optional<std::string>)>)>;

struct Response {
    unsigned status = 200;
    std::string content_type = "application/json";
    std::string body;
    std::vector<std::pair<std::string, std::string>> headers;
    Pieces pieces;  // instead of body
};

// To be called once, on the management thread.
using Respond = std::function<void(Response)>;

Response problem_response(const Problem& problem);

// "a=b&c=%20d" -> pairs; nothing when an escape is broken.
std::optional<std::vector<std::pair<std::string, std::string>>> parse_query(std::string_view text);
std::optional<std::string> percent_decode(std::string_view text, bool plus_is_space);

}  // namespace torii::mgmt
