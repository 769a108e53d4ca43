#include "bgp/session/orphans.hpp"

#include <arpa/inet.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstring>
#include <vector>

namespace torii::bgp {

namespace {

struct Request {
    nlmsghdr header;
    inet_diag_req_v2 query;
};

Request request(std::uint8_t family, std::uint16_t type, std::uint16_t flags) {
    Request out{};
    out.header.nlmsg_len = sizeof out;
    out.header.nlmsg_type = type;
    out.header.nlmsg_flags = static_cast<std::uint16_t>(NLM_F_REQUEST | flags);
    out.query.sdiag_family = family;
    out.query.sdiag_protocol = IPPROTO_TCP;
    out.query.idiag_states = ~(1u << TCP_LISTEN | 1u << TCP_TIME_WAIT);
    return out;
}

// The orphans of one family; false when the kernel does not answer.
bool find(int socket, std::uint8_t family, std::uint16_t port, std::vector<inet_diag_msg>& out) {
    const auto dump = request(family, SOCK_DIAG_BY_FAMILY, NLM_F_DUMP);
    if (send(socket, &dump, sizeof dump, 0) < 0) return false;
    alignas(nlmsghdr) char buffer[32768];
    for (;;) {
        const auto n = recv(socket, buffer, sizeof buffer, 0);
        if (n <= 0) return false;
        auto left = static_cast<unsigned>(n);
        for (auto* at = reinterpret_cast<nlmsghdr*>(buffer); NLMSG_OK(at, left);
             at = NLMSG_NEXT(at, left)) {
            if (at->nlmsg_type == NLMSG_DONE) return true;
            if (at->nlmsg_type == NLMSG_ERROR) return false;
            if (at->nlmsg_len < NLMSG_LENGTH(sizeof(inet_diag_msg))) continue;
            inet_diag_msg one;
            std::memcpy(&one, NLMSG_DATA(at), sizeof one);
            const bool ours =
                one.id.idiag_sport == htons(port) || one.id.idiag_dport == htons(port);
            if (ours && one.idiag_inode == 0) out.push_back(one);
        }
    }
}

}  // namespace

std::size_t reset_orphans(std::uint16_t port) {
    const int s = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
    if (s < 0) return 0;
    const timeval limit{0, 200'000};
    setsockopt(s, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    std::size_t count = 0;
    for (const std::uint8_t family : {std::uint8_t{AF_INET}, std::uint8_t{AF_INET6}}) {
        std::vector<inet_diag_msg> orphans;
        find(s, family, port, orphans);
        for (const auto& orphan : orphans) {
            auto kill = request(family, SOCK_DESTROY, NLM_F_ACK);
            kill.query.id = orphan.id;
            alignas(nlmsghdr) char answer[1024];
            if (send(s, &kill, sizeof kill, 0) < 0) continue;
            const auto n = recv(s, answer, sizeof answer, 0);
            if (n < static_cast<ssize_t>(NLMSG_LENGTH(sizeof(nlmsgerr)))) continue;
            nlmsgerr result;
            std::memcpy(&result, NLMSG_DATA(reinterpret_cast<nlmsghdr*>(answer)), sizeof result);
            count += result.error == 0;
        }
    }
    close(s);
    return count;
}

}  // namespace torii::bgp
