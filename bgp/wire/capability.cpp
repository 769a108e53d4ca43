#include "bgp/wire/capability.hpp"

#include "base/byte_reader.hpp"

namespace torii::bgp {

namespace {

using Reader = ByteReader;

// Answers whether the value is well formed.
using Decode = bool (*)(Reader, Capabilities&);

bool multiprotocol(Reader in, Capabilities& out) {
    const auto afi = in.u16();
    in.u8();
    const auto safi = in.u8();
    if (!in.done()) return false;
    out.any_multiprotocol = true;
    if (const auto family = unicast_family(afi, safi)) out.families[index(*family)] = true;
    return true;
}

bool four_octet_as(Reader in, Capabilities& out) {
    const auto as = in.u32();
    if (!in.done()) return false;
    out.four_octet_as = as;
    return true;
}

bool extended_next_hop(Reader in, Capabilities& out) {
    if (in.size() % 6 != 0) return false;
    while (!in.empty()) {
        const auto nlri_afi = in.u16();
        const auto nlri_safi = in.u16();
        const auto next_hop_afi = in.u16();
        if (nlri_safi == kSafiUnicast && nlri_afi == kAfiIp4 && next_hop_afi == kAfiIp6)
            out.extended_next_hop[index(Family::Ip4)] = true;
    }
    return true;
}

bool graceful_restart(Reader in, Capabilities& out) {
    if (in.size() < 2 || (in.size() - 2) % 4 != 0) return false;
    GracefulRestartCapability restart;
    const auto flags = in.u16();
    restart.restarting = flags & 0x8000;
    restart.notification = flags & 0x4000;
    restart.time = flags & 0x0fff;
    while (!in.empty()) {
        const auto afi = in.u16();
        const auto safi = in.u8();
        const auto family_flags = in.u8();
        if (const auto family = unicast_family(afi, safi))
            restart.families.push_back({*family, (family_flags & 0x80) != 0});
    }
    out.graceful_restart = std::move(restart);
    return true;
}

bool long_lived(Reader in, Capabilities& out) {
    if (in.size() % 7 != 0) return false;
    out.long_lived.clear();
    while (!in.empty()) {
        const auto afi = in.u16();
        const auto safi = in.u8();
        const auto flags = in.u8();
        const std::uint32_t high = in.u8();
        const auto time = high << 16 | in.u16();
        if (const auto family = unicast_family(afi, safi))
            out.long_lived.push_back({*family, (flags & 0x80) != 0, time});
    }
    return true;
}

bool add_path(Reader in, Capabilities& out) {
    if (in.size() % 4 != 0) return false;
    while (!in.empty()) {
        const auto afi = in.u16();
        const auto safi = in.u8();
        const auto direction = in.u8();
        const auto family = unicast_family(afi, safi);
        // RFC 7911 §4: any other value makes the tuple one to ignore.
        if (!family || direction < 1 || direction > 3) continue;
        out.add_path_receive[index(*family)] = direction & 1;
        out.add_path_send[index(*family)] = direction & 2;
    }
    return true;
}

bool role(Reader in, Capabilities& out) {
    const auto value = in.u8();
    if (!in.done()) return false;
    if (value > 4) {  // RFC 9234 §4.2: no pair that is allowed
        out.conflicting_roles = true;
        return true;
    }
    const auto role = static_cast<Role>(value);
    // RFC 9234 §4.2: several roles must agree.
    if (out.role && *out.role != role) out.conflicting_roles = true;
    out.role = role;
    return true;
}

bool fqdn(Reader in, Capabilities& out) {
    const auto host = in.take(in.u8()).rest();
    const auto domain = in.take(in.u8()).rest();
    if (!in.ok()) return false;
    out.hostname = printable(host, 64);
    out.domain = printable(domain, 64);
    return true;
}

bool software(Reader in, Capabilities& out) {
    // Drafts differ on whether a length precedes the text; both are in use.
    auto text = in.rest();
    if (!text.empty() && text[0] == text.size() - 1) text = text.subspan(1);
    out.software = printable(text, 64);
    return true;
}

template <bool Capabilities::*Flag>
bool flag(Reader in, Capabilities& out) {
    if (in.empty()) out.*Flag = true;
    return in.empty();
}

struct Rule {
    CapabilityCode code;
    bool strict;  // a broken one ends the session; RFC 7606 does not cover OPEN
    Decode decode;
};

constexpr Rule kRules[] = {
    {CapabilityCode::Multiprotocol, true, multiprotocol},
    {CapabilityCode::RouteRefresh, false, flag<&Capabilities::route_refresh>},
    {CapabilityCode::ExtendedNextHop, false, extended_next_hop},
    {CapabilityCode::ExtendedMessage, false, flag<&Capabilities::extended_message>},
    {CapabilityCode::Role, true, role},
    {CapabilityCode::GracefulRestart, false, graceful_restart},
    {CapabilityCode::FourOctetAs, true, four_octet_as},
    {CapabilityCode::AddPath, false, add_path},
    {CapabilityCode::EnhancedRefresh, false, flag<&Capabilities::enhanced_refresh>},
    {CapabilityCode::LongLivedGracefulRestart, false, long_lived},
    {CapabilityCode::Fqdn, false, fqdn},
    {CapabilityCode::SoftwareVersion, false, software},
};

class Put {
public:
    Put(ByteWriter& out, CapabilityCode code) : out_(out) {
        out_.u8(static_cast<std::uint8_t>(code));
        at_ = out_.mark8();
    }
    ~Put() { out_.patch8(at_, out_.size() - at_ - 1); }
    Put(const Put&) = delete;
    Put& operator=(const Put&) = delete;

private:
    ByteWriter& out_;
    std::size_t at_;
};

void text(ByteWriter& out, std::string_view value) {
    value = value.substr(0, 64);
    out.u8(static_cast<std::uint8_t>(value.size()));
    for (const char c : value) out.u8(static_cast<std::uint8_t>(c));
}

constexpr Family kBoth[] = {Family::Ip6, Family::Ip4};

}  // namespace

bool decode_capability(std::uint8_t code, std::span<const std::uint8_t> value, Capabilities& out) {
    for (const auto& rule : kRules)
        if (static_cast<std::uint8_t>(rule.code) == code)
            return rule.decode(Reader{value}, out) || !rule.strict;
    out.unknown.push_back(code);
    return true;
}

void encode_capabilities(const Capabilities& c, ByteWriter& out) {
    for (const Family family : kBoth)
        if (c.families[index(family)]) {
            const Put put{out, CapabilityCode::Multiprotocol};
            out.u16(afi(family));
            out.u8(0);
            out.u8(kSafiUnicast);
        }
    if (c.route_refresh) Put{out, CapabilityCode::RouteRefresh};
    if (c.enhanced_refresh) Put{out, CapabilityCode::EnhancedRefresh};
    if (c.extended_message) Put{out, CapabilityCode::ExtendedMessage};
    if (c.extended_next_hop[index(Family::Ip4)]) {
        const Put put{out, CapabilityCode::ExtendedNextHop};
        out.u16(kAfiIp4);
        out.u16(kSafiUnicast);
        out.u16(kAfiIp6);
    }
    if (c.four_octet_as) {
        const Put put{out, CapabilityCode::FourOctetAs};
        out.u32(*c.four_octet_as);
    }
    if (c.role) {
        const Put put{out, CapabilityCode::Role};
        out.u8(static_cast<std::uint8_t>(*c.role));
    }
    if (c.add_path_receive != std::array<bool, kFamilies>{} ||
        c.add_path_send != std::array<bool, kFamilies>{}) {
        const Put put{out, CapabilityCode::AddPath};
        for (const Family family : kBoth) {
            const unsigned direction = (c.add_path_receive[index(family)] ? 1u : 0u) |
                                       (c.add_path_send[index(family)] ? 2u : 0u);
            if (direction == 0) continue;
            out.u16(afi(family));
            out.u8(kSafiUnicast);
            out.u8(static_cast<std::uint8_t>(direction));
        }
    }
    if (c.graceful_restart) {
        const Put put{out, CapabilityCode::GracefulRestart};
        const auto& restart = *c.graceful_restart;
        out.u16(static_cast<std::uint16_t>((restart.restarting ? 0x8000 : 0) |
                                           (restart.notification ? 0x4000 : 0) |
                                           (restart.time & 0x0fff)));
        for (const auto& family : restart.families) {
            out.u16(afi(family.family));
            out.u8(kSafiUnicast);
            out.u8(family.forwarding ? 0x80 : 0);
        }
    }
    if (!c.long_lived.empty()) {
        const Put put{out, CapabilityCode::LongLivedGracefulRestart};
        for (const auto& family : c.long_lived) {
            out.u16(afi(family.family));
            out.u8(kSafiUnicast);
            out.u8(family.forwarding ? 0x80 : 0);
            out.u8(static_cast<std::uint8_t>(family.time >> 16));
            out.u16(static_cast<std::uint16_t>(family.time));
        }
    }
    if (!c.hostname.empty()) {
        const Put put{out, CapabilityCode::Fqdn};
        text(out, c.hostname);
        text(out, c.domain);
    }
    if (!c.software.empty()) {
        const Put put{out, CapabilityCode::SoftwareVersion};
        text(out, c.software);
    }
}

}  // namespace torii::bgp
