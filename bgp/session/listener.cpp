#include "bgp/session/listener.hpp"

#include <cerrno>

namespace torii::bgp {

namespace {
constexpr int kAtOnce = 64;  // then established sessions have their turn
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

void Listener::set_keys(const std::map<Prefix, std::string>& wanted,
                        const std::function<void(const Prefix&, const SystemError&)>& failed) {
    for (auto at = keys_.begin(); at != keys_.end();) {
        if (wanted.contains(at->first)) {
            ++at;
            continue;
        }
        if (auto done = set_md5(socket_.get(), at->first, {});
            !done && done.error().number != ENOENT) {
            failed(at->first, done.error());
            ++at;
            continue;
        }
        at = keys_.erase(at);
    }
    for (const auto& [prefix, key] : wanted) {
        if (prefix.family() != local_.address.family()) continue;
        if (const auto at = keys_.find(prefix); at != keys_.end() && at->second == key) continue;
        if (auto done = set_md5(socket_.get(), prefix, key); !done) {
            failed(prefix, done.error());
            continue;
        }
        keys_[prefix] = key;
    }
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
