#include "mgmt/server.hpp"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <mutex>
#include <thread>

#include "mgmt/connection.hpp"

namespace torii::mgmt {
namespace {

// Who asks in a crowd is not turned away: the oldest of too many connections is.
constexpr int kBacklog = 4096;

using asio::ip::tcp;
using Local = asio::local::stream_protocol;

// Lets other threads post without caring whether the server still lives.
struct Gate {
    std::mutex mutex;
    asio::io_context* loop = nullptr;

    void post(std::function<void()> work) {
        const std::lock_guard lock{mutex};
        if (loop) asio::post(*loop, std::move(work));
    }
    void shut() {
        const std::lock_guard lock{mutex};
        loop = nullptr;
    }
};

asio::ip::address to_asio(const IpAddress& address) {
    if (address.is_v4()) return asio::ip::address_v4{address.v4()};
    return asio::ip::address_v6{address.bytes()};
}

SystemError failed(std::string operation, const beast::error_code& error) {
    return {std::move(operation), error.value()};
}

}  // namespace

struct Server::Impl {
    explicit Impl(ServerSettings wanted, Views views, const EventLog& events, EventSink* audit)
        : settings(std::move(wanted)),
          api{views, events,
              [gate = gate](std::function<void()> work) { gate->post(std::move(work)); }},
          authenticator(settings.tokens),
          shared{settings, api, authenticator, idempotency, audit} {
        gate->loop = &loop;
    }

    std::shared_ptr<Gate> gate = std::make_shared<Gate>();
    ServerSettings settings;
    Api api;
    Authenticator authenticator;
    IdempotencyStore idempotency;
    Shared shared;
    std::optional<asio::ssl::context> tls;
    // Connections die with the loop's last handlers and leave these lists then.
    ConnectionList tcp_connections, unix_connections;
    asio::io_context loop{1};
    std::vector<tcp::acceptor> tcp_acceptors;
    std::optional<Local::acceptor> unix_acceptor;
    asio::steady_timer pause{loop};
    std::thread thread;

    Result<void, SystemError> prepare_tls() {
        if (!settings.tls) return {};
        beast::error_code error;
        tls.emplace(asio::ssl::context::tls_server);
        tls->set_options(asio::ssl::context::default_workarounds | asio::ssl::context::no_tlsv1 |
                         asio::ssl::context::no_tlsv1_1);
        tls->use_certificate_chain_file(settings.tls->certificate, error);
        if (error)
            return Failure{
                SystemError{"certificate " + settings.tls->certificate + ": " + error.message()}};
        tls->use_private_key_file(settings.tls->key, asio::ssl::context::pem, error);
        if (error) return Failure{SystemError{"key " + settings.tls->key + ": " + error.message()}};
        if (settings.tls->client_ca.empty()) return {};
        tls->load_verify_file(settings.tls->client_ca, error);
        if (error)
            return Failure{
                SystemError{"client CA " + settings.tls->client_ca + ": " + error.message()}};
        tls->set_verify_mode(asio::ssl::verify_peer | asio::ssl::verify_fail_if_no_peer_cert,
                             error);
        return {};
    }

    Result<void, SystemError> listen_tcp(const ServerSettings::Tcp& where) {
        const bool guarded =
            settings.tls && (!settings.tokens.empty() || !settings.tls->client_ca.empty());
        const auto text = where.address.to_string() + " port " + std::to_string(where.port);
        if (!where.address.is_loopback() && !guarded)
            return Failure{
                SystemError{"listen on " + text + ": more than loopback needs TLS and tokens"}};
        beast::error_code error;
        const tcp::endpoint endpoint{to_asio(where.address), where.port};
        tcp::acceptor acceptor{loop};
        acceptor.open(endpoint.protocol(), error);
        if (!error) acceptor.set_option(tcp::acceptor::reuse_address{true}, error);
        if (!error && endpoint.address().is_v6())
            acceptor.set_option(asio::ip::v6_only{true}, error);
        if (!error) acceptor.bind(endpoint, error);
        if (!error) acceptor.listen(kBacklog, error);
        if (error) return Failure{failed("listen on " + text, error)};
        tcp_acceptors.push_back(std::move(acceptor));
        return {};
    }

    Result<void, SystemError> listen_unix() {
        const auto& path = settings.unix_path;
        if (path.empty()) return {};
        if (path.size() >= sizeof(sockaddr_un::sun_path))
            return Failure{SystemError{"listen on " + path + ": the path is too long"}};
        beast::error_code error;
        const Local::endpoint endpoint{path};
        // What a process that died left behind answers nobody.
        struct stat status {};
        if (::lstat(path.c_str(), &status) == 0 && S_ISSOCK(status.st_mode)) {
            Local::socket probe{loop};
            probe.connect(endpoint, error);
            if (error == asio::error::connection_refused) ::unlink(path.c_str());
        }
        Local::acceptor acceptor{loop};
        error.clear();
        acceptor.open(endpoint.protocol(), error);
        if (!error) acceptor.bind(endpoint, error);
        if (error) return Failure{failed("listen on " + path, error)};
        // Nobody can connect before listen(), so that the mode is right in time.
        if (::chmod(path.c_str(), settings.unix_mode) != 0)
            return Failure{last_system_error("chmod " + path)};
        acceptor.listen(kBacklog, error);
        if (error) return Failure{failed("listen on " + path, error)};
        unix_acceptor.emplace(std::move(acceptor));
        return {};
    }

    void run() {
        for (auto& acceptor : tcp_acceptors) accept(acceptor, tcp_connections);
        if (unix_acceptor) accept(*unix_acceptor, unix_connections);
        thread = std::thread{[this] { loop.run(); }};
    }

    template <class Acceptor>
    void accept(Acceptor& acceptor, ConnectionList& list) {
        acceptor.async_accept([this, &acceptor, &list](beast::error_code error, auto socket) {
            if (error == asio::error::operation_aborted) return;
            if (error) {
                // Out of file descriptors, most likely: let the others end first.
                if (!list.empty()) list.front()->close();
                pause.expires_after(std::chrono::milliseconds{100});
                pause.async_wait([this, &acceptor, &list](beast::error_code stopped) {
                    if (!stopped) accept(acceptor, list);
                });
                return;
            }
            // The one that did nothing for longest makes room.
            if (list.size() >= settings.max_connections) list.front()->close();
            open(std::move(socket), list);
            accept(acceptor, list);
        });
    }

    void open(tcp::socket socket, ConnectionList& list) {
        beast::error_code error;
        const auto peer = socket.remote_endpoint(error);
        if (error) return;
        socket.set_option(tcp::no_delay{true}, error);
        Origin origin{false, peer.address().to_string()};
        if (tls)
            std::make_shared<Connection<TlsStream>>(Socket{std::move(socket)}, shared, list,
                                                    std::move(origin), *tls)
                ->start();
        else
            std::make_shared<Connection<PlainStream>>(Socket{std::move(socket)}, shared, list,
                                                      std::move(origin))
                ->start();
    }

    void open(Local::socket socket, ConnectionList& list) {
        Origin origin{true, "unix"};
        ucred peer{};
        socklen_t size = sizeof peer;
        if (getsockopt(socket.native_handle(), SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0)
            origin.peer += " uid " + std::to_string(peer.uid);
        std::make_shared<Connection<PlainStream>>(Socket{std::move(socket)}, shared, list,
                                                  std::move(origin))
            ->start();
    }

    // Closing one may end its life, and with it its place in the list.
    static void close_all(ConnectionList& list) {
        for (auto it = list.begin(); it != list.end();) (*it++)->close();
    }

    void stop() {
        gate->shut();
        asio::post(loop, [this] {
            for (auto& acceptor : tcp_acceptors) acceptor.close();
            if (unix_acceptor) unix_acceptor->close();
            pause.cancel();
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
    for (const auto& acceptor : impl_->tcp_acceptors)
        out.push_back(acceptor.local_endpoint().port());
    return out;
}

}  // namespace torii::mgmt
