#include "config/frr_import.hpp"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <fstream>
#include <sstream>

#include "config/config.hpp"

namespace torii::config {
namespace {

std::string file(const std::string& name) {
    std::ifstream in{std::string{TORII_SOURCE_DIR} + "/tests/vectors/config/frr/" + name};
    std::stringstream out;
    out << in.rdbuf();
    return out.str();
}

// What was imported is good enough for `toriid --check`.
Model checked(const FrrImport& imported) {
    const auto printed = print(imported.model, Secrets::Shown);
    const auto loaded = load_text(printed, "imported.cfg");
    if (!loaded) {
        std::string all;
        for (const auto& problem : loaded.error()) all += problem.to_string() + '\n';
        ADD_FAILURE() << all << printed;
        return {};
    }
    return loaded->model;
}

bool left_out(const FrrImport& imported, const std::string& text) {
    for (const auto& item : imported.left_out)
        if (item.text.find(text) != std::string::npos && !item.why.empty() && item.line > 0)
            return true;
    return false;
}

TEST(FrrImport, CarriesAGroupWithALinePerNodeOverWhole) {
    const auto imported = import_frr(file("adr.frr"));
    EXPECT_TRUE(imported.left_out.empty()) << imported.left_out[0].text;
    const auto m = checked(imported);
    ASSERT_EQ(m.bgp->groups.size(), 1u);
    EXPECT_EQ(m.bgp->neighbors.size(), 3u);
    const auto peer = effective(*m.bgp, m.bgp->neighbors[0]).settings;
    EXPECT_EQ(peer.remote_as->asn.number, 64513u);
    EXPECT_EQ(peer.hold_time, seconds{9});
    EXPECT_EQ(peer.import_lists, std::vector<std::string>{"PODS"});
    EXPECT_EQ(peer.export_lists, std::vector<std::string>{"any"});  // no ebgp-requires-policy
    EXPECT_EQ(peer.max_prefix->action, MaxPrefixAction::Warn);
    EXPECT_EQ(peer.max_prefix->warn_percent, 80);
    EXPECT_EQ(peer.families, std::vector{Family::Ip4});
    EXPECT_EQ(m.prefix_lists[0].rules[0].to_string(), "deny 10.244.9.0/24");  // by its seq
}

TEST(FrrImport, GivesNamesThatAConfigurationCanHave) {
    const auto imported = import_frr(R"(
interface eth0
 ip address 10.0.0.1/24
router bgp 64512
 bgp router-id 10.0.0.1
 neighbor 1.rack peer-group
 neighbor 1.rack remote-as 64513
 neighbor 10.0.0.2 peer-group 1.rack
 bgp listen range 10.0.0.0/24 peer-group 1.rack
 address-family ipv4 unicast
  neighbor 1.rack route-map 10 in
  neighbor 1.rack prefix-list 20 out
bgp as-path access-list 1 permit ^64513
ip prefix-list 20 permit any
route-map 10 permit 10
 match as-path 1
 set local-preference 200
)");
    EXPECT_TRUE(imported.left_out.empty()) << imported.left_out[0].text;
    const auto m = checked(imported);
    // Its twin could not be named as the interface is.
    EXPECT_EQ(m.ports[0].name, "t-eth0");
    EXPECT_EQ(m.ports[0].device.name, "eth0");
    EXPECT_EQ(m.bgp->groups[0].name, "n1-rack");
    EXPECT_EQ(m.bgp->listen[0].group, "n1-rack");
    EXPECT_EQ(m.policies[0].name, "n10");
    EXPECT_EQ(m.as_path_lists[0].name, "n1");
    EXPECT_EQ(m.prefix_lists[0].name, "n20");
}

TEST(FrrImport, MakesOneListenRangeOfPlainMembersOnRequest) {
    const auto m = checked(import_frr(file("adr.frr"), Members::ByRange));
    EXPECT_TRUE(m.bgp->neighbors.empty());
    ASSERT_EQ(m.bgp->listen.size(), 1u);
    EXPECT_EQ(m.bgp->listen[0].range, Prefix::parse("10.0.0.0/24"));
    EXPECT_EQ(m.bgp->listen[0].group, "CILIUM_NODES");
}

TEST(FrrImport, CarriesABorderRouterOverAndNamesWhatItDoesNot) {
    const auto imported = import_frr(file("border.frr"));
    const auto m = checked(imported);
    ASSERT_EQ(m.ports.size(), 3u);
    // A VLAN of an interface is a sub-port of it.
    EXPECT_EQ(m.ports[0].name, "t-eth1");
    EXPECT_EQ(m.ports[0].device.name, "eth1");
    EXPECT_EQ(m.ports[1].name, "eth1-100");
    EXPECT_EQ(m.ports[1].device.name, "");
    EXPECT_EQ(m.ports[1].parent, "t-eth1");
    EXPECT_EQ(m.ports[1].vlan, 100);
    EXPECT_EQ(m.bgp->asn.number, 4200000001u);
    EXPECT_EQ(m.bgp->listen_limit, 500u);
    EXPECT_EQ(m.bgp->defaults.hold_time, seconds{9});  // datacenter
    const auto* nodes = m.bgp->find_group("NODES");
    ASSERT_TRUE(nodes);
    EXPECT_EQ(nodes->settings.families, (std::vector{Family::Ip4, Family::Ip6}));
    EXPECT_EQ(nodes->settings.passwords, std::vector<std::string>{"s3cret"});
    EXPECT_EQ(nodes->settings.import_policies, std::vector<std::string>{"FROM-NODES"});
    ASSERT_EQ(m.policies.size(), 1u);
    ASSERT_EQ(m.policies[0].terms.size(), 3u);
    EXPECT_EQ(m.policies[0].terms[1].set.local_pref, 200u);
    EXPECT_EQ(m.policies[0].terms[2].action, TermAction::Reject);
    ASSERT_EQ(m.bgp->neighbors.size(), 2u);
    EXPECT_EQ(m.bgp->neighbors[1].settings.update_source, IpAddress::parse("10.0.0.1"));
    EXPECT_EQ(m.routes.size(), 5u);
    EXPECT_EQ(m.routes[0].distance, 210);
    EXPECT_EQ(m.routes[2].via.size(), 2u);
    for (const auto* text :
         {"192.0.2.255/32", "ip ospf cost", "redistribute ospf", "address-family l2vpn",
          "router ospf", "access-list", "eth9", "neighbor eth5"})
        EXPECT_TRUE(left_out(imported, text)) << text;
    EXPECT_EQ(imported.left_out.size(), 11u);
}

TEST(FrrImport, MakesPoliciesOfRouteMaps) {
    const auto imported = import_frr(R"(
bgp as-path access-list FAR seq 5 permit _64999_
bgp community-list standard TAGGED seq 5 permit 65000:1 65000:2
bgp community-list standard OLD permit 65000:9
bgp large-community-list standard BIG permit 65000:1:2
ip prefix-list PODS seq 5 permit 10.244.0.0/16 ge 24
ip prefix-list HOPS permit 10.0.0.0/24
route-map IN permit 10
 match ip address prefix-list PODS
 match community TAGGED
 match as-path FAR
 set local-preference 200
 set community 65000:3 no-export additive
 set comm-list OLD delete
route-map IN deny 20
 match large-community BIG
 match ip next-hop prefix-list HOPS
route-map IN permit 30
 set metric +10
 set as-path prepend 65000 65000
 set weight 7
router bgp 65000
 bgp router-id 10.0.0.1
 neighbor 10.0.0.2 remote-as 65001
 neighbor 10.0.0.2 route-map IN in
 neighbor 10.0.0.2 prefix-list PODS out
)");
    const auto m = checked(imported);
    ASSERT_EQ(m.policies.size(), 1u);
    const auto& terms = m.policies[0].terms;
    ASSERT_EQ(terms.size(), 3u);
    EXPECT_EQ(terms[0].match.prefix, std::vector<std::string>{"PODS"});
    EXPECT_EQ(terms[0].match.as_path[0].list, "FAR");
    EXPECT_EQ(terms[0].set.add_community.size(), 2u);
    EXPECT_EQ(terms[0].set.remove_community[0].to_string(), "65000:9");
    EXPECT_EQ(terms[1].action, TermAction::Reject);
    EXPECT_EQ(terms[1].match.next_hop, std::vector{*Prefix::parse("10.0.0.0/24")});
    EXPECT_EQ(terms[2].set.med->to_string(), "+10");
    EXPECT_EQ(terms[2].set.prepend_as, (std::vector<Asn>{{65000}, {65000}}));
    EXPECT_EQ(m.as_path_lists[0].rules[0].to_string(), "_64999_");
    EXPECT_EQ(m.community_lists[0].rules[0].to_string(), "65000:1 65000:2");
    EXPECT_TRUE(left_out(imported, "set weight 7"));
    EXPECT_EQ(imported.left_out.size(), 1u);
}

TEST(FrrImport, PrintsNoPasswordAmongWhatIsLeftOut) {
    const auto imported =
        import_frr("router bgp 1\n address-family l2vpn evpn\n neighbor X password hush\n");
    for (const auto& item : imported.left_out) EXPECT_EQ(item.text.find("hush"), std::string::npos);
}

TEST(FrrImport, SurvivesAnyText) {
    EXPECT_TRUE(rc::check([](const std::string& text) { (void)import_frr(text); }));
    const auto good = file("border.frr");
    for (std::size_t n = 0; n < good.size(); n += 7)
        (void)import_frr(good.substr(n), Members::ByRange);
}

}  // namespace
}  // namespace torii::config
