#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "mgmt/cli/client.hpp"

namespace torii::cli {

// A blocking connection to the API: over the Unix socket, TCP, or TLS on TCP.
class Connection {
public:
    virtual ~Connection() = default;
    virtual bool send(std::string_view bytes) = 0;
    // Bytes received, 0 at the end, negative on an error with errno set.
    virtual ssize_t receive(std::span<char> into) = 0;
};

struct Connected {
    std::unique_ptr<Connection> connection;
    std::string host;  // for the request's Host
};

// The error is a sentence for the terminal.
Result<Connected, std::string> connect(const Target& target);

// Puts TLS on a connection and checks the certificate of `host` (RFC 9110 §4.3.4): by the
// authorities of `target.ca`, else by those of the system.
Result<std::unique_ptr<Connection>, std::string> start_tls(std::unique_ptr<Connection> plain,
                                                           const Target& target,
                                                           const std::string& host);

}  // namespace torii::cli
