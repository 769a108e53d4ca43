#include "mgmt/server.hpp"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <deque>
#include <mutex>
#include <thread>

#include "base/loop.hpp"
#include "mgmt/connection.hpp"
#include "mgmt/wire/tls.hpp"

namespace torii::mgmt {
namespace {

// With too many connections, a new one is accepted and the oldest is closed.
constexpr int kBacklog = 4096;

// Lets other threads post whether or not the server still exists.
struct Gate {
    std::mutex mutex;
    Loop* loop = nullptr;

    void post(std::function<void()> work) {
        const std::lock_guard lock{mutex};
        if (loop) loop->post(std::move(work));
    }
    void shut() {
        const std::lock_guard lock{mutex};
        loop = nullptr;
    }
};

socklen_t fill(const IpAddress& address, std::uint16_t port, sockaddr_storage& to) {
    if (address.is_v4()) {
        auto& in = reinterpret_cast<sockaddr_in&>(to);
        in.sin_family = AF_INET;
        in.sin_port = htons(port);
        in.sin_addr.s_addr = htonl(address.v4());
        return sizeof in;
    }
    auto& in = reinterpret_cast<sockaddr_in6&>(to);
    in.sin6_family = AF_INET6;
    in.sin6_port = htons(port);
    std::memcpy(&in.sin6_addr, address.bytes().data(), 16);
    return sizeof in;
}

std::string text_of(const sockaddr_storage& from) {
    if (from.ss_family == AF_INET)
        return IpAddress::v4(ntohl(reinterpret_cast<const sockaddr_in&>(from).sin_addr.s_addr))
            .to_string();
    std::array<std::uint8_t, 16> bytes{};
    std::memcpy(bytes.data(), &reinterpret_cast<const sockaddr_in6&>(from).sin6_addr, 16);
    return IpAddress::v6(bytes).to_string();
}

// A listening socket, whose connections go into a list.
struct Acceptor {
    Acceptor(Loop& loop, ConnectionList& all) : socket(loop), pause(loop), list(all) {}
    Descriptor socket;
    Timer pause;
    ConnectionList& list;
};

}  // namespace

struct Server::Impl {
    explicit Impl(ServerSettings wanted, Views views, const EventLog& events, EventSink* audit)
        : settings(std::move(wanted)),
          api{views, events,
              [gate = gate](std::function<void()> work) { gate->post(std::move(work)); }},
          authenticator(settings.tokens),
          shared{settings, api, authenticator, idempotency, audit, loop} {
        gate->loop = &loop;
    }

    std::shared_ptr<Gate> gate = std::make_shared<Gate>();
    ServerSettings settings;
    Api api;
    Authenticator authenticator;
    IdempotencyStore idempotency;
    std::unique_ptr<TlsContext> tls;
    // Connections die with the loop's last handlers and leave these lists then.
    ConnectionList tcp_connections, unix_connections;
    Loop loop;
    Shared shared;
    std::deque<Acceptor> tcp_acceptors;
    std::optional<Acceptor> unix_acceptor;
    std::thread thread;

    Result<void, SystemError> prepare_tls() {
        if (!settings.tls) return {};
        auto loaded = TlsContext::load(*settings.tls);
        if (!loaded) return Failure{loaded.error()};
        tls = std::move(*loaded);
        return {};
    }

    Result<void, SystemError> listen_tcp(const ServerSettings::Tcp& where) {
        const bool guarded =
            settings.tls && (!settings.tokens.empty() || !settings.tls->client_ca.empty());
        const auto text = where.address.to_string() + " port " + std::to_string(where.port);
        if (!where.address.is_loopback() && !guarded)
            return Failure{
                SystemError{"listen on " + text + ": more than loopback needs TLS and tokens"}};
        sockaddr_storage address{};
        const auto size = fill(where.address, where.port, address);
        auto& socket = tcp_acceptors.emplace_back(loop, tcp_connections).socket;
        const int made = ::socket(address.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        if (made < 0) return Failure{last_system_error("listen on " + text)};
        socket.assign(made);
        const int on = 1;
        ::setsockopt(made, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
        if (where.address.is_v6()) ::setsockopt(made, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
        if (::bind(made, reinterpret_cast<const sockaddr*>(&address), size) != 0 ||
            ::listen(made, kBacklog) != 0)
            return Failure{last_system_error("listen on " + text)};
        return {};
    }

    Result<void, SystemError> listen_unix() {
        const auto& path = settings.unix_path;
        if (path.empty()) return {};
        sockaddr_un address{};
        if (path.size() >= sizeof address.sun_path)
            return Failure{SystemError{"listen on " + path + ": the path is too long"}};
        address.sun_family = AF_UNIX;
        std::memcpy(address.sun_path, path.data(), path.size());
        const auto* const to = reinterpret_cast<const sockaddr*>(&address);
        const auto made = [] {
            return ::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        };
        // A socket that a failed process left behind refuses connections.
        struct stat status {};
        if (::lstat(path.c_str(), &status) == 0 && S_ISSOCK(status.st_mode)) {
            Descriptor probe{loop};
            if (const int socket = made(); socket >= 0) probe.assign(socket);
            if (::connect(probe.get(), to, sizeof address) != 0 && errno == ECONNREFUSED)
                ::unlink(path.c_str());
        }
        const int socket = made();
        if (socket < 0) return Failure{last_system_error("listen on " + path)};
        Descriptor owner{loop};
        owner.assign(socket);
        if (::bind(socket, to, sizeof address) != 0)
            return Failure{last_system_error("listen on " + path)};
        // No client can connect before listen(), so that the mode is right in time.
        if (::chmod(path.c_str(), settings.unix_mode) != 0)
            return Failure{last_system_error("chmod " + path)};
        if (::listen(socket, kBacklog) != 0) return Failure{last_system_error("listen on " + path)};
        unix_acceptor.emplace(loop, unix_connections).socket.assign(owner.release());
        return {};
    }

    void run() {
        for (auto& acceptor : tcp_acceptors) accept(acceptor);
        if (unix_acceptor) accept(*unix_acceptor);
        thread = std::thread{[this] { loop.run(); }};
    }

    // One at a time: what was closed to make room leaves its list in between.
    void accept(Acceptor& acceptor) {
        acceptor.socket.while_readable([this, &acceptor] {
            sockaddr_storage peer{};
            socklen_t size = sizeof peer;
            const int socket = ::accept4(acceptor.socket.get(), reinterpret_cast<sockaddr*>(&peer),
                                         &size, SOCK_NONBLOCK | SOCK_CLOEXEC);
            if (socket >= 0) {
                // The one that did nothing for longest makes room.
                if (acceptor.list.size() >= settings.max_connections)
                    acceptor.list.front()->close();
                peer.ss_family == AF_UNIX ? open_unix(socket) : open_tcp(socket, peer);
                return true;
            }
            if (errno == EAGAIN || errno == EINTR || errno == ECONNABORTED || errno == EPROTO)
                return true;
            // Out of file descriptors, most likely: let the others end first.
            if (!acceptor.list.empty()) acceptor.list.front()->close();
            acceptor.pause.start(std::chrono::milliseconds{100},
                                 [this, &acceptor] { accept(acceptor); });
            return false;
        });
    }

    void open_tcp(int socket, const sockaddr_storage& peer) {
        const int on = 1;
        ::setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        serve(socket, tls ? tls->transport(socket) : plain_transport(socket), shared,
              tcp_connections, {false, text_of(peer)});
    }

    void open_unix(int socket) {
        Origin origin{true, "unix"};
        ucred peer{};
        socklen_t size = sizeof peer;
        if (::getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0)
            origin.peer += " uid " + std::to_string(peer.uid);
        serve(socket, plain_transport(socket), shared, unix_connections, std::move(origin));
    }

    // Closing one may end its life, and with it its place in the list.
    static void close_all(ConnectionList& list) {
        for (auto it = list.begin(); it != list.end();) (*it++)->close();
    }

    void stop() {
        gate->shut();
        loop.post([this] {
            for (auto& acceptor : tcp_acceptors) acceptor.socket.close();
            if (unix_acceptor) unix_acceptor->socket.close();
            close_all(tcp_connections);
            close_all(unix_connections);
            loop.stop();
        });
        if (thread.joinable()) thread.join();
        if (unix_acceptor) ::unlink(settings.unix_path.c_str());
    }
};

Server::Server(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

Server::~Server() {
    impl_->stop();
}

Result<std::unique_ptr<Server>, SystemError> Server::start(ServerSettings settings, Views views,
                                                           const EventLog& events,
                                                           EventSink* audit) {
    auto impl = std::make_unique<Impl>(std::move(settings), views, events, audit);
    if (auto done = impl->prepare_tls(); !done) return Failure{done.error()};
    for (const auto& where : impl->settings.tcp)
        if (auto done = impl->listen_tcp(where); !done) return Failure{done.error()};
    if (auto done = impl->listen_unix(); !done) return Failure{done.error()};
    impl->run();
    return std::unique_ptr<Server>{new Server{std::move(impl)}};
}

std::vector<std::uint16_t> Server::tcp_ports() const {
    std::vector<std::uint16_t> out;
    for (const auto& acceptor : impl_->tcp_acceptors) {
        sockaddr_storage address{};
        socklen_t size = sizeof address;
        ::getsockname(acceptor.socket.get(), reinterpret_cast<sockaddr*>(&address), &size);
        const auto& in = reinterpret_cast<const sockaddr_in&>(address);  // the port has one place
        out.push_back(ntohs(in.sin_port));
    }
    return out;
}

}  // namespace torii::mgmt
