#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "bgp/wire/message.hpp"

namespace torii::bgp {

struct Frame {
    MessageType type{};
    std::span<const std::uint8_t> body;  // behind the header
    std::size_t size = 0;                // header included
};

// The message at the front of the bytes, nothing while it is incomplete, or
// the NOTIFICATION that the 19 octets of the header alone deserve already
// (RFC 4271 §6.1): a bad message is never waited for.
Decoded<std::optional<Frame>> next_frame(std::span<const std::uint8_t> bytes,
                                         bool extended_messages);

}  // namespace torii::bgp
