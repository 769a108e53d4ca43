// What a peer was sent is what the update group of the peer holds, whatever changes.
#include "bgp/rib/update_group.hpp"

#include "base/byte_reader.hpp"
#include "tests/unit/bgp/peer_group_world.hpp"

namespace torii::bgp::test {
namespace {

struct DefaultRoute : PeerGroup {
    void SetUp() override {
        PeerGroup::SetUp();
        nodes().default_originate = true;
        wanted.neighbors = {neighbor("10.99.1.1", 65100), neighbor("fd99::1", 65101)};
        apply();
    }
    static std::shared_ptr<RawPeer> refreshed(World& world, bool enhanced) {
        auto c = World::defaults();
        c.enhanced_refresh = enhanced;
        return world.up("10.99.0.1", 65001, c);
    }
    static Prefix all() { return prefix("0.0.0.0/0"); }
};

TEST_F(DefaultRoute, IsSentAgainWithAllOthers) {
    for (const bool enhanced : {false, true}) {
        const auto peer = refreshed(world, enhanced);
        const auto before = peer->announcements;
        peer->routes.clear();
        Bytes b;
        encode(RouteRefresh{1, 0, kSafiUnicast}, b);
        peer->send(b);
        world.settle();
        EXPECT_TRUE(peer->routes.contains(all())) << enhanced;
        EXPECT_EQ(peer->announcements, before / 2 + before) << "of one family";
        peer->routes.clear();
        world.speaker->act_on_neighbor(address("10.99.0.1"), PeerAction::SoftOut, "");
        world.settle();
        EXPECT_TRUE(peer->routes.contains(all())) << enhanced;
        peer->close();
        world.settle();
    }
}

TEST_F(DefaultRoute, StaysWhateverBecomesOfTheOneInTheTable) {
    const auto peer = refreshed(world, false);
    const auto uplink = world.up("10.99.1.1", 65100);
    uplink->send(announce({"0.0.0.0/0"}, {65100, 7}, "10.99.1.1"));
    world.settle();
    EXPECT_EQ(peer->routes.at(all()).attributes.at(2), unhex("02010000fde8")) << "ours";
    uplink->send(withdraw({"0.0.0.0/0"}));
    world.settle();
    EXPECT_TRUE(peer->routes.contains(all()));
    peer->send(announce({"0.0.0.0/0"}, {65001}, "10.99.0.1"));
    uplink->send(announce({"0.0.0.0/0"}, {65100, 7}, "10.99.1.1"));
    world.settle();
    EXPECT_TRUE(peer->routes.contains(all())) << "its own is the best one";
    nodes().default_originate = false;
    apply();
    EXPECT_FALSE(peer->routes.contains(all()));
    peer->send(withdraw({"0.0.0.0/0"}));
    world.settle();
    EXPECT_EQ(peer->routes.at(all()).attributes.at(2), unhex("02030000fde80000fe4c00000007"));
    nodes().default_originate = true;
    apply();
    EXPECT_EQ(peer->routes.at(all()).attributes.at(2), unhex("02010000fde8"));
}

TEST_F(DefaultRoute, IsNotSentByANextHopThatThePeerCannotTake) {  // RFC 8950 §4
    wanted.neighbors[1].peer.default_originate = true;
    apply();
    const auto peer = world.up("fd99::1", 65101);
    EXPECT_FALSE(peer->routes.contains(all()));
    EXPECT_TRUE(peer->routes.contains(prefix("::/0")));
}

TEST_F(DefaultRoute, BearsTheMarkOfItsRole) {  // RFC 9234 §5
    nodes().role = Role::Provider;
    apply();
    const auto peer = refreshed(world, false);
    EXPECT_EQ(peer->routes.at(all()).attributes.at(35), unhex("0000fde8"));
}

TEST_F(PeerGroup, RoutesOfAPeerThatBecomesAClientReachTheOthers) {  // RFC 4456 §6
    wanted.neighbors = {neighbor("10.99.1.1", 65000), neighbor("10.99.1.2", 65000)};
    apply();
    const auto a = world.up("10.99.1.1", 65000), b = world.up("10.99.1.2", 65000);
    a->send(announce({"10.1.0.0/16"}, {}, "10.99.1.1", [](Attributes& x) {
        x.set(Attribute::LocalPref);
        x.local_pref = 100;
    }));
    world.settle();
    EXPECT_TRUE(b->routes.empty());
    wanted.neighbors[0].peer.route_reflector_client = true;
    apply();
    EXPECT_TRUE(b->routes.contains(prefix("10.1.0.0/16")));
    wanted.neighbors[0].peer.route_reflector_client = false;
    apply();
    EXPECT_TRUE(b->routes.empty());
}

struct Recorded final : UpdateSink {
    void send(std::shared_ptr<const std::vector<std::uint8_t>> messages, std::uint64_t) override {
        std::span<const std::uint8_t> left{*messages};
        while (const auto frame = *next_frame(left, false)) {
            left = left.subspan(frame->size);
            ByteReader in{frame->body};
            const NlriList gone{in.take(in.u16()).rest(), Family::Ip4, true};
            in.take(in.u16());
            const NlriList come{in.rest(), Family::Ip4, true};
            for_each_nlri(gone, [&](const Prefix& p, std::uint32_t id) { has[p].erase(id); });
            for_each_nlri(come, [&](const Prefix& p, std::uint32_t id) { has[p].insert(id); });
        }
    }
    std::size_t queued() const override { return 0; }
    void end_of_rib_sent(Family) override {}
    std::map<Prefix, std::set<std::uint32_t>> has;
};

TEST(AGroupOfAddPath, UnlearnsWhatWentWhileItsFirstTwoMembersWereSentTheTable) {
    FakeTracker tracker;
    NextHops hops{tracker, [](NextHopId) {}};
    AttributePool pool{hops};
    RibTable table{Family::Ip4, pool};
    PeerTable peers(5);
    for (auto& peer : peers) peer.alive = peer.ebgp = true;
    Attributes a;
    a.set(Attribute::Origin);
    a.set(Attribute::AsPath);
    const auto set = pool.intern(a, 0);
    constexpr unsigned kPrefixes = 6000;
    for (unsigned n = 0; n < kPrefixes; ++n)
        for (const PeerId from : {1u, 2u}) {
            Path path;
            path.attributes = path.received = set;
            path.peer = from & 0xffffff;
            table.put(table.find_or_add({IpAddress::v4(0x0a000000 + n * 256), 24}), path);
        }
    ExportSettings settings;
    settings.add_path = true;
    settings.filter = PrefixFilter::everything();
    settings.self = address("10.0.0.1");
    UpdateGroup group{settings, table, pool, hops, peers};
    Recorded first, second;
    group.add(3, first, true);
    group.add(4, second, true);
    ASSERT_TRUE(group.advance(3)) << "the table takes more than one slice";
    peers[1].alive = false;
    while (group.advance(4)) {
    }
    while (group.advance(3)) {
    }
    for (unsigned n = 0; n < kPrefixes; ++n) {
        const Prefix p{IpAddress::v4(0x0a000000 + n * 256), 24};
        ASSERT_EQ(first.has[p].size(), 1u) << p.to_string();
        ASSERT_EQ(second.has[p].size(), 1u) << p.to_string();
    }
    pool.release(set);
}

}  // namespace
}  // namespace torii::bgp::test
