#pragma once

#include <cstdint>
#include <string>
#include <string_view>

// Blocks of a pcapng file (draft-ietf-opsawg-pcapng), in the byte order of this
// machine, which its first block contains.
namespace torii::mgmt::pcapng {

std::string section(std::string_view application);
// Ethernet, times in nanoseconds. The first one is interface 0, and so on.
std::string interface(std::string_view name, std::uint32_t snap);
// `length` is that of the packet before it was cut; the comment is seen in the
// details of the packet, "" for none.
std::string packet(std::uint32_t interface, std::uint64_t nanoseconds, std::uint32_t length,
                   std::string_view bytes, std::string_view comment);
// How many packets were lost so far.
std::string statistics(std::uint32_t interface, std::uint64_t nanoseconds, std::uint64_t lost);

}  // namespace torii::mgmt::pcapng
