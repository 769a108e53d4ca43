#pragma once

#include <memory>

#include "base/result.hpp"
#include "base/system_error.hpp"
#include "mgmt/server.hpp"
#include "mgmt/wire/transport.hpp"

struct ssl_ctx_st;

namespace torii::mgmt {

// Certificate, key and what clients must show, for all connections. TLS 1.2 and
// later. The transports keep what they need of it alive.
class TlsContext {
public:
    static Result<std::unique_ptr<TlsContext>, SystemError> load(const TlsFiles& files);

    std::unique_ptr<Transport> transport(int socket) const;

private:
    struct Free {
        void operator()(ssl_ctx_st* context) const;
    };
    std::unique_ptr<ssl_ctx_st, Free> context_;
};

}  // namespace torii::mgmt
