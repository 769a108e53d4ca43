#include "mgmt/server.hpp"

#include <atomic>
#include <mutex>
#include <thread>

#include "base/loop.hpp"
#include "mgmt/connection.hpp"
#include "mgmt/listeners.hpp"
#include "mgmt/wire/tls.hpp"

namespace torii::mgmt {
namespace {

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

}  // namespace

struct Server::Impl {
    Impl(ServerSettings wanted, Views views, const EventLog& events, EventSink* audit)
        : settings(std::move(wanted)),
          api{views, events,
              [gate = gate](std::function<void()> work) { gate->post(std::move(work)); }},
          authenticator(settings.tokens),
          shared{settings, api, authenticator, idempotency, audit, loop},
          listeners(loop, settings, connections, audit,
                    [this](int socket, std::unique_ptr<Transport> transport, ConnectionList& list,
                           Origin origin) {
                        serve(socket, std::move(transport), shared, list, std::move(origin));
                    }) {
        gate->loop = &loop;
    }

    void run() {
        listeners.start_accepting();
        thread = std::thread{[this] { loop.run(); }};
    }

    // On the server's thread.
    void configure(ServerSettings wanted) {
        const bool others = settings.tokens != wanted.tokens || settings.tls != wanted.tls;
        settings = std::move(wanted);
        if (others) {
            authenticator = Authenticator{settings.tokens};
            ++shared.generation;  // connections of before end with their next answer
        }
        listeners.reconcile();
    }

    void stop() {
        gate->shut();
        loop.post([this] {
            listeners.close();
            loop.stop();
        });
        if (thread.joinable()) thread.join();
    }

    std::shared_ptr<Gate> gate = std::make_shared<Gate>();
    ServerSettings settings;
    Api api;
    Authenticator authenticator;
    IdempotencyStore idempotency;
    // Connections die with the loop's last handlers and leave their lists then.
    Listeners::Connections connections;
    Loop loop;
    Shared shared;
    Listeners listeners;
    std::thread thread;
};

Result<void, SystemError> check_tls(const TlsFiles& files) {
    const auto loaded = TlsContext::load(files);
    if (!loaded) return Failure{loaded.error()};
    return {};
}

Server::Server(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

Server::~Server() {
    impl_->stop();
}

std::unique_ptr<Server> Server::start(ServerSettings settings, Views views, const EventLog& events,
                                      EventSink* audit) {
    auto impl = std::make_unique<Impl>(std::move(settings), views, events, audit);
    impl->run();
    return std::unique_ptr<Server>{new Server{std::move(impl)}};
}

void Server::configure(ServerSettings settings) {
    impl_->gate->post([impl = impl_.get(), settings = std::move(settings)]() mutable {
        impl->configure(std::move(settings));
    });
}

std::vector<std::string> Server::problems() const {
    return impl_->listeners.problems();
}

std::vector<std::uint16_t> Server::tcp_ports() const {
    return impl_->listeners.tcp_ports();
}

}  // namespace torii::mgmt
