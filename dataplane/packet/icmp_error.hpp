#pragma once

#include <cstdint>
#include <span>

#include "dataplane/packet/inspect.hpp"

namespace torii::dataplane {

// The IP packet that reports `offending` to its sender, written to `out`; its
// length. As much is quoted as RFC 1812 §4.3.2.3 and RFC 4443 §2.4 (c) allow:
// up to 576 and 1,280 octets in all.
inline constexpr std::size_t kMaxIcmp4Error = 576, kMaxIcmp6Error = 1280;

std::size_t write_icmp4_error(std::span<std::uint8_t> out, std::span<const std::uint8_t> offending,
                              const IcmpError& error, std::uint32_t source);
std::size_t write_icmp6_error(std::span<std::uint8_t> out, std::span<const std::uint8_t> offending,
                              const IcmpError& error, std::span<const std::uint8_t, 16> source);

}  // namespace torii::dataplane
