// Sub-ports: which frames are theirs, what becomes of the others, and the tags of what
// leaves. VLAN 100 and 200 of one device, a router on a stick.
#include <gtest/gtest.h>
#include <rte_ring.h>

#include "dataplane/packet/headers.hpp"
#include "dataplane/slow/slow_path.hpp"
#include "dataplane/worker/buffer_note.hpp"
#include "dataplane/worker/vlan.hpp"
#include "tests/support/packet_world.hpp"

namespace torii::dataplane {
namespace {

using support::Bytes;
using support::PacketWorld;
using Tags = PacketWorld::Tags;
using Exits = std::map<std::string, std::uint64_t>;

constexpr PortIndex kTrunk = PacketWorld::kTrunk;

// UDP from the neighbor 10.1.0.2 on VLAN 100 to somebody, with a payload of so many octets.
Bytes packet(std::uint32_t to, std::uint8_t ttl = 64, std::uint16_t payload = 18) {
    Bytes f(42u + payload, 0);
    const std::uint8_t head[]{2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 1, 1, 8, 0, 0x45};
    std::copy(std::begin(head), std::end(head), f.begin());
    write16(&f[16], 28u + payload);
    f[22] = ttl;
    f[23] = kUdp;
    write32(&f[26], 0x0a010002);
    write32(&f[30], to);
    write16(&f[24], checksum(&f[14], 20));
    write16(&f[38], 8u + payload);
    return f;
}
constexpr std::uint32_t kThere = 0x0a020002;  // the neighbor on VLAN 200

Bytes tagged(Bytes frame, std::uint32_t tag) {
    std::uint8_t octets[4];
    write32(octets, tag);
    frame.insert(frame.begin() + 12, octets, octets + 4);
    return frame;
}
constexpr std::uint32_t kVlan100 = 0x81000064, kVlan200 = 0x810000c8;

struct VlanTest : testing::TestWithParam<Tags> {
    PacketWorld world{LookupKind::Auto, GetParam()};

    // A burst as it is on the link, in the way of the world.
    void link(const std::vector<Bytes>& frames) { world.receive(frames, kTrunk); }
};

TEST_P(VlanTest, RoutesBetweenTwoSubPortsOfOneDevice) {
    world.receive(packet(kThere));
    const auto sent = world.take_sent();
    ASSERT_EQ(sent.size(), 1u);
    EXPECT_EQ(sent[0].port, 1);
    EXPECT_EQ(Bytes(sent[0].frame.begin(), sent[0].frame.begin() + 14),
              (Bytes{2, 0, 0, 0, 2, 1, 2, 0, 0, 0, 0, 2, 8, 0}));
    EXPECT_EQ(sent[0].frame.size(), 60u);
    EXPECT_EQ(world.worker->counters.rx[0].packets, 1u);
    EXPECT_EQ(world.worker->counters.rx[kTrunk].packets, 0u);
    EXPECT_EQ(world.worker->counters.tx[1].packets, 1u);
    // As they came in: without the tag.
    EXPECT_EQ(world.worker->counters.rx[0].bytes, 60u);
    EXPECT_EQ(world.worker->counters.tx[1].bytes, 60u);
}

TEST_P(VlanTest, KeepsTheOrderOfEachSubPortInABurstOfAllKinds) {
    std::vector<Bytes> burst;
    for (std::uint8_t i = 0; i < 60; ++i) {
        auto f = packet(i % 3 == 1 ? 0x0a010002 : kThere);
        f.back() = i;
        // Of VLAN 100, of VLAN 200 (to its MAC), without a tag, of a VLAN that is nobody's.
        if (i % 3 == 1) f[5] = 2;
        burst.push_back(i % 20 == 19 ? tagged(f, 0x81000065)
                                     : tagged(f, i % 3 == 1 ? kVlan200 : kVlan100));
    }
    link(burst);
    EXPECT_EQ(world.exits(), (Exits{{"l2_unknown_vlan", 3}}));
    std::uint8_t last[2] = {0, 0};
    const auto sent = world.take_sent();
    EXPECT_EQ(sent.size(), 57u);
    for (const auto& s : sent) {
        ASSERT_LT(s.port, 2);
        EXPECT_TRUE(last[s.port] == 0 || s.frame.back() > last[s.port]);
        last[s.port] = s.frame.back();
    }
    EXPECT_EQ(world.worker->counters.rx[0].packets + world.worker->counters.rx[1].packets, 57u);
    EXPECT_EQ(world.worker->counters.rx[kTrunk].packets, 3u);
}

// A whole burst takes another way than single packets: without a transmit buffer.
TEST_P(VlanTest, TagsAFullBurst) {
    world.receive(std::vector<Bytes>(64, packet(kThere)));
    const auto sent = world.take_sent();
    ASSERT_EQ(sent.size(), 64u);
    for (const auto& s : sent) EXPECT_EQ(s.port, 1);
    EXPECT_EQ(world.worker->counters.tx[1].bytes, 64 * 60u);
}

TEST_P(VlanTest, CountsWhatADeviceDidNotTakeWithoutTags) {
    const auto before = world.buffers_in_use();
    world.set_room(10);
    world.receive(std::vector<Bytes>(64, packet(kThere)));
    EXPECT_EQ(world.take_sent().size(), 10u);
    EXPECT_EQ(world.exits(), (Exits{{"tx_full", 54}}));
    EXPECT_EQ(world.worker->counters.tx[1].packets, 10u);
    EXPECT_EQ(world.worker->counters.tx[1].bytes, 600u);
    EXPECT_EQ(world.buffers_in_use(), before);
}

TEST_P(VlanTest, WhatIsNoSubPortsLeavesByItsExit) {
    const auto good = packet(kThere);
    const std::vector<std::pair<Bytes, std::string>> cases{
        {tagged(good, 0x81000065), "l2_unknown_vlan"},
        {tagged(good, 0x8100e065), "l2_unknown_vlan"},
        {tagged(good, 0x81000fff), "l2_bad_vlan"},
        {tagged(tagged(good, kVlan200), kVlan100), "l2_double_tag"},
        {tagged(tagged(good, 0x81000000), kVlan100), "l2_double_tag"},
        {tagged(tagged(good, kVlan100), 0x81000000), "l2_double_tag"},
        {tagged(tagged(good, kVlan100), 0x88a80064), "l2_unknown_type"},
    };
    Exits expected;
    for (const auto& [frame, exit] : cases) {
        ++expected[exit];
        link({frame});
        EXPECT_EQ(world.exits(), expected);
    }
    EXPECT_TRUE(world.take_sent().empty());
    EXPECT_EQ(world.received(), cases.size());
}

TEST_P(VlanTest, ATagThatIsCutIsARunt) {
    for (std::size_t length = 14; length < 18; ++length) {
        auto frame = tagged(packet(kThere), kVlan100);
        frame.resize(length);
        link({frame});
    }
    EXPECT_EQ(world.exits(), (Exits{{"rx_runt", 4}}));
}

// IEEE 802.1Q §6.9: a priority is no VLAN; the frame is the parent's own.
TEST_P(VlanTest, APriorityTagIsNone) {
    link({tagged(packet(kThere), 0x8100e000), packet(kThere)});
    EXPECT_EQ(world.take_sent().size(), 2u);
    EXPECT_EQ(world.worker->counters.rx[kTrunk].packets, 2u);
}

TEST_P(VlanTest, AnIcmpErrorGoesBackByTheSubPort) {
    world.receive(packet(kThere, 1));
    const auto sent = world.take_sent();
    ASSERT_EQ(sent.size(), 1u);
    EXPECT_EQ(sent[0].port, 0);
    EXPECT_EQ(read32(&sent[0].frame[26]), 0x0a010001u);
    EXPECT_EQ(sent[0].frame[34], 11);
}

TEST_P(VlanTest, FragmentsCarryTheTag) {
    world.set_mtu(1, 1400);
    world.receive(packet(kThere, 64, 1472));
    const auto sent = world.take_sent();
    ASSERT_EQ(sent.size(), 2u);
    for (const auto& s : sent) EXPECT_EQ(s.port, 1);
}

TEST_P(VlanTest, AHeldPacketLeavesByTheSubPortOnceItIsResolved) {
    world.receive(packet(0x0a02004d));
    EXPECT_TRUE(world.take_sent().empty());
    void* held = nullptr;
    ASSERT_EQ(rte_ring_dequeue(world.worker->hold, &held), 0);
    auto* m = static_cast<rte_mbuf*>(held);
    EXPECT_EQ(note(m).port, 0);
    EXPECT_EQ(note(m).out_port, 1);
    note(m).hop = world.hops.take();
    note(m).next = Hop::forward({{2, 0, 0, 0, 2, 0x4d}}, {{2, 0, 0, 0, 0, 2}}, 1, 1500);
    note(m).kind = BufferNote::Kind::Resumed;
    injected(*world.worker, m);
    const auto sent = world.take_sent();
    ASSERT_EQ(sent.size(), 1u);
    EXPECT_EQ(sent[0].port, 1);
    EXPECT_EQ(sent[0].frame[5], 0x4d);
}

// A ping to us, and the kernel's answer by the sub-port's twin.
TEST_P(VlanTest, TheKernelSeesAndSendsFramesWithoutTags) {
    auto echo = packet(0x0a010001);
    echo[23] = kIcmp;
    write16(&echo[24], 0);
    write16(&echo[24], checksum(&echo[14], 20));
    std::fill(echo.begin() + 34, echo.end(), std::uint8_t{0});
    echo[34] = 8;
    write16(&echo[36], checksum(&echo[34], echo.size() - 34));
    world.receive(echo);
    void* punted = nullptr;
    ASSERT_EQ(
        rte_ring_dequeue(world.worker->punt[static_cast<std::size_t>(PuntClass::Icmp)], &punted),
        0);
    auto* m = static_cast<rte_mbuf*>(punted);
    EXPECT_EQ(note(m).port, 0);
    EXPECT_EQ(m->pkt_len, echo.size());
    EXPECT_EQ(std::memcmp(rte_pktmbuf_mtod(m, void*), echo.data(), echo.size()), 0);
    // What its twin sends goes out by the same sub-port.
    note(m).kind = BufferNote::Kind::KernelFrame;
    injected(*world.worker, m);
    const auto sent = world.take_sent();
    ASSERT_EQ(sent.size(), 1u);
    EXPECT_EQ(sent[0].port, 0);
    EXPECT_EQ(sent[0].frame, echo);
}

// What the port itself cannot see behind a tag the worker drops.
TEST_P(VlanTest, AListedSourceIsDroppedBehindATag) {
    const std::vector<Prefix> listed{*Prefix::parse("10.1.0.0/24")};
    world.drop_sources(listed);
    world.receive(packet(kThere));
    link({tagged(packet(kThere), 0x8100e000)});
    EXPECT_EQ(world.exits(), (Exits{{"drop_list", 2}}));
}

// A device needs none.
TEST_P(VlanTest, AFrameWithoutRoomForTheTagIsCounted) {
    auto* m = rte_pktmbuf_alloc(world.worker->pool);
    std::memset(rte_pktmbuf_append(m, 60), 0, 60);
    rte_pktmbuf_prepend(m, static_cast<std::uint16_t>(rte_pktmbuf_headroom(m)));
    const auto length = m->pkt_len;
    note(m).kind = BufferNote::Kind::KernelFrame;
    note(m).port = 1;
    injected(*world.worker, m);
    const bool leaves = GetParam() == Tags::ByDevice;
    EXPECT_EQ(world.take_sent().size(), leaves ? 1u : 0u);
    EXPECT_EQ(world.exits(), leaves ? Exits{} : (Exits{{"no_buffer", 1}}));
    EXPECT_EQ(world.worker->counters.tx[1].packets, leaves ? 1u : 0u);
    EXPECT_EQ(world.worker->counters.tx[1].bytes, leaves ? length : 0u);
}

INSTANTIATE_TEST_SUITE_P(WaysOfTagging, VlanTest, testing::Values(Tags::InFrames, Tags::ByDevice));

}  // namespace
}  // namespace torii::dataplane
