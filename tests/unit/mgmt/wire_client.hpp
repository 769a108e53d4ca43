#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

namespace torii::mgmt {

// The least that speaks to a server: bytes out, bytes in.
class WireClient {
public:
    static WireClient tcp(std::uint16_t port) {
        sockaddr_in to{};
        to.sin_family = AF_INET;
        to.sin_port = htons(port);
        to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        return {AF_INET, &to, sizeof to};
    }
    static WireClient unix(const std::string& path) {
        sockaddr_un to{};
        to.sun_family = AF_UNIX;
        std::memcpy(to.sun_path, path.c_str(), path.size());
        return {AF_UNIX, &to, sizeof to};
    }
    WireClient(WireClient&& other) noexcept : fd_(other.fd_), good_(other.good_) { other.fd_ = -1; }
    WireClient& operator=(WireClient&&) = delete;
    ~WireClient() {
        if (fd_ >= 0) ::close(fd_);
    }

    bool good() const { return good_; }
    bool send(std::string_view bytes) {
        while (!bytes.empty()) {
            const auto n = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
            if (n <= 0) return false;
            bytes.remove_prefix(static_cast<std::size_t>(n));
        }
        return true;
    }
    // What comes until `end` is seen, the peer closes, or nothing comes for 30 s.
    std::string read_until(std::string_view end) {
        while (pending_.find(end) == std::string::npos) {
            pollfd waiting{fd_, POLLIN, 0};
            if (::poll(&waiting, 1, 30000) <= 0) break;
            char bytes[65536];
            const auto n = ::recv(fd_, bytes, sizeof bytes, 0);
            if (n <= 0) break;
            pending_.append(bytes, static_cast<std::size_t>(n));
        }
        const auto at = pending_.find(end);
        const auto size = at == std::string::npos ? pending_.size() : at + end.size();
        auto out = pending_.substr(0, size);
        pending_.erase(0, size);
        return out;
    }
    std::string read_all() { return read_until(std::string_view{"\0never\0", 7}); }

    struct Reply {
        int status = 0;
        std::string header, body;
    };
    Reply request(const std::string& method, const std::string& target,
                  const std::string& body = "", const std::string& headers = "") {
        std::string text = method + ' ' + target + " HTTP/1.1\r\nHost: localhost\r\n" + headers;
        if (!body.empty()) text += "Content-Length: " + std::to_string(body.size()) + "\r\n";
        send(text + "\r\n" + body);
        return reply(method == "HEAD");
    }
    Reply reply(bool head = false) {
        Reply out;
        out.header = read_until("\r\n\r\n");
        if (out.header.size() > 12) out.status = std::atoi(out.header.c_str() + 9);
        const auto length = out.header.find("Content-Length: ");
        if (length != std::string::npos && !head) {
            const auto wanted = std::stoul(out.header.substr(length + 16));
            while (pending_.size() < wanted) {
                const auto before = pending_.size();
                auto more = read_some();
                if (pending_.size() == before && more.empty()) break;
            }
            out.body = pending_.substr(0, wanted);
            pending_.erase(0, out.body.size());
        } else if (out.header.find("chunked") != std::string::npos && !head) {
            for (;;) {
                const auto size = std::stoul(read_until("\r\n"), nullptr, 16);
                while (pending_.size() < size + 2 && !read_some().empty()) {
                }
                out.body += pending_.substr(0, size);
                pending_.erase(0, size + 2);
                if (size == 0) break;
            }
        }
        return out;
    }

private:
    WireClient(int family, const void* to, socklen_t size) : fd_(::socket(family, SOCK_STREAM, 0)) {
        good_ = ::connect(fd_, static_cast<const sockaddr*>(to), size) == 0;
    }
    std::string read_some() {
        pollfd waiting{fd_, POLLIN, 0};
        if (::poll(&waiting, 1, 30000) <= 0) return "";
        char bytes[65536];
        const auto n = ::recv(fd_, bytes, sizeof bytes, 0);
        if (n <= 0) return "";
        pending_.append(bytes, static_cast<std::size_t>(n));
        return "x";
    }
    int fd_;
    bool good_ = false;
    std::string pending_;
};

}  // namespace torii::mgmt
