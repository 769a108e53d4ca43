#include "mgmt/pcapng.hpp"

#include <gtest/gtest.h>

#include <cstring>
#include <vector>

namespace torii::mgmt::pcapng {
namespace {

std::uint32_t word(const std::string& block, std::size_t at) {
    std::uint32_t out;
    std::memcpy(&out, &block[at], sizeof out);
    return out;
}

TEST(Pcapng, EveryBlockHasItsLengthInFrontAndBehind) {
    for (const auto& block :
         {section("torii"), interface("uplink", 256), packet(1, 17, 60, std::string(33, 'x'), ""),
          packet(1, 17, 60, std::string(32, 'x'), "ip4_no_route"), statistics(0, 17, 3)}) {
        EXPECT_EQ(block.size() % 4, 0u);
        EXPECT_EQ(word(block, 4), block.size());
        EXPECT_EQ(word(block, block.size() - 4), block.size());
    }
}

TEST(Pcapng, APacketIsWhereReadersLookForIt) {
    const auto block = packet(1, 0x1122334455667788, 60, "abcde", "why");
    EXPECT_EQ(word(block, 0), 6u);
    EXPECT_EQ(word(block, 8), 1u);
    EXPECT_EQ(word(block, 12), 0x11223344u);
    EXPECT_EQ(word(block, 16), 0x55667788u);
    EXPECT_EQ(word(block, 20), 5u);
    EXPECT_EQ(word(block, 24), 60u);
    EXPECT_EQ(block.substr(28, 8), std::string("abcde\0\0\0", 8));
    EXPECT_EQ(block.substr(40, 3), "why");
    EXPECT_EQ(word(section(""), 8), 0x1a2b3c4du);
}

}  // namespace
}  // namespace torii::mgmt::pcapng
