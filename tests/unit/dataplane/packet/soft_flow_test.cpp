#include "dataplane/packet/soft_flow.hpp"

#include <gtest/gtest.h>

#include <random>

#include "dataplane/packet/headers.hpp"
#include "tests/support/packet_world.hpp"

namespace torii::dataplane {
namespace {

using support::Bytes;
using support::PacketWorld;

Prefix prefix(const char* text) {
    return *Prefix::parse_strict(text);
}

// UDP from a source to a node behind port 1; `tag` puts a priority tag in front.
Bytes frame4(std::uint32_t source, bool tag = false) {
    Bytes f{2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 1, 1};
    if (tag) f.insert(f.end(), {0x81, 0, 0, 0});
    f.insert(f.end(), {8, 0});
    const auto at = f.size();
    f.resize(at + kIp4Header + 20);
    auto* ip = &f[at];
    ip[0] = 0x45;
    write16(ip + 2, kIp4Header + 20);
    ip[8] = 64;
    ip[9] = kUdp;
    write32(ip + 12, source);
    write32(ip + 16, 0x0a020002);
    write16(ip + 10, checksum(ip, kIp4Header));
    return f;
}
Bytes frame6(const IpAddress& source) {
    Bytes f{2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 1, 1, 0x86, 0xdd};
    f.resize(kEtherHeader + kIp6Header + 20);
    auto* ip = &f[kEtherHeader];
    ip[0] = 0x60;
    write16(ip + 4, 20);
    ip[6] = kUdp;
    ip[7] = 64;
    std::ranges::copy(source.bytes(), ip + 8);
    std::ranges::copy(IpAddress::parse("2001:db8:2::2")->bytes(), ip + 24);
    return f;
}

TEST(SoftFlow, AgreesWithEachPrefixAskedByItself) {
    std::mt19937 random{7};
    for (int round = 0; round < 40; ++round) {
        std::vector<Prefix> sources;
        for (int i = 0; i < 30; ++i) {
            const auto length = static_cast<std::uint8_t>(1 + random() % 32);
            // Close together, so that they nest and touch.
            sources.emplace_back(
                IpAddress::v4(static_cast<std::uint32_t>(0x0a000000u | (random() & 0x3ffff))),
                length);
            IpAddress six = *IpAddress::parse("2001:db8::");
            auto bytes = six.bytes();
            for (const unsigned at : {6u, 7u, 14u, 15u})
                bytes[at] = static_cast<std::uint8_t>(random() & 3);
            sources.emplace_back(IpAddress::v6(bytes),
                                 static_cast<std::uint8_t>(1 + random() % 128));
        }
        const SoftFlow flow{sources};
        const auto listed = [&](const IpAddress& a) {
            return std::ranges::any_of(sources, [&](const Prefix& p) { return p.contains(a); });
        };
        for (int i = 0; i < 500; ++i) {
            const auto four = IpAddress::v4(static_cast<std::uint32_t>(
                random() % 4 == 0 ? random() : 0x0a000000u | (random() & 0x3ffff)));
            const auto f4 = frame4(four.v4());
            ASSERT_EQ(flow.drops(f4.data(), static_cast<std::uint32_t>(f4.size())), listed(four))
                << four.to_string();
            auto bytes = IpAddress::parse("2001:db8::")->bytes();
            for (const unsigned at : {6u, 7u, 14u, 15u})
                bytes[at] = static_cast<std::uint8_t>(random() & 3);
            const auto six = IpAddress::v6(bytes);
            const auto f6 = frame6(six);
            ASSERT_EQ(flow.drops(f6.data(), static_cast<std::uint32_t>(f6.size())), listed(six))
                << six.to_string();
        }
    }
}

TEST(SoftFlow, ReadsNoFurtherThanTheFrame) {
    const std::vector sources{prefix("0.0.0.0/1"), prefix("128.0.0.0/1"), prefix("::/1")};
    const SoftFlow flow{sources};
    const auto whole = frame6(*IpAddress::parse("::5"));
    for (std::uint32_t length = 0; length < whole.size(); ++length) {
        const Bytes cut(whole.begin(), whole.begin() + length);
        EXPECT_EQ(flow.drops(cut.data(), length), length >= kEtherHeader + kIp6Header) << length;
    }
}

TEST(DropSources, LeaveByTheirExitAndTheOthersGoOn) {
    PacketWorld world;
    const std::vector sources{prefix("198.51.100.0/24"), prefix("2001:db8:bad::/48")};
    world.drop_sources(sources);
    const std::vector<Bytes> frames{frame4(0xc6336401),
                                    frame4(0xc6336501),
                                    frame6(*IpAddress::parse("2001:db8:bad::1")),
                                    frame4(0xc6336402, true),  // behind a tag
                                    frame4(0xc6336501, true),
                                    frame6(*IpAddress::parse("2001:db8:bae::1"))};
    world.receive(frames);
    EXPECT_EQ(world.take_sent().size(), 3u);
    EXPECT_EQ(world.exits(), (std::map<std::string, std::uint64_t>{{"drop_list", 3}}));
    EXPECT_EQ(world.received(), 6u);
    world.drop_sources({});
    world.receive(frames);
    EXPECT_EQ(world.take_sent().size(), 6u);
}

}  // namespace
}  // namespace torii::dataplane
