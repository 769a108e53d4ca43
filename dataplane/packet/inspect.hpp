#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "base/mac.hpp"
#include "dataplane/packet/exits.hpp"
#include "dataplane/settings.hpp"

namespace torii::dataplane {

// What an ICMP error would report; type 0 of ICMPv4 stands for "send none".
struct IcmpError {
    std::uint8_t type = 0;
    std::uint8_t code = 0;
    std::uint32_t rest = 0;  // MTU or pointer, as the type has it
};

struct Verdict {
    Exit exit = Exit::Count;  // Count: go on
    IcmpError error;

    bool passes() const { return exit == Exit::Count; }
};

// The rules for one packet, as functions of its bytes. `ip` is contiguous for
// `available` octets; `total` (out) is the packet's own length once known.

// RFC 1812 §5.2.2, §5.3.7, §5.3.13. `checksum_known` where the port verified it. Addresses of
// a link (RFC 3927) pass: whether this is their link is the caller's question.
Verdict inspect_ip4(std::span<const std::uint8_t> ip, std::uint32_t frame_length,
                    bool checksum_known);
// RFC 8200, RFC 4291 §2.5, §2.7.
Verdict inspect_ip6(std::span<const std::uint8_t> ip, std::uint32_t frame_length);

// Which of the exits a packet to one of our addresses takes: a punt class, or a
// reason why the kernel does not get to see it.
Verdict inspect_local4(std::span<const std::uint8_t> ip, std::span<const std::uint16_t> services);
Verdict inspect_local6(std::span<const std::uint8_t> ip, std::span<const std::uint16_t> services);

// Whether a packet that passes the header checks is for the group of VRRP (RFC
// 9568 §1.2); `ip` holds a whole header.
bool is_vrrp_group(std::span<const std::uint8_t> ip);

// A multicast listener query, which the kernel answers for the groups of our addresses: without
// that a snooping switch forgets them. `ip` is contiguous.
bool is_mld_query(std::span<const std::uint8_t> ip);

// RFC 826, RFC 5227: `arp` begins behind the Ethernet header.
Exit inspect_arp(std::span<const std::uint8_t> arp, const MacAddress& ours,
                 std::span<const PortAddress> addresses);
// RFC 4861 §6.1, §7.1, §8.1: a whole IPv6 packet of ICMPv6 type 133..137.
Exit inspect_nd(std::span<const std::uint8_t> ip, std::span<const PortAddress> addresses);

// Whether an address as source or destination needs no closer look, by its first octets as they
// lie in a packet. Some of those that do are ordinary all the same; none of the others is a
// martian, or of a link (169.254/16).
constexpr bool plain_start4(std::uint32_t word) {
    const auto first = word & 0xff;
    return (first != 0) & (first != 127) & ((word & 0xffff) != 0xfea9) & (first < 224);
}
// Global unicast and unique local (RFC 4291, RFC 4193), and what NAT64 translates (64:ff9b::/32
// of RFC 6052, RFC 8215 takes the rest the closer way).
constexpr bool plain_start6(std::uint32_t word) {
    return ((word & 0xe0) == 0x20) | ((word & 0xfe) == 0xfc) | (word == 0x9bff6400);
}

// RFC 1812 §4.3.2.7, RFC 4443 §2.4 (e): whether an error may be sent about this.
bool may_answer_ip4(std::span<const std::uint8_t> ip, bool link_unicast);
bool may_answer_ip6(std::span<const std::uint8_t> ip, bool link_unicast, const IcmpError& error);

}  // namespace torii::dataplane
