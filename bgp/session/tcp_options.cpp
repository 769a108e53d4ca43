#include "bgp/session/tcp_options.hpp"

#include <ifaddrs.h>
#include <linux/tcp.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <string_view>

namespace torii::bgp {

namespace {

// Enough for every node of a cluster to dial in the same instant; the kernel
// takes the smaller of this and net.core.somaxconn.
constexpr int kBacklog = 16384;

socklen_t fill(const Endpoint& from, sockaddr_storage& to) {
    std::memset(&to, 0, sizeof to);
    if (from.address.is_v4()) {
        auto& in = reinterpret_cast<sockaddr_in&>(to);
        in.sin_family = AF_INET;
        in.sin_port = htons(from.port);
        in.sin_addr.s_addr = htonl(from.address.v4());
        return sizeof in;
    }
    auto& in = reinterpret_cast<sockaddr_in6&>(to);
    in.sin6_family = AF_INET6;
    in.sin6_port = htons(from.port);
    std::memcpy(&in.sin6_addr, from.address.bytes().data(), 16);
    return sizeof in;
}

std::optional<IpAddress> address_of(const sockaddr* from) {
    if (from == nullptr) return std::nullopt;
    if (from->sa_family == AF_INET)
        return IpAddress::v4(ntohl(reinterpret_cast<const sockaddr_in*>(from)->sin_addr.s_addr));
    if (from->sa_family != AF_INET6) return std::nullopt;
    std::array<std::uint8_t, 16> bytes;
    std::memcpy(bytes.data(), &reinterpret_cast<const sockaddr_in6*>(from)->sin6_addr, 16);
    return IpAddress::v6(bytes);
}

Endpoint endpoint_of(const sockaddr_storage& from) {
    Endpoint out;
    if (const auto address = address_of(reinterpret_cast<const sockaddr*>(&from)))
        out.address = address->mapped_v4().value_or(*address);
    out.port =
        ntohs(from.ss_family == AF_INET    ? reinterpret_cast<const sockaddr_in&>(from).sin_port
              : from.ss_family == AF_INET6 ? reinterpret_cast<const sockaddr_in6&>(from).sin6_port
                                           : std::uint16_t{0});
    return out;
}

void option(int socket, int level, int name, int value) {
    setsockopt(socket, level, name, &value, sizeof value);
}

int domain(Family family) {
    return family == Family::Ip4 ? AF_INET : AF_INET6;
}

Failure<SystemError> fail(int socket, std::string operation) {
    auto error = last_system_error(std::move(operation));
    if (socket >= 0) close(socket);
    return Failure{std::move(error)};
}

}  // namespace

std::string Endpoint::to_string() const {
    const auto text = address.to_string();
    return (address.is_v6() ? "[" + text + "]" : text) + ":" + std::to_string(port);
}

Result<void, SystemError> set_md5(int socket, const Prefix& peers, const std::string& key) {
    tcp_md5sig md5{};
    sockaddr_storage address{};
    fill({peers.address(), 0}, address);
    std::memcpy(&md5.tcpm_addr, &address, sizeof md5.tcpm_addr);
    md5.tcpm_flags = TCP_MD5SIG_FLAG_PREFIX;
    md5.tcpm_prefixlen = peers.length();
    md5.tcpm_keylen =
        static_cast<std::uint16_t>(std::min<std::size_t>(key.size(), TCP_MD5SIG_MAXKEYLEN));
    std::memcpy(md5.tcpm_key, key.data(), md5.tcpm_keylen);
    if (setsockopt(socket, IPPROTO_TCP, TCP_MD5SIG_EXT, &md5, sizeof md5) != 0)
        return Failure{last_system_error("TCP MD5 key for " + peers.to_string())};
    return {};
}

void set_ttl(int socket, Family family, int ttl, int least) {
    if (ttl > 0)
        family == Family::Ip4 ? option(socket, IPPROTO_IP, IP_TTL, ttl)
                              : option(socket, IPPROTO_IPV6, IPV6_UNICAST_HOPS, ttl);
    if (least > 0)
        family == Family::Ip4 ? option(socket, IPPROTO_IP, IP_MINTTL, least)
                              : option(socket, IPPROTO_IPV6, IPV6_MINHOPCOUNT, least);
}

void set_stream_options(int socket) {
    option(socket, IPPROTO_TCP, TCP_NODELAY, 1);
    // Internet control, as routers mark it (RFC 4271 appendix E).
    option(socket, IPPROTO_IP, IP_TOS, 0xc0);
    option(socket, IPPROTO_IPV6, IPV6_TCLASS, 0xc0);  // no matter on an IPv4 socket
}

Result<int, SystemError> listen_on(const Endpoint& local) {
    const auto where = local.to_string();
    const int s =
        socket(domain(local.address.family()), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (s < 0) return fail(s, "socket for " + where);
    option(s, SOL_SOCKET, SO_REUSEADDR, 1);
    if (local.address.is_v6()) option(s, IPPROTO_IPV6, IPV6_V6ONLY, 1);
    // Our SYN-ACK must pass a neighbor's TTL security (RFC 5082 §3).
    set_ttl(s, local.address.family(), 255, 0);
    sockaddr_storage address;
    const auto size = fill(local, address);
    if (bind(s, reinterpret_cast<sockaddr*>(&address), size) != 0) return fail(s, "bind " + where);
    if (listen(s, kBacklog) != 0) return fail(s, "listen on " + where);
    return s;
}

Result<int, SystemError> start_connect(const DialOptions& options) {
    const auto family = options.remote.address.family();
    const auto where = options.remote.to_string();
    const int s = socket(domain(family), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (s < 0) return fail(s, "socket for " + where);
    set_stream_options(s);
    set_ttl(s, family, options.ttl, options.least_ttl);
    if (!options.md5_key.empty())
        if (auto set = set_md5(s, Prefix::host(options.remote.address), options.md5_key); !set) {
            close(s);
            return Failure{set.error()};
        }
    sockaddr_storage address;
    if (options.source) {
        const auto size = fill({*options.source, 0}, address);
        if (bind(s, reinterpret_cast<sockaddr*>(&address), size) != 0)
            return fail(s, "bind " + options.source->to_string());
    }
    const auto size = fill(options.remote, address);
    if (!options.interface.empty() && family == Family::Ip6)
        reinterpret_cast<sockaddr_in6&>(address).sin6_scope_id =
            if_nametoindex(options.interface.c_str());
    if (connect(s, reinterpret_cast<sockaddr*>(&address), size) != 0 && errno != EINPROGRESS)
        return fail(s, "connect to " + where);
    return s;
}

int connect_error(int socket) {
    int error = 0;
    socklen_t size = sizeof error;
    getsockopt(socket, SOL_SOCKET, SO_ERROR, &error, &size);
    return error;
}

std::optional<Accepted> accept_next(int listener) {
    sockaddr_storage remote{};
    socklen_t size = sizeof remote;
    Accepted out;
    out.socket = accept4(listener, reinterpret_cast<sockaddr*>(&remote), &size,
                         SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (out.socket < 0) {
        if (errno == ECONNABORTED || errno == EINTR || errno == EPROTO) return out;
        return std::nullopt;
    }
    out.remote = endpoint_of(remote);
    if (remote.ss_family == AF_INET6)
        if (const auto scope = reinterpret_cast<const sockaddr_in6&>(remote).sin6_scope_id) {
            char name[IF_NAMESIZE] = "";
            if (if_indextoname(scope, name) != nullptr) out.interface = name;
        }
    out.local = local_endpoint(out.socket).value_or(Endpoint{});
    return out;
}

std::optional<Endpoint> local_endpoint(int socket) {
    sockaddr_storage local{};
    socklen_t size = sizeof local;
    if (getsockname(socket, reinterpret_cast<sockaddr*>(&local), &size) != 0) return std::nullopt;
    return endpoint_of(local);
}

Companions companions_of(const IpAddress& local) {
    Companions out;
    ifaddrs* all = nullptr;
    if (getifaddrs(&all) != 0) return out;
    std::string_view interface;
    for (const auto* i = all; i != nullptr; i = i->ifa_next)
        if (address_of(i->ifa_addr) == local) interface = i->ifa_name;
    for (const auto* i = all; i != nullptr; i = i->ifa_next) {
        const auto address = address_of(i->ifa_addr);
        if (!address || interface.empty() || interface != i->ifa_name || address->is_loopback())
            continue;
        auto& place = address->is_v4()           ? out.ip4
                      : address->is_link_local() ? out.link_local
                                                 : out.ip6;
        if (!place) place = *address;
    }
    freeifaddrs(all);
    if (local.is_v4()) out.ip4 = local;
    if (local.is_v6()) (local.is_link_local() ? out.link_local : out.ip6) = local;
    return out;
}

}  // namespace torii::bgp
