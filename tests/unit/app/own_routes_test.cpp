#include "app/own_routes.hpp"

#include <gtest/gtest.h>

#include "base/clock.hpp"
#include "base/event.hpp"
#include "base/loop.hpp"
#include "bgp/speaker.hpp"

namespace torii::app {
namespace {

struct NoEvents final : EventSink {
    void emit(Event) override {}
};

struct Redistributed : testing::Test {
    void SetUp() override {
        bgp::SpeakerSettings settings;
        settings.asn = 65000;
        settings.router_id = 1;
        settings.listen.clear();
        settings.redistribute_static = true;
        speaker.apply(settings);
        table.put(net, {rib::Source::Connected, 0, rib::RouteKind::Attached, port});
    }
    void settle() {
        while (table.settle()) {
        }
        own.follow(table.take_delta());
        while (loop.poll() != 0) {
        }
    }
    bool announced(const Prefix& prefix) const { return speaker.best_path(prefix).has_value(); }
    OwnRoute route(std::string_view via) const {
        OwnRoute out;
        out.prefix = pods;
        out.distance = 1;
        out.kind = rib::RouteKind::Forward;
        out.next_hops = {{*IpAddress::parse(via), rib::kAnyPort, 1}};
        return out;
    }
    const Prefix net = *Prefix::parse("10.0.0.0/24"), pods = *Prefix::parse("10.244.0.0/16");
    const IpAddress hop = *IpAddress::parse("10.0.0.9");
    const std::vector<rib::NextHop> port{{IpAddress{}, 0, 1}};
    Loop loop;
    NoEvents events;
    ManualClock clock;
    rib::Table table;
    bgp::Speaker speaker{loop, table, table, events, clock};
    OwnRoutes own{table};
};

TEST_F(Redistributed, AStaticRouteIsAnnouncedWhileItsNextHopLives) {
    own.start_redistribution(speaker, true);
    own.put(route("10.0.0.9"));
    settle();
    EXPECT_TRUE(announced(pods));
    table.set_liveness(hop, 0, false);
    settle();
    EXPECT_FALSE(announced(pods));
    table.set_liveness(hop, 0, true);
    settle();
    EXPECT_TRUE(announced(pods));
    table.set_port(0, false);
    settle();
    EXPECT_FALSE(announced(pods));
    table.set_port(0, true);
    settle();
    EXPECT_TRUE(announced(pods));
    own.remove(pods);
    settle();
    EXPECT_FALSE(announced(pods));
}

TEST_F(Redistributed, OneThatLeadsNowhereIsNotAnnouncedFromTheStart) {
    own.put(route("192.0.2.1"));
    settle();
    own.start_redistribution(speaker, true);
    settle();
    EXPECT_FALSE(announced(pods));
    own.put(route("10.0.0.9"));
    settle();
    EXPECT_TRUE(announced(pods));
}

// A route reflector has no ports: where its routes lead is for others to find out.
TEST_F(Redistributed, WithoutPortsAllOfThemAre) {
    own.start_redistribution(speaker, false);
    own.put(route("192.0.2.1"));
    settle();
    EXPECT_TRUE(announced(pods));
}

}  // namespace
}  // namespace torii::app
