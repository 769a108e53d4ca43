// Strict reverse path filtering (RFC 3704 §2.2): ordinary packets stay in the fast lane.
#include <gtest/gtest.h>

#include "dataplane/packet/headers.hpp"
#include "tests/support/packet_world.hpp"

namespace torii::dataplane {
namespace {

using support::Bytes;
using support::PacketWorld;
using Exits = std::map<std::string, std::uint64_t>;

// From a source by port 0 to the neighbor on port 1.
Bytes from(std::uint32_t source) {
    Bytes f(60, 0);
    const std::uint8_t head[]{2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 1, 1, 8, 0, 0x45, 0, 0, 46};
    std::copy(std::begin(head), std::end(head), f.begin());
    f[22] = 64;
    f[23] = kUdp;
    write32(&f[26], source);
    write32(&f[30], 0x0a020002);
    write16(&f[24], checksum(&f[14], 20));
    return f;
}

class ReversePath : public testing::TestWithParam<LookupKind> {
protected:
    PacketWorld world{GetParam()};
    BucketTablePtr table = make_buckets(64);

    ReversePath() { world.set_strict_rpf(0, true); }
    void group(std::uint32_t network, std::initializer_list<PortIndex> ports) {
        for (const auto port : ports) table->ports = table->ports | std::uint64_t{1} << port;
        const auto hop = world.hops.take();
        world.hop(hop, Hop::group(table.get()));
        world.fib4.set(network, 24, hop);
    }
};

TEST_P(ReversePath, KeepsWhatComesTheWayThatLeadsBack) {
    group(0x0a640000, {0, 1});
    std::vector<Bytes> burst(32, from(0x0a010002));
    burst.insert(burst.end(), 32, from(0x0a640005));
    world.receive(burst);
    EXPECT_EQ(world.take_sent().size(), 64u);
    EXPECT_EQ(world.worker->counters.slow[0], 0u);
    EXPECT_EQ(world.received(), 64u);
}

TEST_P(ReversePath, DropsTheRestOfABurstAlone) {
    group(0x0a650000, {1});
    std::vector<Bytes> burst(61, from(0x0a010002));
    burst.push_back(from(0x0a650005));
    burst.push_back(from(0x0a020002));
    burst.push_back(from(0x0b000001));
    world.receive(burst);
    EXPECT_EQ(world.take_sent().size(), 61u);
    EXPECT_EQ(world.exits(), (Exits{{"urpf", 3}}));
    EXPECT_EQ(world.received(), 64u);
}

INSTANTIATE_TEST_SUITE_P(InstructionSets, ReversePath,
                         testing::Values(LookupKind::Scalar, LookupKind::Avx2, LookupKind::Avx512));

}  // namespace
}  // namespace torii::dataplane
