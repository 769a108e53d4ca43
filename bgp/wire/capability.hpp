#pragma once

#include <cstdint>
#include <span>

#include "base/byte_writer.hpp"
#include "bgp/wire/open.hpp"

namespace torii::bgp {

// Adds one capability (RFC 5492) to what is known of the peer. False when it is
// so broken that the session cannot go on.
bool decode_capability(std::uint8_t code, std::span<const std::uint8_t> value, Capabilities& out);
void encode_capabilities(const Capabilities& capabilities, ByteWriter& out);

}  // namespace torii::bgp
