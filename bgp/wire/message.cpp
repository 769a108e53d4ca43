#include "bgp/wire/message.hpp"

#include <algorithm>
#include <array>

#include "base/byte_reader.hpp"

namespace torii::bgp {

namespace {

struct SubcodeName {
    ErrorCode code;
    std::uint8_t subcode;
    std::string_view name;
};

constexpr std::array kSubcodes{
    SubcodeName{ErrorCode::MessageHeader, 1, "Connection Not Synchronized"},
    SubcodeName{ErrorCode::MessageHeader, 2, "Bad Message Length"},
    SubcodeName{ErrorCode::MessageHeader, 3, "Bad Message Type"},
    SubcodeName{ErrorCode::OpenMessage, 1, "Unsupported Version Number"},
    SubcodeName{ErrorCode::OpenMessage, 2, "Bad Peer AS"},
    SubcodeName{ErrorCode::OpenMessage, 3, "Bad BGP Identifier"},
    SubcodeName{ErrorCode::OpenMessage, 4, "Unsupported Optional Parameter"},
    SubcodeName{ErrorCode::OpenMessage, 6, "Unacceptable Hold Time"},
    SubcodeName{ErrorCode::OpenMessage, 7, "Unsupported Capability"},
    SubcodeName{ErrorCode::OpenMessage, 11, "Role Mismatch"},
    SubcodeName{ErrorCode::UpdateMessage, 1, "Malformed Attribute List"},
    SubcodeName{ErrorCode::UpdateMessage, 2, "Unrecognized Well-known Attribute"},
    SubcodeName{ErrorCode::UpdateMessage, 3, "Missing Well-known Attribute"},
    SubcodeName{ErrorCode::UpdateMessage, 4, "Attribute Flags Error"},
    SubcodeName{ErrorCode::UpdateMessage, 5, "Attribute Length Error"},
    SubcodeName{ErrorCode::UpdateMessage, 6, "Invalid ORIGIN Attribute"},
    SubcodeName{ErrorCode::UpdateMessage, 8, "Invalid NEXT_HOP Attribute"},
    SubcodeName{ErrorCode::UpdateMessage, 9, "Optional Attribute Error"},
    SubcodeName{ErrorCode::UpdateMessage, 10, "Invalid Network Field"},
    SubcodeName{ErrorCode::UpdateMessage, 11, "Malformed AS_PATH"},
    SubcodeName{ErrorCode::FiniteStateMachine, 1, "Unexpected Message in OpenSent"},
    SubcodeName{ErrorCode::FiniteStateMachine, 2, "Unexpected Message in OpenConfirm"},
    SubcodeName{ErrorCode::FiniteStateMachine, 3, "Unexpected Message in Established"},
    SubcodeName{ErrorCode::Cease, 1, "Maximum Number of Prefixes Reached"},
    SubcodeName{ErrorCode::Cease, 2, "Administrative Shutdown"},
    SubcodeName{ErrorCode::Cease, 3, "Peer De-configured"},
    SubcodeName{ErrorCode::Cease, 4, "Administrative Reset"},
    SubcodeName{ErrorCode::Cease, 5, "Connection Rejected"},
    SubcodeName{ErrorCode::Cease, 6, "Other Configuration Change"},
    SubcodeName{ErrorCode::Cease, 7, "Connection Collision Resolution"},
    SubcodeName{ErrorCode::Cease, 8, "Out of Resources"},
    SubcodeName{ErrorCode::Cease, 9, "Hard Reset"},
    SubcodeName{ErrorCode::Cease, 10, "BFD Down"},
    SubcodeName{ErrorCode::RouteRefreshMessage, 1, "Invalid Message Length"},
};

constexpr std::array<std::string_view, 9> kCodes{"",
                                                 "Message Header Error",
                                                 "OPEN Message Error",
                                                 "UPDATE Message Error",
                                                 "Hold Timer Expired",
                                                 "Finite State Machine Error",
                                                 "Cease",
                                                 "ROUTE-REFRESH Message Error",
                                                 "Send Hold Timer Expired"};

// The length of the UTF-8 sequence at the front, 0 when it is broken.
std::size_t utf8_length(std::span<const std::uint8_t> text) {
    const std::uint8_t lead = text[0];
    const std::size_t length = lead < 0x80                   ? 1
                               : lead >= 0xc2 && lead < 0xe0 ? 2
                               : lead >= 0xe0 && lead < 0xf0 ? 3
                               : lead >= 0xf0 && lead < 0xf5 ? 4
                                                             : 0;
    if (length == 0 || length > text.size()) return 0;
    for (std::size_t i = 1; i < length; ++i)
        if ((text[i] & 0xc0) != 0x80) return 0;
    return length;
}

}  // namespace

std::string to_string(const Notification& n) {
    const auto code = static_cast<std::size_t>(n.code);
    std::string text = code < kCodes.size() && code > 0 ? std::string{kCodes[code]}
                                                        : "code " + std::to_string(code);
    // RFC 8538 §3: a Hard Reset holds the NOTIFICATION that it stands for.
    if (n.code == ErrorCode::Cease && n.subcode == cease::kHardReset && n.data.size() >= 2 &&
        !(n.data[0] == static_cast<std::uint8_t>(n.code) && n.data[1] == n.subcode))
        text = "Hard Reset, " + to_string(Notification{static_cast<ErrorCode>(n.data[0]),
                                                       n.data[1],
                                                       {n.data.begin() + 2, n.data.end()}});
    else
        for (const auto& known : kSubcodes)
            if (known.code == n.code && known.subcode == n.subcode)
                return text + "/" + std::string{known.name};
    if (n.code == ErrorCode::Cease && n.subcode == 0) return text + "/subcode 0 (unspecific)";
    if (n.code == ErrorCode::Cease && n.subcode == cease::kHardReset) return text;
    if (n.subcode != 0) text += "/subcode " + std::to_string(n.subcode);
    return text;
}

std::string printable(std::span<const std::uint8_t> text, std::size_t limit) {
    std::string out;
    while (!text.empty() && out.size() < limit) {
        const std::size_t length = utf8_length(text);
        if (length == 0 || text[0] < 0x20 || text[0] == 0x7f ||
            (length == 2 && text[0] == 0xc2 && text[1] < 0xa0)) {
            out += '?';
            text = text.subspan(std::max<std::size_t>(length, 1));
            continue;
        }
        out.append(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(length));
        text = text.subspan(length);
    }
    return out;
}

Notification cease_notification(std::uint8_t subcode, std::string_view words) {
    Notification n{ErrorCode::Cease, subcode, {}};
    if (words.empty() || (subcode != cease::kAdminShutdown && subcode != cease::kAdminReset))
        return n;
    if (words.size() > 255) {
        // RFC 9003 §2: do not cut a character in two.
        std::size_t end = 255;
        while (end > 0 && (words[end] & 0xc0) == 0x80) --end;
        words = words.substr(0, end);
    }
    n.data.resize(words.size() + 1);
    n.data[0] = static_cast<std::uint8_t>(words.size());
    std::copy(words.begin(), words.end(), n.data.begin() + 1);
    return n;
}

std::string shutdown_communication(const Notification& n) {
    if (n.code != ErrorCode::Cease || n.data.empty() ||
        (n.subcode != cease::kAdminShutdown && n.subcode != cease::kAdminReset))
        return {};
    const std::span<const std::uint8_t> text{n.data};
    return printable(text.subspan(1, std::min<std::size_t>(text[0], text.size() - 1)));
}

Decoded<Notification> decode_notification(std::span<const std::uint8_t> body) {
    if (body.size() < 2)
        return Failure{Notification{ErrorCode::MessageHeader, header_error::kBadLength, {}}};
    return Notification{static_cast<ErrorCode>(body[0]), body[1], {body.begin() + 2, body.end()}};
}

std::size_t begin_message(ByteWriter& out, MessageType type) {
    const std::size_t begin = out.size();
    out.fill(16, 0xff);
    out.u16(0);
    out.u8(static_cast<std::uint8_t>(type));
    return begin;
}

void finish_message(ByteWriter& out, std::size_t begin) {
    out.patch16(begin + 16, out.size() - begin);
}

void encode(const Notification& n, std::vector<std::uint8_t>& buffer) {
    ByteWriter out{buffer};
    const auto begin = begin_message(out, MessageType::Notification);
    out.u8(static_cast<std::uint8_t>(n.code));
    out.u8(n.subcode);
    out.bytes(std::span{n.data}.first(std::min(n.data.size(), kMaxMessage - kHeaderSize - 2)));
    finish_message(out, begin);
}

void encode_keepalive(std::vector<std::uint8_t>& buffer) {
    ByteWriter out{buffer};
    finish_message(out, begin_message(out, MessageType::Keepalive));
}

RouteRefresh decode_refresh(std::span<const std::uint8_t> body) {
    ByteReader in{body};
    RouteRefresh refresh;
    refresh.afi = in.u16();
    refresh.subtype = in.u8();
    refresh.safi = in.u8();
    return refresh;
}

void encode(const RouteRefresh& refresh, std::vector<std::uint8_t>& buffer) {
    ByteWriter out{buffer};
    const auto begin = begin_message(out, MessageType::RouteRefresh);
    out.u16(refresh.afi);
    out.u8(refresh.subtype);
    out.u8(refresh.safi);
    finish_message(out, begin);
}

}  // namespace torii::bgp
