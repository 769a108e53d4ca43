#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/event.hpp"
#include "base/result.hpp"
#include "base/system_error.hpp"
#include "mgmt/event_log.hpp"
#include "mgmt/views.hpp"

namespace torii::mgmt {

enum class Role : std::uint8_t { None, Read, Operate, Admin };

struct TlsFiles {
    std::string certificate;
    std::string key;
    std::string client_ca;  // "": clients need no certificate
    friend bool operator==(const TlsFiles&, const TlsFiles&) = default;
};
struct TokenHash {
    std::string name;
    std::string hash;  // argon2id
    Role role = Role::Read;
    friend bool operator==(const TokenHash&, const TokenHash&) = default;
};

struct ServerSettings {
    std::string unix_path;  // "": none; a client that may connect is an admin
    unsigned unix_mode = 0660;
    struct Tcp {
        IpAddress address;
        std::uint16_t port = 0;  // 0: any free one, see Server::tcp_ports
        friend bool operator==(const Tcp&, const Tcp&) = default;
    };
    std::vector<Tcp> tcp;
    std::optional<TlsFiles> tls;  // for every TCP listener
    std::vector<TokenHash> tokens;
    // Of TCP clients where there are no tokens: every user of the host is one. With a
    // client_ca its certificate made the client an admin.
    Role without_tokens = Role::Read;
    std::size_t max_connections = 1024;
    std::size_t max_body = std::size_t{8} << 20;
    std::uint32_t max_header = 16 * 1024;
    std::chrono::milliseconds header_timeout{10'000};  // slowloris ends here
    std::chrono::milliseconds idle_timeout{60'000};    // keep-alive and slow readers
    std::chrono::milliseconds answer_timeout{10'000};  // a view that does not answer: 504
    std::chrono::milliseconds write_timeout{120'000};  // the same of what changes something
};

// Whether a certificate can be served with its key.
Result<void, SystemError> check_tls(const TlsFiles& files);

// The REST server: one thread of its own with its own loop, on which every
// handler runs. A client can be slow, silent or hostile; it costs its own
// connection and nothing else.
class Server {
public:
    // Always serves: what cannot be listened on now is tried again every second, with an event
    // and a problem. A TCP address other than loopback takes TLS, and tokens or a client CA.
    // Events (changes with their client, refused requests) go to `audit` on the server's thread.
    static std::unique_ptr<Server> start(ServerSettings settings, Views views,
                                         const EventLog& events, EventSink* audit = nullptr);
    ~Server();  // closes everything and joins the thread; late answers are dropped

    // Any thread. Listeners that stay keep their connections; where tokens or certificates
    // changed, each connection ends with its next answer.
    void configure(ServerSettings settings);
    std::vector<std::string> problems() const;  // what is not served, and why; any thread
    // Bound, in the order of settings.tcp. Not while configure() works.
    std::vector<std::uint16_t> tcp_ports() const;

private:
    struct Impl;
    explicit Server(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> impl_;
};

}  // namespace torii::mgmt
