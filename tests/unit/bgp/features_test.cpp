// Features that change what is announced or kept: communities that everybody
// knows, aggregates, AS-path surgery, ADD-PATH, roles, long-lived restart.
#include <algorithm>
#include <array>
#include <thread>

#include "tests/unit/bgp/two_world.hpp"

namespace torii::bgp::test {
namespace {

using namespace std::chrono_literals;

TEST_F(Two, NoExportStaysInTheAsAndNoAdvertiseStaysHere) {
    start();
    const auto internal = world.up("10.99.0.3", 65000);
    teach("10.1.0.0/16", {65001}, community(community::kNoExport));
    teach("10.2.0.0/16", {65001}, community(community::kNoAdvertise));
    EXPECT_FALSE(b->routes.contains(prefix("10.1.0.0/16")));
    EXPECT_TRUE(internal->routes.contains(prefix("10.1.0.0/16")));
    EXPECT_FALSE(internal->routes.contains(prefix("10.2.0.0/16")));
    EXPECT_TRUE(world.in_table(prefix("10.2.0.0/16")));
}

TEST_F(Two, GracefulShutdownIsTheLastChoiceInAllOfTheAs) {  // RFC 8326
    start();
    const auto internal = world.up("10.99.0.3", 65000);
    b->send(announce({"10.1.0.0/16"}, {65002, 1, 2, 3}, "10.99.0.2"));
    teach("10.1.0.0/16", {65001}, community(community::kGracefulShutdown));
    EXPECT_EQ(world.sink.routes.at(prefix("10.1.0.0/16"))[0].address, address("10.99.0.2"));
    b->send(withdraw({"10.1.0.0/16"}));
    world.settle();
    EXPECT_EQ(internal->routes.at(prefix("10.1.0.0/16")).attributes.at(5), unhex("00000000"));
}

TEST_F(Two, BlackholeDiscardsOnlyForPeersThatMayAsk) {  // RFC 7999
    start();
    teach("198.51.100.7/32", {65001}, community(community::kBlackhole));
    EXPECT_EQ(world.sink.kinds.at(prefix("198.51.100.7/32")), rib::RouteKind::Forward);
    of(0).accept_blackhole = true;
    apply();
    EXPECT_EQ(world.sink.kinds.at(prefix("198.51.100.7/32")), rib::RouteKind::Discard);
    EXPECT_FALSE(b->routes.contains(prefix("198.51.100.7/32"))) << "it leaves the AS no more";
    of(0).accept_blackhole = false;
    apply();
    EXPECT_EQ(world.sink.kinds.at(prefix("198.51.100.7/32")), rib::RouteKind::Forward);
}

TEST_F(Two, AggregatesExistWhileThereIsSomethingInside) {
    wanted.aggregates = {{prefix("10.244.0.0/16"), false}};
    start();
    EXPECT_FALSE(b->routes.contains(prefix("10.244.0.0/16")));
    teach("10.244.1.0/24");
    teach("10.244.2.0/24");
    const auto& told = b->routes.at(prefix("10.244.0.0/16"));
    EXPECT_TRUE(told.attributes.contains(6)) << "ATOMIC_AGGREGATE";
    EXPECT_TRUE(told.attributes.contains(7)) << "AGGREGATOR";
    EXPECT_EQ(told.attributes.at(2), unhex("02010000fde8"));
    EXPECT_EQ(world.sink.kinds.at(prefix("10.244.0.0/16")), rib::RouteKind::Discard);
    EXPECT_TRUE(b->routes.contains(prefix("10.244.1.0/24")));
    a->send(withdraw({"10.244.1.0/24", "10.244.2.0/24"}));
    world.settle();
    EXPECT_FALSE(b->routes.contains(prefix("10.244.0.0/16")));
    EXPECT_FALSE(world.sink.routes.contains(prefix("10.244.0.0/16")));
}

TEST_F(Two, ASummaryAloneHidesWhatIsInside) {
    start();
    teach("10.244.1.0/24");
    wanted.aggregates = {{prefix("10.244.0.0/16"), true}};
    apply();
    EXPECT_TRUE(b->routes.contains(prefix("10.244.0.0/16")));
    EXPECT_FALSE(b->routes.contains(prefix("10.244.1.0/24")));
    wanted.aggregates.clear();
    apply();
    EXPECT_FALSE(b->routes.contains(prefix("10.244.0.0/16")));
    EXPECT_TRUE(b->routes.contains(prefix("10.244.1.0/24")));
}

TEST_F(Two, AsOverrideShowsOurAsForTheirs) {
    of(1).as_override = true;
    start();
    teach("10.1.0.0/16", {65001, 65002, 7});
    EXPECT_EQ(path_told("10.1.0.0/16"), unhex("02040000fde80000fde90000fde800000007"));
}

TEST_F(Two, AllowasInAllowsSoManyOfOurOwn) {
    of(0).allowas_in = 1;
    start();
    teach("10.1.0.0/16", {65001, 65000});
    teach("10.2.0.0/16", {65001, 65000, 65000});
    EXPECT_TRUE(world.in_table(prefix("10.1.0.0/16")));
    EXPECT_FALSE(world.in_table(prefix("10.2.0.0/16")));
    of(0).allowas_in = 2;
    apply();
    EXPECT_TRUE(world.in_table(prefix("10.2.0.0/16")));
}

TEST_F(Two, LocalAsIsShownInFrontOfTheRealOne) {
    of(1).local_as = 64999;
    start();
    EXPECT_EQ(b->open->as, 64999u);
    teach("10.1.0.0/16");
    EXPECT_EQ(path_told("10.1.0.0/16"), unhex("02030000fde70000fde80000fde9"));
}

TEST_F(Two, RemovePrivateAsByKind) {
    start();
    teach("10.1.0.0/16", {65001, 3356});
    teach("10.2.0.0/16", {65001, 64513});
    of(1).remove_private_as = RemovePrivateAs::Private;
    apply();
    EXPECT_EQ(path_told("10.1.0.0/16"), unhex("02030000fde80000fde900000d1c")) << "not all private";
    EXPECT_EQ(path_told("10.2.0.0/16"), unhex("02010000fde8"));
    of(1).remove_private_as = RemovePrivateAs::All;
    apply();
    EXPECT_EQ(path_told("10.1.0.0/16"), unhex("02020000fde800000d1c"));
    of(1).remove_private_as = RemovePrivateAs::Replace;
    apply();
    EXPECT_EQ(path_told("10.1.0.0/16"), unhex("02030000fde80000fde800000d1c"));
}

TEST_F(Two, SharesFollowTheBandwidthThatPathsSay) {
    start();
    const auto bandwidth = [](std::string_view hex) {
        return [bytes = unhex(hex)](Attributes& attributes) {
            attributes.set(Attribute::ExtendedCommunities);
            attributes.extended_communities = bytes;
        };
    };
    a->send(announce({"198.18.0.1/32"}, {65001}, "10.99.0.1", bandwidth("4004fde94a000000")));
    b->send(announce({"198.18.0.1/32"}, {65002}, "10.99.0.2", bandwidth("4004fdea49800000")));
    world.settle();
    const auto& hops = world.sink.routes.at(prefix("198.18.0.1/32"));
    ASSERT_EQ(hops.size(), 2u);
    EXPECT_EQ(hops[0].weight, 2 * hops[1].weight);
}

TEST_F(Two, TheSecondBestPathIsTheBackupOfAnOnlyBestOne) {
    start();
    const auto c = world.up("10.99.0.3", 65000);
    const auto p = prefix("10.244.7.0/24");
    const auto preferred = [](Attributes& attributes) {
        attributes.set(Attribute::LocalPref);
        attributes.local_pref = 100;
    };
    const auto backup = [&] {
        const auto& hops = world.sink.backups.at(p);
        return hops.empty() ? std::string{"none"} : hops.at(0).address.to_string();
    };
    teach("10.244.7.0/24");
    EXPECT_EQ(backup(), "none");
    // Of two that lost, the one that lost least.
    b->send(announce({"10.244.7.0/24"}, {65002, 1, 2}, "10.99.0.2"));
    c->send(announce({"10.244.7.0/24"}, {65003, 1}, "10.99.0.3", preferred));
    world.settle();
    EXPECT_EQ(world.sink.routes.at(p).at(0).address, address("10.99.0.1"));
    EXPECT_EQ(backup(), "10.99.0.3");
    // The way to the best one is none when that one is dead.
    c->send(announce({"10.244.7.0/24"}, {65003, 1}, "10.99.0.1", preferred));
    world.settle();
    EXPECT_EQ(backup(), "10.99.0.2");
    world.tracker.set(address("10.99.0.2"), false);
    world.settle();
    EXPECT_EQ(backup(), "none");
    world.tracker.set(address("10.99.0.2"), true);
    world.settle();
    EXPECT_EQ(backup(), "10.99.0.2");
    // Whoever is as good shares the load instead.
    b->send(announce({"10.244.7.0/24"}, {65002}, "10.99.0.2"));
    world.settle();
    EXPECT_EQ(world.sink.routes.at(p).size(), 2u);
    EXPECT_EQ(backup(), "none");
    b->send(withdraw({"10.244.7.0/24"}));
    world.settle();
    EXPECT_EQ(backup(), "none");
}

TEST_F(Two, APathThatDiscardsIsNobodysBackup) {  // RFC 7999
    of(1).accept_blackhole = true;
    start();
    teach("198.51.100.7/32");
    b->send(
        announce({"198.51.100.7/32"}, {65002, 1}, "10.99.0.2", community(community::kBlackhole)));
    world.settle();
    EXPECT_TRUE(world.sink.backups.at(prefix("198.51.100.7/32")).empty());
    of(1).accept_blackhole = false;
    apply();
    EXPECT_EQ(world.sink.backups.at(prefix("198.51.100.7/32")).at(0).address, address("10.99.0.2"));
}

TEST_F(Two, AnAdvertisementIntervalTellsTogetherWhatCameMeanwhile) {
    of(1).advertisement_interval = 1s;
    start();
    teach("10.1.0.0/16");
    ASSERT_TRUE(b->routes.contains(prefix("10.1.0.0/16"))) << "the first goes out at once";
    teach("10.2.0.0/16");
    teach("10.2.0.0/16", {65001, 7});
    EXPECT_FALSE(b->routes.contains(prefix("10.2.0.0/16")));
    const auto before = b->updates;
    for (int i = 0; i < 400 && !b->routes.contains(prefix("10.2.0.0/16")); ++i) {
        std::this_thread::sleep_for(5ms);
        world.settle();
    }
    EXPECT_EQ(path_told("10.2.0.0/16"), unhex("02030000fde80000fde900000007"));
    EXPECT_EQ(b->updates, before + 1);
}

TEST_F(Two, AigpGoesToInternalPeersAlone) {  // RFC 7311
    start();
    const auto aigp = unhex("801a0b01000b0000000000000009");
    const auto more = [&](Attributes& attributes) {
        attributes.others = aigp;
        attributes.set(Attribute::LocalPref);
        attributes.local_pref = 100;
    };
    wanted.neighbors.push_back(neighbor("10.99.0.4", 65000));
    wanted.neighbors.back().peer.route_reflector_client = true;
    apply();
    const auto c = world.up("10.99.0.3", 65000), d = world.up("10.99.0.4", 65000);
    c->send(announce({"10.1.0.0/16"}, {64500}, "10.99.0.3", more));
    world.settle();
    EXPECT_TRUE(d->routes.at(prefix("10.1.0.0/16")).attributes.contains(26));
    EXPECT_FALSE(b->routes.at(prefix("10.1.0.0/16")).attributes.contains(26));
    a->send(announce({"10.2.0.0/16"}, {65001}, "10.99.0.1",
                     [&](Attributes& attributes) { attributes.others = aigp; }));
    world.settle();
    EXPECT_FALSE(d->routes.at(prefix("10.2.0.0/16")).attributes.contains(26));
}

// RFC 9234
struct Roles : Two {
    static Capabilities as(Role role) {
        auto c = World::defaults();
        c.role = role;
        return c;
    }
    std::function<void(Attributes&)> otc(std::uint32_t value) {
        return [value](Attributes& attributes) {
            attributes.set(Attribute::OnlyToCustomer);
            attributes.only_to_customer = value;
        };
    }
};

TEST_F(Roles, ThatDoNotFitEndTheSession) {
    of(0).role = Role::Customer;
    of(1).role = Role::Provider;
    of(1).strict_role = true;
    start(World::defaults(), as(Role::Customer));
    EXPECT_EQ(a->notification->subcode, open_error::kRoleMismatch);
    EXPECT_EQ(b->notification->subcode, open_error::kRoleMismatch) << "strict wants a role";
}

TEST_F(Roles, MarkWhatAProviderSendsAndKeepItFromOtherProviders) {
    of(0).role = Role::Customer;
    of(1).role = Role::Customer;
    start(as(Role::Provider), as(Role::Provider));
    teach("10.1.0.0/16");
    EXPECT_TRUE(world.in_table(prefix("10.1.0.0/16")));
    EXPECT_FALSE(b->routes.contains(prefix("10.1.0.0/16")));
    of(1).role = Role::Provider;
    apply();
    b = world.up("10.99.0.2", 65002, as(Role::Customer));
    EXPECT_EQ(b->routes.at(prefix("10.1.0.0/16")).attributes.at(35), unhex("0000fde9"));
}

TEST_F(Roles, RefuseALeakFromACustomer) {
    of(0).role = Role::Provider;
    start(World::defaults(), as(Role::Customer));
    teach("10.1.0.0/16", {65001}, otc(64999));
    EXPECT_FALSE(world.in_table(prefix("10.1.0.0/16")));
    EXPECT_EQ(world.rows(RouteTable::Filtered, "10.99.0.1").at(0).filtered_by,
              "route leak (RFC 9234)");
}

// RFC 7911
struct AddPaths : Two {
    void SetUp() override {
        Two::SetUp();
        wanted.neighbors.push_back(neighbor("10.99.0.4", 65004));
        of(1).add_path = AddPath::Send;
    }
    static Capabilities receiver() {
        auto c = World::defaults();
        c.add_path_receive = {true, true};
        return c;
    }
    void begin() {
        start(receiver());
        b->add_path = true;
        c = world.up("10.99.0.4", 65004);
    }
    std::size_t paths(std::string_view p) { return b->paths[prefix(p)].size(); }
    std::shared_ptr<RawPeer> c;
};

TEST_F(AddPaths, AreAllTold) {
    begin();
    teach("198.18.0.1/32");
    c->send(announce({"198.18.0.1/32"}, {65004, 7}, "10.99.0.4"));
    world.settle();
    EXPECT_EQ(paths("198.18.0.1/32"), 2u);
    EXPECT_EQ(world.rows(RouteTable::AdjOut, "10.99.0.2").size(), 2u);
    a->send(withdraw({"198.18.0.1/32"}));
    world.settle();
    EXPECT_EQ(paths("198.18.0.1/32"), 1u);
    c->close();
    world.settle();
    EXPECT_EQ(paths("198.18.0.1/32"), 0u);
}

TEST_F(AddPaths, KeepTheirNumbersWhileTheyChange) {
    begin();
    teach("198.18.0.1/32");
    c->send(announce({"198.18.0.1/32"}, {65004}, "10.99.0.4"));
    world.settle();
    const auto before = b->paths[prefix("198.18.0.1/32")];
    teach("198.18.0.1/32", {65001, 9, 9});
    EXPECT_EQ(b->paths[prefix("198.18.0.1/32")], before);
    EXPECT_EQ(paths("198.18.0.1/32"), 2u);
}

TEST_F(AddPaths, ReachWhoComesLateAndAreSentAgain) {
    start(receiver());
    b->close();
    teach("198.18.0.1/32");
    c = world.up("10.99.0.4", 65004);
    c->send(announce({"198.18.0.1/32"}, {65004}, "10.99.0.4"));
    world.settle();
    b = world.connect("10.99.0.2");
    b->add_path = true;
    Bytes bytes;
    auto capabilities = receiver();
    capabilities.four_octet_as = 65002;
    encode(World::open(65002, 7, capabilities, 90), bytes);
    encode_keepalive(bytes);
    b->send(bytes);
    world.settle();
    EXPECT_EQ(paths("198.18.0.1/32"), 2u);
    Bytes refresh;
    encode(RouteRefresh{kAfiIp4, 0, kSafiUnicast}, refresh);
    b->send(refresh);
    world.settle();
    EXPECT_EQ(b->announcements, 4u);
    EXPECT_EQ(paths("198.18.0.1/32"), 2u);
}

TEST_F(AddPaths, GoWithAPolicyThatLetsThemNoMore) {
    begin();
    teach("198.18.0.1/32");
    c->send(announce({"198.18.0.1/32"}, {65004}, "10.99.0.4"));
    world.settle();
    PolicyTerm no, yes;
    no.match.as_path = {{true, *AsPathPattern::parse("neighbor 65004")}};
    no.action = TermAction::Reject;
    wanted.policies = {{"out", {no, yes}}};
    of(1).export_policies = {"out"};
    apply();
    EXPECT_EQ(paths("198.18.0.1/32"), 1u);
}

TEST_F(AddPaths, AreNotToldToWhoTaughtThem) {
    begin();
    b->send(announce({"198.18.0.1/32"}, {65002}, "10.99.0.2"));
    teach("198.18.0.1/32");
    EXPECT_EQ(paths("198.18.0.1/32"), 1u);
}

TEST_F(Two, EnhancedRefreshIsMarkedAtBothEnds) {  // RFC 7313
    auto c = World::defaults();
    c.enhanced_refresh = true;
    start(c);
    teach("10.1.0.0/16");
    Bytes refresh;
    encode(RouteRefresh{kAfiIp4, 0, kSafiUnicast}, refresh);
    b->send(refresh);
    world.settle();
    EXPECT_EQ(b->refresh_subtypes, (std::vector<std::uint8_t>{1, 2}));
    EXPECT_EQ(b->announcements, 2u);
}

TEST_F(Two, EnhancedRefreshTakesAwayWhatIsNotSentAgain) {
    auto c = World::defaults();
    c.enhanced_refresh = true;
    start(World::defaults(), c);
    teach("10.1.0.0/16");
    teach("10.2.0.0/16");
    const auto mark = [&](std::uint8_t subtype) {
        Bytes bytes;
        encode(RouteRefresh{kAfiIp4, subtype, kSafiUnicast}, bytes);
        a->send(bytes);
        world.settle();
    };
    mark(1);
    teach("10.2.0.0/16");
    mark(2);
    EXPECT_FALSE(world.in_table(prefix("10.1.0.0/16")));
    EXPECT_TRUE(world.in_table(prefix("10.2.0.0/16")));
}

// RFC 9494
struct LongLived : Two {
    void SetUp() override {
        Two::SetUp();
        of(0).long_lived_stale_time = 1000s;
        of(1).long_lived_stale_time = 1000s;
    }
    static Capabilities lasting(std::uint32_t time) {
        auto c = World::defaults();
        c.graceful_restart =
            GracefulRestartCapability{false, true, 60, {{Family::Ip4, true}, {Family::Ip6, true}}};
        c.long_lived = {{Family::Ip4, true, time}};
        return c;
    }
};

TEST_F(LongLived, RoutesAreALastResortOnceTheRestartTimeIsOver) {
    start(lasting(500), lasting(500));
    const auto plain = world.up("10.99.0.3", 65000);
    teach("10.1.0.0/16");
    teach("10.2.0.0/16", {65001}, community(community::kNoLlgr));
    a->close();
    world.settle();
    world.pass(61s);
    EXPECT_TRUE(world.events.has("BGP-LLGR-BEGINS"));
    EXPECT_TRUE(world.in_table(prefix("10.1.0.0/16")));
    EXPECT_FALSE(world.in_table(prefix("10.2.0.0/16"))) << "NO_LLGR";
    EXPECT_FALSE(plain->routes.contains(prefix("10.1.0.0/16"))) << "does not know LLGR";
    EXPECT_EQ(b->routes.at(prefix("10.1.0.0/16")).attributes.at(8), unhex("ffff0006"));
    b->send(announce({"10.1.0.0/16"}, {65002, 1, 2, 3, 4}, "10.99.0.2"));
    world.settle();
    EXPECT_EQ(world.sink.routes.at(prefix("10.1.0.0/16"))[0].address, address("10.99.0.2"));
    b->send(withdraw({"10.1.0.0/16"}));
    world.settle();
    for (int i = 0; i < 9; ++i) {
        b->keepalive();
        plain->keepalive();
        world.settle();
        world.pass(60s);
    }
    EXPECT_FALSE(world.in_table(prefix("10.1.0.0/16"))) << "500 s are over";
}

TEST_F(LongLived, EachFamilyHasItsOwnTime) {
    auto c = lasting(60);
    c.long_lived.push_back({Family::Ip6, true, 500});
    start(lasting(500), c);
    teach("10.1.0.0/16");
    a->send(announce({"fd00:1::/64"}, {65001}, "fd99::1"));
    world.settle();
    a->close();
    world.settle();
    const auto wait = [&] {
        b->keepalive();
        world.settle();
        world.pass(61s);
    };
    wait();
    EXPECT_TRUE(world.in_table(prefix("10.1.0.0/16")));
    EXPECT_TRUE(world.in_table(prefix("fd00:1::/64")));
    wait();
    EXPECT_FALSE(world.in_table(prefix("10.1.0.0/16")));
    EXPECT_TRUE(world.in_table(prefix("fd00:1::/64")));
}

TEST_F(LongLived, APeerThatComesBackIsAsBefore) {
    start(lasting(500), lasting(500));
    teach("10.1.0.0/16");
    a->close();
    world.settle();
    world.pass(61s);
    a = world.up("10.99.0.1", 65001, lasting(500));
    teach("10.1.0.0/16");
    EXPECT_FALSE(b->routes.at(prefix("10.1.0.0/16")).attributes.contains(8));
    EXPECT_FALSE(world.rows(RouteTable::LocRib).at(0).stale);
}

// RFC 4724 §4.1
struct Restarter : Two {
    void SetUp() override {
        Two::SetUp();
        wanted.networks = {prefix("192.0.2.0/24")};
        of(0).graceful_restart = of(1).graceful_restart = GracefulRestart::Full;
        wanted.neighbors.pop_back();
    }
    static Capabilities helper() {
        auto c = World::defaults();
        c.graceful_restart = GracefulRestartCapability{false, true, 60, {}};
        return c;
    }
    static Bytes end_of_rib() {
        Bytes bytes;
        encode_end_of_rib(Family::Ip4, bytes);
        encode_end_of_rib(Family::Ip6, bytes);
        return bytes;
    }
};

// Workers stop with the process: a peer that kept its routes would send packets to none.
TEST_F(Restarter, SaysSoAndAsksForNothingThatItCannotKeep) {
    start(helper(), helper());
    const auto& said = *a->open->capabilities.graceful_restart;
    EXPECT_TRUE(said.restarting);
    EXPECT_TRUE(said.families.empty());
}

TEST_F(Restarter, WithoutPortsKeepsWhatOthersForward) {
    wanted.forwarding_survives = true;
    start(helper(), helper());
    const auto& said = *a->open->capabilities.graceful_restart;
    ASSERT_EQ(said.families.size(), 2u);
    EXPECT_TRUE(said.families[0].forwarding);
}

// RFC 4724 §3: the bit is about the restart that was, not about one to come.
TEST_F(Restarter, AColdStartIsNoPreservedForwarding) {
    wanted.forwarding_survives = true;
    wanted.forwarding_survived = false;
    start(helper(), helper());
    const auto& offered = *a->open->capabilities.graceful_restart;
    ASSERT_EQ(offered.families.size(), 2u);
    EXPECT_FALSE(offered.families[0].forwarding);
}

TEST_F(Restarter, HearsItsPeersOutBeforeItSpeaks) {
    start(helper(), helper());
    EXPECT_TRUE(a->routes.empty());
    a->send(end_of_rib());
    world.settle();
    EXPECT_TRUE(a->routes.empty()) << "the other is still to be heard";
    b->send(end_of_rib());
    world.settle();
    EXPECT_TRUE(a->routes.contains(prefix("192.0.2.0/24")));
    EXPECT_TRUE(b->end_of_rib.contains(Family::Ip4));
}

TEST_F(Restarter, WaitsNoLongerThanItShould) {
    start(helper(), helper());
    world.pass(wanted.restart_deferral + 1s);
    EXPECT_TRUE(a->routes.contains(prefix("192.0.2.0/24")));
    a->close();
    world.settle();
    a = world.up("10.99.0.1", 65001, helper());
    EXPECT_FALSE(a->open->capabilities.graceful_restart->restarting) << "that was long ago";
}

TEST_F(Two, HoldDownKeepsRoutesWhileThePeerIsSeenToForward) {
    of(0).hold_down = 20s;
    start();
    teach("10.1.0.0/16");
    world.speaker->set_liveness(address("10.99.0.1"), true, "");
    a->close();
    world.settle();
    EXPECT_TRUE(world.in_table(prefix("10.1.0.0/16")));
    world.speaker->set_liveness(address("10.99.0.1"), false, "no echoes");
    world.settle();
    EXPECT_FALSE(world.in_table(prefix("10.1.0.0/16")));
}

TEST_F(Two, HoldDownEnds) {
    of(0).hold_down = 20s;
    start();
    teach("10.1.0.0/16");
    world.speaker->set_liveness(address("10.99.0.1"), true, "");
    a->close();
    world.settle();
    world.pass(21s);
    EXPECT_FALSE(world.in_table(prefix("10.1.0.0/16")));
}

TEST_F(Two, NobodyWatchedOverIsHeldDown) {
    of(0).hold_down = 20s;
    start();
    teach("10.1.0.0/16");
    a->close();
    world.settle();
    EXPECT_FALSE(world.in_table(prefix("10.1.0.0/16")));
}

}  // namespace
}  // namespace torii::bgp::test
