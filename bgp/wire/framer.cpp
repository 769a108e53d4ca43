#include "bgp/wire/framer.hpp"

#include <algorithm>
#include <cstring>

namespace torii::bgp {

namespace {

Failure<Notification> bad_length(std::size_t length) {
    return Failure{
        Notification{ErrorCode::MessageHeader,
                     header_error::kBadLength,
                     {static_cast<std::uint8_t>(length >> 8), static_cast<std::uint8_t>(length)}}};
}

struct Limits {
    std::size_t least, most;
};

constexpr Limits limits(MessageType type, bool extended) {
    const std::size_t most = extended ? kMaxExtendedMessage : kMaxMessage;
    switch (type) {
        // RFC 8654 §4: OPEN and KEEPALIVE keep their old limit.
        case MessageType::Open:
            return {29, kMaxMessage};
        case MessageType::Keepalive:
            return {19, 19};
        case MessageType::Update:
            return {23, most};
        case MessageType::Notification:
            return {21, most};
        case MessageType::RouteRefresh:
            return {23, most};
    }
    return {0, 0};
}

}  // namespace

Decoded<std::optional<Frame>> next_frame(std::span<const std::uint8_t> bytes, bool extended) {
    static constexpr auto kMarker = [] {
        std::array<std::uint8_t, 16> marker{};
        marker.fill(0xff);
        return marker;
    }();
    if (bytes.size() < kHeaderSize) return std::optional<Frame>{};
    if (std::memcmp(bytes.data(), kMarker.data(), kMarker.size()) != 0)
        return Failure{Notification{ErrorCode::MessageHeader, header_error::kNotSynchronized, {}}};

    const auto length = static_cast<std::size_t>(bytes[16] << 8 | bytes[17]);
    const auto type = static_cast<MessageType>(bytes[18]);
    if (length < kHeaderSize || length > (extended ? kMaxExtendedMessage : kMaxMessage))
        return bad_length(length);
    const auto [least, most] = limits(type, extended);
    if (most == 0)
        return Failure{Notification{ErrorCode::MessageHeader, header_error::kBadType, {bytes[18]}}};
    if (length < least || length > most) return bad_length(length);

    if (bytes.size() < length) return std::optional<Frame>{};
    return std::optional{Frame{type, bytes.subspan(kHeaderSize, length - kHeaderSize), length}};
}

}  // namespace torii::bgp
