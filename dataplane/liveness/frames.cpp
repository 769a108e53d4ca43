#include "dataplane/liveness/frames.hpp"

#include <algorithm>
#include <cstring>

#include "dataplane/packet/headers.hpp"

namespace torii::dataplane::liveness {
namespace {

constexpr std::uint8_t kInternetworkControl = 0xc0;  // as for routing protocols
constexpr std::uint8_t kTtl = 255;                   // RFC 5881 §5, RFC 5082
constexpr std::size_t kUdpHeader = 8;

std::size_t write_ether(std::uint8_t* out, const Wire& wire, std::uint16_t type) {
    std::ranges::copy(wire.to.bytes, out);
    std::ranges::copy(wire.from.bytes, out + 6);
    write16(out + 12, type);
    return kEtherHeader;
}

// Ethernet, IP and UDP headers, all but lengths and checksums.
std::size_t write_headers(std::uint8_t* out, const Wire& wire, const IpAddress& destination,
                          std::uint16_t source_port, std::uint16_t port) {
    const bool ip4 = destination.is_v4();
    auto at = write_ether(out, wire, ip4 ? kEtherIp4 : kEtherIp6);
    auto* ip = out + at;
    if (ip4) {
        ip[0] = 0x45;
        ip[1] = kInternetworkControl;
        write16(ip + 6, kDontFragment);
        ip[8] = kTtl;
        ip[9] = kUdp;
        write32(ip + 12, wire.local.v4());
        write32(ip + 16, destination.v4());
        at += kIp4Header;
    } else {
        write32(ip, 0x60000000u | std::uint32_t{kInternetworkControl} << 20);
        ip[6] = kUdp;
        ip[7] = kTtl;
        std::ranges::copy(wire.local.bytes(), ip + 8);
        std::ranges::copy(destination.bytes(), ip + 24);
        at += kIp6Header;
    }
    write16(out + at, source_port);
    write16(out + at + 2, port);
    return at + kUdpHeader;
}

}  // namespace

Frame announcement(const MacAddress& mac, const IpAddress& address) {
    Frame frame;
    auto* out = frame.bytes.data();
    const bool ip4 = address.is_v4();
    const Wire to_all{ip4 ? MacAddress{{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}}
                          : MacAddress{{0x33, 0x33, 0, 0, 0, 1}},
                      mac, address, address};
    const auto at = write_ether(out, to_all, ip4 ? kEtherArp : kEtherIp6);
    auto* body = out + at;
    if (ip4) {
        constexpr std::uint8_t kRequest[] = {0, 1, 8, 0, 6, 4, 0, 1};
        std::ranges::copy(kRequest, body);
        std::ranges::copy(mac.bytes, body + 8);
        write32(body + 14, address.v4());
        write32(body + 24, address.v4());
        frame.length = static_cast<std::uint16_t>(at + 28);
        return frame;
    }
    constexpr std::uint16_t kLength = 32;
    constexpr std::uint8_t kAdvertisement = 136, kRouterOverride = 0xa0, kTargetMac = 2;
    constexpr std::uint8_t kAllNodes[16] = {0xff, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1};
    body[0] = 0x60;
    write16(body + 4, kLength);
    body[6] = kIcmp6;
    body[7] = kTtl;
    std::ranges::copy(address.bytes(), body + 8);
    std::ranges::copy(kAllNodes, body + 24);
    auto* nd = body + kIp6Header;
    nd[0] = kAdvertisement;
    nd[4] = kRouterOverride;
    std::ranges::copy(address.bytes(), nd + 8);
    nd[24] = kTargetMac;
    nd[25] = 1;
    std::ranges::copy(mac.bytes, nd + 26);
    write16(nd + 2, static_cast<std::uint16_t>(
                        ~fold16(sum16(nd, kLength, pseudo6(body, kLength, kIcmp6)))));
    frame.length = static_cast<std::uint16_t>(at + kIp6Header + kLength);
    return frame;
}

Frame echo_frame(const Wire& wire, const Session& session, const WatchSettings& settings) {
    Frame frame;
    // From us to us: the neighbor has nothing to do but to forward it.
    const auto headers =
        write_headers(frame.bytes.data(), wire, wire.local, bfd::kEchoPort, bfd::kEchoPort);
    bfd::Packet packet;
    packet.state = bfd::State::Up;
    packet.multiplier = settings.multiplier;
    packet.my_discriminator = packet.your_discriminator = session.discriminator;
    packet.desired_min_tx = settings.interval;
    packet.required_min_rx = 0;
    auto* payload = frame.bytes.data() + headers;
    bfd::encode(packet, bfd::kMandatory, payload);
    std::memcpy(payload + bfd::kMandatory, &session.cookie, 8);
    frame.length = static_cast<std::uint16_t>(headers + kEchoPayload);
    return frame;
}

Frame probe_frame(const Wire& wire) {
    Frame frame;
    auto* out = frame.bytes.data();
    if (wire.neighbor.is_v4()) {
        const auto at = write_ether(out, wire, kEtherArp);
        auto* arp = out + at;
        constexpr std::uint8_t kRequest[] = {0, 1, 8, 0, 6, 4, 0, 1};
        std::ranges::copy(kRequest, arp);
        std::ranges::copy(wire.from.bytes, arp + 8);
        write32(arp + 14, wire.local.v4());
        write32(arp + 24, wire.neighbor.v4());
        frame.length = static_cast<std::uint16_t>(at + 28);
        return frame;
    }
    constexpr std::uint32_t kLength = 24 + 8;  // a solicitation and our MAC
    const auto at = write_ether(out, wire, kEtherIp6);
    auto* ip = out + at;
    write32(ip, 0x60000000u);
    write16(ip + 4, kLength);
    ip[6] = kIcmp6;
    ip[7] = kTtl;
    std::ranges::copy(wire.local.bytes(), ip + 8);
    std::ranges::copy(wire.neighbor.bytes(), ip + 24);
    auto* icmp = ip + kIp6Header;
    icmp[0] = 135;
    std::ranges::copy(wire.neighbor.bytes(), icmp + 8);
    icmp[24] = icmp[25] = 1;
    std::ranges::copy(wire.from.bytes, icmp + 26);
    const auto sum = sum16(icmp, kLength, pseudo6(ip, kLength, kIcmp6));
    write16(icmp + 2, static_cast<std::uint16_t>(~fold16(sum)));
    frame.length = static_cast<std::uint16_t>(at + kIp6Header + kLength);
    return frame;
}

Frame control_headers(const Wire& wire, std::uint16_t source_port, std::uint16_t port) {
    Frame frame;
    frame.length = static_cast<std::uint16_t>(
        write_headers(frame.bytes.data(), wire, wire.neighbor, source_port, port));
    return frame;
}

void finish_udp(std::uint8_t* frame, std::size_t headers, std::size_t payload) {
    auto* udp = frame + headers - kUdpHeader;
    auto* ip = frame + kEtherHeader;
    const auto length = static_cast<std::uint32_t>(kUdpHeader + payload);
    write16(udp + 4, length);
    write16(udp + 6, 0);
    std::uint32_t pseudo = 0;
    if (ip[0] >> 4 == 4) {
        write16(ip + 2, kIp4Header + length);
        write16(ip + 10, 0);
        write16(ip + 10, checksum(ip, kIp4Header));
        pseudo = sum16(ip + 12, 8, length + kUdp);
    } else {
        write16(ip + 4, length);
        pseudo = pseudo6(ip, length, kUdp);
    }
    const auto sum = static_cast<std::uint16_t>(~fold16(sum16(udp, length, pseudo)));
    write16(udp + 6, sum == 0 ? 0xffff : sum);  // RFC 768: 0 would mean none
}

std::uint16_t udp_port(std::span<const std::uint8_t> ip) {
    if (ip.size() < kIp4Header + kUdpHeader) return 0;
    if (ip[0] >> 4 == 4) {
        const std::size_t header = (ip[0] & 15u) * 4;
        if (ip[9] != kUdp || (read16(&ip[6]) & (kMoreFragments | kFragmentOffset)) != 0 ||
            ip.size() < header + kUdpHeader)
            return 0;
        return read16(&ip[header + 2]);
    }
    if (ip.size() < kIp6Header + kUdpHeader || ip[6] != kUdp) return 0;
    return read16(&ip[kIp6Header + 2]);
}

Udp read_udp(std::span<const std::uint8_t> ip) {
    Udp out;
    const bool ip4 = ip[0] >> 4 == 4;
    const std::size_t header = ip4 ? (ip[0] & 15u) * 4 : kIp6Header;
    const std::size_t end = ip4 ? read16(&ip[2]) : kIp6Header + read16(&ip[4]);
    out.source = ip4 ? IpAddress::v4(read32(&ip[12])) : ip6_at(&ip[8]);
    out.destination = ip4 ? IpAddress::v4(read32(&ip[16])) : ip6_at(&ip[24]);
    out.ttl = ip4 ? ip[8] : ip[7];
    if (end > ip.size() || end < header + kUdpHeader) return out;
    const auto udp = ip.subspan(header, end - header);
    const std::uint32_t length = read16(&udp[4]);
    if (length < kUdpHeader || length > udp.size()) return out;
    out.source_port = read16(&udp[0]);
    out.port = read16(&udp[2]);
    out.payload = udp.subspan(kUdpHeader, length - kUdpHeader);
    // RFC 768: IPv4 may do without; RFC 8200 §8.1: IPv6 may not.
    if (read16(&udp[6]) == 0) {
        out.good = ip4;
        return out;
    }
    const auto pseudo = ip4 ? sum16(&ip[12], 8, length + kUdp) : pseudo6(ip.data(), length, kUdp);
    out.good = fold16(sum16(udp.data(), length, pseudo)) == 0xffff;
    return out;
}

}  // namespace torii::dataplane::liveness
