#include "mgmt/wire/transport.hpp"

#include <sys/socket.h>
#include <sys/uio.h>

#include <cerrno>

namespace torii::mgmt {
namespace {

class PlainTransport final : public Transport {
public:
    explicit PlainTransport(int socket) : socket_(socket) {}

    Step handshake() override { return {}; }

    Step read(char* into, std::size_t size) override {
        const auto n = ::recv(socket_, into, size, 0);
        if (n > 0) return {Outcome::Done, static_cast<std::size_t>(n)};
        return {n == 0 ? Outcome::Ended : waits() ? Outcome::WantRead : Outcome::Broken};
    }

    Step write(std::string_view first, std::string_view second) override {
        iovec parts[] = {{const_cast<char*>(first.data()), first.size()},
                         {const_cast<char*>(second.data()), second.size()}};
        msghdr message{};
        message.msg_iov = parts;
        message.msg_iovlen = 2;
        const auto n = ::sendmsg(socket_, &message, MSG_NOSIGNAL);
        if (n >= 0) return {Outcome::Done, static_cast<std::size_t>(n)};
        return {waits() ? Outcome::WantWrite : Outcome::Broken};
    }

    bool half_close() override {
        ::shutdown(socket_, SHUT_WR);
        return true;
    }

private:
    // A signal in between is met by trying again.
    static bool waits() { return errno == EAGAIN || errno == EINTR; }

    int socket_;
};

}  // namespace

std::unique_ptr<Transport> plain_transport(int socket) {
    return std::make_unique<PlainTransport>(socket);
}

}  // namespace torii::mgmt
