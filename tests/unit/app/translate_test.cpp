#include "app/translate.hpp"

#include <gtest/gtest.h>

#include "config/config.hpp"

namespace torii::app {
namespace {

config::Model model(const std::string& text) {
    auto loaded = config::load_text(text, "test.cfg");
    if (!loaded) {
        for (const auto& problem : loaded.error()) ADD_FAILURE() << problem.to_string();
        return {};
    }
    return loaded->model;
}

constexpr auto kPorts = R"(
ports = {
  nodes = { vdev = "net_null0"; addresses = ["10.0.0.1/24", "fd00::1/64"]; };
  uplink = { vdev = "net_null1"; addresses = ["192.0.2.1/32"]; };
};
)";

TEST(Translate, AnAddressIsALocalRouteInsideAnAttachedNetwork) {
    const auto m = model(kPorts);
    const auto routes = connected_routes(m.ports[0], 0);
    ASSERT_EQ(routes.size(), 4u);
    EXPECT_EQ(routes[0].prefix.to_string(), "10.0.0.0/24");
    EXPECT_EQ(routes[0].kind, rib::RouteKind::Attached);
    EXPECT_EQ(routes[0].next_hops[0].port, 0);
    EXPECT_EQ(routes[1].prefix.to_string(), "10.0.0.1/32");
    EXPECT_EQ(routes[1].kind, rib::RouteKind::Local);
    // A host address has no network around it.
    EXPECT_EQ(connected_routes(m.ports[1], 1).size(), 1u);
}

TEST(Translate, ASubPortIsOpenedOnItsParentWhichIsATrunkThen) {
    const auto m = model(
        "ports = { t = { vdev = \"net_null0\"; mtu = 1600; }; u = { vdev = \"net_null1\"; };"
        "a = { parent = \"t\"; vlan = 7; addresses = \"10.0.0.1/24\"; shutdown = true; }; };");
    const auto to = dataplane_settings(m);
    ASSERT_EQ(to.ports.size(), 3u);
    EXPECT_TRUE(to.ports[0].trunk);
    EXPECT_FALSE(to.ports[1].trunk);
    EXPECT_TRUE(to.ports[2].is_sub_port());
    EXPECT_EQ(to.ports[2].parent, "t");
    EXPECT_EQ(to.ports[2].vlan, 7);
    EXPECT_EQ(to.ports[2].mtu, 1600);
    EXPECT_TRUE(to.ports[2].shutdown);
}

TEST(Translate, ADrainedGateAsksEverybodyToGoElsewhere) {
    const auto m = model(std::string{kPorts} + R"(
bgp = {
  asn = 64512;
  groups = { nodes = { remote_as = "external"; }; };
  listen = ( { range = "10.0.0.0/24"; group = "nodes"; } );
  neighbors = ( { address = "192.0.2.2"; remote_as = 65000; } );
};
)");
    const auto asks = [](const bgp::SpeakerSettings& settings) {
        return settings.groups.at(0).peer.graceful_shutdown &&
               settings.neighbors.at(0).peer.graceful_shutdown;
    };
    EXPECT_FALSE(asks(speaker_settings(m)));
    EXPECT_TRUE(asks(speaker_settings(m, true)));
}

TEST(Translate, StaticNextHopsAreSortedAndNamedPortsFound) {
    const auto m = model(std::string{kPorts} + R"(
routes = ( { prefix = "198.51.100.0/24"; via = ["10.0.0.9 weight 2", "10.0.0.3"]; },
           { prefix = "2001:db8:1::/48"; via = "fe80::1@uplink"; },
           { prefix = "203.0.113.0/24"; discard = true; } );
)");
    ASSERT_EQ(m.routes.size(), 3u);
    const auto ecmp = static_route(m, m.routes[0]);
    ASSERT_EQ(ecmp.next_hops.size(), 2u);
    EXPECT_EQ(ecmp.next_hops[0].address.to_string(), "10.0.0.3");
    EXPECT_EQ(ecmp.next_hops[1].weight, 2);
    EXPECT_EQ(static_route(m, m.routes[1]).next_hops[0].port, 1);
    EXPECT_EQ(static_route(m, m.routes[2]).kind, rib::RouteKind::Discard);
}

TEST(Translate, APeerGetsWhatItsGroupAndTheDefaultsSay) {
    const auto m = model(std::string{kPorts} + R"(
prefix_lists = { pods = ["10.244.0.0/16 ge 24 le 24"]; };
bgp = {
  asn = 4200000000L;
  defaults = { hold_time = 30; };
  groups = { nodes = { remote_as = "external"; import = "pods"; passive = true; }; };
  listen = ( { range = "10.0.0.0/24"; group = "nodes"; limit = 7; } );
  neighbors = ( { address = "10.0.0.5"; group = "nodes"; passive = false; hold_time = 9; } );
};
)");
    const auto s = speaker_settings(m);
    EXPECT_EQ(s.asn, 4200000000u);
    EXPECT_EQ(dotted(s.router_id), "192.0.2.1");
    ASSERT_EQ(s.groups.size(), 1u);
    EXPECT_EQ(s.groups[0].peer.hold_time, std::chrono::seconds{30});
    EXPECT_TRUE(s.groups[0].peer.passive);
    EXPECT_EQ(s.groups[0].peer.remote_as.kind, bgp::RemoteAs::Kind::External);
    ASSERT_EQ(s.neighbors.size(), 1u);
    EXPECT_FALSE(s.neighbors[0].peer.passive);
    EXPECT_EQ(s.neighbors[0].peer.hold_time, std::chrono::seconds{9});
    EXPECT_EQ(s.neighbors[0].peer.import_lists, std::vector<std::string>{"pods"});
    EXPECT_FALSE(s.neighbors[0].peer.export_lists);
    ASSERT_EQ(s.ranges.size(), 1u);
    EXPECT_EQ(s.ranges[0].limit, 7u);
    ASSERT_EQ(s.prefix_lists[0].rules.size(), 1u);
    EXPECT_TRUE(s.prefix_lists[0].rules[0].matches(*Prefix::parse("10.244.9.0/24")));
}

TEST(Translate, WorkersAreTheCpusThatWereNamed) {
    const auto m =
        model(std::string{kPorts} + R"(dataplane = { lcores = "1-2,4"; workers = 3; };)");
    EXPECT_EQ(dataplane_settings(m).worker_cpus, (std::vector<std::uint16_t>{1, 2, 4}));
}

}  // namespace
}  // namespace torii::app
