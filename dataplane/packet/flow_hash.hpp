#pragma once

#include <array>
#include <cstdint>
#include <cstring>

#include "dataplane/packet/headers.hpp"

namespace torii::dataplane {

// The hash that keeps a flow on its next hop. Ours, since virtual ports have
// none and NICs differ; the same in every gateway, so that a flow that moves to
// another gateway keeps its node. One wide product mixes all bits with all others,
// flows that count up their port too.
inline std::uint64_t mix(std::uint64_t a, std::uint64_t b) {
    __extension__ using Wide = unsigned __int128;
    const auto product = static_cast<Wide>(a) * b;
    return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64);
}

inline constexpr std::uint64_t kHashKeys[] = {0x9e3779b97f4a7c15, 0xbf58476d1ce4e5b9,
                                              0x94d049bb133111eb, 0xd6e8feb86659fd93,
                                              0xa0761d6478bd642f, 0xe7037ed1a0b428db};

// Addresses (source first) and ports as they lie in the packet.
inline std::uint32_t flow_hash4(std::uint64_t addresses, std::uint32_t ports,
                                std::uint8_t protocol) {
    const auto h =
        mix(addresses ^ kHashKeys[0], (std::uint64_t{protocol} << 32 | ports) ^ kHashKeys[1]);
    return static_cast<std::uint32_t>(h ^ h >> 32);
}

inline std::uint32_t flow_hash6(const std::uint8_t* source, const std::uint8_t* destination,
                                std::uint32_t ports, std::uint8_t protocol) {
    std::uint64_t s[2], d[2];
    std::memcpy(s, source, 16);
    std::memcpy(d, destination, 16);
    const auto pair = mix(s[0] ^ kHashKeys[0], s[1] ^ kHashKeys[1]) ^
                      mix(d[0] ^ kHashKeys[2], d[1] ^ kHashKeys[3]);
    const auto h = mix(pair ^ kHashKeys[4], (std::uint64_t{protocol} << 32 | ports) ^ kHashKeys[5]);
    return static_cast<std::uint32_t>(h ^ h >> 32);
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
    std::uint64_t addresses = raw64(ip + 12);
    std::uint32_t ports = 0;
    if ((read16(ip + 6) & (kMoreFragments | kFragmentOffset)) == 0) {
        const auto* l4 = ip + header;
        if (has_ports(protocol) && length >= header + 4) {
            ports = raw32(l4);
        } else if (protocol == kIcmp && length >= header + 8 + 24 &&
                   (l4[0] == 3 || l4[0] == 11 || l4[0] == 12) && l4[8] >> 4 == 4) {
            const auto* inner = l4 + 8;
            const std::uint32_t inner_header = (inner[0] & 15u) * 4;
            protocol = inner[9];
            addresses = raw64(inner + 12);
            addresses = addresses << 32 | addresses >> 32;
            if ((read16(inner + 6) & (kMoreFragments | kFragmentOffset)) == 0 &&
                has_ports(protocol) && length >= header + 8 + inner_header + 4) {
                const auto p = raw32(inner + inner_header);
                ports = p << 16 | p >> 16;
            }
        }
    }
    return flow_hash4(addresses, ports, protocol);
}

inline std::uint32_t hash_ip6(const std::uint8_t* ip, std::uint32_t length) {
    const std::uint8_t protocol = ip[6];
    const auto* l4 = ip + kIp6Header;
    if (has_ports(protocol) && length >= kIp6Header + 4)
        return flow_hash6(ip + 8, ip + 24, raw32(l4), protocol);
    // RFC 4443 §2.1: types below 128 are errors.
    if (protocol == kIcmp6 && length >= kIp6Header + 8 + kIp6Header && l4[0] < 128 &&
        l4[8] >> 4 == 6) {
        const auto* inner = l4 + 8;
        std::uint32_t ports = 0;
        if (has_ports(inner[6]) && length >= kIp6Header + 8 + kIp6Header + 4) {
            const auto p = raw32(inner + kIp6Header);
            ports = p << 16 | p >> 16;
        }
        return flow_hash6(inner + 24, inner + 8, ports, inner[6]);
    }
    if (protocol == kFragment && length >= kIp6Header + 8)
        return flow_hash6(ip + 8, ip + 24, 0, l4[0]);
    return flow_hash6(ip + 8, ip + 24, 0, protocol);
}

// Not zero for protocols other than TCP and UDP: a load, where a compare would be four.
inline constexpr auto kOtherProtocol = [] {
    std::array<std::uint8_t, 256> other;
    other.fill(1);
    other[kTcp] = other[kUdp] = 0;
    return other;
}();

// Whether packets are all of those that the quick hashes are for: whole packets of TCP and
// UDP, in headers without options.
class QuickPackets {
public:
    void look_fragment(std::uint32_t field) { fragment_ |= field; }  // octets 6 and 7, raw
    void look_protocol(std::uint8_t protocol) { other_ |= kOtherProtocol[protocol]; }
    // Of packets whose ports end after so many octets.
    void look_length(std::uint32_t length, std::uint32_t ports_end) {
        below_ |= length - ports_end;
    }
    bool all() const { return ((fragment_ & kFragmentFields) | other_ | below_ >> 31) == 0; }

private:
    static constexpr std::uint32_t kFragmentFields = 0xff3f;  // more fragments, the offset

    std::uint32_t fragment_ = 0, other_ = 0, below_ = 0;
};

// hash_ip4 and hash_ip6 for those. They read up to the ports whatever the packet's length.
inline std::uint32_t quick_hash_ip4(const std::uint8_t* ip, QuickPackets& packets) {
    packets.look_fragment(raw32(ip + 6));
    packets.look_protocol(ip[9]);
    return flow_hash4(raw64(ip + 12), raw32(ip + kIp4Header), ip[9]);
}
inline std::uint32_t quick_hash_ip6(const std::uint8_t* ip, QuickPackets& packets) {
    packets.look_protocol(ip[6]);
    return flow_hash6(ip + 8, ip + 24, raw32(ip + kIp6Header), ip[6]);
}

}  // namespace torii::dataplane
