#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/address.hpp"
#include "base/prefix.hpp"
#include "base/result.hpp"
#include "base/system_error.hpp"

struct sockaddr_storage;

// What BGP asks of its TCP sockets. Plain system calls on descriptors that are
// owned elsewhere.
namespace torii::bgp {

struct Endpoint {
    IpAddress address;
    std::uint16_t port = 0;
    std::string to_string() const;
};

// RFC 2385 for one peer or a whole range; an empty key removes it.
Result<void, SystemError> set_md5(int socket, const Prefix& peers, const std::string& key);
// What we send leaves with `ttl`; what arrives with less than `least` is dropped.
void set_ttl(int socket, Family family, int ttl, int least);
void set_stream_options(int socket);

// A listening socket, non-blocking, with a backlog for a whole rack's boot.
Result<int, SystemError> listen_on(const Endpoint& local);
// Starts to connect; the socket becomes writable when that has ended.
struct DialOptions {
    Endpoint remote;
    std::optional<IpAddress> source;
    std::string interface;  // for a link-local remote
    std::string md5_key;
    int ttl = 0;  // 0: the system's
    int least_ttl = 0;
};
Result<int, SystemError> start_connect(const DialOptions& options);
int connect_error(int socket);  // errno of the attempt, 0 when connected

struct Accepted {
    int socket = -1;
    Endpoint local, remote;
    std::string interface;  // it came in by, for link-local addresses
};
// Nothing when no more is waiting; -1 inside when one was lost on the way.
std::optional<Accepted> accept_next(int listener);
std::optional<Endpoint> local_endpoint(int socket);

// An address of the other family on the interface that has `local`, to serve
// as next hop (RFC 2545): global before link-local. Nothing if there is none.
struct Companions {
    std::optional<IpAddress> ip4, ip6, link_local;
};
Companions companions_of(const IpAddress& local);

}  // namespace torii::bgp
