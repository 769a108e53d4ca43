// How packets are handed to devices: by queues that workers share, and with what some drivers do
// beforehand alone.
#include <gtest/gtest.h>
#include <rte_ethdev.h>

#include "dataplane/packet/headers.hpp"
#include "tests/support/packet_world.hpp"

namespace torii::dataplane {
namespace {

using support::Bytes;
using support::PacketWorld;
using Tags = PacketWorld::Tags;

// From `from` to `to`, not to be fragmented.
Bytes frame(std::uint32_t from, std::uint32_t to, std::uint16_t length = 46) {
    Bytes f(kEtherHeader + length, 0);
    const std::uint8_t head[]{2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 1, 1, 8, 0, 0x45};
    std::copy(std::begin(head), std::end(head), f.begin());
    write16(&f[16], length);
    write16(&f[20], 0x4000);
    f[22] = 64;
    f[23] = kUdp;
    write32(&f[26], from);
    write32(&f[30], to);
    write16(&f[24], checksum(&f[14], kIp4Header));
    return f;
}
constexpr std::uint32_t kHost = 0x0a010002, kThere = 0x0a020002;

TEST(Transmit, SharesAQueueWhereADeviceHasFewerThanWorkers) {
    PacketWorld world;
    world.share_transmit_queues(1);
    world.worker->id = 7;
    world.receive(std::vector<Bytes>(64, frame(kHost, kThere)));
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
    world.receive(std::vector<Bytes>(64, frame(kHost, kThere)));
    EXPECT_EQ(world.take_sent().size(), 64u);
    EXPECT_EQ(prepared, 64u);
    rte_eth_fp_ops[0].tx_pkt_prepare = before;
}

}  // namespace
}  // namespace torii::dataplane
