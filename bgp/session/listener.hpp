#pragma once

#include <functional>
#include <map>
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
    // Makes the kernel ask for these keys and no others. Those of the other family are left
    // alone; `failed` is called for each that the kernel does not take.
    void set_keys(const std::map<Prefix, std::string>& wanted,
                  const std::function<void(const Prefix&, const SystemError&)>& failed);
    void close();

private:
    void wait();

    Endpoint local_;
    Descriptor socket_;
    OnAccept on_accept_;
    std::map<Prefix, std::string> keys_;  // that the kernel has
};

}  // namespace torii::bgp
