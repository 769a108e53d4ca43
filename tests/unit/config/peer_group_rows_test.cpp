// The rows of docs/peer-groups.md that are about what a file may say: RowNN is
// the behaviour's number there.
#include <gtest/gtest.h>

#include <algorithm>

#include "config/config.hpp"

namespace torii::config {
namespace {

// A file with these groups and neighbors; `more` are further keys of bgp.
std::string file(const std::string& groups, const std::string& neighbors,
                 const std::string& more = "") {
    return "bgp = { asn = 65000; router_id = \"10.0.0.1\"; groups = { " + groups +
           " }; neighbors = ( " + neighbors + " ); " + more + " };\n";
}

Model loaded(const std::string& text) {
    const auto result = load_text(text, "rows.cfg");
    EXPECT_TRUE(result) << (result ? "" : result.error().front().to_string());
    return result ? result->model : Model{};
}

// The errors, one a line; fails when there are none.
std::string refused(const std::string& text) {
    const auto result = load_text(text, "rows.cfg");
    EXPECT_FALSE(result) << text;
    std::string out;
    if (!result)
        for (const auto& problem : result.error())
            if (problem.gravity == Gravity::Error) out += problem.to_string() + '\n';
    return out;
}

bool says(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
}

PeerSettings member(const std::string& groups, const std::string& neighbor) {
    const auto m = loaded(file(groups, neighbor));
    return m.bgp ? effective(*m.bgp, m.bgp->neighbors.at(0)).settings : PeerSettings{};
}

constexpr const char* kAddress = "address = \"10.0.0.2\"; multihop = 2; import = \"any\"; ";

std::string peer(const std::string& keys) {
    return std::string{"{ "} + kAddress + keys + " }";
}

TEST(PeerGroupRows, Row01AGroupThatDoesNotExistIsRefusedWithALikelyName) {
    EXPECT_TRUE(says(refused(file("nodes = { };", peer("group = \"node\"; remote_as = 65001;"))),
                     "did you mean \"nodes\"?"));
}

TEST(PeerGroupRows, Row02AGroupWithoutAnAsTakesMembersOfDifferentAses) {
    const auto m =
        loaded(file("nodes = { import = \"any\"; multihop = 2; };",
                    "{ address = \"10.0.0.2\"; group = \"nodes\"; remote_as = 65001; }, "
                    "{ address = \"10.0.0.3\"; group = \"nodes\"; remote_as = 65002; }"));
    EXPECT_EQ(m.bgp->neighbors.size(), 2u);
}

TEST(PeerGroupRows, Row03InternalAndExternalMembersDoNotMix) {
    EXPECT_TRUE(
        says(refused(file("nodes = { import = \"any\"; multihop = 2; };",
                          "{ address = \"10.0.0.2\"; group = \"nodes\"; remote_as = 65001; }, "
                          "{ address = \"10.0.0.3\"; group = \"nodes\"; remote_as = 65000; }")),
             "other members of the group"));
}

TEST(PeerGroupRows, Row04AMemberWithoutAnyAsIsRefused) {
    EXPECT_TRUE(says(refused(file("nodes = { };", peer("group = \"nodes\";"))),
                     "neither the neighbor nor its group has a remote_as"));
}

TEST(PeerGroupRows, Row05And06AMemberCannotDifferFromTheAsOfItsGroup) {
    EXPECT_TRUE(says(refused(file("nodes = { remote_as = 65001; };",
                                  peer("group = \"nodes\"; remote_as = 65002;"))),
                     "a member cannot differ"));
}

TEST(PeerGroupRows, Row07AnAsOfItsOwnInsideAnExternalGroupIsKeptAndWritten) {
    const auto m = loaded(file("nodes = { remote_as = \"external\"; };",
                               peer("group = \"nodes\"; remote_as = 65002;")));
    EXPECT_EQ(effective(*m.bgp, m.bgp->neighbors[0]).settings.remote_as->asn.number, 65002u);
    EXPECT_TRUE(says(print(m, Secrets::Shown), "remote_as = 65002"));
    EXPECT_TRUE(says(refused(file("nodes = { remote_as = \"external\"; };",
                                  peer("group = \"nodes\"; remote_as = 65000;"))),
                     "the group \"nodes\" is for eBGP"));
}

TEST(PeerGroupRows, Row08AnAsThatMembersDependOnCannotGo) {
    loaded(file("nodes = { remote_as = 65001; };", peer("group = \"nodes\";")));
    const auto why = refused(file("nodes = { };", peer("group = \"nodes\";")));
    EXPECT_TRUE(says(why, "bgp.neighbors[0]")) << "names the member: " << why;
}

TEST(PeerGroupRows, Row10AValueOfTheMemberWinsAndGivesWayToTheGroupsOfNow) {
    const auto* own = "group = \"nodes\"; hold_time = 30;";
    EXPECT_EQ(member("nodes = { remote_as = 65001; hold_time = 9; };", peer(own)).hold_time,
              seconds{30});
    EXPECT_EQ(member("nodes = { remote_as = 65001; hold_time = 12; };", peer("group = \"nodes\";"))
                  .hold_time,
              seconds{12});
}

TEST(PeerGroupRows, Row11AMemberSwitchesOffWhatItsGroupSwitchedOn) {
    const auto s = member(
        "nodes = { remote_as = \"internal\"; passive = true; shutdown = true; next_hop_self = "
        "true; "
        "route_reflector_client = true; };",
        "{ address = \"10.0.0.2\"; group = \"nodes\"; passive = false; shutdown = false; "
        "next_hop_self = false; route_reflector_client = false; }");
    EXPECT_FALSE(*s.passive || *s.shutdown || *s.next_hop_self || *s.route_reflector_client);
}

TEST(PeerGroupRows, Row12WhatIsOnByDefaultCanBeSwitchedOffByAMember) {
    EXPECT_EQ(member("nodes = { remote_as = 65001; };",
                     peer("group = \"nodes\"; send_community = \"none\";"))
                  .send_community,
              SendCommunity::None);
}

TEST(PeerGroupRows, Row13AMemberKeepsItsOwnWhenTheGroupDropsTheSame) {
    const auto* own = "group = \"nodes\"; max_prefix = 7;";
    EXPECT_EQ(
        member("nodes = { remote_as = 65001; max_prefix = 7; };", peer(own)).max_prefix->limit, 7u);
    EXPECT_EQ(member("nodes = { remote_as = 65001; };", peer(own)).max_prefix->limit, 7u);
}

TEST(PeerGroupRows, Row16TtlSecurityAndMultihopExcludeEachOther) {
    EXPECT_TRUE(says(refused(file("nodes = { remote_as = 65001; multihop = 4; };",
                                  peer("group = \"nodes\"; ttl_security = 1;"))),
                     "ttl_security and multihop exclude each other"));
}

TEST(PeerGroupRows, Row17WhatIsForEbgpIsRefusedForAnInternalGroup) {
    for (const auto* key : {"as_override = true", "remove_private_as = \"all\"", "local_as = 64999",
                            "role = \"peer\""}) {
        const auto groups = std::string{"nodes = { remote_as = \"internal\"; "} + key + "; };";
        const auto result =
            load_text(file(groups, "{ address = \"10.0.0.2\"; group = \"nodes\"; }"), "rows.cfg");
        // With another AS of ours towards it, "internal" still means that one.
        EXPECT_FALSE(result) << key;
    }
}

TEST(PeerGroupRows, Row18AMemberMayHaveOtherFamiliesThanItsGroup) {
    EXPECT_EQ(member("nodes = { remote_as = 65001; families = [ \"ipv4\" ]; };",
                     peer("group = \"nodes\"; families = [ \"ipv6\" ];"))
                  .families,
              std::vector{Family::Ip6});
    EXPECT_TRUE(says(refused(file("nodes = { remote_as = 65001; families = [ ]; };",
                                  peer("group = \"nodes\";"))),
                     "no family is left"))
        << "row 35: a group without any family takes nobody in";
}

TEST(PeerGroupRows, Row21ANeighborWithoutItsGroupStaysWhenItHasAnAsOfItsOwn) {
    EXPECT_EQ(member("nodes = { };", peer("remote_as = 65001;")).remote_as->asn.number, 65001u);
    EXPECT_TRUE(says(refused(file("nodes = { remote_as = 65001; };", peer(""))),
                     "neither the neighbor nor its group has a remote_as"));
}

TEST(PeerGroupRows, Row30ARangeNeedsAGroupWithAnAsAndMayLieInAnother) {
    EXPECT_TRUE(says(refused(file("nodes = { };", "",
                                  "listen = ( { range = \"10.0.0.0/8\"; group = \"nodes\"; } );")),
                     "has no remote_as, so its members have none"));
    loaded(file("nodes = { remote_as = \"external\"; import = \"any\"; };", "",
                "listen = ( { range = \"10.0.0.0/8\"; group = \"nodes\"; }, "
                "{ range = \"10.1.0.0/16\"; group = \"nodes\"; } );"));
    EXPECT_TRUE(says(refused(file("nodes = { remote_as = \"external\"; import = \"any\"; };", "",
                                  "listen = ( { range = \"10.0.0.0/8\"; group = \"nodes\"; }, "
                                  "{ range = \"10.0.0.0/8\"; group = \"nodes\"; } );")),
                     "is listened for already"));
}

}  // namespace
}  // namespace torii::config
