#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/byte_writer.hpp"
#include "base/result.hpp"
#include "bgp/wire/iana.hpp"

// BGP messages on the wire. Decoders are functions from bytes to values: they
// never throw and never read past their view; a failure is the NOTIFICATION to
// send. Encoders append to a buffer.
namespace torii::bgp {

struct Notification {
    ErrorCode code = ErrorCode::Cease;
    std::uint8_t subcode = 0;
    std::vector<std::uint8_t> data;

    friend bool operator==(const Notification&, const Notification&) = default;
};

template <class T>
using Decoded = Result<T, Notification>;

// "Cease/Administrative Reset"
std::string to_string(const Notification& notification);
// RFC 9003: a shutdown or reset with words for the operator of the other side.
Notification cease_notification(std::uint8_t subcode, std::string_view words = {});
// The words of the other side, control characters and broken UTF-8 replaced.
std::string shutdown_communication(const Notification& notification);
// Whatever a peer sends as text, made safe to show.
std::string printable(std::span<const std::uint8_t> text, std::size_t limit = 255);

Decoded<Notification> decode_notification(std::span<const std::uint8_t> body);
void encode(const Notification& notification, std::vector<std::uint8_t>& out);
void encode_keepalive(std::vector<std::uint8_t>& out);

struct RouteRefresh {
    std::uint16_t afi = 0;
    std::uint8_t subtype = 0;  // 0 request, 1 begin, 2 end (RFC 7313)
    std::uint8_t safi = 0;
};
RouteRefresh decode_refresh(std::span<const std::uint8_t> body);
void encode(const RouteRefresh& refresh, std::vector<std::uint8_t>& out);

// Writes a header and returns where the message begins; finish_message then
// fills in the length.
std::size_t begin_message(ByteWriter& out, MessageType type);
void finish_message(ByteWriter& out, std::size_t begin);

}  // namespace torii::bgp
