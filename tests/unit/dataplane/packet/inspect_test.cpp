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
                if (plain_start4(raw32(&ip[at]))) {
                    EXPECT_TRUE(passes) << first << " at " << at;
                }
            }
        }
    for (const std::uint32_t a : {0x0a000001u, 0xc0000201u, 0xa9010203u, 0xa9fd0000u, 0xa9ff0000u})
        EXPECT_TRUE(plain_start4(__builtin_bswap32(a))) << a;
    // Of a link: whether it is that link the burst cannot see.
    EXPECT_FALSE(plain_start4(__builtin_bswap32(0xa9fe0101)));
}

TEST(PlainOctet, IsNoMartiansInIp6) {
    for (std::uint32_t first = 0; first < 256; ++first)
        for (const std::size_t at : {8u, 24u}) {
            std::array<std::uint8_t, 40> ip{0x60, 0, 0, 0, 0, 0, kUdp, 64, 0xfd};
            ip[24] = 0x20;
            ip[at] = static_cast<std::uint8_t>(first);
            if (plain_start6(raw32(&ip[at]))) {
                EXPECT_TRUE(inspect_ip6(ip, 40).passes()) << first << at;
            }
        }
    for (const std::uint32_t a : {0xfd000000u, 0x20010db8u, 0x0064ff9bu})
        EXPECT_TRUE(plain_start6(__builtin_bswap32(a))) << a;
    for (const std::uint32_t a : {0x00000000u, 0x0064ff9cu, 0x0065ff9bu, 0xfe800000u, 0xff020000u})
        EXPECT_FALSE(plain_start6(__builtin_bswap32(a))) << a;
}

}  // namespace
}  // namespace torii::dataplane
