#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.hpp"

namespace torii::cli {

// Where torii answers: a Unix socket, "http://HOST:PORT" or "https://HOST:PORT".
struct Target {
    std::string socket = "/run/torii/torii.sock";
    std::string url;  // wins when set
    std::string token;
    std::string ca;                // file of authorities; "": the system's
    std::string certificate, key;  // files, shown to a server that asks
};

struct Answer {
    unsigned status = 0;
    std::string content_type;
    std::string etag;
    std::string body;
};

using Headers = std::vector<std::pair<std::string, std::string>>;

// One request, waited for. The error is a sentence for the terminal.
Result<Answer, std::string> request(const Target& target, const std::string& method,
                                    const std::string& path, const std::string& body = "",
                                    const Headers& headers = {});

// The same, but the body is handed on as it arrives, until `piece` returns false.
Result<Answer, std::string> stream(const Target& target, const std::string& path,
                                   const Headers& headers,
                                   const std::function<bool(std::string_view)>& piece);

std::string percent_encode(std::string_view text);

}  // namespace torii::cli
