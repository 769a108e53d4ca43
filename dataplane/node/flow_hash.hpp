#pragma once

#include <nmmintrin.h>

#include <cstdint>
#include <cstring>

#include "dataplane/node/headers.hpp"

namespace torii::dataplane {

// The hash that keeps a flow on its next hop. Ours, since virtual ports have
// none and NICs differ. Mixed again after CRC32, which alone is linear: flows that
// count up their port would otherwise fall into a pattern.
inline std::uint32_t finish_hash(std::uint64_t h) {
    h = (h ^ h >> 29) * 0xbf58476d1ce4e5b9ULL;
    return static_cast<std::uint32_t>(h >> 32);
}

inline std::uint32_t flow_hash4(std::uint32_t source, std::uint32_t destination,
                                std::uint32_t ports, std::uint8_t protocol) {
    const auto a = _mm_crc32_u64(protocol, std::uint64_t{source} << 32 | destination);
    const auto b = _mm_crc32_u64(0x9747b28c, std::uint64_t{ports} << 32 | destination);
    return finish_hash(a << 32 | b);
}

inline std::uint32_t flow_hash6(const std::uint8_t* source, const std::uint8_t* destination,
                                std::uint32_t ports, std::uint8_t protocol) {
    std::uint64_t s[2], d[2];
    std::memcpy(s, source, 16);
    std::memcpy(d, destination, 16);
    const auto a = _mm_crc32_u64(_mm_crc32_u64(protocol, s[0]), s[1]);
    const auto b = _mm_crc32_u64(_mm_crc32_u64(ports, d[0]), d[1]);
    return finish_hash((a << 32 | b) ^ s[1] ^ std::uint64_t{ports} << 17);
}

// Whether a protocol begins with source and destination port.
inline bool has_ports(std::uint8_t protocol) {
    return protocol == kTcp || protocol == kUdp || protocol == 132 || protocol == 33 ||
           protocol == 136;
}

// Hash of an IPv4 packet of `length` octets in contiguous memory, header checked.
// Fragments hash alike by addresses and protocol; ICMP errors hash as the flow
// they are about, seen from its other end (RFC 7690).
inline std::uint32_t hash_ip4(const std::uint8_t* ip, std::uint32_t length) {
    const std::uint32_t header = (ip[0] & 15u) * 4;
    std::uint8_t protocol = ip[9];
    std::uint32_t source = read32(ip + 12), destination = read32(ip + 16), ports = 0;
    if ((read16(ip + 6) & (kMoreFragments | kFragmentOffset)) == 0) {
        const auto* l4 = ip + header;
        if (has_ports(protocol) && length >= header + 4) {
            ports = read32(l4);
        } else if (protocol == kIcmp && length >= header + 8 + 24 &&
                   (l4[0] == 3 || l4[0] == 11 || l4[0] == 12) && l4[8] >> 4 == 4) {
            const auto* inner = l4 + 8;
            const std::uint32_t inner_header = (inner[0] & 15u) * 4;
            protocol = inner[9];
            source = read32(inner + 16);
            destination = read32(inner + 12);
            if ((read16(inner + 6) & (kMoreFragments | kFragmentOffset)) == 0 &&
                has_ports(protocol) && length >= header + 8 + inner_header + 4) {
                const auto p = read32(inner + inner_header);
                ports = p << 16 | p >> 16;
            }
        }
    }
    return flow_hash4(source, destination, ports, protocol);
}

inline std::uint32_t hash_ip6(const std::uint8_t* ip, std::uint32_t length) {
    const std::uint8_t protocol = ip[6];
    const auto* l4 = ip + kIp6Header;
    if (has_ports(protocol) && length >= kIp6Header + 4)
        return flow_hash6(ip + 8, ip + 24, read32(l4), protocol);
    // RFC 4443 §2.1: types below 128 are errors.
    if (protocol == kIcmp6 && length >= kIp6Header + 8 + kIp6Header && l4[0] < 128 &&
        l4[8] >> 4 == 6) {
        const auto* inner = l4 + 8;
        std::uint32_t ports = 0;
        if (has_ports(inner[6]) && length >= kIp6Header + 8 + kIp6Header + 4) {
            const auto p = read32(inner + kIp6Header);
            ports = p << 16 | p >> 16;
        }
        return flow_hash6(inner + 24, inner + 8, ports, inner[6]);
    }
    if (protocol == kFragment && length >= kIp6Header + 8)
        return flow_hash6(ip + 8, ip + 24, 0, l4[0]);
    return flow_hash6(ip + 8, ip + 24, 0, protocol);
}

}  // namespace torii::dataplane
