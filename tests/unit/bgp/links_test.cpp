// Addresses and the links that they are on.
#include "tests/unit/bgp/peer_group_world.hpp"

namespace torii::bgp::test {
namespace {

struct Links : PeerGroup {
    void SetUp() override {
        PeerGroup::SetUp();
        wanted.ranges.push_back({prefix("fe80::/10"), "nodes", 0});
        wanted.links = {{0, "p0", {{address("10.99.0.254"), 24}, {address("fd99::fe"), 64}}},
                        {1, "p1", {{address("192.0.2.1"), 24}}}};
        apply();
    }
    std::shared_ptr<RawPeer> up_on(std::string_view remote, std::uint32_t as,
                                   std::string_view interface) {
        auto c = World::defaults();
        c.extended_next_hop[0] = true;
        return world.up(remote, as, c, 90, interface);
    }
    std::vector<rib::NextHop> via(std::string_view p) {
        const auto at = world.sink.routes.find(prefix(p));
        return at == world.sink.routes.end() ? std::vector<rib::NextHop>{} : at->second;
    }
};

TEST_F(Links, OneAddressOnTwoPortsIsTwoPeers) {
    const auto a = up_on("fe80::11", 65001, "p0"), b = up_on("fe80::11", 65002, "p1");
    EXPECT_FALSE(a->notification || b->notification);
    EXPECT_EQ(world.speaker->counters().established, 2u);
    a->send(announce({"fd00:1::/64", "fd00:3::/64"}, {65001}, "fe80::11"));
    b->send(announce({"fd00:2::/64"}, {65002}, "fe80::11"));
    b->send(announce({"10.2.0.0/16"}, {65002}, "fe80::11"));
    world.settle();
    const auto hop = [](rib::PortIndex port) {
        return std::vector<rib::NextHop>{{address("fe80::11"), port, 1}};
    };
    EXPECT_EQ(via("fd00:1::/64"), hop(0));
    EXPECT_EQ(via("fd00:2::/64"), hop(1));
    EXPECT_EQ(via("10.2.0.0/16"), hop(1));
    world.speaker->set_liveness({address("fe80::11"), 0}, false, "no echo");
    world.settle();
    EXPECT_TRUE(a->notification);
    EXPECT_FALSE(b->notification);
}

TEST_F(Links, ConfiguredNeighborsOfOneAddressAreTwoPeersToo) {
    auto first = neighbor("fe80::1", 65001), second = neighbor("fe80::1", 65002);
    first.port = 0, first.interface = "p0";
    second.port = 1, second.interface = "p1";
    wanted.neighbors = {first, second};
    apply();
    const auto a = up_on("fe80::1", 65001, "p0"), b = up_on("fe80::1", 65002, "p1");
    apply();
    EXPECT_FALSE(a->notification || b->notification);
    EXPECT_EQ(world.speaker->counters().established, 2u);
}

TEST_F(Links, ALinkLocalNextHopIsOnTheLinkOfTheSession) {  // RFC 2545 §3
    const auto node = world.up("10.99.0.1", 65001);
    node->send(announce({"fd00:1::/64"}, {65001}, "fe80::21"));
    world.settle();
    ASSERT_EQ(via("fd00:1::/64").size(), 1u);
    EXPECT_EQ(via("fd00:1::/64")[0], (rib::NextHop{address("fe80::21"), 0, 1}));
}

TEST_F(Links, ALinkLocalNextHopGoesWithItsLink) {
    const auto a = up_on("fe80::11", 65001, "p0"), b = up_on("fe80::12", 65002, "p1");
    a->send(announce({"fd00:1::/64"}, {65001}, "fe80::11"));
    b->send(announce({"fd00:1::/64"}, {65002, 7}, "fe80::12"));
    world.settle();
    EXPECT_EQ(via("fd00:1::/64").at(0).port, 0);
    world.tracker.set_port(0, false);
    world.settle();
    EXPECT_EQ(via("fd00:1::/64").at(0).port, 1);
    world.tracker.set_port(0, true);
    world.settle();
    EXPECT_EQ(via("fd00:1::/64").at(0).port, 0);
}

TEST_F(Links, ALinkLocalNextHopIsNotHandedOn) {
    wanted.neighbors = {neighbor("10.99.0.2", 65000)};
    apply();
    const auto internal = world.up("10.99.0.2", 65000), node = world.up("10.99.0.1", 65001);
    node->send(announce({"fd00:1::/64"}, {65001}, "fe80::21"));
    world.settle();
    ASSERT_TRUE(internal->routes.contains(prefix("fd00:1::/64")));
    EXPECT_NE(internal->routes.at(prefix("fd00:1::/64")).next_hop, address("fe80::21"));
}

TEST_F(Links, AnAddressOfOursIsNoNextHopWhateverIsAskedAgain) {  // RFC 4271 §5.1.3
    nodes().multihop = 4;
    apply();
    const auto node = world.up("10.99.0.1", 65001);
    node->send(announce({"10.1.0.0/16"}, {65001}, "10.99.0.254"));
    node->send(announce({"10.2.0.0/16"}, {65001}, "192.0.2.1"));
    world.settle();
    EXPECT_TRUE(world.sink.routes.empty());
    nodes().weight = 7;
    nodes().import_lists = {"any", "none"};
    apply();
    world.speaker->act_on_neighbor(address("10.99.0.1"), PeerAction::SoftIn, "");
    world.settle();
    EXPECT_TRUE(world.sink.routes.empty());
    for (const auto& row : world.rows(RouteTable::Filtered, "10.99.0.1"))
        EXPECT_EQ(row.filtered_by, "next hop is our own address");
}

TEST_F(Links, ANextHopOfAnExternalPeerIsOnItsLink) {  // RFC 4271 §6.3
    const auto node = world.up("10.99.0.1", 65001);
    node->send(announce({"10.1.0.0/16"}, {65001}, "10.99.0.77"));
    node->send(announce({"10.2.0.0/16"}, {65001}, "10.244.7.1"));
    world.settle();
    EXPECT_EQ(via("10.1.0.0/16").at(0).address, address("10.99.0.77")) << "of the same network";
    EXPECT_TRUE(via("10.2.0.0/16").empty());
    EXPECT_EQ(world.rows(RouteTable::Filtered, "10.99.0.1").at(0).filtered_by,
              "next hop is not on the link of the neighbor (RFC 4271 section 6.3)");
    // A port that gets the network lets it in.
    wanted.links[0].addresses.push_back({address("10.244.7.254"), 24});
    apply();
    EXPECT_EQ(via("10.2.0.0/16").at(0).address, address("10.244.7.1"));
}

TEST_F(Links, ASecondSpeakerBehindOneAddressDoesNotEndTheSessionOfTheFirst) {
    auto c = World::defaults();
    c.graceful_restart = GracefulRestartCapability{false, true, 120, {{Family::Ip4, true}}};
    const auto first = world.up("10.99.0.1", 65001, c, 90, {}, 0x0a000001);
    const auto second = world.up("10.99.0.1", 65002, c, 90, {}, 0x0a000002);
    EXPECT_FALSE(first->notification || first->closed);
    EXPECT_EQ(cease_of(*second), cease::kCollision);
    EXPECT_TRUE(world.events.has("BGP-SECOND-SPEAKER"));
    // The same one comes back before we have seen that it went.
    const auto again = world.up("10.99.0.1", 65001, c, 90, {}, 0x0a000001);
    EXPECT_FALSE(again->notification);
    EXPECT_TRUE(first->closed);
    EXPECT_EQ(world.view("10.99.0.1").last_reason, "replaced by a new connection of the neighbor");
}

}  // namespace
}  // namespace torii::bgp::test
