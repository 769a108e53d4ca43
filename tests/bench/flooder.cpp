// Sends what floods of strangers are made of to a router on a link, as fast as this core
// goes: TCP SYNs to port 179 and others, ARP requests, neighbor solicitations, echo
// requests, from many sources. Prints how many frames left.
//
//   flooder INTERFACE ROUTER-MAC ROUTER-IPV4 ROUTER-IPV6 SECONDS
#include <arpa/inet.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <sys/socket.h>

#include <array>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <vector>

namespace {

using Frame = std::array<std::uint8_t, 86>;
struct Sized {
    Frame bytes{};
    std::size_t size = 60;
};
struct Router {
    std::uint8_t mac[6], ip4[4], ip6[16];
};

void put16(std::uint8_t* p, std::uint32_t v) {
    p[0] = static_cast<std::uint8_t>(v >> 8);
    p[1] = static_cast<std::uint8_t>(v);
}

std::uint16_t checksum(const std::uint8_t* p, std::size_t n, std::uint32_t sum = 0) {
    for (std::size_t i = 0; i + 1 < n; i += 2)
        sum += static_cast<std::uint32_t>(p[i] << 8 | p[i + 1]);
    while (sum >> 16 != 0) sum = (sum & 0xffff) + (sum >> 16);
    return static_cast<std::uint16_t>(~sum);
}

Sized ethernet(const std::uint8_t* to, std::uint32_t number, std::uint16_t type) {
    Sized f;
    std::memcpy(f.bytes.data(), to, 6);
    f.bytes[6] = 0x02;
    f.bytes[7] = 0xee;
    put16(&f.bytes[10], number);
    put16(&f.bytes[12], type);
    return f;
}

// On the router's link (its network is a /16 here), or from anywhere.
void source4(std::uint8_t* p, const Router& router, std::uint32_t number, bool near) {
    std::memcpy(p, router.ip4, 2);
    if (!near) p[0] = 198, p[1] = 18;
    put16(p + 2, 0x4000 | (number & 0x3fff));
}

Sized ip4(const Router& router, std::uint32_t number, std::uint8_t protocol, std::size_t payload) {
    auto f = ethernet(router.mac, number, ETH_P_IP);
    auto* ip = &f.bytes[14];
    ip[0] = 0x45;
    put16(ip + 2, static_cast<std::uint32_t>(20 + payload));
    ip[8] = 64;
    ip[9] = protocol;
    source4(ip + 12, router, number, number % 2 == 0);
    std::memcpy(ip + 16, router.ip4, 4);
    put16(ip + 10, checksum(ip, 20));
    return f;
}

Sized syn(const Router& router, std::uint32_t number) {
    auto f = ip4(router, number, 6, 20);
    auto* tcp = &f.bytes[34];
    put16(tcp, 1024 + number % 60'000);
    put16(tcp + 2, number % 4 == 0 ? 22 : 179);
    put16(tcp + 4, number);
    tcp[12] = 0x50;
    tcp[13] = 0x02;
    put16(tcp + 14, 65535);
    std::uint32_t pseudo = 6 + 20;
    for (int i = 26; i < 34; i += 2)
        pseudo += static_cast<std::uint32_t>(f.bytes[static_cast<std::size_t>(i)] << 8 |
                                             f.bytes[static_cast<std::size_t>(i) + 1]);
    put16(tcp + 16, checksum(tcp, 20, pseudo));
    return f;
}

Sized echo(const Router& router, std::uint32_t number) {
    auto f = ip4(router, number, 1, 26);
    auto* icmp = &f.bytes[34];
    icmp[0] = 8;
    put16(icmp + 6, number);
    put16(icmp + 2, checksum(icmp, 26));
    return f;
}

Sized arp(const Router& router, std::uint32_t number) {
    const std::uint8_t everybody[] = {255, 255, 255, 255, 255, 255};
    auto f = ethernet(everybody, number, ETH_P_ARP);
    const std::uint8_t head[] = {0, 1, 8, 0, 6, 4, 0, 1};
    std::memcpy(&f.bytes[14], head, 8);
    std::memcpy(&f.bytes[22], &f.bytes[6], 6);
    source4(&f.bytes[28], router, number, true);
    std::memcpy(&f.bytes[38], router.ip4, 4);
    return f;
}

Sized solicitation(const Router& router, std::uint32_t number) {
    std::uint8_t group_mac[6] = {0x33, 0x33, 0xff};
    std::memcpy(group_mac + 3, router.ip6 + 13, 3);
    auto f = ethernet(group_mac, number, ETH_P_IPV6);
    f.size = 86;
    auto* ip = &f.bytes[14];
    ip[0] = 0x60;
    put16(ip + 4, 32);
    ip[6] = 58;
    ip[7] = 255;
    std::memcpy(ip + 8, router.ip6, 16);
    put16(ip + 8 + 14, 0x4000 | (number & 0x3fff));
    const std::uint8_t group[] = {0xff, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0xff};
    std::memcpy(ip + 24, group, 13);
    std::memcpy(ip + 37, router.ip6 + 13, 3);
    auto* nd = ip + 40;
    nd[0] = 135;
    std::memcpy(nd + 8, router.ip6, 16);
    nd[24] = 1;
    nd[25] = 1;
    std::memcpy(nd + 26, &f.bytes[6], 6);
    std::uint32_t pseudo = 32 + 58;
    for (std::size_t i = 22; i < 54; i += 2)
        pseudo += static_cast<std::uint32_t>(f.bytes[i] << 8 | f.bytes[i + 1]);
    put16(nd + 2, checksum(nd, 32, pseudo));
    return f;
}

}  // namespace

int main(int argc, char** argv) {
    Router router{};
    if (argc != 6 ||
        std::sscanf(argv[2], "%hhx:%hhx:%hhx:%hhx:%hhx:%hhx", router.mac, router.mac + 1,
                    router.mac + 2, router.mac + 3, router.mac + 4, router.mac + 5) != 6 ||
        ::inet_pton(AF_INET, argv[3], router.ip4) != 1 ||
        ::inet_pton(AF_INET6, argv[4], router.ip6) != 1) {
        std::puts("flooder INTERFACE ROUTER-MAC ROUTER-IPV4 ROUTER-IPV6 SECONDS");
        return 2;
    }
    const int fd = ::socket(AF_PACKET, SOCK_RAW, 0);
    const int bypass = 1;
    sockaddr_ll at{};
    at.sll_family = AF_PACKET;
    at.sll_ifindex = static_cast<int>(::if_nametoindex(argv[1]));
    if (fd < 0 || at.sll_ifindex == 0 ||
        ::setsockopt(fd, SOL_PACKET, PACKET_QDISC_BYPASS, &bypass, sizeof bypass) != 0 ||
        ::bind(fd, reinterpret_cast<const sockaddr*>(&at), sizeof at) != 0) {
        std::perror("flooder");
        return 1;
    }
    constexpr std::uint32_t kFrames = 4096;
    std::vector<Sized> frames;
    for (std::uint32_t i = 0; i < kFrames; ++i) {
        constexpr Sized (*kKinds[])(const Router&, std::uint32_t) = {syn, arp, solicitation, echo};
        frames.push_back(kKinds[i % 4](router, i / 4));
    }
    std::vector<iovec> parts(kFrames);
    std::vector<mmsghdr> messages(kFrames);
    for (std::uint32_t i = 0; i < kFrames; ++i) {
        parts[i] = {frames[i].bytes.data(), frames[i].size};
        messages[i].msg_hdr.msg_iov = &parts[i];
        messages[i].msg_hdr.msg_iovlen = 1;
    }
    using Clock = std::chrono::steady_clock;
    const auto end = Clock::now() + std::chrono::seconds{std::atoi(argv[5])};
    std::uint64_t sent = 0;
    for (std::uint32_t next = 0; Clock::now() < end;) {
        const int n = ::sendmmsg(fd, &messages[next], 256, 0);
        if (n > 0) sent += static_cast<std::uint64_t>(n);
        next = (next + 256) % kFrames;
    }
    std::printf("%lu\n", sent);
    return 0;
}
