// A port that is shut down passes nothing in or out, whatever its tables hold.
#include <gtest/gtest.h>

#include "dataplane/packet/headers.hpp"
#include "dataplane/slow/slow_path.hpp"
#include "dataplane/worker/buffer_note.hpp"
#include "tests/support/packet_cases.hpp"
#include "tests/support/packet_world.hpp"

namespace torii::dataplane {
namespace {

using support::Bytes;
using support::PacketWorld;
using Exits = std::map<std::string, std::uint64_t>;
using Tags = PacketWorld::Tags;

// From 10.1.0.2 to 10.2.0.2 on the other port.
Bytes through() {
    Bytes f(60, 0);
    const std::uint8_t head[]{2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 1, 1, 8, 0, 0x45, 0, 0, 46};
    std::copy(std::begin(head), std::end(head), f.begin());
    f[22] = 64;
    f[23] = kUdp;
    const std::uint8_t addresses[]{10, 1, 0, 2, 10, 2, 0, 2};
    std::copy(std::begin(addresses), std::end(addresses), f.begin() + 26);
    const auto sum = checksum(&f[14], 20);
    f[24] = static_cast<std::uint8_t>(sum >> 8);
    f[25] = static_cast<std::uint8_t>(sum);
    return f;
}

// Who has 10.1.0.1, asked by 10.1.0.2.
Bytes arp() {
    Bytes f(60, 0);
    const std::uint8_t head[]{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2, 0, 0, 0, 1,  1, 8, 6,
                              0,    1,    8,    0,    6,    4,    0, 1, 2, 0, 0,  0, 1, 1,
                              10,   1,    0,    2,    0,    0,    0, 0, 0, 0, 10, 1, 0, 1};
    std::copy(std::begin(head), std::end(head), f.begin());
    return f;
}

struct Shut : testing::TestWithParam<Tags> {
    PacketWorld world{LookupKind::Auto, GetParam()};
};

TEST_P(Shut, TakesNothingIn) {
    const auto before = world.buffers_in_use();
    world.set_shut(0, true);
    world.receive({std::vector<Bytes>(64, through())});
    world.receive(arp());
    EXPECT_TRUE(world.take_sent().empty());
    EXPECT_TRUE(world.take_punted().empty());
    EXPECT_EQ(world.exits(), (Exits{{"port_shut", 65}}));
    EXPECT_EQ(world.received(), 65u);
    EXPECT_EQ(world.buffers_in_use(), before);
}

TEST_P(Shut, LetsNothingOut) {
    const auto before = world.buffers_in_use();
    world.set_shut(1, true);
    world.receive({std::vector<Bytes>(64, through())});
    world.receive(through());
    EXPECT_TRUE(world.take_sent().empty());
    EXPECT_EQ(world.exits(), (Exits{{"port_shut", 65}}));
    EXPECT_EQ(world.transmitted(), 0u);
    EXPECT_EQ(world.buffers_in_use(), before);
    // What the kernel sends by its twin neither.
    auto* m = rte_pktmbuf_alloc(world.worker->pool);
    ASSERT_NE(m, nullptr);
    std::memset(rte_pktmbuf_append(m, 60), 0, 60);
    note(m).kind = BufferNote::Kind::KernelFrame;
    note(m).port = 1;
    injected(*world.worker, m);
    EXPECT_TRUE(world.take_sent().empty());
    EXPECT_EQ(world.exits(), (Exits{{"port_shut", 66}}));
}

TEST_P(Shut, IsBackAtOnce) {
    world.set_shut(0, true);
    world.set_shut(1, true);
    world.receive(through());
    world.set_shut(0, false);
    world.set_shut(1, false);
    world.receive(through());
    EXPECT_EQ(world.take_sent().size(), 1u);
    EXPECT_EQ(world.exits(), (Exits{{"port_shut", 1}}));
}

INSTANTIATE_TEST_SUITE_P(PortsAndSubPorts, Shut,
                         testing::Values(Tags::None, Tags::InFrames, Tags::ByDevice));

TEST(ShutTrunk, TakesItsSubPortsAlong) {
    PacketWorld world{LookupKind::Auto, Tags::InFrames};
    world.set_shut(PacketWorld::kTrunk, true);
    world.receive(through());
    EXPECT_TRUE(world.take_sent().empty());
    EXPECT_EQ(world.exits(), (Exits{{"port_shut", 1}}));
}

}  // namespace
}  // namespace torii::dataplane
