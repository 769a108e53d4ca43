#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace torii::mgmt {

// The least that speaks to a server: bytes out, bytes in, by TLS if asked for.
class WireClient {
public:
    // Files of a certificate and its key; `highest` is a version of OpenSSL's.
    struct Tls {
        std::string certificate, key;
        int highest = 0;
    };

    static WireClient tcp(std::uint16_t port);
    static WireClient unix(const std::string& path);
    // Its handshake has ended when good(). It trusts whoever answers.
    static WireClient tls(std::uint16_t port, const Tls& options);
    WireClient(WireClient&& other) noexcept;
    WireClient& operator=(WireClient&&) = delete;
    ~WireClient();

    bool good() const { return good_; }
    bool send(std::string_view bytes);
    void send_no_more();  // half-closes
    // What comes until `end` is seen, the peer closes, or nothing comes for 30 s.
    std::string read_until(std::string_view end);
    std::string read_all();

    struct Reply {
        int status = 0;
        std::string header, body;
    };
    Reply request(const std::string& method, const std::string& target,
                  const std::string& body = "", const std::string& headers = "");
    Reply reply(bool head = false);

private:
    struct Layer;
    WireClient(int family, const void* to, std::size_t size);
    bool read_some();  // false: nothing more
    int fd_;
    bool good_ = false;
    std::unique_ptr<Layer> layer_;
    std::string pending_;
};

// A self-signed certificate for whatever name, with its key, as files.
struct CertificateFiles {
    std::string certificate, key;
};
CertificateFiles make_certificate(const std::string& directory, const std::string& name);

}  // namespace torii::mgmt
