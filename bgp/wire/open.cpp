#include "bgp/wire/open.hpp"

#include <algorithm>

#include "base/byte_reader.hpp"
#include "bgp/wire/capability.hpp"

namespace torii::bgp {

namespace {

constexpr std::uint8_t kParameterCapabilities = 2, kParameterExtended = 255;

Failure<Notification> refuse(std::uint8_t subcode, std::vector<std::uint8_t> data = {}) {
    return Failure{Notification{ErrorCode::OpenMessage, subcode, std::move(data)}};
}

bool decode_capabilities(ByteReader in, Capabilities& out) {
    while (!in.empty()) {
        const auto code = in.u8();
        const auto value = in.take(in.u8()).rest();
        if (!in.ok() || !decode_capability(code, value, out)) return false;
    }
    return true;
}

}  // namespace

Decoded<OpenMessage> decode_open(std::span<const std::uint8_t> body) {
    ByteReader in{body};
    OpenMessage open;
    const auto version = in.u8();
    open.as = in.u16();
    open.hold_time = in.u16();
    open.identifier = in.u32();
    std::size_t length = in.u8();
    if (!in.ok()) return refuse(open_error::kUnspecific);
    if (version != kVersion) return refuse(open_error::kBadVersion, {0, kVersion});

    // RFC 9072 §2: a first parameter of type 255 announces two-octet lengths, whatever the
    // length before it is.
    bool extended = false;
    if (length != 0 && !in.empty() && in.rest()[0] == kParameterExtended) {
        extended = true;
        in.u8();
        length = in.u16();
    }
    if (!in.ok() || length != in.size()) return refuse(open_error::kUnspecific);

    while (!in.empty()) {
        const auto type = in.u8();
        const std::size_t size = extended ? in.u16() : in.u8();
        const auto value = in.take(size);
        if (!in.ok()) return refuse(open_error::kUnspecific);
        if (type != kParameterCapabilities) return refuse(open_error::kBadParameter);
        if (!decode_capabilities(value, open.capabilities)) return refuse(open_error::kUnspecific);
    }

    if (open.capabilities.four_octet_as) open.as = *open.capabilities.four_octet_as;
    // RFC 4271 §4.2 and RFC 7607; RFC 6286 §2.1: any identifier but zero.
    if (open.as == 0) return refuse(open_error::kBadPeerAs);
    if (open.hold_time == 1 || open.hold_time == 2) return refuse(open_error::kBadHoldTime);
    if (open.identifier == 0) return refuse(open_error::kBadIdentifier);
    return open;
}

void encode(const OpenMessage& open, std::vector<std::uint8_t>& buffer) {
    ByteWriter out{buffer};
    const auto begin = begin_message(out, MessageType::Open);
    out.u8(kVersion);
    out.u16(static_cast<std::uint16_t>(open.as > 0xffff ? kAsTrans : open.as));
    out.u16(open.hold_time);
    out.u32(open.identifier);

    std::vector<std::uint8_t> capabilities;
    ByteWriter value{capabilities};
    encode_capabilities(open.capabilities, value);
    if (capabilities.empty()) {
        out.u8(0);
    } else if (capabilities.size() <= 253) {
        out.u8(static_cast<std::uint8_t>(capabilities.size() + 2));
        out.u8(kParameterCapabilities);
        out.u8(static_cast<std::uint8_t>(capabilities.size()));
        out.bytes(capabilities);
    } else {
        out.u8(255);
        out.u8(kParameterExtended);
        out.u16(static_cast<std::uint16_t>(capabilities.size() + 3));
        out.u8(kParameterCapabilities);
        out.u16(static_cast<std::uint16_t>(capabilities.size()));
        out.bytes(capabilities);
    }
    finish_message(out, begin);
}

Negotiated negotiate(const OpenMessage& ours, const OpenMessage& theirs) {
    const auto& a = ours.capabilities;
    const auto& b = theirs.capabilities;
    Negotiated n;
    n.local_as = ours.as;
    n.peer_as = theirs.as;
    n.peer_identifier = theirs.identifier;
    n.hold_time = std::min(ours.hold_time, theirs.hold_time);
    n.four_octet_as = a.four_octet_as && b.four_octet_as;
    n.extended_messages = a.extended_message && b.extended_message;
    n.route_refresh = a.route_refresh && b.route_refresh;
    n.enhanced_refresh = a.enhanced_refresh && b.enhanced_refresh;
    n.extended_next_hop = a.extended_next_hop[0] && b.extended_next_hop[0];
    for (std::size_t f = 0; f < kFamilies; ++f) {
        n.families[f] = a.families[f] && b.families[f];
        n.add_path_receive[f] = n.families[f] && a.add_path_receive[f] && b.add_path_send[f];
        n.add_path_send[f] = n.families[f] && a.add_path_send[f] && b.add_path_receive[f];
    }
    // RFC 4760 §8: without any multiprotocol capability the peer supports IPv4 unicast.
    if (!b.any_multiprotocol) n.families[index(Family::Ip4)] = a.families[index(Family::Ip4)];
    return n;
}

std::vector<std::string> names(const Negotiated& n, const OpenMessage& ours,
                               const OpenMessage& theirs) {
    std::vector<std::string> out;
    const auto add = [&](bool both, const char* name) {
        if (both) out.emplace_back(name);
    };
    const auto& a = ours.capabilities;
    const auto& b = theirs.capabilities;
    add(n.families[0], "ipv4-unicast");
    add(n.families[1], "ipv6-unicast");
    add(n.four_octet_as, "four-octet-as");
    add(n.route_refresh, "route-refresh");
    add(n.enhanced_refresh, "enhanced-route-refresh");
    add(n.extended_messages, "extended-message");
    add(n.extended_next_hop, "extended-next-hop");
    add(n.add_path_receive[0] || n.add_path_receive[1], "add-path-receive");
    add(n.add_path_send[0] || n.add_path_send[1], "add-path-send");
    add(a.graceful_restart && b.graceful_restart, "graceful-restart");
    add(a.graceful_restart && b.graceful_restart && a.graceful_restart->notification &&
            b.graceful_restart->notification,
        "graceful-restart-notification");
    add(!a.long_lived.empty() && !b.long_lived.empty(), "long-lived-graceful-restart");
    add(a.role && b.role, "role");
    add(!a.hostname.empty() && !b.hostname.empty(), "fqdn");
    add(!a.software.empty() && !b.software.empty(), "software-version");
    return out;
}

}  // namespace torii::bgp
