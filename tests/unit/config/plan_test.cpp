#include "config/plan.hpp"

#include <gtest/gtest.h>

#include "config/config.hpp"

namespace torii::config {
namespace {

Model example() {
    auto loaded = load(TORII_SOURCE_DIR "/config/examples/datacenter.cfg");
    return loaded->model;
}

std::vector<std::string> changes(const Model& running, const Model& wanted) {
    std::vector<std::string> out;
    for (const auto& change : plan(running, wanted)) out.push_back(describe(change));
    return out;
}

using Texts = std::vector<std::string>;

TEST(Plan, OfTheSameModelIsEmpty) {
    EXPECT_TRUE(plan(example(), example()).empty());
    EXPECT_EQ(summary({}), "nothing changes");
}

TEST(Plan, APolicyEditRefreshesAndResetsNobody) {
    auto wanted = example();
    wanted.prefix_lists[0].rules.pop_back();
    EXPECT_EQ(changes(example(), wanted), (Texts{"prefix list vips: changed (refresh)"}));
}

TEST(Plan, AChangedPasswordOfAGroupIsItsMembersAffairAlone) {
    auto wanted = example();
    wanted.bgp->groups[1].settings.passwords = std::vector<std::string>{"another"};
    EXPECT_EQ(changes(example(), wanted), (Texts{"group rack-a: password (next session)",
                                                 "neighbor 10.1.0.250: password (next session)"}));
}

TEST(Plan, AChangeOfAnInheritedGroupShowsAtTheGroupsBelow) {
    auto wanted = example();
    wanted.bgp->groups[0].settings.hold_time = seconds{30};
    const auto texts = changes(example(), wanted);
    EXPECT_EQ(texts, (Texts{"group node: hold_time (next session)",
                            "group rack-a: hold_time (next session)",
                            "group rack-b: hold_time (next session)",
                            "neighbor 10.1.0.250: hold_time (next session)"}));
}

TEST(Plan, AMemberThatSaysTheSameItselfDoesNotChange) {
    auto running = example(), wanted = example();
    running.bgp->neighbors[1].settings.hold_time = seconds{5};
    wanted.bgp->neighbors[1].settings.hold_time = seconds{5};
    wanted.bgp->groups[0].settings.hold_time = seconds{30};
    for (const auto& text : changes(running, wanted))
        EXPECT_EQ(text.find("neighbor"), Texts::value_type::npos);
}

TEST(Plan, ANewGroupAndRangeCostNothing) {
    auto wanted = example();
    wanted.bgp->groups.push_back({"more", "node", {}});
    wanted.bgp->listen.push_back({*Prefix::parse("10.1.3.0/24"), "more", {}});
    EXPECT_EQ(changes(example(), wanted),
              (Texts{"group more: added", "listen range 10.1.3.0/24: added"}));
}

TEST(Plan, OneChangedLineOfFiveThousandTouchesOneNeighbor) {
    auto running = example();
    for (std::uint32_t i = 0; i < 5000; ++i) {
        Neighbor n;
        n.address = IpAddress::v4(0x0a010100 + i);
        n.group = "rack-a";
        running.bgp->neighbors.push_back(n);
    }
    auto wanted = running;
    wanted.bgp->neighbors[2500].settings.description = "new";
    EXPECT_EQ(plan(running, wanted).size(), 1u);
}

TEST(Plan, RemovesBeforeItAddsAndAddsWhatIsReferredToFirst) {
    auto wanted = example();
    wanted.bgp->neighbors[1].address = *IpAddress::parse("10.1.0.251");
    wanted.bgp->neighbors[1].group = "rack-c";
    wanted.bgp->groups.push_back({"rack-c", "node", {}});
    EXPECT_EQ(changes(example(), wanted),
              (Texts{"neighbor 10.1.0.250: removed (reset)", "group rack-c: added",
                     "neighbor 10.1.0.251: added"}));
}

TEST(Plan, ASubPortComesAtNoCostAndMovesWithARestart) {
    auto running = example();
    auto& storage = running.ports.emplace_back();
    storage.name = "storage";
    storage.parent = "nodes";
    storage.vlan = 200;
    EXPECT_EQ(changes(example(), running), (Texts{"port storage: added"}));
    auto wanted = running;
    wanted.ports.back().vlan = 201;
    EXPECT_EQ(changes(running, wanted), (Texts{"port storage: vlan (restart)"}));
    wanted = running;
    wanted.ports.back().addresses = {*InterfaceAddress::parse("10.7.0.1/24")};
    EXPECT_EQ(changes(running, wanted), (Texts{"port storage: addresses"}));
    EXPECT_EQ(changes(running, example()), (Texts{"port storage: removed (restart)"}));
}

TEST(Plan, CountsWhatHappensInWords) {
    auto wanted = example();
    wanted.routes.pop_back();
    wanted.ports[0].mtu = 1500;
    wanted.bgp->groups[1].settings.passwords.reset();
    wanted.dataplane.mbufs = 65536;
    EXPECT_EQ(
        summary(plan(example(), wanted)),
        "1 neighbor changed, 1 group changed, 1 route removed, 1 port changed, 1 other change; "
        "1 only by a restart of toriid");
}

}  // namespace
}  // namespace torii::config
