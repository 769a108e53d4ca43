#include <algorithm>

#include "dataplane/packet/headers.hpp"
#include "dataplane/packet/inspect.hpp"

namespace torii::dataplane {
namespace {

using Bytes = std::span<const std::uint8_t>;

Verdict punt(PuntClass c) {
    return {exit_of(c), {}};
}
Verdict drop(Exit exit, IcmpError error = {}) {
    return {exit, error};
}

constexpr std::uint16_t kFirstEphemeral = 32768;  // the kernel's own sockets

// What the kernel may see of TCP and UDP; `l4` is the first fragment's payload.
Verdict inspect_transport(std::uint8_t protocol, Bytes l4, std::uint32_t length,
                          std::span<const std::uint16_t> services, IcmpError port_unreachable) {
    if (protocol == kTcp) {
        if (l4.size() < 20 || (l4[12] >> 4) < 5) return drop(Exit::PuntBadL4);
        if (read16(&l4[0]) != kBgpPort && read16(&l4[2]) != kBgpPort) return punt(PuntClass::Other);
        // Connections that are being opened do not crowd out those that are open.
        const bool opens = (l4[13] & 0x12) == 0x02;
        return punt(opens ? PuntClass::BgpOpen : PuntClass::Bgp);
    }
    if (l4.size() < 8 || read16(&l4[4]) < 8 || read16(&l4[4]) > length)
        return drop(Exit::PuntBadL4);
    const auto port = read16(&l4[2]);
    if (port < kFirstEphemeral && std::ranges::find(services, port) == services.end())
        return drop(Exit::PuntNoListener, port_unreachable);
    return punt(PuntClass::Other);
}

// RFC 9568 §5.1.1.3, §7.1: an advertisement comes from the same link.
bool good_vrrp(Bytes l4, std::uint8_t ttl) {
    constexpr std::uint8_t kAdvertisement = 1, kVersion2 = 2, kVersion3 = 3;
    return ttl == 255 && l4.size() >= 8 && (l4[0] & 15) == kAdvertisement &&
           (l4[0] >> 4 == kVersion2 || l4[0] >> 4 == kVersion3);
}

Verdict inspect_icmp4(Bytes l4) {
    if (l4.size() < 8) return drop(Exit::IcmpBad);
    const auto type = l4[0];
    if (type == 5) return drop(Exit::IcmpRedirect);  // RFC 1812 §5.2.7.2
    // RFC 1122 §3.2.2: an error quotes the header and eight octets of the packet.
    if (type == 3 || type == 4 || type == 11 || type == 12) {
        const auto inner = l4.subspan(8);
        if (inner.size() < kIp4Header || inner[0] >> 4 != 4 || (inner[0] & 15) < 5 ||
            inner.size() < (inner[0] & 15u) * 4 + 8)
            return drop(Exit::IcmpBad);
    }
    if (checksum(l4.data(), l4.size()) != 0) return drop(Exit::IcmpBad);
    return punt(PuntClass::Icmp);
}

}  // namespace

Verdict inspect_local4(Bytes ip, std::span<const std::uint16_t> services) {
    const std::uint32_t header = (ip[0] & 15u) * 4, total = read16(&ip[2]);
    const auto fragment = read16(&ip[6]);
    const auto l4 = ip.subspan(header, std::min<std::size_t>(total, ip.size()) - header);
    if ((fragment & (kMoreFragments | kFragmentOffset)) != 0) {
        // RFC 791: no datagram ends beyond 65,535 octets.
        if ((fragment & kFragmentOffset) * 8u + (total - header) > 65535 - header)
            return drop(Exit::Ip4ReassemblyFailed);
        return punt(PuntClass::Other);
    }
    switch (ip[9]) {
        case kIcmp:
            return inspect_icmp4(l4);
        case kTcp:
        case kUdp:
            return inspect_transport(ip[9], l4, total - header, services, {3, 3, 0});
        case kVrrp:
            return good_vrrp(l4, ip[8]) ? punt(PuntClass::Vrrp) : drop(Exit::PuntBadL4);
        default:
            return drop(Exit::PuntNoProtocol, {3, 2, 0});
    }
}

Verdict inspect_local6(Bytes ip, std::span<const std::uint16_t> services) {
    constexpr std::uint8_t kParameterProblem = 4;
    const std::uint32_t end =
        std::min<std::uint32_t>(kIp6Header + read16(&ip[4]), static_cast<std::uint32_t>(ip.size()));
    auto next = ip[6];
    std::uint32_t at = kIp6Header, named_at = 6;
    for (int headers = 0; headers < 8; ++headers) {
        const auto l4 = ip.subspan(at, end - at);
        switch (next) {
            case kIcmp6: {
                const auto length = static_cast<std::uint32_t>(l4.size());
                if (length < 4 ||
                    fold16(sum16(l4.data(), length, pseudo6(ip.data(), length, kIcmp6))) != 0xffff)
                    return drop(Exit::Icmp6Bad);
                return punt(PuntClass::Icmp);
            }
            case kTcp:
            case kUdp:
                return inspect_transport(next, l4, end - at, services, {1, 4, 0});
            case kVrrp:
                return good_vrrp(l4, ip[7]) ? punt(PuntClass::Vrrp) : drop(Exit::PuntBadL4);
            case kNoNext:
                return drop(Exit::PuntNoProtocol);
            case kFragment: {
                if (l4.size() < 8) return drop(Exit::Ip6BadExtension);
                const auto offset = read16(&l4[2]) & 0xfff8u;
                // RFC 8200 §4.5: what would end beyond 65,535 octets.
                if (offset + (end - at - 8) > 65535)
                    return drop(Exit::Ip6ReassemblyFailed, {kParameterProblem, 0, at + 2});
                return punt(PuntClass::Other);
            }
            case kRouting:
                // RFC 5095 §3: type 0 with segments left is refused.
                if (l4.size() < 8) return drop(Exit::Ip6BadExtension);
                if (l4[3] != 0) return drop(Exit::Ip6BadExtension, {kParameterProblem, 0, at + 2});
                [[fallthrough]];
            case kHopByHop:
            case kDestinationOptions: {
                if (l4.size() < 8 || (l4[1] + 1u) * 8 > l4.size())
                    return drop(Exit::Ip6BadExtension, {kParameterProblem, 0, at + 1});
                named_at = at;
                next = l4[0];
                at += (l4[1] + 1u) * 8;
                break;
            }
            default:  // RFC 4443 §3.4
                return drop(Exit::PuntNoProtocol, {kParameterProblem, 1, named_at});
        }
    }
    return drop(Exit::Ip6BadExtension);
}

bool is_vrrp_group(Bytes ip) {
    constexpr std::uint32_t kGroup4 = 0xe0000012;  // 224.0.0.18
    constexpr std::uint8_t kGroup6[16] = {0xff, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x12};
    if (ip[0] >> 4 == 4)
        return ip[0] == 0x45 && ip[9] == kVrrp && read32(&ip[16]) == kGroup4 &&
               (read16(&ip[6]) & (kMoreFragments | kFragmentOffset)) == 0;
    return ip[6] == kVrrp && std::equal(kGroup6, kGroup6 + 16, &ip[24]);
}

// RFC 9777 §5.1: from a link-local address with hop limit 1 and a router alert.
bool is_mld_query(Bytes ip) {
    constexpr std::uint8_t kQuery = 130, kRouterAlert = 5;
    constexpr std::uint32_t kOptions = 8;
    if (ip.size() < kIp6Header + kOptions + 24 || ip[6] != kHopByHop || ip[7] != 1) return false;
    if (ip[8] != 0xfe || (ip[9] & 0xc0) != 0x80) return false;
    const auto* options = &ip[kIp6Header];
    if (options[0] != kIcmp6 || options[1] != 0) return false;
    const std::uint32_t length = read16(&ip[4]);
    if (length < kOptions + 24 || kIp6Header + length > ip.size()) return false;
    bool alert = false;
    for (std::uint32_t at = 2; at < kOptions;) {
        if (options[at] == 0) {
            ++at;
            continue;
        }
        if (at + 2 > kOptions || at + 2 + options[at + 1] > kOptions) return false;
        alert |= options[at] == kRouterAlert;
        at += 2u + options[at + 1];
    }
    const auto mld = ip.subspan(kIp6Header + kOptions, length - kOptions);
    return alert && mld[0] == kQuery &&
           fold16(sum16(mld.data(), mld.size(),
                        pseudo6(ip.data(), static_cast<std::uint32_t>(mld.size()), kIcmp6))) ==
               0xffff;
}

namespace {

const PortAddress* owner(std::span<const PortAddress> addresses, const IpAddress& a) {
    const auto found = std::ranges::find(addresses, a, &PortAddress::address);
    return found == addresses.end() ? nullptr : &*found;
}
bool on_link(std::span<const PortAddress> addresses, const IpAddress& a) {
    return std::ranges::any_of(addresses, [&](const PortAddress& own) {
        return own.address.family() == a.family() &&
               own.address.masked(own.length) == a.masked(own.length);
    });
}

}  // namespace

Exit inspect_arp(Bytes arp, const MacAddress& ours, std::span<const PortAddress> addresses) {
    if (arp.size() < 28 || read16(&arp[0]) != 1 || read16(&arp[2]) != kEtherIp4 || arp[4] != 6 ||
        arp[5] != 4)
        return Exit::ArpBad;
    const auto operation = read16(&arp[6]);
    if (operation != 1 && operation != 2) return Exit::ArpBad;
    // RFC 1812 §3.3.2: a group address is no host's hardware address.
    if (arp[8] & 1) return Exit::ArpBad;
    const auto sender = IpAddress::v4(read32(&arp[14])), target = IpAddress::v4(read32(&arp[24]));
    if (owner(addresses, sender) != nullptr)
        return std::equal(ours.bytes.begin(), ours.bytes.end(), &arp[8]) ? Exit::ArpNotForUs
                                                                         : Exit::ArpConflict;
    const bool request = operation == 1, to_us = owner(addresses, target) != nullptr;
    // RFC 826: a request for an address of ours is answered, whatever the sender's is (a node
    // asks with a service address); and a gateway outside of our networks answers us. Control
    // learns from neither what it did not look for.
    if (to_us) return exit_of(PuntClass::Neighbor);
    // A probe (RFC 5227 §2.1.1) has no sender address yet; others are of this link.
    if (!sender.is_unspecified() && !on_link(addresses, sender)) return Exit::ArpBad;
    const bool gratuitous = sender == target;
    return request && !gratuitous ? Exit::ArpNotForUs : exit_of(PuntClass::Neighbor);
}

Exit inspect_nd(Bytes ip, std::span<const PortAddress> addresses) {
    const std::uint32_t length = read16(&ip[4]);
    if (length < 8 || kIp6Header + length > ip.size()) return Exit::NdBad;
    const auto nd = ip.subspan(kIp6Header, length);
    if (fold16(sum16(nd.data(), length, pseudo6(ip.data(), length, kIcmp6))) != 0xffff)
        return Exit::Icmp6Bad;
    const auto type = nd[0];
    if (ip[7] != 255 || nd[1] != 0) return Exit::NdBad;
    constexpr std::uint8_t kSolicitRouter = 133, kAdvertiseRouter = 134, kSolicit = 135,
                           kAdvertise = 136, kRedirect = 137;
    const std::size_t fixed = type == kAdvertiseRouter                 ? 16
                              : type == kSolicit || type == kAdvertise ? 24
                              : type == kRedirect                      ? 40
                                                                       : 8;
    if (nd.size() < fixed) return Exit::NdBad;
    const bool unspecified = ip6_at(&ip[8]).is_unspecified();
    const bool to_group = ip[24] == 0xff;
    for (std::size_t at = fixed; at < nd.size();) {
        const std::size_t size = at + 1 < nd.size() ? nd[at + 1] * std::size_t{8} : 0;
        if (size == 0 || at + size > nd.size()) return Exit::NdBad;
        const bool source_mac = nd[at] == 1;
        if (source_mac && unspecified) return Exit::NdBad;
        if ((source_mac || nd[at] == 2) && (nd[at + 2] & 1)) return Exit::NdBad;
        at += size;
    }
    // RFC 4861 §8.3: a router never follows one.
    if (type == kRedirect) return Exit::Icmp6Redirect;
    if (type == kSolicit || type == kAdvertise) {
        const auto target = ip6_at(&nd[8]);
        if (target.is_multicast()) return Exit::NdBad;
        if (type == kSolicit && unspecified && !to_group) return Exit::NdBad;
        if (type == kSolicit && owner(addresses, target) == nullptr) return Exit::NdNotForUs;
        if (type == kAdvertise) {
            if (to_group && (nd[4] & 0x40)) return Exit::NdBad;
            if (owner(addresses, target) != nullptr) return Exit::NdConflict;
        }
    }
    if (type == kSolicitRouter || type == kAdvertiseRouter) return Exit::Ip6Multicast;
    return exit_of(PuntClass::Neighbor);
}

}  // namespace torii::dataplane
