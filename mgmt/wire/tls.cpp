#include "mgmt/wire/tls.hpp"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <limits>

namespace torii::mgmt {
namespace {

// OpenSSL's own BIO of a socket writes without MSG_NOSIGNAL: a client that goes
// away would end the process by SIGPIPE.
int socket_of(BIO* bio) {
    return static_cast<int>(reinterpret_cast<std::intptr_t>(BIO_get_data(bio)));
}

int finish(BIO* bio, ssize_t n, int retry) {
    BIO_clear_retry_flags(bio);
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        BIO_set_flags(bio, retry | BIO_FLAGS_SHOULD_RETRY);
    return static_cast<int>(n);
}

int bio_write(BIO* bio, const char* bytes, int size) {
    return finish(bio, ::send(socket_of(bio), bytes, static_cast<std::size_t>(size), MSG_NOSIGNAL),
                  BIO_FLAGS_WRITE);
}

int bio_read(BIO* bio, char* bytes, int size) {
    return finish(bio, ::recv(socket_of(bio), bytes, static_cast<std::size_t>(size), 0),
                  BIO_FLAGS_READ);
}

long bio_control(BIO*, int command, long, void*) {
    return command == BIO_CTRL_FLUSH ? 1 : 0;
}

BIO* new_bio(int socket) {
    static BIO_METHOD* const method = [] {
        auto* made = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "socket");
        BIO_meth_set_write(made, bio_write);
        BIO_meth_set_read(made, bio_read);
        BIO_meth_set_ctrl(made, bio_control);
        return made;
    }();
    auto* bio = BIO_new(method);
    BIO_set_data(bio, reinterpret_cast<void*>(std::intptr_t{socket}));
    BIO_set_init(bio, 1);
    return bio;
}

class TlsTransport final : public Transport {
public:
    TlsTransport(SSL_CTX* context, int socket) : ssl_(SSL_new(context)) {
        auto* bio = new_bio(socket);
        SSL_set_bio(ssl_, bio, bio);
        SSL_set_mode(ssl_, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                               SSL_MODE_RELEASE_BUFFERS);
    }
    ~TlsTransport() override { SSL_free(ssl_); }
    TlsTransport(const TlsTransport&) = delete;
    TlsTransport& operator=(const TlsTransport&) = delete;

    Step handshake() override {
        ERR_clear_error();
        return step(SSL_accept(ssl_));
    }
    Step read(char* into, std::size_t size) override {
        ERR_clear_error();
        return step(SSL_read(ssl_, into, length(size)));
    }
    Step write(std::string_view first, std::string_view second) override {
        const auto part = first.empty() ? second : first;
        ERR_clear_error();
        return step(SSL_write(ssl_, part.data(), length(part.size())));
    }
    // TLS 1.2 ends both directions at once.
    bool half_close() override { return false; }

private:
    static int length(std::size_t size) {
        return static_cast<int>(
            std::min(size, static_cast<std::size_t>(std::numeric_limits<int>::max())));
    }

    Step step(int result) const {
        if (result > 0) return {Outcome::Done, static_cast<std::size_t>(result)};
        switch (SSL_get_error(ssl_, result)) {
            case SSL_ERROR_WANT_READ:
                return {Outcome::WantRead};
            case SSL_ERROR_WANT_WRITE:
                return {Outcome::WantWrite};
            case SSL_ERROR_ZERO_RETURN:
                return {Outcome::Ended};
            default:
                return {Outcome::Broken};
        }
    }

    SSL* ssl_;
};

Failure<SystemError> refused(const std::string& what) {
    const auto code = ERR_get_error();
    if (ERR_SYSTEM_ERROR(code)) return Failure{SystemError{what, ERR_GET_REASON(code)}};
    const char* reason = ERR_reason_error_string(code);
    return Failure{SystemError{what + ": " + (reason ? reason : "cannot be used")}};
}

}  // namespace

void TlsContext::Free::operator()(ssl_ctx_st* context) const {
    SSL_CTX_free(context);
}

Result<std::unique_ptr<TlsContext>, SystemError> TlsContext::load(const TlsFiles& files) {
    ERR_clear_error();
    auto out = std::make_unique<TlsContext>();
    out->context_.reset(SSL_CTX_new(TLS_server_method()));
    auto* const context = out->context_.get();
    if (context == nullptr || SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION) != 1)
        return refused("TLS");
    SSL_CTX_set_options(context, SSL_OP_ALL | SSL_OP_NO_COMPRESSION);
    if (SSL_CTX_use_certificate_chain_file(context, files.certificate.c_str()) != 1)
        return refused("certificate " + files.certificate);
    if (SSL_CTX_use_PrivateKey_file(context, files.key.c_str(), SSL_FILETYPE_PEM) != 1)
        return refused("key " + files.key);
    if (files.client_ca.empty()) return out;
    if (SSL_CTX_load_verify_locations(context, files.client_ca.c_str(), nullptr) != 1)
        return refused("client CA " + files.client_ca);
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
    return out;
}

std::unique_ptr<Transport> TlsContext::transport(int socket) const {
    return std::make_unique<TlsTransport>(context_.get(), socket);
}

}  // namespace torii::mgmt
