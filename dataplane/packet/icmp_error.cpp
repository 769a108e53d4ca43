#include "dataplane/packet/icmp_error.hpp"

#include <algorithm>

#include "dataplane/packet/headers.hpp"

namespace torii::dataplane {
namespace {

constexpr std::uint8_t kTtl = 64;
constexpr std::uint8_t kInternetworkControl = 0xc0;  // RFC 1812 §4.3.2.5
constexpr std::size_t kIcmpHeader = 8;

}  // namespace

std::size_t write_icmp4_error(std::span<std::uint8_t> out, std::span<const std::uint8_t> offending,
                              const IcmpError& error, std::uint32_t source) {
    const std::size_t quoted =
        std::min({offending.size(), std::size_t{read16(&offending[2])},
                  std::min(out.size(), kMaxIcmp4Error) - kIp4Header - kIcmpHeader});
    const auto total = kIp4Header + kIcmpHeader + quoted;
    auto* ip = out.data();
    std::fill_n(ip, kIp4Header + kIcmpHeader, std::uint8_t{0});
    ip[0] = 0x45;
    ip[1] = kInternetworkControl;
    write16(ip + 2, static_cast<std::uint32_t>(total));
    ip[8] = kTtl;
    ip[9] = kIcmp;
    write32(ip + 12, source);
    std::copy_n(&offending[12], 4, ip + 16);
    write16(ip + 10, checksum(ip, kIp4Header));

    auto* icmp = ip + kIp4Header;
    icmp[0] = error.type;
    icmp[1] = error.code;
    write32(icmp + 4, error.rest);
    std::copy_n(offending.begin(), quoted, icmp + kIcmpHeader);
    write16(icmp + 2, checksum(icmp, kIcmpHeader + quoted));
    return total;
}

std::size_t write_icmp6_error(std::span<std::uint8_t> out, std::span<const std::uint8_t> offending,
                              const IcmpError& error, std::span<const std::uint8_t, 16> source) {
    const std::size_t quoted =
        std::min({offending.size(), std::size_t{kIp6Header} + read16(&offending[4]),
                  std::min(out.size(), kMaxIcmp6Error) - kIp6Header - kIcmpHeader});
    const auto payload = static_cast<std::uint32_t>(kIcmpHeader + quoted);
    auto* ip = out.data();
    std::fill_n(ip, kIp6Header + kIcmpHeader, std::uint8_t{0});
    ip[0] = 0x60;
    write16(ip + 4, payload);
    ip[6] = kIcmp6;
    ip[7] = kTtl;
    std::ranges::copy(source, ip + 8);
    std::copy_n(&offending[8], 16, ip + 24);

    auto* icmp = ip + kIp6Header;
    icmp[0] = error.type;
    icmp[1] = error.code;
    write32(icmp + 4, error.rest);
    std::copy_n(offending.begin(), quoted, icmp + kIcmpHeader);
    const auto sum = sum16(icmp, payload, pseudo6(ip, payload, kIcmp6));
    write16(icmp + 2, static_cast<std::uint16_t>(~fold16(sum)));
    return kIp6Header + payload;
}

}  // namespace torii::dataplane
