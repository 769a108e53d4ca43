#include "bgp/policy/policy_cache.hpp"

#include "tests/unit/bgp/raw_peer.hpp"

namespace torii::bgp::test {
namespace {

struct Cache : testing::Test {
    static PrefixList list(std::string name, std::string_view of) {
        PrefixRule rule;
        rule.prefix = prefix(of);
        rule.ge = rule.le = rule.prefix.length();
        return {std::move(name), {rule}};
    }
    std::vector<PrefixList> lists{list("a", "10.0.0.0/8"), list("b", "172.16.0.0/12")};
    std::vector<PolicySettings> policies{{"p", {PolicyTerm{}}}, {"q", {PolicyTerm{}}}};
    PolicyCache cache;
    void SetUp() override {
        policies[0].terms[0].match.prefix_lists = {"a"};
        cache.configure(lists, policies);
    }
};

TEST_F(Cache, MakesOneObjectForAllPeers) {
    const auto one = cache.filter({"a", "b"}), other = cache.filter({"b"});
    EXPECT_EQ(one, cache.filter({"a", "b"}));
    EXPECT_NE(one, other);
    EXPECT_TRUE(other->permits(prefix("172.16.0.0/12")));
    EXPECT_EQ(cache.policy({}), nullptr);
    const auto policy = cache.policy({"p"});
    EXPECT_EQ(policy, cache.policy({"p"}));
}

TEST_F(Cache, KeepsWhatStaysTheSameAndNothingElse) {
    const auto a = cache.filter({"a"}), b = cache.filter({"b"});
    const auto p = cache.policy({"p"}), q = cache.policy({"q"});
    auto other_lists = lists;
    other_lists[0] = list("a", "11.0.0.0/8");
    cache.configure(other_lists, policies);
    EXPECT_NE(cache.filter({"a"}), a);
    EXPECT_TRUE(cache.filter({"a"})->permits(prefix("11.0.0.0/8")));
    EXPECT_EQ(cache.filter({"b"}), b);
    EXPECT_NE(cache.policy({"p"}), p);  // it asks for list a
    EXPECT_EQ(cache.policy({"q"}), q);
}

}  // namespace
}  // namespace torii::bgp::test
