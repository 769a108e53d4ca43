#include "mgmt/cli/client.hpp"

#include <cctype>
#include <cerrno>
#include <cstring>

#include "mgmt/cli/connection.hpp"
#include "mgmt/wire/messages.hpp"

namespace torii::cli {
namespace {

Failure<std::string> broke(const std::string& why) {
    return Failure{"the connection broke: " + why};
}

Result<Answer, std::string> talk(const Target& target, const std::string& method,
                                 const std::string& path, const std::string& body,
                                 const Headers& headers,
                                 const std::function<bool(std::string_view)>& piece) {
    const auto connected = connect(target);
    if (!connected) return Failure{connected.error()};
    auto& connection = *connected->connection;
    std::string message = method + ' ' + path + " HTTP/1.1\r\nHost: " + connected->host +
                          "\r\nUser-Agent: torii-cli\r\n";
    if (!target.token.empty()) message += "Authorization: Bearer " + target.token + "\r\n";
    for (const auto& [name, value] : headers) message += name + ": " + value + "\r\n";
    if (!body.empty() || method != "GET")
        message += "Content-Length: " + std::to_string(body.size()) + "\r\n";
    if (!connection.send(message + "\r\n" + body)) return broke(std::strerror(errno));

    mgmt::ResponseReader reader;
    Answer out;
    std::vector<char> chunk(64 * 1024);
    while (!reader.done()) {
        const auto n = connection.receive(chunk);
        if (n < 0) return broke(std::strerror(errno));
        if (!reader.received({chunk.data(), static_cast<std::size_t>(n)}))
            return broke(reader.error());
        if (!reader.header_done()) continue;
        out.status = reader.status();
        const auto got = reader.take_body();
        if (!piece || out.status >= 300)
            out.body += got;
        else if (!got.empty() && !piece(got))
            break;
    }
    out.content_type = reader.field("Content-Type");
    out.etag = reader.field("ETag");
    return out;
}

}  // namespace

Result<Answer, std::string> request(const Target& target, const std::string& method,
                                    const std::string& path, const std::string& body,
                                    const Headers& headers) {
    return talk(target, method, path, body, headers, nullptr);
}

Result<Answer, std::string> stream(const Target& target, const std::string& path,
                                   const Headers& headers,
                                   const std::function<bool(std::string_view)>& piece) {
    return talk(target, "GET", path, "", headers, piece);
}

std::string percent_encode(std::string_view text) {
    constexpr char kHex[] = "0123456789ABCDEF";
    std::string out;
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        if (std::isalnum(byte) || c == '.' || c == '-' || c == '_' || c == ':' || c == '@') {
            out += c;
        } else {
            out += '%';
            out += kHex[byte >> 4];
            out += kHex[byte & 15];
        }
    }
    return out;
}

}  // namespace torii::cli
