#include "config/peer_settings.hpp"

#include <gtest/gtest.h>

#include "config/config.hpp"

namespace torii::config {
namespace {

Bgp two_groups() {
    Bgp bgp;
    bgp.asn = {64512};
    bgp.defaults.hold_time = seconds{30};
    PeerGroup base{"base", {}, {}}, nodes{"nodes", "base", {}};
    base.settings.passive = true;
    base.settings.hold_time = seconds{9};
    nodes.settings.remote_as = RemoteAs{RemoteAs::Kind::External, {}};
    bgp.groups = {base, nodes};
    return bgp;
}

Neighbor member() {
    Neighbor n;
    n.address = *IpAddress::parse("10.0.0.2");
    n.group = "nodes";
    return n;
}

TEST(EffectivePeer, AsksTheNeighborItsGroupTheInheritedOnesAndTheDefaultsInThisOrder) {
    const auto bgp = two_groups();
    auto n = member();
    n.settings.description = "mine";
    const auto peer = effective(bgp, n);
    EXPECT_EQ(peer.settings.description, "mine");
    EXPECT_EQ(peer.why.at("description").origin, Origin::Neighbor);
    EXPECT_EQ(peer.why.at("remote_as"), (Provenance{Origin::Group, "nodes"}));
    EXPECT_EQ(peer.settings.hold_time, seconds{9});
    EXPECT_EQ(peer.why.at("hold_time"), (Provenance{Origin::Group, "base"}));
    EXPECT_EQ(peer.settings.connect_retry, seconds{30});
    EXPECT_EQ(peer.why.at("connect_retry").origin, Origin::BuiltIn);
}

TEST(EffectivePeer, AMemberCanSwitchOffWhatItsGroupSwitchedOn) {
    auto n = member();
    EXPECT_EQ(effective(two_groups(), n).settings.passive, true);
    n.settings.passive = false;
    EXPECT_EQ(effective(two_groups(), n).settings.passive, false);
}

TEST(EffectivePeer, ACircleOfGroupsEnds) {
    auto bgp = two_groups();
    bgp.groups[0].inherits = "nodes";
    EXPECT_EQ(effective(bgp, member()).settings.hold_time, seconds{9});
}

TEST(EffectivePeer, TellsInternalFromExternalByTheAsWeShow) {
    const auto bgp = two_groups();
    PeerSettings s;
    EXPECT_EQ(is_internal(bgp, s), std::nullopt);
    s.remote_as = RemoteAs{RemoteAs::Kind::Number, {64512}};
    EXPECT_EQ(is_internal(bgp, s), true);
    s.remote_as->asn = {65000};
    EXPECT_EQ(is_internal(bgp, s), false);
}

TEST(Describe, MasksThePassword) {
    auto n = member();
    n.settings.passwords = std::vector<std::string>{"hush"};
    bool found = false;
    for (const auto& setting : describe(effective(two_groups(), n))) {
        EXPECT_EQ(setting.value.find("hush"), std::string::npos);
        found = found || (setting.key == "password" && setting.origin == "neighbor");
    }
    EXPECT_TRUE(found);
}

}  // namespace
}  // namespace torii::config
