// What goes to the kernel is policed by class: a flood of one starves no other.
#include <gtest/gtest.h>

#include "dataplane/packet/headers.hpp"
#include "tests/support/packet_world.hpp"

namespace torii::dataplane {
namespace {

using support::Bytes;
using support::PacketWorld;

constexpr std::uint64_t kHz = 1'000'000'000;
constexpr std::size_t kFrom = 0;  // the port all of it comes in by

void put16(Bytes& f, std::size_t at, unsigned v) {
    f[at] = static_cast<std::uint8_t>(v >> 8);
    f[at + 1] = static_cast<std::uint8_t>(v);
}

// From the neighbor 10.1.0.2 to our 10.1.0.1.
Bytes to_us(std::uint8_t protocol, std::size_t payload) {
    Bytes f(34 + payload, 0);
    const std::uint8_t macs[]{2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 1, 1, 8, 0, 0x45};
    std::copy(std::begin(macs), std::end(macs), f.begin());
    put16(f, 16, static_cast<unsigned>(20 + payload));
    f[22] = 64;
    f[23] = protocol;
    const std::uint8_t addresses[]{10, 1, 0, 2, 10, 1, 0, 1};
    std::copy(std::begin(addresses), std::end(addresses), f.begin() + 26);
    put16(f, 24, checksum(&f[14], 20));
    return f;
}
Bytes tcp(std::uint8_t flags) {
    auto f = to_us(kTcp, 20);
    put16(f, 34, 40'000);
    put16(f, 36, 179);
    f[46] = 0x50;
    f[47] = flags;
    return f;
}
Bytes echo() {
    auto f = to_us(kIcmp, 8);
    f[34] = 8;
    put16(f, 36, checksum(&f[34], 8));
    return f;
}
Bytes arp(std::uint8_t host = 2) {
    Bytes f(42, 0);
    const std::uint8_t head[]{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2, 0, 0, 0, 1,  1, 8, 6,
                              0,    1,    8,    0,    6,    4,    0, 1, 2, 0, 0,  0, 1, 1,
                              10,   1,    0,    2,    0,    0,    0, 0, 0, 0, 10, 1, 0, 1};
    std::copy(std::begin(head), std::end(head), f.begin());
    f[31] = host;
    return f;
}

struct Policed : testing::Test {
    PacketWorld world;

    Policed() {
        world.worker->now = kHz;
        auto& policers = world.policing.punt[kFrom];
        policers[static_cast<std::size_t>(PuntClass::Bgp)].limit({50'000, 512}, kHz);
        for (const auto c : {PuntClass::BgpOpen, PuntClass::KnownNeighbor, PuntClass::Neighbor,
                             PuntClass::Icmp, PuntClass::Other})
            policers[static_cast<std::size_t>(c)].limit({100, 16}, kHz);
    }
    std::uint64_t count(Exit exit) const {
        return world.worker->counters.exits[kFrom][static_cast<std::size_t>(exit)];
    }
};

TEST_F(Policed, LetsEverySegmentOfASessionThroughAFlood) {
    const std::vector<Bytes> flood{tcp(0x02), arp(9), echo()};
    constexpr unsigned kMilliseconds = 1000, kFloodBursts = 4;
    std::uint64_t flooded = 0;
    for (unsigned ms = 0; ms < kMilliseconds; ++ms) {
        for (unsigned b = 0; b < kFloodBursts; ++b) {
            std::vector<Bytes> burst;
            for (unsigned i = 0; i < 63; ++i) burst.push_back(flood[(i + b) % flood.size()]);
            flooded += burst.size();
            if (b == 0) burst.push_back(tcp(0x10));
            world.receive(burst);
        }
        world.take_punted();
        world.worker->now += kHz / 1000;
    }
    EXPECT_EQ(count(Exit::PuntBgp), kMilliseconds);
    // A second's worth and the burst, of each kind.
    for (const auto exit : {Exit::PuntBgpOpen, Exit::PuntNeighbor, Exit::PuntIcmp}) {
        EXPECT_GE(count(exit), 100u);
        EXPECT_LE(count(exit), 100u + 16u + 1u);
    }
    EXPECT_EQ(count(Exit::PuntPoliced), flooded - count(Exit::PuntBgpOpen) -
                                            count(Exit::PuntNeighbor) - count(Exit::PuntIcmp));
    EXPECT_EQ(world.received(), flooded + kMilliseconds);
}

TEST_F(Policed, HearsWhomItKnowsThroughAFloodOfStrangers) {
    for (unsigned second = 0; second < 10; ++second) {
        std::vector<Bytes> burst;
        for (unsigned i = 0; i < 60; ++i) burst.push_back(arp(static_cast<std::uint8_t>(3 + i)));
        auto elsewhere = arp();  // says that it moved: that is news, not its word
        elsewhere[11] = elsewhere[27] = 9;
        burst.push_back(elsewhere);
        burst.push_back(arp());
        world.receive(burst);
        world.take_punted();
        world.worker->now += kHz / 50;
    }
    EXPECT_EQ(count(Exit::PuntKnownNeighbor), 10u);
    EXPECT_LE(count(Exit::PuntNeighbor), 16u + 20u + 1u);
    EXPECT_EQ(world.received(), 620u);
}

// From any IPv4 source to our 10.1.0.1.
Bytes segment_from(std::uint32_t source, std::uint8_t flags, std::uint8_t ttl = 64) {
    auto f = tcp(flags);
    put16(f, 26, source >> 16);
    put16(f, 28, source & 0xffff);
    f[22] = ttl;
    f[24] = f[25] = 0;
    put16(f, 24, checksum(&f[14], 20));
    return f;
}

TEST_F(Policed, ClassifiesBgpByItsSourceAndNotByItsPort) {
    world.bgp.peers[IpAddress::v4(0x0a010002)] = {0, true};
    world.bgp.peers[IpAddress::v4(0x0a010003)] = {255, false};
    world.bgp.ranges.emplace_back(*Prefix::parse("10.9.0.0/16"), 0);
    world.use_bgp_sources();
    world.receive(segment_from(0x0a010002, 0x10));
    EXPECT_EQ(count(Exit::PuntBgp), 1u);
    world.receive(segment_from(0x0a010002, 0x02));  // dials
    world.receive(segment_from(0x0a090001, 0x10));  // of a listen range
    world.receive(segment_from(0x0a010003, 0x10, 255));
    EXPECT_EQ(count(Exit::PuntBgpOpen), 3u);
    world.receive(segment_from(0x0a010003, 0x10, 254));  // from further away than the link
    world.receive(segment_from(0x0b000001, 0x10));
    EXPECT_EQ(count(Exit::PuntBgpStranger), 2u);
    EXPECT_EQ(count(Exit::PuntBgp), 1u);
}

TEST_F(Policed, LosesNoSegmentOfAPeerToAFloodOfStrangersOnItsPort) {
    ControlPlanePolicing rates;
    world.policing.limit(rates, kHz);
    world.bgp.peers[IpAddress::v4(0x0a010002)] = {0, true};
    world.use_bgp_sources();
    std::uint32_t stranger = 0x0b000000;
    for (unsigned ms = 0; ms < 500; ++ms) {
        for (unsigned b = 0; b < 16; ++b) {
            std::vector<Bytes> burst;
            for (unsigned i = 0; i < 63; ++i) burst.push_back(segment_from(++stranger, 0x10));
            if (b == 0) burst.push_back(segment_from(0x0a010002, 0x10));
            world.receive(burst);
        }
        world.take_punted();
        world.worker->now += kHz / 1000;
    }
    EXPECT_EQ(count(Exit::PuntBgp), 500u);
    EXPECT_LE(count(Exit::PuntBgpStranger), 500u / 2 + 100 + 1);
}

TEST_F(Policed, GivesOneSourceAQuarterOfAClass) {
    ControlPlanePolicing rates;
    world.policing.limit(rates, kHz);
    world.receive(std::vector<Bytes>(2000, echo()));
    const auto of_one = count(Exit::PuntIcmp);
    EXPECT_LE(of_one, rates.icmp.burst / 4 + 1u);
    auto other = echo();
    other[29] = 77;
    other[24] = other[25] = 0;
    put16(other, 24, checksum(&other[14], 20));
    world.receive(std::vector<Bytes>(100, other));
    world.take_punted();
    EXPECT_EQ(count(Exit::PuntIcmp), of_one + 100);
}

// With TTL 1, to the neighbor on the other port.
Bytes expiring() {
    auto f = to_us(kUdp, 26);
    f[31] = 2;
    f[33] = 2;
    f[22] = 1;
    f[24] = f[25] = 0;
    put16(f, 24, checksum(&f[14], 20));
    return f;
}
// Larger than the other port takes, and not to be fragmented.
Bytes too_big() {
    auto f = to_us(kUdp, 1300);
    f[20] = 0x40;
    f[31] = 2;
    f[33] = 2;
    f[24] = f[25] = 0;
    put16(f, 24, checksum(&f[14], 20));
    return f;
}

TEST_F(Policed, SendsNoErrorWhereNoneIsWantedAndAsManyAsAreAsItChanges) {
    ControlPlanePolicing rates;
    rates.icmp_errors = {0, 1};
    world.policing.limit(rates, kHz);
    world.receive(std::vector<Bytes>(20, expiring()));
    EXPECT_TRUE(world.take_sent().empty());
    rates.icmp_errors = {1000, 10};
    world.policing.limit(rates, kHz);
    world.receive(std::vector<Bytes>(20, expiring()));
    EXPECT_EQ(world.take_sent().size(), 10u);
}

TEST_F(Policed, AnswersTooBigAlsoDuringAFloodOfExpiringPackets) {
    world.set_mtu(1, 1280);
    ControlPlanePolicing rates;
    rates.icmp_errors = {100, 10};
    world.policing.limit(rates, kHz);
    world.receive(std::vector<Bytes>(200, expiring()));
    EXPECT_EQ(world.take_sent().size(), 10u);
    world.receive(std::vector<Bytes>(5, too_big()));
    EXPECT_EQ(world.take_sent().size(), 5u);
}

TEST_F(Policed, ForwardsBesideAFloodAsIfItWereNot) {
    auto through = to_us(kUdp, 26);
    // To the neighbor on the other port.
    through[31] = 2;
    through[33] = 2;
    through[24] = through[25] = 0;
    put16(through, 24, checksum(&through[14], 20));
    for (unsigned round = 0; round < 1000; ++round) {
        std::vector<Bytes> burst(32, echo());
        burst.insert(burst.end(), 32, through);
        world.receive(burst);
        EXPECT_EQ(world.take_sent().size(), 32u);
        world.take_punted();
    }
    EXPECT_LE(count(Exit::PuntIcmp), 16u);
}

}  // namespace
}  // namespace torii::dataplane
