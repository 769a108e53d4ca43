#include "mgmt/cli/client.hpp"

#include <netdb.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cctype>
#include <cerrno>
#include <cstring>
#include <span>
#include <utility>

#include "mgmt/wire/messages.hpp"

namespace torii::cli {
namespace {

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

// A blocking socket.
class Socket {
public:
    explicit Socket(int number) : number_(number) {}
    Socket(Socket&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
    Socket& operator=(Socket&&) = delete;
    ~Socket() {
        if (number_ >= 0) ::close(number_);
    }
    int number() const { return number_; }

    bool connect(const sockaddr* to, socklen_t size) const {
        return number_ >= 0 && ::connect(number_, to, size) == 0;
    }
    bool send(std::string_view bytes) const {
        while (!bytes.empty()) {
            const auto n = ::send(number_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
            if (n < 0 && errno == EINTR) continue;
            if (n <= 0) return false;
            bytes.remove_prefix(static_cast<std::size_t>(n));
        }
        return true;
    }
    ssize_t receive(std::span<char> into) const {
        for (;;) {
            const auto n = ::recv(number_, into.data(), into.size(), 0);
            if (n >= 0 || errno != EINTR) return n;
        }
    }

private:
    int number_;
};

Result<Socket, std::string> connect_local(const std::string& path) {
    sockaddr_un to{};
    if (path.size() >= sizeof to.sun_path)
        return Failure{std::string{"the socket's path is too long"}};
    to.sun_family = AF_UNIX;
    std::memcpy(to.sun_path, path.data(), path.size());
    Socket socket{::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    if (socket.connect(reinterpret_cast<const sockaddr*>(&to), sizeof to)) return socket;
    std::string why = "cannot reach torii at " + path + ": " + std::strerror(errno);
    if (errno == ENOENT || errno == ECONNREFUSED)
        why += " (is toriid running?)";
    else if (errno == EACCES)
        why += " (are you in the socket's group?)";
    return Failure{why};
}

Result<Socket, std::string> connect_tcp(const Url& url, const std::string& shown) {
    addrinfo hints{};
    hints.ai_socktype = SOCK_STREAM;
    addrinfo* found = nullptr;
    const int unknown = ::getaddrinfo(url.host.c_str(), url.port.c_str(), &hints, &found);
    std::string why = unknown != 0 ? ::gai_strerror(unknown) : "no address";
    for (const auto* one = found; one != nullptr; one = one->ai_next) {
        Socket socket{::socket(one->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0)};
        if (socket.connect(one->ai_addr, one->ai_addrlen)) {
            ::freeaddrinfo(found);
            return socket;
        }
        why = std::strerror(errno);
    }
    if (found != nullptr) ::freeaddrinfo(found);
    return Failure{"cannot reach torii at " + shown + ": " + why};
}

Result<Socket, std::string> connect(const Target& target, std::string& host) {
    if (target.url.empty()) {
        host = "localhost";
        return connect_local(target.socket);
    }
    const auto url = parse_url(target.url);
    if (!url) return Failure{url.error()};
    host = url->host.find(':') == std::string::npos ? url->host : '[' + url->host + ']';
    host += ':' + url->port;
    return connect_tcp(*url, target.url);
}

Failure<std::string> broke(const std::string& why) {
    return Failure{"the connection broke: " + why};
}

Result<Answer, std::string> talk(const Target& target, const std::string& method,
                                 const std::string& path, const std::string& body,
                                 const Headers& headers,
                                 const std::function<bool(std::string_view)>& piece) {
    std::string host;
    const auto socket = connect(target, host);
    if (!socket) return Failure{socket.error()};
    std::string message =
        method + ' ' + path + " HTTP/1.1\r\nHost: " + host + "\r\nUser-Agent: torii-cli\r\n";
    if (!target.token.empty()) message += "Authorization: Bearer " + target.token + "\r\n";
    for (const auto& [name, value] : headers) message += name + ": " + value + "\r\n";
    if (!body.empty() || method != "GET")
        message += "Content-Length: " + std::to_string(body.size()) + "\r\n";
    if (!socket->send(message + "\r\n" + body)) return broke(std::strerror(errno));

    mgmt::ResponseReader reader;
    Answer out;
    std::vector<char> chunk(64 * 1024);
    while (!reader.done()) {
        const auto n = socket->receive(chunk);
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
