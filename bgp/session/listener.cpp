#include "bgp/session/listener.hpp"

namespace torii::bgp {

namespace {
constexpr int kAtOnce = 512;  // then established sessions have their turn
}

Result<std::shared_ptr<Listener>, SystemError> Listener::open(boost::asio::io_context& io,
                                                              const Endpoint& local,
                                                              OnAccept on_accept) {
    const auto socket = listen_on(local);
    if (!socket) return Failure{socket.error()};
    auto listener = std::make_shared<Listener>(io, local, *socket, std::move(on_accept));
    listener->wait();
    return listener;
}

Listener::Listener(boost::asio::io_context& io, const Endpoint& local, int socket,
                   OnAccept on_accept)
    : local_(local), socket_(io, socket), on_accept_(std::move(on_accept)) {}

Result<void, SystemError> Listener::set_key(const Prefix& peers, const std::string& key) {
    if (peers.family() != local_.address.family()) return {};
    auto result = set_md5(socket_.native_handle(), peers, key);
    // Removing what is not there is no failure.
    if (!result && key.empty() && result.error().number == ENOENT) return {};
    return result;
}

void Listener::close() {
    boost::system::error_code ignored;
    socket_.close(ignored);
    on_accept_ = nullptr;
}

void Listener::wait() {
    socket_.async_wait(boost::asio::posix::stream_descriptor::wait_read,
                       [self = shared_from_this()](boost::system::error_code error) {
                           if (error) return;
                           for (int n = 0; n < kAtOnce && self->on_accept_; ++n) {
                               const auto next = accept_next(self->socket_.native_handle());
                               if (!next) break;
                               if (next->socket >= 0) self->on_accept_(*next);
                           }
                           if (self->on_accept_) self->wait();
                       });
}

}  // namespace torii::bgp
