#include "mgmt/listeners.hpp"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <optional>

#include "base/event_list.hpp"

namespace torii::mgmt {
namespace {

// With too many connections, a new one is accepted and the oldest is closed.
constexpr int kBacklog = 4096;
constexpr std::chrono::seconds kInterval{1};

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

std::string text_of(const ServerSettings::Tcp& where) {
    const auto address = where.address.to_string();
    return (where.address.is_v4() ? address : '[' + address + ']') + ':' +
           std::to_string(where.port);
}

std::optional<timespec> changed_at(const std::string& file) {
    struct stat status {};
    if (::stat(file.c_str(), &status) != 0) return std::nullopt;
    return status.st_mtim;
}

Origin unix_origin(int socket) {
    Origin origin{true, "unix"};
    ucred peer{};
    socklen_t size = sizeof peer;
    if (::getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0)
        origin.peer += " uid " + std::to_string(peer.uid);
    return origin;
}

// Closing one may end its life, and with it its place in the list.
void close_all(ConnectionList& list) {
    for (auto it = list.begin(); it != list.end();) (*it++)->close();
}

}  // namespace

struct Listeners::Listener {
    Listener(Loop& loop, int descriptor) : socket(loop), pause(loop) { socket.assign(descriptor); }
    Descriptor socket;
    Timer pause;
    std::optional<ServerSettings::Tcp> where;  // none: the Unix socket
    std::string path;                          // of that one
};

struct Listeners::CertificateFiles {
    explicit CertificateFiles(const TlsFiles& from) : files(from), times(now()) {}
    std::array<std::optional<timespec>, 3> now() const {
        return {changed_at(files.certificate), changed_at(files.key),
                files.client_ca.empty() ? std::nullopt : changed_at(files.client_ca)};
    }
    bool same(const TlsFiles& other) const {
        const auto current = CertificateFiles{other}.times;
        const auto equal = [](const std::optional<timespec>& a, const std::optional<timespec>& b) {
            return a.has_value() == b.has_value() &&
                   (!a || (a->tv_sec == b->tv_sec && a->tv_nsec == b->tv_nsec));
        };
        return files == other && std::ranges::equal(times, current, equal);
    }
    TlsFiles files;
    std::array<std::optional<timespec>, 3> times;
};

Listeners::Listeners(Loop& loop, const ServerSettings& settings, Connections& connections,
                     EventSink* events, Accepted accepted)
    : loop_(loop),
      settings_(settings),
      connections_(connections),
      events_(events),
      accepted_(std::move(accepted)),
      timer_(loop) {
    reconcile();
}

Listeners::~Listeners() {
    for (const auto& listener : listeners_)
        if (!listener.path.empty()) ::unlink(listener.path.c_str());
}

void Listeners::start_accepting() {
    accepting_ = true;
    for (auto& listener : listeners_) accept(listener);
    timer_.start(kInterval, [this] { tick(); });
}

void Listeners::tick() {
    reconcile();
    timer_.start(kInterval, [this] { tick(); });
}

void Listeners::close() {
    timer_.cancel();
    for (auto& listener : listeners_) listener.socket.close();
    close_all(connections_.tcp);
    close_all(connections_.unix_socket);
}

// An event when something begins to fail, for another reason than before, and when it is over.
void Listeners::note(const std::string& what, const std::string& why) {
    const auto at = std::ranges::find(problems_, what, &std::pair<std::string, std::string>::first);
    const bool had = at != problems_.end();
    if (had ? at->second == why : why.empty()) return;
    {
        const std::lock_guard lock{problems_mutex_};
        if (had) problems_.erase(at);
        if (!why.empty()) problems_.emplace_back(what, why);
    }
    if (!events_) return;
    if (why.empty())
        events_->emit({"MGMT-LISTENING", "the API is served again on " + what, {}});
    else
        events_->emit({"MGMT-LISTEN-FAILED",
                       "the API is not served on " + what + ": " + why,
                       {{"listener", what}}});
}

std::vector<std::string> Listeners::problems() const {
    const std::lock_guard lock{problems_mutex_};
    std::vector<std::string> out;
    for (const auto& [what, why] : problems_) out.push_back("API on " + what + ": " + why);
    return out;
}

// Of what is not wanted any more.
void Listeners::forget_problems() {
    const std::lock_guard lock{problems_mutex_};
    std::erase_if(problems_, [this](const auto& problem) {
        return problem.first != "TLS" && problem.first != settings_.unix_path &&
               std::ranges::none_of(settings_.tcp, [&](const ServerSettings::Tcp& where) {
                   return text_of(where) == problem.first;
               });
    });
}

void Listeners::refresh_tls() {
    if (!settings_.tls) {
        tls_.reset();
        tls_from_.reset();
        return note("TLS", "");
    }
    if (tls_from_ && tls_from_->same(*settings_.tls)) return;
    const bool first = tls_from_ == nullptr;
    const bool moved = !first && tls_from_->files != *settings_.tls;
    tls_from_ = std::make_unique<CertificateFiles>(*settings_.tls);
    auto loaded = TlsContext::load(*settings_.tls);
    if (!loaded) {
        // The old certificate serves on, unless other files are wanted: perhaps another CA.
        if (moved) tls_.reset();
        return note("TLS", loaded.error().message());
    }
    tls_ = std::move(*loaded);
    note("TLS", "");
    if (!first && events_)
        events_->emit({"MGMT-TLS-LOADED",
                       "the API's certificate was read again",
                       {{"certificate", settings_.tls->certificate}}});
}

void Listeners::reconcile() {
    refresh_tls();
    std::erase_if(listeners_, [this](const Listener& listener) {
        const bool wanted = listener.where ? std::ranges::find(settings_.tcp, *listener.where) !=
                                                 settings_.tcp.end()
                                           : listener.path == settings_.unix_path;
        if (!wanted && !listener.path.empty()) ::unlink(listener.path.c_str());
        return !wanted;
    });
    forget_problems();
    for (const auto& where : settings_.tcp) refuse_or_open(where);
    open_unix();
}

void Listeners::refuse_or_open(const ServerSettings::Tcp& where) {
    const auto at = std::ranges::find(listeners_, std::optional{where}, &Listener::where);
    const bool guarded =
        settings_.tls && (!settings_.tokens.empty() || !settings_.tls->client_ca.empty());
    std::string why;
    if (!where.address.is_loopback() && !guarded)
        why = "more than loopback needs TLS and tokens";
    else if (settings_.tls && !tls_)
        why = "there is no certificate";
    if (!why.empty()) {
        if (at != listeners_.end()) listeners_.erase(at);
        return note(text_of(where), why);
    }
    if (at != listeners_.end()) return;
    const auto socket = tcp_socket(where);
    note(text_of(where), socket ? "" : socket.error().message());
    if (!socket) return;
    auto& listener = listeners_.emplace_back(loop_, *socket);
    listener.where = where;
    if (accepting_) accept(listener);
}

Result<int, SystemError> Listeners::tcp_socket(const ServerSettings::Tcp& where) const {
    sockaddr_storage address{};
    const auto size = fill(where.address, where.port, address);
    const int made = ::socket(address.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (made < 0) return Failure{last_system_error("socket")};
    const int on = 1;
    ::setsockopt(made, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    // An address that the host gets later, of a VLAN or from VRRP, is no reason to wait.
    ::setsockopt(made, IPPROTO_IP, IP_FREEBIND, &on, sizeof on);
    if (where.address.is_v6()) ::setsockopt(made, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
    if (::bind(made, reinterpret_cast<const sockaddr*>(&address), size) == 0 &&
        ::listen(made, kBacklog) == 0)
        return made;
    const auto error = last_system_error("listen");
    ::close(made);
    return Failure{error};
}

void Listeners::open_unix() {
    const auto& path = settings_.unix_path;
    if (path.empty()) return;
    const auto at = std::ranges::find(listeners_, path, &Listener::path);
    if (at != listeners_.end()) {
        ::chmod(path.c_str(), settings_.unix_mode);  // it may have changed
        return;
    }
    const auto socket = unix_socket();
    note(path, socket ? "" : socket.error().message());
    if (!socket) return;
    auto& listener = listeners_.emplace_back(loop_, *socket);
    listener.path = path;
    if (accepting_) accept(listener);
}

Result<int, SystemError> Listeners::unix_socket() const {
    const auto& path = settings_.unix_path;
    sockaddr_un address{};
    if (path.size() >= sizeof address.sun_path) return Failure{SystemError{"the path is too long"}};
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path, path.data(), path.size());
    const auto* const to = reinterpret_cast<const sockaddr*>(&address);
    const auto make = [] {
        return ::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    };
    // A socket that a failed process left behind refuses connections.
    struct stat status {};
    if (::lstat(path.c_str(), &status) == 0 && S_ISSOCK(status.st_mode)) {
        const int probe = make();
        if (probe >= 0 && ::connect(probe, to, sizeof address) != 0 && errno == ECONNREFUSED)
            ::unlink(path.c_str());
        if (probe >= 0) ::close(probe);
    }
    const int made = make();
    if (made < 0) return Failure{last_system_error("socket")};
    // No client can connect before listen(), so that the mode is right in time.
    if (::bind(made, to, sizeof address) == 0 && ::chmod(path.c_str(), settings_.unix_mode) == 0 &&
        ::listen(made, kBacklog) == 0)
        return made;
    const auto error = last_system_error("listen");
    ::close(made);
    return Failure{error};
}

// One at a time: what was closed to make room leaves its list in between.
void Listeners::accept(Listener& listener) {
    listener.socket.while_readable([this, &listener] {
        auto& list = listener.where ? connections_.tcp : connections_.unix_socket;
        sockaddr_storage peer{};
        socklen_t size = sizeof peer;
        const int socket = ::accept4(listener.socket.get(), reinterpret_cast<sockaddr*>(&peer),
                                     &size, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (socket >= 0) {
            // The one that did nothing for longest makes room.
            if (list.size() >= settings_.max_connections) list.front()->close();
            if (!listener.where) {
                accepted_(socket, plain_transport(socket), list, unix_origin(socket));
                return true;
            }
            const int on = 1;
            ::setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
            accepted_(socket, tls_ ? tls_->transport(socket) : plain_transport(socket), list,
                      {false, text_of(peer)});
            return true;
        }
        if (errno == EAGAIN || errno == EINTR || errno == ECONNABORTED || errno == EPROTO)
            return true;
        // Out of file descriptors, most likely: let the others end first.
        if (!list.empty()) list.front()->close();
        listener.pause.start(std::chrono::milliseconds{100},
                             [this, &listener] { accept(listener); });
        return false;
    });
}

std::vector<std::uint16_t> Listeners::tcp_ports() const {
    std::vector<std::uint16_t> out;
    for (const auto& listener : listeners_) {
        if (!listener.where) continue;
        sockaddr_storage address{};
        socklen_t size = sizeof address;
        ::getsockname(listener.socket.get(), reinterpret_cast<sockaddr*>(&address), &size);
        const auto& in = reinterpret_cast<const sockaddr_in&>(address);  // the port has one place
        out.push_back(ntohs(in.sin_port));
    }
    return out;
}

}  // namespace torii::mgmt
