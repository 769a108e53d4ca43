#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <algorithm>

#include "config/config.hpp"
#include "config/frr_condition.hpp"
#include "config/frr_import.hpp"

namespace torii::config {
namespace {

// Terms of the import policies of the one neighbor of a file, a line each.
std::vector<std::string> terms(const std::string& lists_and_maps,
                               const std::string& lines = "neighbor 192.0.2.11 route-map M in\n") {
    const auto imported = import_frr(lists_and_maps +
                                     "router bgp 65001\n bgp router-id 192.0.2.1\n"
                                     " neighbor 192.0.2.11 remote-as 65010\n" +
                                     lines);
    const auto printed = print(imported.model, Secrets::Shown);
    EXPECT_TRUE(load_text(printed, "imported.cfg")) << printed;
    std::vector<std::string> out;
    const auto& names = imported.model.bgp->neighbors.at(0).settings.import_policies;
    if (!names) return {"no policy"};
    for (const auto& name : *names) {
        const auto at = std::ranges::find(imported.model.policies, name, &Policy::name);
        for (const auto& term : at->terms) {
            std::string text;
            if (term.match.family) text += std::string{to_string(*term.match.family)} + ' ';
            if (term.match.prefix) text += term.match.prefix->front() + ' ';
            for (const auto& rule : term.match.as_path) text += rule.to_string() + ' ';
            for (const auto& rule : term.match.community) text += rule.to_string() + ' ';
            for (const auto& prefix : term.match.next_hop)
                text += "via " + prefix.to_string() + ' ';
            if (term.match.origin) text += "origin ";
            if (term.match.med) text += "med ";
            if (term.set.local_pref) text += "pref=" + std::to_string(*term.set.local_pref) + ' ';
            if (term.set.med) text += "med=" + term.set.med->to_string() + ' ';
            constexpr const char* kActions[] = {"accept", "reject", "next"};
            out.push_back(text + kActions[static_cast<std::size_t>(term.action)]);
        }
    }
    return out;
}

using Lines = std::vector<std::string>;

constexpr const char* kLists = R"(
ip prefix-list A permit 10.0.0.0/8 le 24
ip prefix-list B deny 10.1.0.0/16 le 32
ip prefix-list B permit 0.0.0.0/0 le 32
bgp as-path access-list P permit _100_
bgp community-list standard C permit 65000:1
)";

TEST(FrrPolicy, OrdersClausesByNumberAndKeepsTheLastLineOfEachKind) {
    EXPECT_EQ(terms(std::string{kLists} + R"(
route-map M permit 20
 match as-path P
route-map M permit 10
 match ip address prefix-list A
 match ip address prefix-list B
 set local-preference 5
 set local-preference 7
)"),
              (Lines{"B pref=7 accept", "P accept"}));
}

TEST(FrrPolicy, GoesOnBehindAClauseWithItsEditsMade) {
    EXPECT_EQ(terms(std::string{kLists} + R"(
route-map M permit 10
 match as-path P
 set local-preference 7
 on-match next
route-map M permit 20
 match ip address prefix-list A
)"),
              (Lines{"P pref=7 next", "A accept"}));
    // The last clause has nothing to go on to.
    EXPECT_EQ(terms("route-map M permit 10\n on-match next\n"), Lines{"accept"});
}

TEST(FrrPolicy, JumpsToALaterClause) {
    EXPECT_EQ(terms(std::string{kLists} + R"(
route-map M permit 10
 match as-path P
 set local-preference 7
 on-match goto 25
route-map M permit 20
route-map M permit 30
 match ip address prefix-list A
 set metric 9
)"),
              (Lines{"A P pref=7 med=9 accept", "P reject", "accept"}));
}

TEST(FrrPolicy, LetsACalledMapRefuse) {
    EXPECT_EQ(terms(std::string{kLists} + R"(
route-map D deny 5
 match as-path P
route-map D permit 6
 match community C
route-map M permit 10
 match ip address prefix-list A
 call D
route-map M permit 20
)"),
              (Lines{"A P reject", "A C accept", "A reject", "accept"}));
}

TEST(FrrPolicy, RejectsWhereAnEarlierEditMayDecideALaterMatch) {
    EXPECT_EQ(terms(std::string{kLists} + R"(
route-map M permit 10
 match as-path P
 set community 65000:1 additive
 on-match goto 30
route-map M permit 20
 match ip address prefix-list A
route-map M permit 30
 match community C
)"),
              (Lines{"P reject", "A accept", "C accept"}));
}

TEST(FrrPolicy, WantsEveryFilterOfANeighborToPermit) {
    EXPECT_EQ(terms(std::string{kLists} + R"(
access-list 10 permit 10.2.0.0 0.0.255.255
route-map M permit 10
 match as-path P
)",
                    " neighbor 192.0.2.11 route-map M in\n"
                    " neighbor 192.0.2.11 prefix-list B in\n"
                    " neighbor 192.0.2.11 distribute-list 10 in\n"
                    " neighbor 192.0.2.11 filter-list P in\n"),
              (Lines{"not-P reject", "not-access-10 reject", "not-B reject", "P accept"}));
}

TEST(FrrPolicy, DeniesWhereAListOrAMapIsMissing) {
    EXPECT_EQ(terms(""), Lines{"reject"});
    EXPECT_EQ(terms("", " neighbor 192.0.2.11 prefix-list GONE in\n"), Lines{"reject"});
    EXPECT_EQ(terms(R"(
route-map M deny 10
 match ip address prefix-list GONE
route-map M permit 20
 match community GONE
)"),
              Lines{"reject"});
}

TEST(FrrPolicy, ReadsTheNextHopOfAListAsAHost) {
    EXPECT_EQ(terms(R"(
ip prefix-list HOPS deny 192.0.2.128/25 le 32
ip prefix-list HOPS permit 192.0.2.0/24 le 32
ip prefix-list HOPS permit 198.51.100.0/24
route-map M permit 10
 match ip next-hop prefix-list HOPS
)"),
              Lines{"via 192.0.2.0/25 accept"});
    EXPECT_EQ(terms(R"(
ip prefix-list HOPS permit 192.0.2.0/24
route-map M permit 10
 match ip next-hop prefix-list HOPS
)"),
              Lines{"reject"});
}

TEST(FrrPolicy, RejectsWhatAsksForMoreThanToriiHasWordsFor) {
    for (const auto* line :
         {"match tag 7", "match interface eth1", "match peer 192.0.2.11", "match rpki valid",
          "match community C exact-match", "match community E", "match as-path ODD",
          "match local-preference 100", "match source-protocol static", "continue",
          "set as-path exclude 100", "match community I"})
        EXPECT_EQ(terms(std::string{kLists} +
                        "bgp community-list expanded E permit 65000:.*\n"
                        "bgp community-list standard I permit internet\n"
                        "bgp as-path access-list ODD permit (\n"
                        "route-map M permit 10\n match ip address prefix-list A\n " +
                        line + "\nroute-map M permit 20\n match as-path P\n"),
                  (Lines{"A reject", "P accept"}))
            << line;
}

TEST(FrrPolicy, KeepsAFamilyWithoutAFilterAsFrrHasIt) {
    const std::string lines =
        " neighbor 192.0.2.11 prefix-list A in\n"
        " address-family ipv6 unicast\n  neighbor 192.0.2.11 activate\n";
    EXPECT_EQ(terms(kLists, lines), (Lines{"ipv4 A accept", "ipv6 reject"}));
    EXPECT_EQ(terms(kLists, " no bgp ebgp-requires-policy\n" + lines),
              (Lines{"ipv4 A accept", "ipv6 accept"}));
    // A map that matches nothing in one family says nothing about the other.
    EXPECT_EQ(terms("route-map M permit 10\n match ipv6 address prefix-list GONE\n"
                    "route-map N permit 10\n",
                    " neighbor 192.0.2.11 route-map M in\n address-family ipv6 unicast\n"
                    "  neighbor 192.0.2.11 activate\n  neighbor 192.0.2.11 route-map N in\n"),
              (Lines{"ipv4 reject", "ipv6 accept"}));
}

bool permits(const std::vector<PrefixRule>& rules, const Prefix& prefix) {
    const auto at =
        std::ranges::find_if(rules, [&](const auto& rule) { return rule.matches(prefix); });
    return at != rules.end() && at->permit;
}

std::vector<PrefixRule> some_rules() {
    std::vector<PrefixRule> out;
    const auto count = *rc::gen::inRange(0, 5);
    for (int i = 0; i < count; ++i) {
        const auto length = static_cast<std::uint8_t>(*rc::gen::inRange(0, 7));
        const auto ge = static_cast<std::uint8_t>(*rc::gen::inRange<int>(length, 8));
        const auto le = static_cast<std::uint8_t>(*rc::gen::inRange<int>(ge, 9));
        const auto address = static_cast<std::uint32_t>(*rc::gen::inRange(0, 256)) << 24;
        out.push_back(
            {*rc::gen::arbitrary<bool>(), false, {IpAddress::v4(address), length}, ge, le});
    }
    return out;
}

TEST(FrrPolicy, IntersectsListsExactly) {
    EXPECT_TRUE(rc::check([] {
        const auto a = some_rules(), b = some_rules();
        const auto both = frr_intersection(a, b);
        for (std::uint32_t address = 0; address < 256; address += 3)
            for (std::uint8_t length = 0; length <= 8; ++length) {
                const Prefix prefix{IpAddress::v4(address << 24), length};
                RC_ASSERT(permits(both, prefix) == (permits(a, prefix) && permits(b, prefix)));
            }
    }));
}

}  // namespace
}  // namespace torii::config
