#include <algorithm>

#include "dataplane/packet/headers.hpp"
#include "dataplane/packet/inspect.hpp"

namespace torii::dataplane {
namespace {

using Bytes = std::span<const std::uint8_t>;

constexpr std::uint8_t kParameterProblem4 = 12, kParameterProblem6 = 4;

Verdict drop(Exit exit, IcmpError error = {}) {
    return {exit, error};
}

// RFC 1812 §5.3.13 and RFC 7126 §4: source routes are refused, other options pass
// untouched as long as they are well formed.
Verdict inspect_options(Bytes options) {
    for (std::size_t at = 0; at < options.size();) {
        const auto type = options[at];
        if (type == 0) break;
        if (type == 1) {
            ++at;
            continue;
        }
        if (at + 1 >= options.size() || options[at + 1] < 2 ||
            at + options[at + 1] > options.size())
            return drop(
                Exit::Ip4BadOptions,
                {kParameterProblem4, 0, static_cast<std::uint32_t>(kIp4Header + at + 1) << 24});
        if (type == 131 || type == 137) return drop(Exit::Ip4SourceRoute);
        at += options[at + 1];
    }
    return {};
}

bool martian_source4(std::uint32_t a) {
    return a >> 24 == 0 || a >> 24 == 127 || a >> 28 >= 0xe;
}
Exit martian_destination4(std::uint32_t a) {
    if (a >> 28 == 0xe) return Exit::Ip4Multicast;
    if (a >> 24 == 0 || a >> 24 == 127 || a >> 28 == 0xf) return Exit::Ip4MartianDestination;
    return Exit::Count;
}

bool all_zero(Bytes bytes) {
    return std::ranges::all_of(bytes, [](auto b) { return b == 0; });
}
// ::, ::1, IPv4-compatible and IPv4-mapped addresses (RFC 4291 §2.5).
bool below_unicast(Bytes a) {
    return all_zero(a.first(10)) &&
           ((a[10] == 0 && a[11] == 0) || (a[10] == 0xff && a[11] == 0xff));
}
// RFC 8200 §4.3: a packet with an option that we do not support is refused where the
// option's type requires it; other options of that kind are skipped.
Verdict inspect_hop_by_hop(Bytes ip, std::uint32_t payload) {
    const auto bad = [](std::uint32_t at, std::uint8_t code) {
        return drop(Exit::Ip6BadExtension, {kParameterProblem6, code, at});
    };
    const auto* h = ip.data() + kIp6Header;
    if (payload < 8) return bad(kIp6Header, 0);
    const std::uint32_t length = (h[1] + 1u) * 8;
    if (length > payload || kIp6Header + length > ip.size()) return bad(kIp6Header + 1, 0);
    for (std::uint32_t at = 2; at < length;) {
        const auto type = h[at];
        if (type == 0) {
            ++at;
            continue;
        }
        if (at + 2 > length || at + 2 + h[at + 1] > length) return bad(kIp6Header + at + 1, 0);
        // RFC 2675 §3: a jumbo payload never comes with a payload length.
        if (type == 0xc2) return bad(kIp6Header + at, 0);
        if (type != 1 && type != 5 && type >> 6 != 0) return bad(kIp6Header + at, 2);
        at += 2u + h[at + 1];
    }
    return {};
}

}  // namespace

Verdict inspect_ip4(Bytes ip, std::uint32_t frame_length, bool checksum_known) {
    if (ip.size() < kIp4Header) return drop(Exit::Ip4Truncated);
    if (ip[0] >> 4 != 4) return drop(Exit::Ip4BadVersion);
    const std::uint32_t header = (ip[0] & 15u) * 4, total = read16(&ip[2]);
    if (header < kIp4Header || total < header) return drop(Exit::Ip4BadHeader);
    if (total > frame_length || header > ip.size()) return drop(Exit::Ip4Truncated);
    if (!checksum_known && checksum(ip.data(), header) != 0) return drop(Exit::Ip4BadChecksum);
    if (martian_source4(read32(&ip[12]))) return drop(Exit::Ip4MartianSource);
    if (const auto exit = martian_destination4(read32(&ip[16])); exit != Exit::Count)
        return drop(exit);
    return header > kIp4Header ? inspect_options(ip.subspan(kIp4Header, header - kIp4Header))
                               : Verdict{};
}

Verdict inspect_ip6(Bytes ip, std::uint32_t frame_length) {
    if (ip.size() < 1 || (ip.size() >= 1 && ip[0] >> 4 != 6))
        return drop(ip.empty() ? Exit::Ip6Truncated : Exit::Ip6BadVersion);
    if (ip.size() < kIp6Header) return drop(Exit::Ip6Truncated);
    const std::uint32_t payload = read16(&ip[4]);
    if (kIp6Header + payload > frame_length) return drop(Exit::Ip6Truncated);
    const auto source = ip.subspan(8, 16), destination = ip.subspan(24, 16);
    if (source[0] == 0xff) return drop(Exit::Ip6MartianSource);
    if (destination[0] == 0xff) {
        // Neighbor discovery comes from the unspecified address too (RFC 4862 §5.4.2).
        if (below_unicast(source) && !all_zero(source)) return drop(Exit::Ip6MartianSource);
        return ip[6] == kIcmp6 ? Verdict{} : drop(Exit::Ip6Multicast);
    }
    if (below_unicast(source)) return drop(Exit::Ip6MartianSource);
    if (below_unicast(destination)) return drop(Exit::Ip6MartianDestination);
    return ip[6] == kHopByHop ? inspect_hop_by_hop(ip, payload) : Verdict{};
}

bool may_answer_ip4(Bytes ip, bool link_unicast) {
    if (!link_unicast || ip.size() < kIp4Header) return false;
    const std::uint32_t header = (ip[0] & 15u) * 4;
    if ((read16(&ip[6]) & kFragmentOffset) != 0) return false;
    if (martian_source4(read32(&ip[12])) || martian_destination4(read32(&ip[16])) != Exit::Count)
        return false;
    if (ip[9] == kIcmp) {
        if (ip.size() <= header) return false;
        const auto type = ip[header];
        if (type == 3 || type == 4 || type == 5 || type == 11 || type == 12) return false;
    }
    return true;
}

bool may_answer_ip6(Bytes ip, bool link_unicast, const IcmpError& error) {
    if (ip.size() < kIp6Header) return false;
    const auto source = ip.subspan(8, 16);
    if (below_unicast(source) || source[0] == 0xff) return false;
    // RFC 4443 §2.4 (e.3): too big, and an unknown option (code 2), answer multicast too.
    const bool exception = error.type == 2 || (error.type == kParameterProblem6 && error.code == 2);
    if (!exception && (!link_unicast || ip[24] == 0xff)) return false;
    auto next = ip[6];
    std::size_t at = kIp6Header;
    for (int headers = 0; headers < 4; ++headers) {
        if (next == kIcmp6) return at < ip.size() && ip[at] >= 128 && ip[at] != 137;
        if (next != kHopByHop && next != kDestinationOptions && next != kRouting &&
            next != kFragment)
            return true;
        if (at + 8 > ip.size()) return true;
        // A fragment that cannot be right is the exception (RFC 8200 §4.5).
        if (next == kFragment && (read16(&ip[at + 2]) & 0xfff8) != 0)
            return error.type == kParameterProblem6;
        const auto length = next == kFragment ? 8u : (ip[at + 1] + 1u) * 8;
        next = ip[at];
        at += length;
    }
    return true;
}

}  // namespace torii::dataplane
