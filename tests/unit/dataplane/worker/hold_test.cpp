// Packets to neighbors whose MAC is not known yet: what becomes of them.
#include <gtest/gtest.h>
#include <rte_ring.h>

#include "dataplane/packet/headers.hpp"
#include "dataplane/slow/slow_path.hpp"
#include "dataplane/worker/buffer_note.hpp"
#include "tests/support/packet_world.hpp"

namespace torii::dataplane {
namespace {

using support::Bytes;
using support::PacketWorld;
using Exits = std::map<std::string, std::uint64_t>;

constexpr std::uint64_t kHz = 1'000'000'000;

// From 10.1.0.2 to a host of 10.2.0.0/24 on the other port, which has no entry.
Bytes to(std::uint8_t host) {
    Bytes f(60, 0);
    const std::uint8_t head[]{2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 1, 1, 8, 0, 0x45, 0, 0, 46};
    std::copy(std::begin(head), std::end(head), f.begin());
    f[22] = 64;
    f[23] = kUdp;
    const std::uint8_t addresses[]{10, 1, 0, 2, 10, 2, 0, host};
    std::copy(std::begin(addresses), std::end(addresses), f.begin() + 26);
    const auto sum = checksum(&f[14], 20);
    f[24] = static_cast<std::uint8_t>(sum >> 8);
    f[25] = static_cast<std::uint8_t>(sum);
    return f;
}

struct Hold : testing::Test {
    PacketWorld world;
    const MacAddress there{{2, 0, 0, 0, 2, 9}};

    rte_mbuf* held() {
        void* m = nullptr;
        return rte_ring_dequeue(world.worker->hold, &m) == 0 ? static_cast<rte_mbuf*>(m) : nullptr;
    }
    // As control does when the neighbor has answered.
    void resume(rte_mbuf* m) {
        note(m).kind = BufferNote::Kind::Resumed;
        note(m).hop = 200;
        note(m).next = Hop::forward(there, {{2, 0, 0, 0, 0, 2}}, 1, 1500);
        injected(*world.worker, m);
    }
};

TEST_F(Hold, LeadsAPacketToItsNeighborAlsoWhereTheTableHasNoEntry) {
    world.receive(to(9));
    auto* m = held();
    ASSERT_NE(m, nullptr);
    resume(m);
    EXPECT_EQ(held(), nullptr);
    const auto sent = world.take_sent();
    ASSERT_EQ(sent.size(), 1u);
    EXPECT_EQ(sent[0].port, 1);
    EXPECT_EQ(Bytes(sent[0].frame.begin(), sent[0].frame.begin() + 6),
              Bytes(there.bytes.begin(), there.bytes.end()));
    EXPECT_EQ(sent[0].frame[22], 63);
    EXPECT_EQ(world.worker->counters.hops[200].packets, 1u);
    EXPECT_EQ(world.worker->counters.held, world.worker->counters.resumed);
}

TEST_F(Hold, SendsNoGuardedPacketBackToItsSource) {
    world.receive(to(9));
    auto* m = held();
    ASSERT_NE(m, nullptr);
    note(m).guarded = true;
    note(m).kind = BufferNote::Kind::Resumed;
    note(m).hop = 200;
    note(m).next = Hop::forward({{2, 0, 0, 0, 1, 1}}, {{2, 0, 0, 0, 0, 1}}, 0, 1500);
    injected(*world.worker, m);
    EXPECT_TRUE(world.take_sent().empty());
    EXPECT_EQ(world.exits(), (Exits{{"loop_guard", 1}}));
}

TEST_F(Hold, LimitsWhatAScanHandsOverAndNotWhatANextHopWaitsFor) {
    world.worker->now = 10 * kHz;
    world.policing.glean[1].limit({100, 16}, kHz);
    const HopId waits = 300;
    world.hop(waits, Hop::of(HopKind::Hold, 5, 1));
    world.fib4.set(0x0a020000 | 77, 32, waits);
    std::vector<Bytes> scan;
    for (int n = 0; n < 64; ++n) scan.push_back(to(static_cast<std::uint8_t>(100 + n)));
    world.receive(scan);
    EXPECT_EQ(world.exits(), (Exits{{"hold_policed", 48}}));
    world.receive(std::vector<Bytes>(32, to(77)));
    EXPECT_EQ(world.exits(), (Exits{{"hold_policed", 48}}));
    EXPECT_EQ(world.worker->counters.held, 16u + 32u);
    world.drop_held();
}

}  // namespace
}  // namespace torii::dataplane
