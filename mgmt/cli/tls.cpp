#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <array>
#include <cerrno>

#include "mgmt/cli/connection.hpp"

namespace torii::cli {
namespace {

struct Free {
    void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
    void operator()(SSL* ssl) const { SSL_free(ssl); }
};

std::string last_error() {
    const auto code = ERR_get_error();
    ERR_clear_error();
    const char* reason = code != 0 ? ERR_reason_error_string(code) : nullptr;
    return reason != nullptr ? reason : "the connection broke";
}

// TLS between two buffers, whose bytes go over another connection: OpenSSL itself would
// write without MSG_NOSIGNAL.
class Tls final : public Connection {
public:
    Tls(std::unique_ptr<Connection> below, std::unique_ptr<SSL_CTX, Free> context)
        : below_(std::move(below)), context_(std::move(context)), ssl_(SSL_new(context_.get())) {
        in_ = BIO_new(BIO_s_mem());
        out_ = BIO_new(BIO_s_mem());
        SSL_set_bio(ssl_.get(), in_, out_);
        SSL_set_connect_state(ssl_.get());
    }
    SSL* ssl() const { return ssl_.get(); }

    bool handshake() {
        return drive([&] { return SSL_do_handshake(ssl_.get()); }) == 1;
    }
    bool send(std::string_view bytes) override {
        if (bytes.empty()) return true;
        const auto size = static_cast<int>(bytes.size());
        return drive([&] { return SSL_write(ssl_.get(), bytes.data(), size); }) == size;
    }
    ssize_t receive(std::span<char> into) override {
        const auto n =
            drive([&] { return SSL_read(ssl_.get(), into.data(), static_cast<int>(into.size())); });
        if (n > 0) return n;
        if (ended_ || SSL_get_error(ssl_.get(), n) == SSL_ERROR_ZERO_RETURN) return 0;
        errno = EPROTO;
        return -1;
    }

private:
    // Repeats an operation while it wants bytes of the other end.
    template <class Operation>
    int drive(Operation&& operation) {
        for (;;) {
            const int n = operation();
            const int error = n > 0 ? SSL_ERROR_NONE : SSL_get_error(ssl_.get(), n);
            if (!flush()) return -1;
            if (error != SSL_ERROR_WANT_READ) return n;
            std::array<char, 16384> bytes{};
            const auto got = below_->receive(bytes);
            if (got <= 0) {
                ended_ = got == 0;
                return -1;
            }
            BIO_write(in_, bytes.data(), static_cast<int>(got));
        }
    }
    bool flush() {
        std::array<char, 16384> bytes{};
        for (;;) {
            const int n = BIO_read(out_, bytes.data(), static_cast<int>(bytes.size()));
            if (n <= 0) return true;
            if (!below_->send({bytes.data(), static_cast<std::size_t>(n)})) return false;
        }
    }

    std::unique_ptr<Connection> below_;
    std::unique_ptr<SSL_CTX, Free> context_;
    std::unique_ptr<SSL, Free> ssl_;
    BIO* in_ = nullptr;  // both are owned by ssl_
    BIO* out_ = nullptr;
    bool ended_ = false;
};

}  // namespace

Result<std::unique_ptr<Connection>, std::string> start_tls(std::unique_ptr<Connection> plain,
                                                           const Target& target,
                                                           const std::string& host) {
    std::unique_ptr<SSL_CTX, Free> context{SSL_CTX_new(TLS_client_method())};
    SSL_CTX_set_min_proto_version(context.get(), TLS1_2_VERSION);
    SSL_CTX_set_verify(context.get(), SSL_VERIFY_PEER, nullptr);
    const int known = target.ca.empty()
                          ? SSL_CTX_set_default_verify_paths(context.get())
                          : SSL_CTX_load_verify_file(context.get(), target.ca.c_str());
    if (known != 1)
        return Failure{"cannot read authorities from " + target.ca + ": " + last_error()};
    if (!target.certificate.empty()) {
        // One file may hold both.
        const auto& key = target.key.empty() ? target.certificate : target.key;
        if (SSL_CTX_use_certificate_chain_file(context.get(), target.certificate.c_str()) != 1)
            return Failure{"cannot read the certificate " + target.certificate + ": " +
                           last_error()};
        if (SSL_CTX_use_PrivateKey_file(context.get(), key.c_str(), SSL_FILETYPE_PEM) != 1)
            return Failure{"cannot read the key " + key + ": " + last_error()};
    } else if (!target.key.empty()) {
        return Failure{std::string{"--key wants --cert too"}};
    }
    auto tls = std::make_unique<Tls>(std::move(plain), std::move(context));
    auto* verify = SSL_get0_param(tls->ssl());
    if (X509_VERIFY_PARAM_set1_ip_asc(verify, host.c_str()) != 1) {
        ERR_clear_error();
        SSL_set1_host(tls->ssl(), host.c_str());
        SSL_set_tlsext_host_name(tls->ssl(), host.c_str());
    }
    if (tls->handshake()) return std::unique_ptr<Connection>{std::move(tls)};
    const auto verdict = SSL_get_verify_result(tls->ssl());
    if (verdict == X509_V_OK) return Failure{"no TLS with " + target.url + ": " + last_error()};
    std::string why = "the certificate of " + target.url +
                      " is not trusted: " + X509_verify_cert_error_string(verdict);
    if (target.ca.empty()) why += "; --ca FILE names its authority";
    return Failure{why};
}

}  // namespace torii::cli
