// Bursts of ordinary packets, of every size and mixture: each packet leaves once, as its
// destination's hop says, in the order of its port.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <random>

#include "dataplane/packet/headers.hpp"
#include "tests/support/packet_world.hpp"

namespace torii::dataplane {
namespace {

using support::Bytes;
using support::PacketWorld;

constexpr unsigned kWays = 12;  // of each family; they leave by two ports in turn

constexpr PortIndex port_of(unsigned way) {
    return static_cast<PortIndex>(way % 2);
}
MacAddress mac_of(unsigned way) {
    return {{2, 0xbb, 0, 0, 0, static_cast<std::uint8_t>(way)}};
}

// A packet that goes a way: to a pod's prefix, to one within it, or to no known one.
std::uint32_t destination4(unsigned way, std::uint32_t random) {
    if (way == kWays - 1) return 0x08000000 | (random & 0xffffff);
    const std::uint32_t net = 0x0b000000 | way << 8;
    return way % 3 == 0 ? net | (random & 0xff) : net | 7;
}
Ip6 destination6(unsigned way, std::uint64_t random) {
    if (way == kWays - 1) return {0x2a00'0000'0000'0000 | random >> 8, random};
    const Ip6 net{0xfd00'0000'0001'0000 | way, 0};
    if (way % 3 == 0) return {net.high, random};
    return {net.high, 0x7700 | (random & 0xff)};
}

struct World : PacketWorld {
    explicit World(LookupKind kind) : PacketWorld{kind} {
        for (unsigned way = 0; way < kWays; ++way) {
            const auto id = hops.take();
            hop(id, Hop::forward(mac_of(way), {{2, 0, 0, 0, 0, 9}}, port_of(way), 1500));
            ids.push_back(id);
            if (way == kWays - 1) {
                fib4.set(0, 0, id);
                fib6.set({}, 0, id);
                continue;
            }
            const auto to4 = destination4(way, 0);
            const auto to6 = destination6(way, 0);
            fib4.set(to4, way % 3 == 0 ? 24 : 32, id);
            fib6.set(to6, way % 3 == 0 ? 64 : 120, id);
        }
    }
    std::vector<HopId> ids;
};

Bytes frame4(std::uint32_t to, unsigned number) {
    Bytes f{2, 0, 0, 0, 0, 1, 2, 0xcc, 0, 0, 0, 1, 8, 0};
    f.resize(64);
    auto* ip = &f[kEtherHeader];
    ip[0] = 0x45;
    write16(ip + 2, 50);
    write16(ip + 4, number);
    ip[8] = 64;
    ip[9] = kUdp;
    write32(ip + 12, 0xc6120001);  // all by one that the filter of our own lets pass
    write32(ip + 16, to);
    write16(ip + 10, checksum(ip, kIp4Header));
    return f;
}
Bytes frame6(const Ip6& to, unsigned number) {
    Bytes f{2, 0, 0, 0, 0, 1, 2, 0xcc, 0, 0, 0, 1, 0x86, 0xdd};
    f.resize(64);
    auto* ip = &f[kEtherHeader];
    ip[0] = 0x60;
    write16(ip + 4, 10);
    ip[6] = kUdp;
    ip[7] = 64;
    write32(ip + 8, 0x20010db8);
    write32(ip + 20, 0x40000001);
    write16(ip + 2, number);  // the flow label
    const std::uint64_t words[] = {__builtin_bswap64(to.high), __builtin_bswap64(to.low)};
    std::memcpy(ip + 24, words, sizeof words);
    return f;
}

// As the frame has to leave.
Bytes forwarded(Bytes frame, unsigned way) {
    std::copy_n(mac_of(way).bytes.begin(), 6, frame.begin());
    const Bytes ours{2, 0, 0, 0, 0, 9};
    std::ranges::copy(ours, frame.begin() + 6);
    if (frame[12] == 8) {
        --frame[22];
        write16(&frame[24], 0);
        write16(&frame[24], checksum(&frame[14], kIp4Header));
    } else {
        --frame[21];
    }
    return frame;
}

class Bursts : public testing::TestWithParam<LookupKind> {};

TEST_P(Bursts, LeaveAsTheirHopsSay) {
    World world{GetParam()};
    std::mt19937_64 random{5};
    std::vector<std::uint64_t> counted(kWays);
    unsigned number = 0;
    for (unsigned round = 0; round < 600; ++round) {
        const unsigned size =
            round % 3 == 0 ? kBurst : 1 + static_cast<unsigned>(random() % kBurst);
        // All one way, one family by many ways, or all there is.
        const unsigned only = static_cast<unsigned>(random() % kWays);
        const auto mixture = random() % 4;
        const bool family = random() % 2 != 0;
        world.set_hardware_checksum(random() % 2 != 0);
        std::vector<Bytes> burst, expected[2];
        for (unsigned i = 0; i < size; ++i) {
            const unsigned way = mixture == 0 ? only : static_cast<unsigned>(random() % kWays);
            const bool ip6 = mixture == 3 ? random() % 2 != 0 : family;
            ++number;
            burst.push_back(ip6 ? frame6(destination6(way, random()), number)
                                : frame4(destination4(way, static_cast<std::uint32_t>(random())),
                                         number % 60'000));
            // In a mixed burst the family of its first packet goes first.
            expected[port_of(way)].push_back(forwarded(burst.back(), way));
            ++counted[way];
        }
        std::vector<Bytes> in_order[2];
        for (const bool first : {true, false})
            for (PortIndex port = 0; port < 2; ++port)
                for (const auto& frame : expected[port])
                    if ((frame[12] == burst.front()[12]) == first) in_order[port].push_back(frame);
        world.receive(burst);
        std::vector<Bytes> sent[2];
        for (auto& s : world.take_sent()) sent[s.port].push_back(std::move(s.frame));
        ASSERT_EQ(sent[0], in_order[0]) << "round " << round << ", " << size << " packets";
        ASSERT_EQ(sent[1], in_order[1]) << "round " << round << ", " << size << " packets";
        ASSERT_TRUE(world.exits().empty());
    }
    for (unsigned way = 0; way < kWays; ++way) {
        EXPECT_EQ(world.worker->counters.hops[world.ids[way]].packets, counted[way]);
        EXPECT_EQ(world.worker->counters.hops[world.ids[way]].bytes, counted[way] * 50);
    }
}

// One odd packet in a burst, wherever it is, takes its own way out; the others go on.
TEST_P(Bursts, AnOddPacketStopsNoOther) {
    World world{GetParam()};
    for (const bool ip6 : {false, true})
        for (unsigned odd = 0; odd < kBurst; ++odd) {
            std::vector<Bytes> burst, expected;
            for (unsigned i = 0; i < kBurst; ++i) {
                burst.push_back(ip6 ? frame6(destination6(4, i), i)
                                    : frame4(destination4(4, i), i));
                if (i == odd)
                    burst.back()[ip6 ? 22 : 26] = ip6 ? 0xff : 127;  // a source that none may have
                else
                    expected.push_back(forwarded(burst.back(), 4));
            }
            world.set_hardware_checksum(odd % 2 != 0);
            if (!ip6) {
                auto* ip = &burst[odd][kEtherHeader];
                write16(ip + 10, 0);
                write16(ip + 10, checksum(ip, kIp4Header));
            }
            world.receive(burst);
            std::vector<Bytes> sent;
            for (auto& s : world.take_sent()) sent.push_back(std::move(s.frame));
            ASSERT_EQ(sent, expected) << odd;
            ASSERT_EQ(world.exits().size(), 1u + ip6);
        }
}

// The second burst of both families is divided beforehand.
TEST_P(Bursts, AnOddPacketStopsNoOtherOfEitherFamily) {
    for (const bool odd_is_ip6 : {false, true}) {
        World world{GetParam()};
        for (unsigned odd = odd_is_ip6; odd < kBurst; odd += 2) {
            std::vector<Bytes> burst, expected;
            for (unsigned i = 0; i < kBurst; ++i) {
                burst.push_back(i % 2 != 0 ? frame6(destination6(4, i), i)
                                           : frame4(destination4(4, i), i));
                if (i == odd)
                    burst.back()[14] = 0x10;  // a version that there is not
                else
                    expected.push_back(forwarded(burst.back(), 4));
            }
            world.receive(burst);
            std::vector<Bytes> sent;
            for (auto& s : world.take_sent()) sent.push_back(std::move(s.frame));
            std::ranges::sort(sent);
            std::ranges::sort(expected);
            ASSERT_EQ(sent == expected, true) << odd;
            ASSERT_EQ(world.exits().size(), 1u);
        }
    }
}

INSTANTIATE_TEST_SUITE_P(InstructionSets, Bursts,
                         testing::Values(LookupKind::Scalar, LookupKind::Avx2, LookupKind::Avx512));

}  // namespace
}  // namespace torii::dataplane
