#include <gtest/gtest.h>

#include <iterator>
#include <sstream>
#include <string>
#include <vector>

#include "mgmt/cli/cli.hpp"

namespace torii::cli {
namespace {

using Words = std::vector<std::string>;

Words words(const std::string& text) {
    std::istringstream in{text};
    return {std::istream_iterator<std::string>{in}, {}};
}

std::string translated(const std::string& text) {
    const auto out = translate_alias(words(text));
    if (!out.hint.empty()) return "hint: " + out.hint;
    std::string all;
    for (const auto& word : out.arguments) all += (all.empty() ? "" : " ") + word;
    return all;
}

struct Habit {
    const char* theirs;
    const char* ours;  // "hint" for those that are answered with the commands meant
};

// What hands type that are used to vtysh, birdc and cilium.
constexpr Habit kHabits[] = {
    {"show bgp summary", "bgp neighbors"},
    {"show ip bgp summary", "bgp neighbors"},
    {"show bgp ipv4 unicast summary", "bgp neighbors"},
    {"show bgp ipv6 unicast summary", "bgp neighbors"},
    {"show ip bgp", "route list --source bgp --family ipv4"},
    {"show bgp ipv4 unicast", "route list --source bgp --family ipv4"},
    {"show bgp ipv6 unicast", "route list --source bgp --family ipv6"},
    {"show bgp ipv4", "route list --source bgp --family ipv4"},
    {"show bgp 10.244.1.0/24", "route show 10.244.1.0/24"},
    {"show ip bgp 10.244.1.0/24", "route show 10.244.1.0/24"},
    {"show bgp ipv4 unicast 10.244.1.0/24", "route show 10.244.1.0/24"},
    {"show bgp neighbors", "bgp neighbors"},
    {"show bgp neighbor json", "--json bgp neighbors"},
    {"show bgp neighbors 192.0.2.11", "bgp neighbor 192.0.2.11"},
    {"show ip bgp neighbors 192.0.2.11", "bgp neighbor 192.0.2.11"},
    {"show bgp neighbors 192.0.2.11 advertised-routes",
     "route list --table adj-out --neighbor 192.0.2.11"},
    {"show ip bgp neighbors 192.0.2.11 advertised-routes",
     "route list --table adj-out --neighbor 192.0.2.11 --family ipv4"},
    {"show bgp ipv4 unicast neighbors 192.0.2.11 received-routes",
     "route list --table adj-in --neighbor 192.0.2.11 --family ipv4"},
    {"show ip bgp neighbors 192.0.2.11 routes",
     "route list --source bgp --neighbor 192.0.2.11 --family ipv4"},
    {"show bfd peers", "liveness"},
    {"show bfd peers brief", "liveness"},
    {"show bfd peer 192.0.2.11", "liveness 192.0.2.11"},
    {"show ip route", "route list --family ipv4"},
    {"show ip route bgp", "route list --source bgp --family ipv4"},
    {"show ip route 10.244.1.7", "route show 10.244.1.7"},
    {"show ipv6 route", "route list --family ipv6"},
    {"show ipv6 neighbors", "neighbor list"},
    {"show route-map", "hint"},
    {"show ip prefix-list", "hint"},
    {"show bgp community-list", "hint"},
    {"show interface brief", "port list"},
    {"show interface a", "port list"},
    {"show running-config", "config show"},
    {"show running-config bgp", "config show"},
    {"clear ip bgp *", "hint"},
    {"clear bgp *", "hint"},
    {"clear ip bgp 192.0.2.11 soft in", "bgp soft-in 192.0.2.11"},
    {"clear bgp 192.0.2.11 soft", "hint"},
    {"show memory", "hint"},
    {"show version", "status"},
    {"show logging", "events"},
    {"show protocol", "bgp neighbors"},
    {"show protocols t1", "bgp neighbors"},
    {"show route export t1", "route list --table adj-out --neighbor t1"},
    {"show bgp statistics", "counters torii_bgp"},
    {"show bgp peer-group", "bgp groups"},
    {"show ip bgp peer-group nodes", "bgp groups"},
    // and some more
    {"sh ip bgp sum", "bgp neighbors"},
    {"show bgp summary json", "--json bgp neighbors"},
    {"show protocols all 192.0.2.11", "bgp neighbor 192.0.2.11"},
    {"show route for 10.0.0.1", "route show 10.0.0.1"},
    {"show ip interface brief", "port list"},
    {"write memory", "config save"},
    {"copy running-config startup-config", "config save"},
    {"clear bgp 192.0.2.11", "bgp clear 192.0.2.11"},
    {"configure check FILE", "config check FILE"},
    {"show spanning-tree", "hint"},
    {"clear counters", "hint"},
};

TEST(Alias, TranslatesTheWordsOfOthers) {
    for (const auto& [theirs, ours] : kHabits) {
        const auto got = translated(theirs);
        if (std::string_view{ours} == "hint")
            EXPECT_TRUE(got.starts_with("hint: ") && got.find("torii ") != std::string::npos)
                << theirs << ": " << got;
        else
            EXPECT_EQ(got, ours) << theirs;
    }
}

TEST(Alias, EntersNoConfigurationModeAndAppliesNothing) {
    for (const auto* line : {"configure", "configure terminal", "conf t", "configure private"})
        EXPECT_NE(translated(line).find("hint: there is no configuration mode"), std::string::npos)
            << line << ": " << translated(line);
}

TEST(Alias, KeepsOptionsWhereTheyStand) {
    EXPECT_EQ(translated("--socket x show protocols"), "--socket x bgp neighbors");
    EXPECT_EQ(translated("--cert a --key b --ca c show version"), "--cert a --key b --ca c status");
    EXPECT_EQ(translated("show ip route 10.0.0.1 --json"), "route show 10.0.0.1 --json");
    EXPECT_EQ(translated("--socket"), "--socket");
    EXPECT_EQ(translated(""), "");
}

TEST(Alias, LeavesOurOwnWordsAlone) {
    for (const auto* line : {"bgp neighbors", "config show", "route list 10.0.0.0/8 --longer"})
        EXPECT_EQ(translated(line), line);
}

}  // namespace
}  // namespace torii::cli
