// How packets are handed to devices: by queues that workers share, and with what some drivers do
// beforehand alone.
#include <gtest/gtest.h>
#include <rte_ethdev.h>

#include "tests/support/packet_world.hpp"
#include "tests/support/udp_frame.hpp"

namespace torii::dataplane {
namespace {

using support::Bytes;
using support::PacketWorld;
using support::udp_frame;
using Tags = PacketWorld::Tags;

constexpr std::uint32_t kHost = 0x0a010002, kThere = 0x0a020002;

TEST(Transmit, SharesAQueueWhereADeviceHasFewerThanWorkers) {
    PacketWorld world;
    world.share_transmit_queues(1);
    world.worker->id = 7;
    world.receive(std::vector<Bytes>(64, udp_frame(kHost, kThere)));
    EXPECT_EQ(world.take_sent().size(), 64u);
    world.worker->id = 0;
}

unsigned prepared;

TEST(Transmit, HasTheDriverPrepareTheTagsThatItInserts) {
    PacketWorld world{LookupKind::Auto, Tags::ByDevice};
    const auto before = rte_eth_fp_ops[0].tx_pkt_prepare;
    prepared = 0;
    rte_eth_fp_ops[0].tx_pkt_prepare = [](void*, rte_mbuf** packets, std::uint16_t n) {
        for (std::uint16_t i = 0; i < n; ++i)
            prepared += (packets[i]->ol_flags & RTE_MBUF_F_TX_VLAN) != 0;
        return n;
    };
    world.receive(std::vector<Bytes>(64, udp_frame(kHost, kThere)));
    EXPECT_EQ(world.take_sent().size(), 64u);
    EXPECT_EQ(prepared, 64u);
    rte_eth_fp_ops[0].tx_pkt_prepare = before;
}

}  // namespace
}  // namespace torii::dataplane
