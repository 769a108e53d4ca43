#include "bgp/session/listener.hpp"

namespace torii::bgp {

namespace {
constexpr int kAtOnce = 512;  // then established sessions have their turn
}

Result<std::shared_ptr<Listener>, SystemError> Listener::open(Loop& loop, const Endpoint& local,
                                                              OnAccept on_accept) {
    const auto socket = listen_on(local);
    if (!socket) return Failure{socket.error()};
    auto listener = std::make_shared<Listener>(loop, local, *socket, std::move(on_accept));
    listener->wait();
    return listener;
}

Listener::Listener(Loop& loop, const Endpoint& local, int socket, OnAccept on_accept)
    : local_(local), socket_(loop), on_accept_(std::move(on_accept)) {
    socket_.assign(socket);
}

Result<void, SystemError> Listener::set_key(const Prefix& peers, const std::string& key) {
    if (peers.family() != local_.address.family()) return {};
    auto result = set_md5(socket_.get(), peers, key);
    // Removing what is not there is no failure.
    if (!result && key.empty() && result.error().number == ENOENT) return {};
    return result;
}

void Listener::close() {
    socket_.close();
    on_accept_ = nullptr;
}

void Listener::wait() {
    socket_.while_readable([self = shared_from_this()] {
        for (int n = 0; n < kAtOnce && self->on_accept_; ++n) {
            const auto next = accept_next(self->socket_.get());
            if (!next) break;
            if (next->socket >= 0) self->on_accept_(*next);
        }
        return self->on_accept_ != nullptr;
    });
}

}  // namespace torii::bgp
