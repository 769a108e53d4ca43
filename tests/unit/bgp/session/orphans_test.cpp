#include "bgp/session/orphans.hpp"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <vector>

namespace torii::bgp {
namespace {

// An end that was closed with octets that the other does not read.
TEST(Orphans, AreResetSoThatThePeerLearnsOfTheDeathAtOnce) {
    const int listener = socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    auto* at = reinterpret_cast<sockaddr*>(&address);
    socklen_t size = sizeof address;
    ASSERT_EQ(bind(listener, at, size), 0);
    ASSERT_EQ(listen(listener, 1), 0);
    getsockname(listener, at, &size);
    const int peer = socket(AF_INET, SOCK_STREAM, 0);
    ASSERT_EQ(connect(peer, at, size), 0);
    const int ours = accept(listener, nullptr, nullptr);
    const std::vector<char> chunk(65536);
    while (send(ours, chunk.data(), chunk.size(), MSG_DONTWAIT) > 0) {
    }
    EXPECT_EQ(reset_orphans(ntohs(address.sin_port)), 0u) << "it has an owner";
    close(ours);
    const auto count = reset_orphans(ntohs(address.sin_port));
    if (count == 0) {
        close(peer);
        close(listener);
        GTEST_SKIP() << "needs CAP_NET_ADMIN and INET_DIAG_DESTROY";
    }
    EXPECT_EQ(count, 1u);
    std::vector<char> buffer(1 << 20);
    ssize_t n = 1;
    while (n > 0) n = recv(peer, buffer.data(), buffer.size(), MSG_DONTWAIT);
    EXPECT_EQ(n, -1);
    EXPECT_EQ(errno, ECONNRESET);
    close(peer);
    close(listener);
}

}  // namespace
}  // namespace torii::bgp
