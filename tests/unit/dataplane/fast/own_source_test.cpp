// A packet from an address of ours did not come from us; one whose source only looks like it is
// a packet like any other, and costs no other one anything.
#include <gtest/gtest.h>

#include <cstring>

#include "dataplane/packet/headers.hpp"
#include "tests/support/packet_world.hpp"

namespace torii::dataplane {
namespace {

using support::Bytes;
using support::PacketWorld;
using Exits = std::map<std::string, std::uint64_t>;

IpAddress ip(const std::string& text) {
    return *IpAddress::parse(text);
}

// From any source by port 0 to the neighbor on port 1.
Bytes frame(const std::string& source) {
    const auto from = ip(source);
    Bytes f{2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 1, 1};
    f.resize(from.is_v4() ? 60 : 80);
    write16(&f[12], from.is_v4() ? kEtherIp4 : kEtherIp6);
    auto* h = &f[14];
    if (from.is_v4()) {
        h[0] = 0x45;
        write16(h + 2, 46);
        h[8] = 64;
        h[9] = kUdp;
        write32(h + 12, from.v4());
        write32(h + 16, ip("10.2.0.2").v4());
        write16(h + 10, checksum(h, kIp4Header));
    } else {
        h[0] = 0x60;
        write16(h + 4, 26);
        h[6] = kUdp;
        h[7] = 64;
        std::ranges::copy(from.bytes(), h + 8);
        std::ranges::copy(ip("2001:db8:2::2").bytes(), h + 24);
    }
    return f;
}

class OwnSource : public testing::TestWithParam<LookupKind> {
protected:
    PacketWorld world{GetParam()};

    std::uint64_t slow() const { return world.worker->counters.slow[0]; }
    void own(unsigned n) {
        for (unsigned i = 0; i < n; ++i) {
            world.add_address(1, {ip("10.77." + std::to_string(i) + ".1"), 24});
            world.add_address(1, {ip("2001:db8:77:" + std::to_string(i) + "::1"), 64});
        }
    }
};

TEST_P(OwnSource, LeavesHostsThatEndAsWeDoInTheFastLane) {
    for (const unsigned addresses : {0u, 6u, 100u}) {
        if (addresses != 0) own(addresses);
        std::vector<Bytes> burst;
        for (unsigned i = 0; i < 64; ++i)
            burst.push_back(frame("2001:db8:" + std::to_string(100 + i) + "::1"));
        world.receive(burst);
        EXPECT_EQ(world.take_sent().size(), 64u);
        burst.clear();
        // Words of our IPv6 addresses are no IPv4 addresses of ours.
        for (unsigned i = 0; i < 64; ++i)
            burst.push_back(frame("203.0." + std::to_string(i) + ".1"));
        world.receive(burst);
        EXPECT_EQ(world.take_sent().size(), 64u);
        EXPECT_EQ(slow(), 0u) << addresses;
    }
}

TEST_P(OwnSource, TakesOurOwnOutOfABurstAndNothingElse) {
    for (const unsigned addresses : {0u, 100u}) {
        if (addresses != 0) own(addresses);
        const auto before = slow();
        std::vector<Bytes> burst(63, frame("2001:db8:9::1"));
        burst.insert(burst.begin() + 17, frame("2001:db8:2::1"));
        world.receive(burst);
        EXPECT_EQ(world.take_sent().size(), 63u);
        burst.assign(63, frame("203.0.113.9"));
        burst.insert(burst.begin() + 40, frame("10.2.0.1"));
        world.receive(burst);
        EXPECT_EQ(world.take_sent().size(), 63u);
        EXPECT_EQ(slow(), before + 2);
    }
    EXPECT_EQ(world.exits(), (Exits{{"ip4_martian_src", 2}, {"ip6_martian_src", 2}}));
}

TEST_P(OwnSource, LeavesPublicNetworksThatBeginUnusuallyInTheFastLane) {
    world.receive(std::vector<Bytes>(64, frame("169.62.1.2")));
    world.receive(std::vector<Bytes>(64, frame("64:ff9b::c000:201")));
    EXPECT_EQ(world.take_sent().size(), 128u);
    EXPECT_EQ(slow(), 0u);
}

// ::1 is a host of most networks.
TEST(OwnFilter, TakesAHostOfAnotherNetworkForNoneOfOurs) {
    OwnFilter own;
    for (unsigned i = 0; i < 100; ++i) own.add(ip("2001:db8:77:" + std::to_string(i) + "::1"));
    unsigned doubtful = 0;
    const auto may_have = [&](const std::string& text) {
        std::uint32_t words[4];
        std::memcpy(words, ip(text).bytes().data(), 16);
        return own.ip6.may_have(OwnFilter::word_of_ip6(words[0], words[1], words[3]));
    };
    for (unsigned i = 0; i < 1000; ++i)
        doubtful += may_have("2001:db8:" + std::to_string(100 + i) + "::1");
    EXPECT_LT(doubtful, 50u);
    EXPECT_TRUE(may_have("2001:db8:77:42::1"));
}

INSTANTIATE_TEST_SUITE_P(Kinds, OwnSource,
                         testing::Values(LookupKind::Scalar, LookupKind::Avx2, LookupKind::Avx512));

}  // namespace
}  // namespace torii::dataplane
