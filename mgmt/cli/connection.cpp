#include "mgmt/cli/connection.hpp"

#include <netdb.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace torii::cli {
namespace {

struct Url {
    bool tls = false;
    std::string host, port;
};

Result<Url, std::string> parse_url(std::string_view text) {
    Url out;
    out.tls = text.starts_with("https://");
    if (const auto scheme = text.find("://"); scheme != std::string_view::npos) {
        if (!out.tls && !text.starts_with("http://"))
            return Failure{std::string{"a URL is http://HOST:PORT or https://HOST:PORT"}};
        text.remove_prefix(scheme + 3);
    }
    text = text.substr(0, text.find('/'));
    const auto colon = text.rfind(':');
    const bool port =
        colon != std::string_view::npos && text.find(']', colon) == std::string_view::npos;
    out.host = std::string{text.substr(0, port ? colon : text.size())};
    out.port = port ? std::string{text.substr(colon + 1)} : out.tls ? "443" : "80";
    if (out.host.starts_with('[') && out.host.ends_with(']'))
        out.host = out.host.substr(1, out.host.size() - 2);
    if (out.host.empty()) return Failure{std::string{"no host in the URL"}};
    return out;
}

class Socket final : public Connection {
public:
    explicit Socket(int number) : number_(number) {}
    Socket(const Socket&) = delete;
    Socket& operator=(const Socket&) = delete;
    ~Socket() override {
        if (number_ >= 0) ::close(number_);
    }

    bool connect(const sockaddr* to, socklen_t size) const {
        return number_ >= 0 && ::connect(number_, to, size) == 0;
    }
    bool send(std::string_view bytes) override {
        while (!bytes.empty()) {
            const auto n = ::send(number_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
            if (n < 0 && errno == EINTR) continue;
            if (n <= 0) return false;
            bytes.remove_prefix(static_cast<std::size_t>(n));
        }
        return true;
    }
    ssize_t receive(std::span<char> into) override {
        for (;;) {
            const auto n = ::recv(number_, into.data(), into.size(), 0);
            if (n >= 0 || errno != EINTR) return n;
        }
    }

private:
    int number_;
};

using Opened = Result<std::unique_ptr<Connection>, std::string>;

Opened connect_local(const std::string& path) {
    sockaddr_un to{};
    if (path.size() >= sizeof to.sun_path)
        return Failure{std::string{"the socket's path is too long"}};
    to.sun_family = AF_UNIX;
    std::memcpy(to.sun_path, path.data(), path.size());
    auto socket = std::make_unique<Socket>(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    if (socket->connect(reinterpret_cast<const sockaddr*>(&to), sizeof to))
        return std::unique_ptr<Connection>{std::move(socket)};
    std::string why = "cannot reach torii at " + path + ": " + std::strerror(errno);
    if (errno == ENOENT || errno == ECONNREFUSED)
        why += " (is toriid running?)";
    else if (errno == EACCES)
        why += " (are you in the socket's group?)";
    return Failure{why};
}

Opened connect_tcp(const Url& url, const std::string& shown) {
    addrinfo hints{};
    hints.ai_socktype = SOCK_STREAM;
    addrinfo* found = nullptr;
    const int unknown = ::getaddrinfo(url.host.c_str(), url.port.c_str(), &hints, &found);
    std::string why = unknown != 0 ? ::gai_strerror(unknown) : "no address";
    for (const auto* one = found; one != nullptr; one = one->ai_next) {
        auto socket =
            std::make_unique<Socket>(::socket(one->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0));
        if (socket->connect(one->ai_addr, one->ai_addrlen)) {
            ::freeaddrinfo(found);
            return std::unique_ptr<Connection>{std::move(socket)};
        }
        why = std::strerror(errno);
    }
    if (found != nullptr) ::freeaddrinfo(found);
    return Failure{"cannot reach torii at " + shown + ": " + why};
}

}  // namespace

Result<Connected, std::string> connect(const Target& target) {
    if (target.url.empty()) {
        auto local = connect_local(target.socket);
        if (!local) return Failure{local.error()};
        return Connected{std::move(*local), "localhost"};
    }
    const auto url = parse_url(target.url);
    if (!url) return Failure{url.error()};
    auto host = url->host.find(':') == std::string::npos ? url->host : '[' + url->host + ']';
    host += ':' + url->port;
    auto opened = connect_tcp(*url, target.url);
    if (!opened) return Failure{opened.error()};
    if (!url->tls) return Connected{std::move(*opened), std::move(host)};
    auto secure = start_tls(std::move(*opened), target, url->host);
    if (!secure) return Failure{secure.error()};
    return Connected{std::move(*secure), std::move(host)};
}

}  // namespace torii::cli
