#include "tests/unit/mgmt/wire_client.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace torii::mgmt {

struct WireClient::Layer {
    SSL_CTX* context = nullptr;
    SSL* ssl = nullptr;
    ~Layer() {
        SSL_free(ssl);
        SSL_CTX_free(context);
    }
};

WireClient::WireClient(int family, const void* to, std::size_t size)
    : fd_(::socket(family, SOCK_STREAM, 0)) {
    good_ = ::connect(fd_, static_cast<const sockaddr*>(to), static_cast<socklen_t>(size)) == 0;
}

WireClient WireClient::tcp(std::uint16_t port) {
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(port);
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return {AF_INET, &to, sizeof to};
}

WireClient WireClient::unix(const std::string& path) {
    sockaddr_un to{};
    to.sun_family = AF_UNIX;
    std::memcpy(to.sun_path, path.c_str(), path.size());
    return {AF_UNIX, &to, sizeof to};
}

WireClient WireClient::tls(std::uint16_t port, const Tls& options) {
    std::signal(SIGPIPE, SIG_IGN);  // OpenSSL writes without MSG_NOSIGNAL
    auto client = tcp(port);
    auto layer = std::make_unique<Layer>();
    layer->context = SSL_CTX_new(TLS_client_method());
    if (options.highest != 0) SSL_CTX_set_max_proto_version(layer->context, options.highest);
    if (!options.certificate.empty()) {
        SSL_CTX_use_certificate_chain_file(layer->context, options.certificate.c_str());
        SSL_CTX_use_PrivateKey_file(layer->context, options.key.c_str(), SSL_FILETYPE_PEM);
    }
    layer->ssl = SSL_new(layer->context);
    SSL_set_fd(layer->ssl, client.fd_);
    client.good_ = client.good_ && SSL_connect(layer->ssl) == 1;
    client.layer_ = std::move(layer);
    return client;
}

WireClient::WireClient(WireClient&& other) noexcept
    : fd_(other.fd_), good_(other.good_), layer_(std::move(other.layer_)) {
    other.fd_ = -1;
}

WireClient::~WireClient() {
    if (fd_ >= 0) ::close(fd_);
}

bool WireClient::send(std::string_view bytes) {
    while (!bytes.empty()) {
        const auto n = layer_ ? SSL_write(layer_->ssl, bytes.data(), static_cast<int>(bytes.size()))
                              : ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
        if (n <= 0) return false;
        bytes.remove_prefix(static_cast<std::size_t>(n));
    }
    return true;
}

void WireClient::send_no_more() {
    if (layer_)
        SSL_shutdown(layer_->ssl);
    else
        ::shutdown(fd_, SHUT_WR);
}

std::string WireClient::read_until(std::string_view end) {
    while (pending_.find(end) == std::string::npos && read_some()) {
    }
    const auto at = pending_.find(end);
    const auto size = at == std::string::npos ? pending_.size() : at + end.size();
    auto out = pending_.substr(0, size);
    pending_.erase(0, size);
    return out;
}

std::string WireClient::read_all() {
    return read_until(std::string_view{"\0never\0", 7});
}

WireClient::Reply WireClient::request(const std::string& method, const std::string& target,
                                      const std::string& body, const std::string& headers) {
    std::string text = method + ' ' + target + " HTTP/1.1\r\nHost: localhost\r\n" + headers;
    if (!body.empty()) text += "Content-Length: " + std::to_string(body.size()) + "\r\n";
    send(text + "\r\n" + body);
    return reply(method == "HEAD");
}

WireClient::Reply WireClient::reply(bool head) {
    Reply out;
    out.header = read_until("\r\n\r\n");
    if (out.header.size() > 12) out.status = std::atoi(out.header.c_str() + 9);
    const auto length = out.header.find("Content-Length: ");
    if (length != std::string::npos && !head) {
        const auto wanted = std::stoul(out.header.substr(length + 16));
        while (pending_.size() < wanted && read_some()) {
        }
        out.body = pending_.substr(0, wanted);
        pending_.erase(0, out.body.size());
    } else if (out.header.find("chunked") != std::string::npos && !head) {
        for (;;) {
            const auto size = std::stoul(read_until("\r\n"), nullptr, 16);
            while (pending_.size() < size + 2 && read_some()) {
            }
            out.body += pending_.substr(0, size);
            pending_.erase(0, size + 2);
            if (size == 0) break;
        }
    }
    return out;
}

bool WireClient::read_some() {
    pollfd waiting{fd_, POLLIN, 0};
    const bool buffered = layer_ && SSL_pending(layer_->ssl) > 0;
    if (!buffered && ::poll(&waiting, 1, 30000) <= 0) return false;
    char bytes[65536];
    const auto n =
        layer_ ? SSL_read(layer_->ssl, bytes, sizeof bytes) : ::recv(fd_, bytes, sizeof bytes, 0);
    if (n <= 0) return false;
    pending_.append(bytes, static_cast<std::size_t>(n));
    return true;
}

CertificateFiles make_certificate(const std::string& directory, const std::string& name) {
    CertificateFiles files{directory + name + ".crt", directory + name + ".key"};
    EVP_PKEY* key = EVP_EC_gen("P-256");
    X509* certificate = X509_new();
    X509_set_version(certificate, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1);
    X509_gmtime_adj(X509_getm_notBefore(certificate), -60);
    X509_gmtime_adj(X509_getm_notAfter(certificate), 3600);
    X509_set_pubkey(certificate, key);
    auto* const subject = X509_get_subject_name(certificate);
    X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC,
                               reinterpret_cast<const unsigned char*>(name.c_str()), -1, -1, 0);
    X509_set_issuer_name(certificate, subject);
    X509_sign(certificate, key, EVP_sha256());
    if (std::FILE* file = std::fopen(files.certificate.c_str(), "w")) {
        PEM_write_X509(file, certificate);
        std::fclose(file);
    }
    if (std::FILE* file = std::fopen(files.key.c_str(), "w")) {
        PEM_write_PrivateKey(file, key, nullptr, nullptr, 0, nullptr, nullptr);
        std::fclose(file);
    }
    X509_free(certificate);
    EVP_PKEY_free(key);
    return files;
}

}  // namespace torii::mgmt
