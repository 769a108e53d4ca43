#pragma once

#include <functional>
#include <memory>
#include <string>

#include "base/loop.hpp"
#include "base/prefix.hpp"
#include "bgp/session/tcp_options.hpp"

namespace torii::bgp {

// One listening socket. Takes all that wait at once: a whole rack may boot in
// the same second.
class Listener : public std::enable_shared_from_this<Listener> {
public:
    using OnAccept = std::function<void(const Accepted&)>;

    static Result<std::shared_ptr<Listener>, SystemError> open(Loop& loop, const Endpoint& local,
                                                               OnAccept on_accept);
    Listener(Loop& loop, const Endpoint& local, int socket, OnAccept on_accept);

    const Endpoint& local() const { return local_; }
    // Only for peers of the listener's own family; others are left alone.
    Result<void, SystemError> set_key(const Prefix& peers, const std::string& key);
    void close();

private:
    void wait();

    Endpoint local_;
    Descriptor socket_;
    OnAccept on_accept_;
};

}  // namespace torii::bgp
