#pragma once

#include <cstdint>

// Ports of the protocols that the gateway speaks.
namespace torii::dataplane {

inline constexpr std::uint16_t kBgpPort = 179;
inline constexpr std::uint16_t kBfdPort = 3784, kBfdEchoPort = 3785, kBfdMultihopPort = 4784;

}  // namespace torii::dataplane
