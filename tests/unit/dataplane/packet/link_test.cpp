// What passes between the gateway and its links alone: ARP, neighbor discovery, MLD, 169.254/16.
#include <gtest/gtest.h>

#include "dataplane/packet/headers.hpp"
#include "dataplane/packet/inspect.hpp"
#include "tests/support/packet_world.hpp"

namespace torii::dataplane {
namespace {

using support::Bytes;
using support::PacketWorld;
using Exits = std::map<std::string, std::uint64_t>;

IpAddress ip(const char* text) {
    return *IpAddress::parse(text);
}
const MacAddress kOurs{{2, 0, 0, 0, 0, 1}};
const std::vector<PortAddress> kAddresses{{ip("192.0.2.1"), 24}, {ip("2001:db8:1::1"), 64}};

Exit arp(std::uint16_t operation, const char* sender, const char* target) {
    Bytes f{0, 1, 8, 0, 6, 4, 0, static_cast<std::uint8_t>(operation), 2, 0, 0, 0, 1, 1};
    const auto append = [&](const IpAddress& a) {
        for (std::size_t i = 0; i < 4; ++i) f.push_back(a.byte(i));
    };
    append(ip(sender));
    f.insert(f.end(), 6, 0);
    append(ip(target));
    return inspect_arp(f, kOurs, kAddresses);
}

TEST(Arp, AnswersWhoeverAsksForUs) {
    EXPECT_EQ(arp(1, "192.0.2.11", "192.0.2.1"), Exit::PuntNeighbor);
    EXPECT_EQ(arp(1, "198.51.100.10", "192.0.2.1"), Exit::PuntNeighbor);  // a service address
    EXPECT_EQ(arp(1, "0.0.0.0", "192.0.2.1"), Exit::PuntNeighbor);        // a probe
}

TEST(Arp, TakesTheAnswerOfAGatewayOutsideOfOurNetworks) {
    EXPECT_EQ(arp(2, "172.31.1.1", "192.0.2.1"), Exit::PuntNeighbor);
    EXPECT_EQ(arp(2, "172.31.1.1", "172.31.1.1"), Exit::ArpBad);
    EXPECT_EQ(arp(1, "172.31.1.1", "172.31.1.1"), Exit::ArpBad);
}

TEST(Arp, FollowsAnAddressThatMovesWithinTheNetwork) {
    EXPECT_EQ(arp(1, "192.0.2.50", "192.0.2.50"), Exit::PuntNeighbor);
    EXPECT_EQ(arp(2, "192.0.2.50", "192.0.2.50"), Exit::PuntNeighbor);
    EXPECT_EQ(arp(1, "192.0.2.50", "192.0.2.51"), Exit::ArpNotForUs);
    EXPECT_EQ(arp(1, "192.0.2.1", "192.0.2.1"), Exit::ArpConflict);
}

Bytes solicitation(const char* target) {
    Bytes p{0x60, 0, 0, 0, 0, 24, kIcmp6, 255};
    const auto append = [&](const IpAddress& a) {
        const auto bytes = a.bytes();
        p.insert(p.end(), bytes.begin(), bytes.end());
    };
    append(ip("2001:db8:1::9"));
    append(ip("ff02::1:ff00:1"));
    p.insert(p.end(), {135, 0, 0, 0, 0, 0, 0, 0});
    append(ip(target));
    const auto sum =
        static_cast<std::uint16_t>(~fold16(sum16(&p[40], 24, pseudo6(p.data(), 24, kIcmp6))));
    write16(&p[42], sum);
    return p;
}

TEST(NeighborDiscovery, LeavesSolicitationsForOthersAlone) {
    EXPECT_EQ(inspect_nd(solicitation("2001:db8:1::1"), kAddresses), Exit::PuntNeighbor);
    EXPECT_EQ(inspect_nd(solicitation("2001:db8:1::7"), kAddresses), Exit::NdNotForUs);
}

// To all nodes, behind a hop-by-hop header with a router alert.
Bytes mld(std::uint8_t type) {
    Bytes p{0x60, 0, 0, 0, 0, 36, kHopByHop, 1};
    const auto append = [&](const IpAddress& a) {
        const auto bytes = a.bytes();
        p.insert(p.end(), bytes.begin(), bytes.end());
    };
    append(ip("fe80::9"));
    append(ip("ff02::1"));
    p.insert(p.end(), {kIcmp6, 0, 5, 2, 0, 0, 1, 0});
    p.insert(p.end(), {type, 0, 0, 0, 0x27, 0x10, 0, 0});
    p.insert(p.end(), 20, 0);
    const auto sum =
        static_cast<std::uint16_t>(~fold16(sum16(&p[48], 28, pseudo6(p.data(), 28, kIcmp6))));
    write16(&p[50], sum);
    return p;
}

Bytes frame(const Bytes& packet, const Bytes& to) {
    Bytes f = to;
    f.insert(f.end(), {2, 0, 0, 0, 1, 1, 0x86, 0xdd});
    f.insert(f.end(), packet.begin(), packet.end());
    return f;
}

TEST(MulticastListeners, QueriesReachTheKernelWhichAnswersThem) {
    PacketWorld world;
    const Bytes all_nodes{0x33, 0x33, 0, 0, 0, 1};
    world.receive(frame(mld(130), all_nodes));
    EXPECT_EQ(world.take_punted().size(), 1u);
    EXPECT_EQ(world.exits(), (Exits{{"punt_mld", 1}}));
    world.receive(frame(mld(131), all_nodes));  // a report: of no use to us
    auto far = mld(130);
    far[7] = 64;
    world.receive(frame(far, all_nodes));
    auto bad = mld(130);
    bad[50] ^= 1;
    world.receive(frame(bad, all_nodes));
    EXPECT_EQ(world.exits(), (Exits{{"punt_mld", 1}, {"ip6_multicast", 3}}));
}

struct LinkLocal4 : testing::Test {
    PacketWorld world;
    LinkLocal4() { world.add_address(0, {ip("169.254.10.1"), 30}); }

    static Bytes packet(const char* source, const char* destination) {
        Bytes f(60, 0);
        const std::uint8_t head[]{2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 1, 1, 8, 0, 0x45, 0, 0, 46};
        std::copy(std::begin(head), std::end(head), f.begin());
        f[22] = 64;
        f[23] = kTcp;
        write32(&f[26], ip(source).v4());
        write32(&f[30], ip(destination).v4());
        f[37] = 179;  // destination port
        f[46] = 0x50;
        write16(&f[24], checksum(&f[14], 20));
        return f;
    }
};

TEST_F(LinkLocal4, ReachesUsOnItsOwnLink) {
    world.receive(packet("169.254.10.2", "169.254.10.1"));
    EXPECT_EQ(world.exits(), (Exits{{"punt_bgp", 1}}));
    EXPECT_EQ(world.take_punted().size(), 1u);
}

TEST_F(LinkLocal4, IsNeverForwarded) {
    world.receive(packet("169.254.10.2", "10.2.0.2"));
    world.receive(packet("169.254.10.2", "10.1.0.1"));
    EXPECT_EQ(world.exits(), (Exits{{"ip4_martian_src", 1}, {"punt_bgp", 1}}));
    world.receive(packet("10.1.0.2", "169.254.10.2"));
    world.receive(packet("10.1.0.2", "169.254.20.1"));
    EXPECT_EQ(world.exits(),
              (Exits{{"ip4_martian_src", 1}, {"punt_bgp", 1}, {"ip4_martian_dst", 2}}));
    EXPECT_TRUE(world.take_sent().empty());
    world.take_punted();
}

TEST(Sources, AreNoBroadcastAddressOfAnAttachedNetwork) {
    PacketWorld world;
    world.receive(LinkLocal4::packet("10.1.0.255", "10.2.0.2"));
    EXPECT_EQ(world.exits(), (Exits{{"ip4_martian_src", 1}}));
}

}  // namespace
}  // namespace torii::dataplane
