#include "bgp/wire/attributes.hpp"

#include "tests/unit/bgp/two_world.hpp"

namespace torii::bgp::test {
namespace {

Bytes path_of(std::size_t segments, std::size_t width) {
    Bytes out;
    for (std::size_t i = 0; i < segments; ++i) {
        out.insert(out.end(), {2, 255});
        for (std::size_t n = 0; n < 255 * width; ++n)
            out.push_back(n % width == width - 1 ? 7 : n % width == width - 2 ? 0xfd : 0);
    }
    return out;
}

Bytes update(const Bytes& attributes, const Bytes& nlri = {16, 10, 1}) {
    Bytes out{0, 0};
    out.push_back(static_cast<std::uint8_t>(attributes.size() >> 8));
    out.push_back(static_cast<std::uint8_t>(attributes.size()));
    out.insert(out.end(), attributes.begin(), attributes.end());
    out.insert(out.end(), nlri.begin(), nlri.end());
    return out;
}

struct Decoding : testing::Test {
    Decoded<Update> decode(const Bytes& attributes, const Bytes& nlri = {16, 10, 1}) {
        body = update(attributes, nlri);
        return decode_update(body, context, storage);
    }
    static Bytes whole(const Bytes& as_path, std::string_view next_hop = "0a000001") {
        auto out = unhex("40010100");
        out.insert(out.end(), {0x50, 2, static_cast<std::uint8_t>(as_path.size() >> 8),
                               static_cast<std::uint8_t>(as_path.size())});
        out.insert(out.end(), as_path.begin(), as_path.end());
        const auto hop = unhex(std::string{"400304"} + std::string{next_hop});
        out.insert(out.end(), hop.begin(), hop.end());
        return out;
    }
    DecodeContext context;
    AttributeStorage storage;
    Bytes body;
};

TEST_F(Decoding, APathTooLongInItsWideFormIsTreatedAsWithdrawn) {
    context.four_octet_as = false;
    context.enforce_first_as = false;
    const auto good = decode(whole(path_of(60, 2)));
    ASSERT_TRUE(good);
    EXPECT_EQ(good->recovery, Recovery::None);
    const auto bad = decode(whole(path_of(70, 2)));
    ASSERT_TRUE(bad);
    EXPECT_EQ(bad->recovery, Recovery::TreatAsWithdraw);
}

TEST_F(Decoding, ANextHopBesideMpReachIsNotLookedAt) {  // RFC 4760 §3
    context.ebgp = false;
    auto attributes = whole({}, "00000000");
    const auto more = unhex(
        "40050400000064800e1a000201"
        "10fd990000000000000000000000000001"
        "00"
        "20fd000001");
    attributes.insert(attributes.end(), more.begin(), more.end());
    const auto both = decode(attributes, {});
    ASSERT_TRUE(both);
    EXPECT_EQ(both->recovery, Recovery::None) << both->complaint;
    const auto alone = decode(whole({}, "00000000"));
    ASSERT_TRUE(alone);
    EXPECT_EQ(alone->recovery, Recovery::TreatAsWithdraw);
}

TEST_F(Decoding, AnAs4PathPassesNoCheckThatAnAsPathWouldNot) {
    context.four_octet_as = false;
    context.peer_as = 65001;
    auto attributes = whole(unhex("0202fde9000a"));
    const auto as4 = unhex("c0110a0202000000070000000a");  // begins with another AS
    attributes.insert(attributes.end(), as4.begin(), as4.end());
    const auto faked = decode(attributes);
    ASSERT_TRUE(faked);
    EXPECT_EQ(faked->recovery, Recovery::TreatAsWithdraw);
    attributes = whole(unhex("0202fde9000a"));
    const auto set = unhex(
        "c011060101"
        "0000000a");
    attributes.insert(attributes.end(), set.begin(), set.begin() + 9);
    const auto with_set = decode(attributes);
    ASSERT_TRUE(with_set);
    EXPECT_EQ(with_set->recovery, Recovery::TreatAsWithdraw);
}

TEST_F(Decoding, ThePartialBitStays) {  // RFC 4271 §5
    auto attributes = whole(unhex("02010000fde9"));
    const auto community = unhex("e00804fde90001");
    attributes.insert(attributes.end(), community.begin(), community.end());
    context.peer_as = 65001;
    const auto decoded = decode(attributes);
    ASSERT_TRUE(decoded);
    Bytes out;
    encode_attributes(decoded->attributes, true, false, out);
    const auto again = view_attributes(out);
    EXPECT_TRUE(again.partial >> 8 & 1);
    Bytes third;
    encode_attributes(again, true, false, third);
    EXPECT_EQ(out, third);
    EXPECT_NE(std::ranges::search(out, community).begin(), out.end());
}

TEST_F(Two, NonTransitiveExtendedCommunitiesStayInTheAs) {  // RFC 4360 §6
    start();
    const auto internal = world.up("10.99.0.3", 65000);
    const auto values = unhex(
        "4004fde94996b438"
        "0002fde900000001");
    teach("10.1.0.0/16", {65001}, [&](Attributes& attributes) {
        attributes.set(Attribute::ExtendedCommunities);
        attributes.extended_communities = values;
    });
    EXPECT_EQ(b->routes.at(prefix("10.1.0.0/16")).attributes.at(16), unhex("0002fde900000001"));
    EXPECT_EQ(internal->routes.at(prefix("10.1.0.0/16")).attributes.at(16), values);
}

TEST_F(Two, ARouteServerSendsNoLocalPref) {  // RFC 4271 §5.1.5
    of(1).route_server_client = true;
    start();
    const auto internal = world.up("10.99.0.3", 65000);
    internal->send(announce({"10.1.0.0/16"}, {65009}, "10.99.0.3", [](Attributes& attributes) {
        attributes.set(Attribute::LocalPref);
        attributes.local_pref = 200;
    }));
    world.settle();
    EXPECT_FALSE(b->routes.at(prefix("10.1.0.0/16")).attributes.contains(5));
}

TEST_F(Two, WithoutCommunitiesAShutdownIsTheOnlyOne) {
    of(1).send_communities = {false, false, false};
    of(1).graceful_shutdown = true;
    start();
    teach("10.1.0.0/16", {65001}, community(0xfde90001));
    EXPECT_EQ(b->routes.at(prefix("10.1.0.0/16")).attributes.at(8), unhex("ffff0000"));
}

TEST(ANotification, IsCutBetweenCharacters) {
    std::string words(254, 'a');
    words += "\xc3\xa9";  // the second octet would be the 256th
    EXPECT_EQ(cease_notification(cease::kAdminShutdown, words).data.size(), 255u);
    words.erase(0, 1);
    EXPECT_EQ(cease_notification(cease::kAdminShutdown, words).data.size(), 256u);
}

TEST(ANotification, ShowsWhatIsInsideOfAHardReset) {
    EXPECT_EQ(to_string(Notification{ErrorCode::Cease, 0, {}}), "Cease/subcode 0 (unspecific)");
    EXPECT_EQ(to_string(Notification{ErrorCode::Cease, cease::kHardReset, {6, 2}}),
              "Hard Reset, " + to_string(cease_notification(cease::kAdminShutdown)));
}

}  // namespace
}  // namespace torii::bgp::test
