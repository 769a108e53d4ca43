// What a hostile member of a listen range can take up.
#include <algorithm>

#include "tests/unit/bgp/peer_group_world.hpp"

namespace torii::bgp::test {
namespace {

using namespace std::chrono_literals;

std::string host(unsigned n) {
    return "10.99." + std::to_string(n / 250) + "." + std::to_string(n % 250 + 1);
}

TEST_F(PeerGroup, RefusedPathsCountAgainstTheReceiveLimit) {
    nodes().import_lists = {"none"};
    nodes().receive_limit = 2;
    nodes().max_prefix.limit = 100;
    apply();
    const auto peer = world.up("10.99.0.1", 65001);
    peer->send(announce({"10.1.0.0/16", "10.2.0.0/16"}, {65001}, "10.99.0.1"));
    peer->send(announce({"10.2.0.0/16"}, {65001, 7}, "10.99.0.1"));
    world.settle();
    EXPECT_FALSE(peer->notification) << "the same prefix again is no more";
    peer->send(announce({"10.3.0.0/16"}, {65001}, "10.99.0.1"));
    world.settle();
    EXPECT_EQ(cease_of(*peer), cease::kMaxPrefixes);
    EXPECT_TRUE(world.events.has("BGP-RECEIVE-LIMIT"));
    EXPECT_EQ(world.speaker->counters().paths, 0u);
    EXPECT_EQ(cease_of(*world.connect("10.99.0.1")), cease::kConnectionRejected);
    world.pass(61s);
    EXPECT_FALSE(world.up("10.99.0.1", 65001)->notification);
}

TEST_F(PeerGroup, AttributeOctetsHaveALimitOfTheirOwn) {
    nodes().import_lists = {"none"};
    nodes().receive_octets = 20'000;
    apply();
    const auto peer = world.up("10.99.0.1", 65001);
    for (std::uint32_t n = 0; n < 40 && !peer->notification; ++n) {
        Bytes communities(1024, 0);
        communities[3] = static_cast<std::uint8_t>(n);
        peer->send(announce({"10.1.0.0/16"}, {65001}, "10.99.0.1", [&](Attributes& a) {
            a.set(Attribute::Communities);
            a.communities = communities;
        }));
        world.settle();
    }
    EXPECT_FALSE(peer->notification) << "only the last set is kept";
    for (std::uint32_t n = 0; n < 40 && !peer->notification; ++n) {
        Bytes communities(1024, 0);
        communities[3] = static_cast<std::uint8_t>(n);
        const auto p = "10." + std::to_string(n) + ".0.0/16";
        peer->send(announce({p}, {65001}, "10.99.0.1", [&](Attributes& a) {
            a.set(Attribute::Communities);
            a.communities = communities;
        }));
        world.settle();
    }
    EXPECT_EQ(cease_of(*peer), cease::kOutOfResources);
    EXPECT_EQ(world.speaker->counters().attribute_sets, 0u);
}

TEST_F(PeerGroup, AHoldTimeBelowTheMinimumIsRefused) {
    nodes().minimum_hold_time = 3s;
    apply();
    const auto forever = world.up("10.99.0.1", 65001, World::defaults(), 0);
    ASSERT_TRUE(forever->notification);
    EXPECT_EQ(forever->notification->code, ErrorCode::OpenMessage);
    EXPECT_EQ(forever->notification->subcode, open_error::kBadHoldTime);
    EXPECT_FALSE(world.up("10.99.0.2", 65002, World::defaults(), 3)->notification);
}

TEST_F(PeerGroup, AMemberSendsItsOpenWithinSeconds) {
    const auto silent = world.connect("10.99.0.1");
    world.pass(11s);
    EXPECT_TRUE(silent->notification);
    EXPECT_EQ(world.view("10.99.0.1").state, "Idle");
}

TEST_F(PeerGroup, OctetsOfAMessageThatNeverEndsAreNoProgress) {
    const auto peer = world.up("10.99.0.1", 65001, World::defaults(), 9);
    Bytes header(16, 0xff);
    header.insert(header.end(), {0x0f, 0x00, 2});
    peer->send(header);
    for (int second = 0; second < 12 && !peer->notification; ++second) {
        peer->send(Bytes{0});
        world.settle();
        world.pass(1s);
    }
    ASSERT_TRUE(peer->notification);
    EXPECT_EQ(peer->notification->code, ErrorCode::HoldTimerExpired);
}

TEST_F(PeerGroup, MembersThatWentAreRememberedInABoundedNumber) {
    wanted.listen_limit = 16;
    apply();
    for (unsigned n = 0; n < 600; ++n) {
        world.connect(host(n))->close();
        world.settle();
    }
    EXPECT_LE(world.speaker->neighbors().size(), 300u);
    EXPECT_FALSE(world.speaker->neighbor(address(host(0)))) << "the oldest goes first";
    EXPECT_TRUE(world.speaker->neighbor(address(host(599))));
}

TEST_F(PeerGroup, ConnectionsThatComeToNothingDoNotKeepOthersOut) {
    wanted.listen_limit = 8;
    apply();
    const auto good = world.up("10.99.1.1", 65001);
    std::vector<std::shared_ptr<RawPeer>> silent;
    for (unsigned n = 0; n < 50; ++n) silent.push_back(world.connect(host(n)));
    const auto late = world.up("10.99.1.2", 65002);
    EXPECT_FALSE(late->notification);
    EXPECT_EQ(world.view("10.99.1.2").state, "Established");
    EXPECT_EQ(world.view("10.99.1.1").state, "Established");
    EXPECT_FALSE(good->notification);
}

TEST_F(PeerGroup, ConnectionsThatFailAreReportedAFewTimesASecond) {
    for (unsigned n = 0; n < 200; ++n) world.connect("192.0.2.1");
    for (unsigned n = 0; n < 200; ++n) {
        world.connect(host(n))->close();
        world.settle();
    }
    EXPECT_LT(world.events.events.size(), 50u);
    world.pass(2s);
    world.connect("192.0.2.1");
    const auto& last = world.events.events.back();
    EXPECT_EQ(last.id.name(), "BGP-CONNECTION-UNKNOWN");
    EXPECT_TRUE(std::ranges::any_of(last.fields,
                                    [](const auto& field) { return field.first == "unreported"; }));
}

// A commit returns at once; the paths follow in slices, between which all others have their turn.
TEST_F(PeerGroup, ANewPolicyIsAppliedInSlices) {
    const auto peer = world.up("10.99.0.1", 65001);
    for (unsigned n = 0; n < 20'000; ++n) {
        const auto p = Prefix{IpAddress::v4(0x0b000000 + n * 256), 24}.to_string();
        peer->send(announce({p}, {65001}, "10.99.0.1"));
        if (n % 100 == 0) world.settle();
    }
    world.settle();
    const auto accepted = [&] { return world.view("10.99.0.1").families[0].accepted; };
    ASSERT_EQ(accepted(), 20'000u);
    nodes().import_lists = {"none"};
    world.speaker->apply(wanted);
    EXPECT_EQ(accepted(), 20'000u);
    nodes().import_lists = {"any"};  // a second one takes the place of the first
    world.speaker->apply(wanted);
    world.settle();
    EXPECT_EQ(accepted(), 20'000u);
    nodes().import_lists = {"none"};
    apply();
    EXPECT_EQ(accepted(), 0u);
    peer->close();
    world.settle();
    EXPECT_EQ(world.speaker->counters().paths, 0u);
}

TEST_F(PeerGroup, PathsOfOnePrefixAreBounded) {
    nodes().add_path = AddPath::Receive;
    apply();
    auto c = World::defaults();
    c.add_path_send = {true, true};
    const auto peer = world.up("10.99.0.1", 65001, c);
    Bytes as_path{2, 1, 0, 0, 0xfd, 0xe9};
    Attributes a;
    for (const auto code : {Attribute::Origin, Attribute::AsPath}) a.set(code);
    a.as_path = as_path;
    a.next_hop = address("10.99.0.1");
    for (std::uint32_t id = 3000; id > 0; --id) {
        OutgoingAttributes out;
        out.next_hop = a.next_hop;
        encode_attributes(a, true, true, out.bytes);
        const Announcement one{prefix("10.1.0.0/16"), id};
        Bytes message;
        encode_announcements({&one, 1}, out, {kMaxMessage, true}, message);
        peer->send(message);
        if (id % 100 == 0) world.settle();
    }
    world.settle();
    EXPECT_EQ(world.view("10.99.0.1").families[0].received, 1024u);
    EXPECT_TRUE(world.events.has("BGP-PATHS-LIMIT"));
    EXPECT_FALSE(peer->notification);
}

TEST_F(PeerGroup, AMemberThatAnOperatorShutIsNotForgotten) {
    const auto peer = world.up("10.99.0.1", 65001);
    world.speaker->act_on_neighbor(address("10.99.0.1"), PeerAction::Shutdown, "");
    world.settle();
    world.pass(11min);
    EXPECT_EQ(cease_of(*world.connect("10.99.0.1")), cease::kAdminShutdown);
}

TEST_F(PeerGroup, DownUntilClearedHoldsForMembersToo) {
    nodes().max_prefix.limit = 1;
    apply();
    const auto peer = world.up("10.99.0.1", 65001);
    peer->send(announce({"10.1.0.0/16", "10.2.0.0/16"}, {65001}, "10.99.0.1"));
    world.settle();
    EXPECT_EQ(cease_of(*peer), cease::kMaxPrefixes);
    world.pass(11min);
    EXPECT_EQ(cease_of(*world.connect("10.99.0.1")), cease::kConnectionRejected);
    // A raised limit is what it waits for.
    nodes().max_prefix.limit = 10;
    apply();
    EXPECT_FALSE(world.up("10.99.0.1", 65001)->notification);
}

TEST_F(PeerGroup, WhatWasBeyondTheLimitComesInWhenThereIsRoom) {
    nodes().max_prefix = {1, MaxPrefixAction::Drop, 75, 0s};
    apply();
    const auto peer = world.up("10.99.0.1", 65001);
    peer->send(announce({"10.1.0.0/16", "10.2.0.0/16"}, {65001}, "10.99.0.1"));
    world.settle();
    EXPECT_FALSE(world.in_table(prefix("10.2.0.0/16")));
    peer->send(withdraw({"10.1.0.0/16"}));
    world.settle();
    EXPECT_TRUE(world.in_table(prefix("10.2.0.0/16")));
    peer->send(announce({"10.1.0.0/16"}, {65001}, "10.99.0.1"));
    world.settle();
    EXPECT_FALSE(world.in_table(prefix("10.1.0.0/16")));
    nodes().max_prefix.limit = 2;
    apply();
    EXPECT_TRUE(world.in_table(prefix("10.1.0.0/16")));
}

}  // namespace
}  // namespace torii::bgp::test
