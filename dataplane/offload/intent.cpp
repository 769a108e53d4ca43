#include "dataplane/offload/intent.hpp"

#include <algorithm>
#include <set>

#include "base/stable_sort.hpp"
#include "dataplane/packet/headers.hpp"

namespace torii::dataplane {
namespace {

// Solicited-node groups (RFC 4291 §2.7.1) and all nodes: where neighbors solicit and advertise.
const Prefix kSolicitedNodes{*IpAddress::parse("ff02::1:ff00:0"), 104};
const Prefix kAllNodes{*IpAddress::parse("ff02::1"), 128};
// RFC 9568 §5.1.1.2, §5.1.2.2.
const Prefix kVrrpGroup4{*IpAddress::parse("224.0.0.18"), 32};
const Prefix kVrrpGroup6{*IpAddress::parse("ff02::12"), 128};

std::string protocol_name(std::uint8_t protocol) {
    switch (protocol) {
        case kIcmp:
            return "icmp";
        case kTcp:
            return "tcp";
        case kUdp:
            return "udp";
        case kIcmp6:
            return "icmpv6";
        case kVrrp:
            return "vrrp";
        default:
            return "protocol " + std::to_string(protocol);
    }
}

std::string block(const Prefix& prefix) {
    return prefix.is_host() ? prefix.address().to_string() : prefix.to_string();
}

Intent to(IntentKind kind, const Prefix& destination, std::optional<std::uint8_t> protocol) {
    Intent intent;
    intent.kind = kind;
    intent.destination = destination;
    intent.protocol = protocol;
    return intent;
}

void for_address(const IpAddress& ours, std::vector<Intent>& out) {
    const auto host = Prefix::host(ours);
    auto dialled = to(IntentKind::Bgp, host, kTcp), dialling = dialled;
    dialled.destination_port = kBgpPort;
    dialling.source_port = kBgpPort;
    out.push_back(dialled);
    out.push_back(dialling);
    for (const std::uint16_t port : {kBfdPort, kBfdEchoPort, kBfdMultihopPort}) {
        auto bfd = to(IntentKind::Bfd, host, kUdp);
        bfd.destination_port = port;
        out.push_back(bfd);
    }
    out.push_back(to(IntentKind::Icmp, host, ours.is_v4() ? kIcmp : kIcmp6));
    out.push_back(to(IntentKind::ToUs, host, std::nullopt));
}

}  // namespace

std::string_view to_string(IntentKind kind) {
    constexpr std::string_view kNames[] = {"drop_source", "bgp",  "bfd",   "vrrp", "arp",
                                           "nd",          "icmp", "to_us", "rest"};
    return kNames[static_cast<std::size_t>(kind)];
}

std::uint32_t Intent::precedence() const {
    switch (kind) {
        case IntentKind::DropSource:
            return 0;
        case IntentKind::ToUs:
            return 2;
        case IntentKind::Rest:
            return 3;
        default:
            return 1;
    }
}

std::string Intent::to_string() const {
    if (kind == IntentKind::Rest) return "everything else";
    if (ether_type) return *ether_type == kEtherArp ? "arp" : "type " + std::to_string(*ether_type);
    std::string out = protocol ? protocol_name(*protocol) : "ip";
    if (source) out += " from " + block(*source);
    if (source_port) out += (source ? " port " : " from port ") + std::to_string(*source_port);
    if (destination) out += " to " + block(*destination);
    if (destination_port) out += " port " + std::to_string(*destination_port);
    return out;
}

std::vector<Intent> intents(std::span<const PortAddress> own,
                            std::span<const Prefix> drop_sources) {
    std::vector<Intent> out;
    for (const auto& source : drop_sources) {
        Intent drop;
        drop.kind = IntentKind::DropSource;
        drop.source = source;
        out.push_back(drop);
    }
    Intent arp;
    arp.kind = IntentKind::Arp;
    arp.ether_type = kEtherArp;
    out.push_back(arp);
    out.push_back(to(IntentKind::NeighborDiscovery, kSolicitedNodes, kIcmp6));
    out.push_back(to(IntentKind::NeighborDiscovery, kAllNodes, kIcmp6));
    out.push_back(to(IntentKind::Vrrp, kVrrpGroup4, kVrrp));
    out.push_back(to(IntentKind::Vrrp, kVrrpGroup6, kVrrp));
    for (const auto& address : own) for_address(address.address, out);
    // A source that is listed twice is one rule.
    std::set<Intent> seen;
    std::erase_if(out, [&](const Intent& intent) { return !seen.insert(intent).second; });
    stable_sort(out,
                [](const Intent& a, const Intent& b) { return a.precedence() < b.precedence(); });
    return out;
}

}  // namespace torii::dataplane
