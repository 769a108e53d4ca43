#pragma once

#include <array>
#include <cstdint>
#include <cstring>

#include "base/address.hpp"
#include "dataplane/packet/ports.hpp"

namespace torii::dataplane {

// Unaligned network-order fields. Host order inside, network order on the wire.
inline std::uint16_t read16(const std::uint8_t* p) {
    return static_cast<std::uint16_t>(p[0] << 8 | p[1]);
}
inline std::uint16_t read16_fast(const std::uint8_t* p) {  // one load, for the bursts
    std::uint16_t v;
    std::memcpy(&v, p, 2);
    return __builtin_bswap16(v);
}
inline std::uint32_t read32(const std::uint8_t* p) {
    std::uint32_t v;
    std::memcpy(&v, p, 4);
    return __builtin_bswap32(v);
}
inline std::uint64_t read64(const std::uint8_t* p) {
    std::uint64_t v;
    std::memcpy(&v, p, 8);
    return __builtin_bswap64(v);
}
// As it lies in the packet.
inline std::uint32_t raw32(const std::uint8_t* p) {
    std::uint32_t v;
    std::memcpy(&v, p, 4);
    return v;
}
inline std::uint64_t raw64(const std::uint8_t* p) {
    std::uint64_t v;
    std::memcpy(&v, p, 8);
    return v;
}
inline IpAddress ip6_at(const std::uint8_t* p) {
    std::array<std::uint8_t, 16> bytes;
    std::memcpy(bytes.data(), p, 16);
    return IpAddress::v6(bytes);
}
inline void write16(std::uint8_t* p, std::uint32_t v) {
    p[0] = static_cast<std::uint8_t>(v >> 8);
    p[1] = static_cast<std::uint8_t>(v);
}
inline void write32(std::uint8_t* p, std::uint32_t v) {
    v = __builtin_bswap32(v);
    std::memcpy(p, &v, 4);
}

inline constexpr std::uint16_t kEtherIp4 = 0x0800, kEtherArp = 0x0806, kEtherVlan = 0x8100,
                               kEtherIp6 = 0x86dd;
inline constexpr std::uint32_t kEtherHeader = 14, kVlanTag = 4, kIp4Header = 20, kIp6Header = 40;
inline constexpr std::uint16_t kVlanId = 0xfff;  // of a tag's control information
inline constexpr std::uint8_t kIcmp = 1, kTcp = 6, kUdp = 17, kIcmp6 = 58, kVrrp = 112;
inline constexpr std::uint8_t kHopByHop = 0, kRouting = 43, kFragment = 44, kNoNext = 59,
                              kDestinationOptions = 60;
inline constexpr std::uint16_t kMoreFragments = 0x2000, kDontFragment = 0x4000,
                               kFragmentOffset = 0x1fff;

// Internet checksum (RFC 1071) over bytes, to be continued and folded.
inline std::uint32_t sum16(const std::uint8_t* p, std::size_t n, std::uint32_t sum = 0) {
    std::uint64_t wide = sum;
    for (; n > 1; p += 2, n -= 2) wide += read16(p);
    if (n == 1) wide += static_cast<std::uint32_t>(*p << 8);
    while (wide >> 32 != 0) wide = (wide & 0xffffffff) + (wide >> 32);
    return static_cast<std::uint32_t>(wide);
}
inline std::uint16_t fold16(std::uint32_t sum) {
    sum = (sum & 0xffff) + (sum >> 16);
    sum = (sum & 0xffff) + (sum >> 16);
    return static_cast<std::uint16_t>(sum);
}
inline std::uint16_t checksum(const std::uint8_t* p, std::size_t n) {
    return static_cast<std::uint16_t>(~fold16(sum16(p, n)));
}
// The pseudo header of RFC 8200 §8.1.
inline std::uint32_t pseudo6(const std::uint8_t* ip6, std::uint32_t length, std::uint8_t next) {
    return sum16(ip6 + 8, 32, (length >> 16) + (length & 0xffff) + next);
}

}  // namespace torii::dataplane
