// Route policies through live sessions: what they match, what they change, and
// what a peer whose routes are refused can read about it.
#include "base/byte_writer.hpp"
#include "tests/unit/bgp/raw_peer.hpp"

namespace torii::bgp::test {
namespace {

PrefixList list(std::string name, std::initializer_list<std::string_view> prefixes) {
    PrefixList out{std::move(name), {}};
    for (const auto p : prefixes) {
        PrefixRule rule;
        rule.prefix = prefix(p);
        rule.ge = rule.prefix.length();
        rule.le = rule.prefix.address().bits();
        out.rules.push_back(rule);
    }
    return out;
}

CommunityPattern community(std::string_view text) {
    return *CommunityPattern::parse(text);
}

std::function<void(Attributes&)> with_communities(const Bytes& bytes) {
    return [&bytes](Attributes& a) {
        a.set(Attribute::Communities);
        a.communities = bytes;
    };
}

struct Policies : testing::Test {
    void SetUp() override {
        wanted = settings();
        wanted.prefix_lists = {list("pods", {"10.244.0.0/16"}), list("vips", {"198.18.0.0/16"})};
        wanted.neighbors = {neighbor("10.99.0.1", 65001), neighbor("10.99.0.2", 65002)};
        in().import_policies = {"in"};
        out().export_policies = {"out"};
        wanted.policies = {{"in", {accept()}}, {"out", {accept()}}};
    }
    static PolicyTerm accept() { return {}; }
    PeerSettings& in() { return wanted.neighbors[0].peer; }
    PeerSettings& out() { return wanted.neighbors[1].peer; }
    std::vector<PolicyTerm>& in_terms() { return wanted.policies[0].terms; }
    std::vector<PolicyTerm>& out_terms() { return wanted.policies[1].terms; }
    void start() {
        world.speaker->apply(wanted);
        ASSERT_TRUE(world.speaker->start());
        teacher = world.up("10.99.0.1", 65001);
        listener = world.up("10.99.0.2", 65002);
    }
    void apply() {
        world.speaker->apply(wanted);
        world.settle();
    }
    void teach(std::initializer_list<std::string_view> prefixes, std::vector<std::uint32_t> path,
               std::function<void(Attributes&)> more = {}) {
        teacher->send(announce(prefixes, std::move(path), "10.99.0.1", std::move(more)));
        world.settle();
    }
    const Told& told(std::string_view p) { return listener->routes.at(prefix(p)); }
    bool is_told(std::string_view p) { return listener->routes.contains(prefix(p)); }
    PathRow row(std::string_view p) {
        for (const auto& r : world.rows(RouteTable::LocRib))
            if (r.prefix == prefix(p)) return r;
        ADD_FAILURE() << "no " << p;
        return {};
    }
    std::string refusal(std::string_view p) {
        for (const auto& r : world.rows(RouteTable::Filtered, "10.99.0.1"))
            if (r.prefix == prefix(p)) return r.filtered_by;
        return "not filtered";
    }
    World world;
    SpeakerSettings wanted;
    std::shared_ptr<RawPeer> teacher, listener;
};

TEST_F(Policies, SayWhichTermRefusedARoute) {
    PolicyTerm no;
    no.name = "not-these";
    no.match.prefix_lists = {"vips"};
    no.action = TermAction::Reject;
    in_terms() = {no, accept()};
    start();
    teach({"198.18.0.1/32", "10.244.1.0/24"}, {65001});
    EXPECT_EQ(refusal("198.18.0.1/32"), "policy in, term 1 (not-these): rejected");
    EXPECT_TRUE(world.in_table(prefix("10.244.1.0/24")));
}

TEST_F(Policies, RejectWhatNoTermDecides) {
    PolicyTerm pods;
    pods.match.prefix_lists = {"pods"};
    in_terms() = {pods};
    start();
    teach({"198.18.0.1/32", "10.244.1.0/24"}, {65001});
    EXPECT_EQ(refusal("198.18.0.1/32"), "policy in: no term accepts it");
    EXPECT_TRUE(is_told("10.244.1.0/24"));
    EXPECT_FALSE(is_told("198.18.0.1/32"));
}

TEST_F(Policies, SetDifferentThingsForPrefixesOfOneUpdate) {
    PolicyTerm pods, rest;
    pods.match.prefix_lists = {"pods"};
    pods.edits.local_pref = 300;
    rest.edits.local_pref = 50;
    in_terms() = {pods, rest};
    start();
    teach({"10.244.1.0/24", "198.18.0.1/32", "10.244.2.0/24"}, {65001});
    EXPECT_EQ(row("10.244.1.0/24").local_pref, 300u);
    EXPECT_EQ(row("10.244.2.0/24").local_pref, 300u);
    EXPECT_EQ(row("198.18.0.1/32").local_pref, 50u);
}

TEST_F(Policies, GoOnWithTheirEditsMade) {
    PolicyTerm tag, tagged;
    tag.edits.add_communities = {community("65000:7")};
    tag.action = TermAction::Next;
    tagged.match.communities = {{true, {community("65000:7")}}};
    tagged.edits.local_pref = 700;
    in_terms() = {tag, tagged};
    start();
    teach({"10.244.1.0/24"}, {65001});
    EXPECT_EQ(row("10.244.1.0/24").local_pref, 700u);
    EXPECT_EQ(row("10.244.1.0/24").communities, std::vector<std::string>{"65000:7"});
}

TEST_F(Policies, MatchAsPaths) {
    PolicyTerm no;
    no.match.as_path = {{true, *AsPathPattern::parse("_64512_")},
                        {true, *AsPathPattern::parse("originated 64999")}};
    no.action = TermAction::Reject;
    in_terms() = {no, accept()};
    start();
    teach({"10.1.0.0/16"}, {65001, 64512, 1});
    teach({"10.2.0.0/16"}, {65001, 64999});
    teach({"10.3.0.0/16"}, {65001, 64513});
    EXPECT_FALSE(world.in_table(prefix("10.1.0.0/16")));
    EXPECT_FALSE(world.in_table(prefix("10.2.0.0/16")));
    EXPECT_TRUE(world.in_table(prefix("10.3.0.0/16")));
}

TEST_F(Policies, MatchCommunitiesOfAllKinds) {
    PolicyTerm standard, large, extended;
    standard.match.communities = {{false, {community("65000:9")}}, {true, {community("65000:*")}}};
    standard.edits.local_pref = 1;
    large.match.communities = {{true, {community("65000:1:*")}}};
    large.edits.local_pref = 2;
    extended.match.communities = {{true, {community("rt:65000:5")}}};
    extended.edits.local_pref = 3;
    in_terms() = {standard, large, extended, accept()};
    start();
    const auto one = unhex("fde80001"), nine = unhex("fde80009");
    const auto big = unhex("0000fde80000000100000063"), target = unhex("0002fde800000005");
    teach({"10.1.0.0/16"}, {65001}, with_communities(one));
    teach({"10.2.0.0/16"}, {65001}, with_communities(nine));
    teach({"10.3.0.0/16"}, {65001}, [&](Attributes& a) {
        a.set(Attribute::LargeCommunities);
        a.large_communities = big;
    });
    teach({"10.4.0.0/16"}, {65001}, [&](Attributes& a) {
        a.set(Attribute::ExtendedCommunities);
        a.extended_communities = target;
    });
    EXPECT_EQ(row("10.1.0.0/16").local_pref, 1u);
    EXPECT_EQ(row("10.2.0.0/16").local_pref, std::nullopt) << "the first rule denies it";
    EXPECT_EQ(row("10.3.0.0/16").local_pref, 2u);
    EXPECT_EQ(row("10.4.0.0/16").local_pref, 3u);
}

TEST_F(Policies, MatchMedOriginNextHopFamilyAndSource) {
    PolicyTerm term;
    term.match.med = 10;
    term.match.origin = static_cast<std::uint8_t>(Origin::Igp);
    term.match.next_hops = {prefix("10.99.0.0/24")};
    term.match.family = Family::Ip4;
    term.match.from = RouteFrom::External;
    term.edits.local_pref = 4;
    in_terms() = {term, accept()};
    start();
    const auto med = [](std::uint32_t value) {
        return [value](Attributes& a) {
            a.set(Attribute::Med);
            a.med = value;
        };
    };
    teach({"10.1.0.0/16"}, {65001}, med(10));
    teach({"10.2.0.0/16"}, {65001}, med(11));
    EXPECT_EQ(row("10.1.0.0/16").local_pref, 4u);
    EXPECT_EQ(row("10.2.0.0/16").local_pref, std::nullopt);
}

TEST_F(Policies, EditCommunities) {
    PolicyTerm term;
    term.edits.remove_communities = {community("65001:*")};
    term.edits.add_communities = {community("65000:5"), community("65000:1:2")};
    out_terms() = {term};
    start();
    const auto bytes = unhex("fde90001fde80003");
    teach({"10.1.0.0/16"}, {65001}, with_communities(bytes));
    EXPECT_EQ(told("10.1.0.0/16").attributes.at(8), unhex("fde80003fde80005"));
    EXPECT_EQ(told("10.1.0.0/16").attributes.at(32), unhex("0000fde80000000100000002"));
    out_terms()[0].edits = {};
    out_terms()[0].edits.communities.emplace();
    apply();
    EXPECT_FALSE(told("10.1.0.0/16").attributes.contains(8)) << "an empty set leaves none";
}

TEST_F(Policies, PrependSetMedAndNextHopOnExport) {
    PolicyTerm term;
    term.edits.prepend = 2;
    term.edits.prepend_ases = {64999};
    term.edits.med = MedEdit{MedEdit::Kind::Set, 77};
    term.edits.next_hop = NextHopEdit{NextHopEdit::Kind::Unchanged, {}};
    out_terms() = {term};
    start();
    teach({"10.1.0.0/16"}, {65001});
    EXPECT_EQ(told("10.1.0.0/16").attributes.at(2),
              unhex("02050000fde80000fde80000fde80000fde70000fde9"));
    EXPECT_EQ(told("10.1.0.0/16").attributes.at(4), unhex("0000004d"));
    EXPECT_EQ(told("10.1.0.0/16").next_hop, address("10.99.0.1"));
    out_terms()[0].edits.next_hop = NextHopEdit{NextHopEdit::Kind::Address, address("10.99.0.77")};
    apply();
    EXPECT_EQ(told("10.1.0.0/16").next_hop, address("10.99.0.77"));
}

TEST_F(Policies, AddToAndTakeFromTheMed) {
    PolicyTerm more, less;
    more.match.prefix_lists = {"pods"};
    more.edits.med = MedEdit{MedEdit::Kind::Add, 5};
    less.edits.med = MedEdit{MedEdit::Kind::Subtract, 500};
    in_terms() = {more, less};
    start();
    const auto med = [](Attributes& a) {
        a.set(Attribute::Med);
        a.med = 100;
    };
    teach({"10.244.1.0/24", "198.18.0.1/32"}, {65001}, med);
    EXPECT_EQ(row("10.244.1.0/24").med, 105u);
    EXPECT_EQ(row("198.18.0.1/32").med, 0u);
}

TEST_F(Policies, MoveTheNextHopOnImport) {
    PolicyTerm term;
    term.edits.next_hop = NextHopEdit{NextHopEdit::Kind::Address, address("10.99.0.50")};
    in_terms() = {term};
    start();
    teach({"10.244.1.0/24"}, {65001});
    EXPECT_EQ(world.sink.routes.at(prefix("10.244.1.0/24"))[0].address, address("10.99.0.50"));
    world.tracker.set(address("10.99.0.50"), false);
    world.settle();
    EXPECT_FALSE(world.sink.routes.contains(prefix("10.244.1.0/24")));
}

TEST_F(Policies, WeighPathsOfAnEcmpGroup) {
    PolicyTerm term;
    term.edits.weight = 9;
    in_terms() = {term};
    out().weight = 3;
    start();
    teach({"198.18.0.1/32"}, {65001});
    listener->send(announce({"198.18.0.1/32"}, {65002}, "10.99.0.2"));
    world.settle();
    const auto& hops = world.sink.routes.at(prefix("198.18.0.1/32"));
    ASSERT_EQ(hops.size(), 2u);
    EXPECT_EQ(hops[0].weight, 9);
    EXPECT_EQ(hops[1].weight, 3);
}

TEST_F(Policies, ThatChangeResetNobodyAndAskNobody) {
    start();
    teach({"10.244.1.0/24", "198.18.0.1/32"}, {65001});
    PolicyTerm pods;
    pods.match.prefix_lists = {"pods"};
    pods.edits.local_pref = 250;
    in_terms() = {pods};
    apply();
    EXPECT_EQ(world.view("10.99.0.1").times_established, 1u);
    EXPECT_EQ(teacher->refreshes, 0u);
    EXPECT_EQ(row("10.244.1.0/24").local_pref, 250u);
    EXPECT_FALSE(is_told("198.18.0.1/32"));
    in_terms() = {accept()};
    apply();
    EXPECT_TRUE(is_told("198.18.0.1/32")) << "what was received was kept";
    PolicyTerm none;
    none.action = TermAction::Reject;
    out_terms() = {none};
    apply();
    EXPECT_TRUE(listener->routes.empty());
}

TEST_F(Policies, OfOtherNamesAndEqualTermsShareAnUpdateGroup) {
    wanted.policies.push_back({"same", {accept()}});
    in().export_policies = {"same"};
    in().import_policies = {};
    start();
    EXPECT_EQ(world.speaker->counters().update_groups, 2u) << "one for each family";
    wanted.policies[2].terms[0].edits.prepend = 1;
    apply();
    EXPECT_EQ(world.speaker->counters().update_groups, 4u);
}

TEST_F(Policies, CountAsAWordOfPolicy) {
    in().import_lists.reset();
    start();
    teach({"10.244.1.0/24"}, {65001});
    EXPECT_TRUE(world.in_table(prefix("10.244.1.0/24"))) << "RFC 8212 is content";
}

TEST_F(Policies, ThatDoNotExistRefuse) {
    in().import_policies = {"nobody"};
    start();
    teach({"10.244.1.0/24"}, {65001});
    EXPECT_EQ(refusal("10.244.1.0/24"), "policy nobody: no term accepts it");
}

TEST_F(Policies, ManyPrefixesOfOneUpdateStayTogether) {
    PolicyTerm term;
    term.edits.add_communities = {community("65000:5")};
    out_terms() = {term};
    start();
    const auto before = listener->updates;
    teach({"10.1.0.0/16", "10.2.0.0/16", "10.3.0.0/16", "10.4.0.0/16"}, {65001});
    EXPECT_EQ(listener->updates, before + 1);
}

}  // namespace
}  // namespace torii::bgp::test
