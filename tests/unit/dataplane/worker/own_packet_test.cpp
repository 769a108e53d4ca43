// What becomes of packets of our own kernel that cannot leave.
#include <gtest/gtest.h>
#include <rte_ring.h>

#include "dataplane/packet/headers.hpp"
#include "dataplane/slow/slow_path.hpp"
#include "dataplane/worker/buffer_note.hpp"
#include "tests/support/packet_world.hpp"
#include "tests/support/udp_frame.hpp"

namespace torii::dataplane {
namespace {

using support::Bytes;
using support::PacketWorld;
using support::udp_frame;
using Exits = std::map<std::string, std::uint64_t>;

constexpr std::uint32_t kUs = 0x0a010001, kThere = 0x0a020002;

// What the kernel gets about a packet of its own.
struct OwnPacket : testing::Test {
    PacketWorld world;

    rte_mbuf* report(const Bytes& sent) {
        auto* m = rte_pktmbuf_alloc(world.worker->pool);
        std::copy(sent.begin(), sent.end(),
                  reinterpret_cast<std::uint8_t*>(
                      rte_pktmbuf_append(m, static_cast<std::uint16_t>(sent.size()))));
        note(m).kind = BufferNote::Kind::KernelPacket;
        note(m).port = kFromKernel;
        injected(*world.worker, m);
        void* got = nullptr;
        auto* ring = world.worker->punt[static_cast<std::size_t>(PuntClass::Icmp)];
        return rte_ring_dequeue(ring, &got) == 0 ? static_cast<rte_mbuf*>(got) : nullptr;
    }
};

TEST_F(OwnPacket, ThatIsTooBigIsReportedToTheKernelWithTheMtuOfItsPath) {
    world.set_mtu(1, 1400);
    auto* m = report(udp_frame(kUs, kThere, 1500));
    ASSERT_NE(m, nullptr);
    EXPECT_EQ(note(m).port, kFromKernel);
    const auto* ip = rte_pktmbuf_mtod(m, const std::uint8_t*);
    EXPECT_EQ(ip[0], 0x45);
    EXPECT_EQ(ip[9], kIcmp);
    EXPECT_EQ(read32(ip + 12), kThere);
    EXPECT_EQ(read32(ip + 16), kUs);
    EXPECT_EQ(read16(ip + 20), 0x0304);
    EXPECT_EQ(read16(ip + 26), 1400);
    rte_pktmbuf_free(m);
    EXPECT_EQ(world.exits(), (Exits{{"ip4_too_big", 1}}));
}

TEST_F(OwnPacket, WithoutARouteIsReportedToTheKernel) {
    auto* m = report(udp_frame(kUs, 0xc0000201));
    ASSERT_NE(m, nullptr);
    EXPECT_EQ(read16(rte_pktmbuf_mtod(m, const std::uint8_t*) + 20), 0x0300);
    rte_pktmbuf_free(m);
}

TEST_F(OwnPacket, ThatIsAnIcmpErrorIsReportedToNobody) {
    auto error = udp_frame(kUs, 0xc0000201);
    error[23] = kIcmp;
    error[34] = 3;
    write16(&error[24], 0);
    write16(&error[24], checksum(&error[14], kIp4Header));
    EXPECT_EQ(report(error), nullptr);
}

}  // namespace
}  // namespace torii::dataplane
