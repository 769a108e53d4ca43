#include "mgmt/cli/client.hpp"

#include <boost/asio.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <cctype>

namespace torii::cli {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using Socket = asio::generic::stream_protocol::socket;

struct Url {
    std::string host, port = "80";
};

Result<Url, std::string> parse_url(std::string_view text) {
    if (text.starts_with("https://"))
        return Failure{std::string{"https is not spoken here; use the Unix socket or a tunnel"}};
    if (text.starts_with("http://")) text.remove_prefix(7);
    text = text.substr(0, text.find('/'));
    Url out;
    const auto colon = text.rfind(':');
    const bool port =
        colon != std::string_view::npos && text.find(']', colon) == std::string_view::npos;
    out.host = std::string{text.substr(0, port ? colon : text.size())};
    if (port) out.port = std::string{text.substr(colon + 1)};
    if (out.host.starts_with('[') && out.host.ends_with(']'))
        out.host = out.host.substr(1, out.host.size() - 2);
    if (out.host.empty()) return Failure{std::string{"no host in the URL"}};
    return out;
}

Result<void, std::string> connect(const Target& target, asio::io_context& loop, Socket& socket,
                                  std::string& host) {
    beast::error_code error;
    if (target.url.empty()) {
        host = "localhost";
        if (target.socket.size() > 107)
            return Failure{std::string{"the socket's path is too long"}};
        asio::local::stream_protocol::socket local{loop};
        local.connect(asio::local::stream_protocol::endpoint{target.socket}, error);
        if (error) {
            std::string why = "cannot reach torii at " + target.socket + ": " + error.message();
            if (error == beast::errc::no_such_file_or_directory ||
                error == asio::error::connection_refused)
                why += " (is toriid running?)";
            else if (error == beast::errc::permission_denied)
                why += " (are you in the socket's group?)";
            return Failure{why};
        }
        socket = Socket{std::move(local)};
        return {};
    }
    const auto url = parse_url(target.url);
    if (!url) return Failure{url.error()};
    host = url->host.find(':') == std::string::npos ? url->host : '[' + url->host + ']';
    host += ':' + url->port;
    asio::ip::tcp::resolver resolver{loop};
    const auto found = resolver.resolve(url->host, url->port, error);
    asio::ip::tcp::socket tcp{loop};
    if (!error) asio::connect(tcp, found, error);
    if (error) return Failure{"cannot reach torii at " + target.url + ": " + error.message()};
    socket = Socket{std::move(tcp)};
    return {};
}

Result<Answer, std::string> talk(const Target& target, const std::string& method,
                                 const std::string& path, const std::string& body,
                                 const Headers& headers,
                                 const std::function<bool(std::string_view)>& piece) {
    asio::io_context loop;
    Socket socket{loop};
    http::request<http::string_body> message{http::string_to_verb(method), path, 11};
    std::string host;
    if (const auto done = connect(target, loop, socket, host); !done) return Failure{done.error()};
    message.set(http::field::host, host);
    message.set(http::field::user_agent, "torii-cli");
    if (!target.token.empty()) message.set(http::field::authorization, "Bearer " + target.token);
    for (const auto& [name, value] : headers) message.set(name, value);
    if (!body.empty() || method != "GET") {
        message.body() = body;
        message.prepare_payload();
    }
    beast::error_code error;
    http::write(socket, message, error);
    beast::flat_buffer buffer;
    http::response_parser<http::buffer_body> parser;
    parser.body_limit(boost::none);
    if (!error) http::read_header(socket, buffer, parser, error);
    if (error) return Failure{"the connection broke: " + error.message()};
    Answer out;
    out.status = parser.get().result_int();
    out.content_type = std::string{parser.get()[http::field::content_type]};
    out.etag = std::string{parser.get()[http::field::etag]};
    std::vector<char> chunk(64 * 1024);
    while (!parser.is_done()) {
        parser.get().body().data = chunk.data();
        parser.get().body().size = chunk.size();
        http::read_some(socket, buffer, parser, error);
        if (error == http::error::need_buffer) error = {};
        const std::string_view got{chunk.data(), chunk.size() - parser.get().body().size};
        if (piece && out.status < 300) {
            if (!got.empty() && !piece(got)) break;
        } else {
            out.body += got;
        }
        if (error) break;
    }
    if (error && error != http::error::end_of_stream)
        return Failure{"the connection broke: " + error.message()};
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
