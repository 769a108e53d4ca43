#include "dataplane/packet/inspect.hpp"

#include <gtest/gtest.h>

#include <array>

#include "dataplane/packet/headers.hpp"

namespace torii::dataplane {
namespace {

// What the bursts take for plain without a closer look passes the closer look.
TEST(PlainOctet, IsNoMartiansInIp4) {
    for (std::uint32_t first = 0; first < 256; ++first)
        for (const std::size_t at : {12u, 16u}) {
            std::array<std::uint8_t, 20> ip{0x45, 0, 0, 20, 0, 0, 0, 0, 64, kUdp};
            write32(&ip[12], 0x0a000001);
            write32(&ip[16], 0x0a000002);
            for (const std::uint32_t rest : {0x000000u, 0x000001u, 0xfe0101u, 0xffffffu}) {
                write32(&ip[at], first << 24 | rest);
                const bool passes = inspect_ip4(ip, 20, true).passes();
                if (plain_octet4(first)) {
                    EXPECT_TRUE(passes) << first << " at " << at;
                }
            }
        }
    EXPECT_TRUE(plain_octet4(10));
    EXPECT_TRUE(plain_octet4(192));
}

TEST(PlainOctet, IsNoMartiansInIp6) {
    for (std::uint32_t first = 0; first < 256; ++first)
        for (const std::size_t at : {8u, 24u}) {
            std::array<std::uint8_t, 40> ip{0x60, 0, 0, 0, 0, 0, kUdp, 64, 0xfd};
            ip[24] = 0x20;
            ip[at] = static_cast<std::uint8_t>(first);
            if (plain_octet6(first)) {
                EXPECT_TRUE(inspect_ip6(ip, 40).passes()) << first << at;
            }
        }
    EXPECT_TRUE(plain_octet6(0xfd));
    EXPECT_TRUE(plain_octet6(0x20));
}

}  // namespace
}  // namespace torii::dataplane
