#include "config/frr_import.hpp"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <algorithm>
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

// Lines that were not carried over, changed defaults apart.
std::vector<std::string> lost(const FrrImport& imported) {
    std::vector<std::string> out;
    for (const auto& item : imported.left_out)
        if (item.effect != FrrEffect::Changed) out.push_back(item.text + ": " + item.why);
    return out;
}

using Lines = std::vector<std::string>;

TEST(FrrImport, CarriesAGroupWithALinePerNodeOverWhole) {
    const auto imported = import_frr(file("adr.frr"));
    EXPECT_EQ(lost(imported), Lines{});
    const auto m = checked(imported);
    ASSERT_EQ(m.bgp->groups.size(), 1u);
    EXPECT_EQ(m.bgp->neighbors.size(), 3u);
    const auto peer = effective(*m.bgp, m.bgp->neighbors[0]).settings;
    EXPECT_EQ(peer.remote_as->asn.number, 64513u);
    EXPECT_EQ(peer.hold_time, seconds{9});
    EXPECT_EQ(peer.import_policies, std::vector<std::string>{"PODS"});
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
    EXPECT_EQ(lost(imported), Lines{});
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
    // Its map is for IPv4 alone, and the datacenter profile lets all of IPv6 pass.
    EXPECT_EQ(nodes->settings.import_policies, (std::vector<std::string>{"FROM-NODES", "accept"}));
    ASSERT_EQ(m.policies.size(), 4u);
    ASSERT_EQ(m.policies[0].terms.size(), 2u);
    EXPECT_EQ(m.policies[0].terms[0].match.family, Family::Ip4);
    EXPECT_EQ(m.policies[0].terms[0].match.prefix, std::vector<std::string>{"PODS"});
    EXPECT_EQ(m.policies[0].terms[1].action, TermAction::Reject);
    ASSERT_EQ(m.bgp->neighbors.size(), 2u);
    EXPECT_EQ(m.bgp->neighbors[1].settings.update_source, IpAddress::parse("10.0.0.1"));
    EXPECT_EQ(m.routes.size(), 5u);
    EXPECT_TRUE(imported.is_safe());
    EXPECT_EQ(m.routes[0].distance, 210);
    EXPECT_EQ(m.routes[2].via.size(), 2u);
    for (const auto* text :
         {"192.0.2.255/32", "ip ospf cost", "redistribute ospf", "redistribute connected",
          "address-family l2vpn", "router ospf", "eth9", "neighbor eth5"})
        EXPECT_TRUE(left_out(imported, text)) << text;
    EXPECT_EQ(lost(imported).size(), 10u);
}

TEST(FrrImport, MakesPoliciesOfRouteMaps) {
    const auto imported = import_frr(R"(
bgp as-path access-list FAR seq 5 permit _64999_
bgp community-list standard TAGGED seq 5 permit 65000:1 65000:2
bgp community-list standard OLD permit 65000:9
bgp large-community-list standard BIG permit 65000:1:2
ip prefix-list PODS seq 5 permit 10.244.0.0/16 ge 24
ip prefix-list HOPS permit 10.0.0.0/24 le 32
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
    ASSERT_EQ(m.policies.size(), 2u);
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
    EXPECT_EQ(lost(imported).size(), 1u);
}

std::vector<std::string> printed(const PrefixList& list) {
    std::vector<std::string> out;
    for (const auto& rule : list.rules) out.push_back(rule.to_string());
    return out;
}

TEST(FrrImport, KeepsAMapOfEachFamilyToItsFamily) {
    const auto imported = import_frr(file("field/a-map-for-each-family.frr"));
    EXPECT_EQ(lost(imported), Lines{});
    const auto m = checked(imported);
    EXPECT_EQ(m.bgp->groups[0].settings.import_policies,
              (std::vector<std::string>{"NODES-IN", "NODES-IN-V6"}));
    EXPECT_FALSE(m.bgp->groups[0].settings.import_lists);
    for (const auto& policy : m.policies)
        for (const auto& term : policy.terms)
            EXPECT_EQ(term.match.family, policy.name.ends_with("V6") ? Family::Ip6 : Family::Ip4);
}

TEST(FrrImport, TakesASettingThatTheFamiliesDoNotShareForNeither) {
    const auto imported = import_frr(file("field/settings-of-one-family.frr"));
    const auto m = checked(imported);
    const auto peer = effective(*m.bgp, m.bgp->neighbors[0]).settings;
    EXPECT_FALSE(*peer.default_originate);
    EXPECT_FALSE(*peer.next_hop_self);
    EXPECT_EQ(peer.allowas_in, 0);
    EXPECT_EQ(peer.max_prefix->limit, 12000u);
    EXPECT_EQ(peer.max_prefix->action, MaxPrefixAction::Close);
    EXPECT_EQ(peer.send_community, SendCommunity::All);  // what FRR sends unless negated
    EXPECT_EQ(lost(imported).size(), 4u);
    EXPECT_TRUE(imported.is_safe());
}

TEST(FrrImport, ReportsAHigherLimitAsWider) {
    const auto imported = import_frr(R"(
router bgp 65001
 no bgp ebgp-requires-policy
 neighbor 192.0.2.11 remote-as 65010
 neighbor 192.0.2.11 maximum-prefix 1000
 address-family ipv6 unicast
  neighbor 192.0.2.11 activate
  neighbor 192.0.2.11 maximum-prefix 10
)");
    EXPECT_FALSE(imported.is_safe());
    EXPECT_EQ(imported.left_out[0].effect, FrrEffect::Wider);
}

TEST(FrrImport, LetsTheReleaseAndTheProfileDecideDefaults) {
    for (const auto* name : {"field/datacenter-profile.frr", "field/release-6.frr",
                             "field/release-6-two-families.frr"})
        EXPECT_EQ(checked(import_frr(file(name))).bgp->defaults.import_lists,
                  std::vector<std::string>{"any"})
            << name;
    EXPECT_FALSE(
        checked(import_frr(file("field/one-name-for-three.frr"))).bgp->defaults.import_lists);
    const auto m = checked(import_frr(file("field/ipv6-by-default.frr")));
    EXPECT_EQ(m.bgp->defaults.families, (std::vector{Family::Ip4, Family::Ip6}));
    EXPECT_FALSE(m.bgp->multipath_relax);
    // FRR announces what another source has, unless told otherwise.
    const auto checked_networks = import_frr(file("field/import-check.frr"));
    EXPECT_EQ(checked(checked_networks).bgp->networks,
              (std::vector{*Prefix::parse("10.101.0.0/16"), *Prefix::parse("192.0.2.0/24")}));
    EXPECT_TRUE(left_out(checked_networks, "network 10.100.0.0/16"));
}

TEST(FrrImport, NeedsNoIndentationAndTakesAnyLineEnd) {
    for (const auto* name : {"field/a-map-for-each-family.frr", "border.frr",
                             "field/bfd-profiles.frr", "gates/route-server-of-a-site.frr"}) {
        const auto text = file(name);
        const auto wanted = print(import_frr(text).model, Secrets::Shown);
        std::string flat, crlf, tabs{"Building configuration...\n\nCurrent configuration:\n!\n"};
        bool start = true;
        for (const char c : text) {
            if (!start || c != ' ') flat += c;
            tabs += start && c == ' ' ? '\t' : c;
            crlf += c == '\n' ? "\r\n" : std::string{c};
            start = c == '\n' || (start && c == ' ');
        }
        EXPECT_EQ(print(import_frr(flat).model, Secrets::Shown), wanted) << name;
        EXPECT_EQ(print(import_frr(tabs).model, Secrets::Shown), wanted) << name;
        EXPECT_EQ(print(import_frr(crlf).model, Secrets::Shown), wanted) << name;
    }
}

TEST(FrrImport, ReadsMasksTagsAndClassfulNetworks) {
    const auto imported = import_frr(file("field/masks-tags-classes.frr"));
    const auto m = checked(imported);
    ASSERT_EQ(m.routes.size(), 4u);
    EXPECT_EQ(m.routes[0].prefix, Prefix::parse("10.77.0.0/16"));
    EXPECT_EQ(m.routes[0].via[0].to_string(), "192.0.2.254");
    EXPECT_EQ(m.routes[1].kind, StaticKind::Discard);
    EXPECT_EQ(m.routes[1].distance, 210);
    EXPECT_EQ(m.routes[2].via[0].to_string(), "192.0.2.253@t-eth1");
    EXPECT_EQ(m.routes[3].via[0].to_string(), "192.0.2.252");
    EXPECT_EQ(m.routes[3].distance, 1);  // 77 is a tag
    EXPECT_EQ(m.bgp->networks,
              (std::vector{*Prefix::parse("10.77.0.0/16"), *Prefix::parse("10.0.0.0/8")}));
    EXPECT_TRUE(left_out(imported, "network 203.0.113.0/24 route-map TAGGED"));
}

TEST(FrrImport, ClearsHostBits) {
    const auto m = checked(import_frr(file("field/host-bits.frr")));
    EXPECT_EQ(printed(m.prefix_lists[0]),
              (Lines{"deny 10.244.9.0/24", "10.244.0.0/16 le 24", "172.16.1.0/24"}));
    EXPECT_EQ(printed(m.prefix_lists[1]), Lines{"10.50.1.0/24"});
    EXPECT_EQ(m.bgp->networks, std::vector{*Prefix::parse("10.50.1.0/24")});
}

TEST(FrrImport, KeepsThingsWithOneNameApart) {
    const auto imported = import_frr(file("field/one-name-for-three.frr"));
    EXPECT_EQ(lost(imported), Lines{});
    const auto m = checked(imported);
    ASSERT_EQ(m.prefix_lists.size(), 2u);
    EXPECT_EQ(printed(m.prefix_lists[0])[0], "198.51.100.0/24 le 32");
    EXPECT_EQ(printed(m.prefix_lists[1])[0], "2001:db8:100::/112 le 128");
    const auto& four = m.bgp->neighbors[0].settings;
    const auto policy = [&](const std::optional<std::vector<std::string>>& names) -> const Policy& {
        return *std::ranges::find(m.policies, names->at(0), &Policy::name);
    };
    EXPECT_EQ(policy(four.import_policies).terms[0].match.prefix, std::vector<std::string>{"LB"});
    EXPECT_EQ(policy(four.export_policies).terms[0].action, TermAction::Reject);
    // A list of IPv4 prefixes never matches an IPv6 route.
    const auto& six = policy(m.bgp->neighbors[1].settings.import_policies);
    ASSERT_EQ(six.terms.size(), 1u);
    EXPECT_EQ(six.terms[0].match.prefix, std::vector<std::string>{"LB-ipv6"});
}

TEST(FrrImport, GivesNamesThatDifferInSignsAloneNamesOfTheirOwn) {
    const auto m = checked(import_frr(R"(
ip prefix-list A.B permit 10.0.0.0/8
ip prefix-list A-B permit 11.0.0.0/8
ip prefix-list any permit 12.0.0.0/8
route-map M permit 1
 match ip address prefix-list A.B
route-map M permit 2
 match ip address prefix-list A-B
route-map M permit 3
 match ip address prefix-list any
router bgp 65001
 bgp router-id 192.0.2.1
 neighbor 192.0.2.11 remote-as 65010
 neighbor 192.0.2.11 route-map M in
)"));
    ASSERT_EQ(m.prefix_lists.size(), 3u);
    EXPECT_EQ(printed(m.prefix_lists[1]), Lines{"11.0.0.0/8"});
    EXPECT_EQ(m.policies[0].terms[1].match.prefix, std::vector{m.prefix_lists[1].name});
    EXPECT_EQ(m.policies[0].terms[2].match.prefix, std::vector{m.prefix_lists[2].name});
    EXPECT_NE(m.prefix_lists[2].name, "any");
}

TEST(FrrImport, RejectsWhatAClauseWithoutWordsMayMatch) {
    const auto imported = import_frr(file("field/conditions-without-words.frr"));
    EXPECT_FALSE(imported.is_safe());  // two neighbors have nothing left
    const auto m = checked(imported);
    const auto terms = [&](const char* name) {
        return std::ranges::find(m.policies, name, &Policy::name)->terms;
    };
    // An access list is one more list of prefixes.
    EXPECT_EQ(terms("ACCEPT_METALLB_IP")[0].match.prefix,
              std::vector<std::string>{"access-METALLB_IP"});
    for (const auto* name : {"ONLY-IF", "ROV"}) {
        ASSERT_EQ(terms(name).size(), 1u) << name;
        EXPECT_EQ(terms(name)[0].action, TermAction::Reject) << name;
    }
    // A map that is called may refuse.
    ASSERT_EQ(terms("CALLS").size(), 2u);
    EXPECT_EQ(terms("CALLS")[0].match.prefix, std::vector<std::string>{"BOGON"});
    EXPECT_EQ(terms("CALLS")[0].action, TermAction::Reject);
    EXPECT_EQ(terms("CALLS")[1].action, TermAction::Accept);
    EXPECT_TRUE(m.bgp->redistribute.empty());
    for (const auto* text :
         {"match interface eth1", "match rpki valid", "redistribute connected route-map LOOPBACK",
          "redistribute static route-map STATIC-TAGGED"})
        EXPECT_TRUE(left_out(imported, text)) << text;
}

TEST(FrrImport, CarriesOverWhatToriiHasWordsFor) {
    const auto imported = import_frr(file("field/settings-with-words.frr"));
    EXPECT_EQ(lost(imported).size(), 1u);  // as-set
    const auto m = checked(imported);
    EXPECT_TRUE(m.bgp->always_compare_med && m.bgp->missing_med_as_worst &&
                m.bgp->compare_router_id);
    EXPECT_EQ(m.bgp->cluster_id, IpAddress::parse("10.9.9.9"));
    EXPECT_EQ(m.bgp->restart_deferral, seconds{45});
    ASSERT_EQ(m.bgp->aggregates.size(), 1u);
    EXPECT_TRUE(m.bgp->aggregates[0].summary_only);
    EXPECT_TRUE(*m.bgp->groups[0].settings.route_server_client);
    EXPECT_TRUE(*m.bgp->groups[0].settings.next_hop_unchanged);
    EXPECT_EQ(m.bgp->neighbors[3].settings.role, PeerRole::Provider);
}

TEST(FrrImport, TakesBfdFromProfilesAndFromPeersOfTheirOwn) {
    const auto imported = import_frr(file("field/bfd-profiles.frr"));
    EXPECT_EQ(lost(imported), Lines{});
    const auto m = checked(imported);
    const auto& group = *m.bgp->groups[0].settings.bfd;
    EXPECT_EQ(group.transmit, milliseconds{150});
    EXPECT_EQ(group.minimum_ttl, 254);
    EXPECT_EQ(m.bgp->neighbors[0].settings.bfd->receive, milliseconds{50});
}

TEST(FrrImport, NumbersRulesBehindTheLastOneAndReplacesThoseOfANumber) {
    const auto m = checked(import_frr(R"(
ip prefix-list L seq 100 deny 10.0.0.0/8 le 32
ip prefix-list L permit any
ip prefix-list L seq 100 deny 11.0.0.0/8 le 32
router bgp 65001
 bgp router-id 192.0.2.1
 neighbor 192.0.2.11 remote-as 65010
 neighbor 192.0.2.11 prefix-list L in
)"));
    EXPECT_EQ(printed(m.prefix_lists[0]), (Lines{"deny 11.0.0.0/8 le 32", "0.0.0.0/0 le 32"}));
}

TEST(FrrImport, KeepsAFloatingStaticOutOfTheOneInUse) {
    const auto imported = import_frr(R"(
ip route 0.0.0.0/0 192.0.2.1
ip route 0.0.0.0/0 192.0.2.2 250
ip route 0.0.0.0/0 192.0.2.3 1
)");
    ASSERT_EQ(imported.model.routes.size(), 1u);
    EXPECT_EQ(imported.model.routes[0].via.size(), 2u);
    EXPECT_EQ(imported.model.routes[0].distance, 1);
    EXPECT_TRUE(left_out(imported, "192.0.2.2 250"));
}

TEST(FrrImport, LeavesOutWhatStandsOnAnInterfaceThatTheFileLacks) {
    const auto imported = import_frr(R"(
interface eth1
 ip address 192.0.2.1/24
ip route 10.1.0.0/16 192.0.2.9 eth9
ip route 10.2.0.0/16 192.0.2.9 eth1
router bgp 65001
 neighbor fe80::1 remote-as 65010
 neighbor fe80::1 interface eth9
 neighbor fe80::2 remote-as 65010
 neighbor fe80::2 interface eth1
)");
    const auto m = checked(imported);
    ASSERT_EQ(m.routes.size(), 1u);
    EXPECT_EQ(m.routes[0].via[0].to_string(), "192.0.2.9@t-eth1");
    ASSERT_EQ(m.bgp->neighbors.size(), 1u);
    EXPECT_EQ(m.bgp->neighbors[0].port, "t-eth1");
    EXPECT_FALSE(imported.is_safe());
    EXPECT_TRUE(left_out(imported, "192.0.2.9 eth9"));
}

TEST(FrrImport, LeavesOtherTablesAndLoopbacksOut) {
    const auto imported = import_frr(R"(
interface eth1 vrf RED
 ip address 10.0.0.1/24
interface lo
 ip address 10.255.0.1/32
interface dummy0
 ip address 10.255.0.2/32
interface lo1
 ip address 10.255.0.3/32
vrf RED
 ip route 0.0.0.0/0 10.0.0.2
exit-vrf
ip route 10.1.0.0/16 10.0.0.3 nexthop-vrf RED
)");
    EXPECT_TRUE(imported.model.ports.empty());
    EXPECT_TRUE(imported.model.routes.empty());
    EXPECT_EQ(lost(imported).size(), 8u);
}

TEST(FrrImport, PrintsNoPasswordAmongWhatIsLeftOut) {
    const auto imported =
        import_frr("router bgp 1\n address-family l2vpn evpn\n neighbor X password hush\n");
    for (const auto& item : imported.left_out) EXPECT_EQ(item.text.find("hush"), std::string::npos);
}

TEST(FrrImport, SurvivesAnyText) {
    EXPECT_TRUE(rc::check([](const std::string& text) { (void)import_frr(text); }));
    const auto good = file("border.frr");
    for (std::size_t n = 0; n < good.size(); n += 23)
        (void)import_frr(good.substr(n), Members::ByRange);
}

}  // namespace
}  // namespace torii::config
