#include "bgp/policy/prefix_filter.hpp"

#include <random>

#include "tests/unit/bgp/raw_peer.hpp"

namespace torii::bgp::test {
namespace {

const PrefixRule* first_of(const std::vector<PrefixList>& lists, const Prefix& p) {
    for (const auto& list : lists)
        for (const auto& rule : list.rules)
            if (rule.matches(p)) return &rule;
    return nullptr;
}

TEST(APrefixFilter, DecidesByTheFirstRuleThatMatchesHoweverManyThereAre) {
    std::minstd_rand random{7};
    const auto number = [&](std::uint32_t below) {
        return static_cast<std::uint32_t>(random()) % below;
    };
    for (int round = 0; round < 50; ++round) {
        std::vector<PrefixList> lists(3);
        std::vector<std::string> names;
        for (std::size_t i = 0; i < lists.size(); ++i) {
            names.push_back(lists[i].name = std::string(1, static_cast<char>('a' + i)));
            for (auto n = number(40); n > 0; --n) {
                PrefixRule rule;
                rule.permit = number(2) == 0;
                rule.any = number(60) == 0;
                const auto length = static_cast<std::uint8_t>(number(10) + 6);
                rule.prefix = {IpAddress::v4(0x0a000000 | number(1 << 12) << 12), length};
                rule.ge = static_cast<std::uint8_t>(length + number(4));
                rule.le = static_cast<std::uint8_t>(rule.ge + number(8));
                lists[i].rules.push_back(rule);
            }
        }
        const auto filter = PrefixFilter::of(names, lists);
        for (int n = 0; n < 300; ++n) {
            const Prefix p{IpAddress::v4(0x0a000000 | number(1 << 16) << 8),
                           static_cast<std::uint8_t>(number(22) + 4)};
            const auto* rule = first_of(lists, p);
            const auto verdict = filter->match(p);
            ASSERT_EQ(rule == nullptr, verdict.rule == nullptr) << p.to_string();
            if (rule != nullptr) {
                ASSERT_EQ(*rule, *verdict.rule) << p.to_string();
            }
        }
    }
}

TEST(APrefixFilter, OfFiftyThousandRulesIsNotReadForEachRoute) {
    std::vector<PrefixList> lists(1);
    lists[0].name = "irr";
    for (std::uint32_t n = 0; n < 50'000; ++n) {
        PrefixRule rule;
        rule.prefix = {IpAddress::v4(0x0b000000 + n * 256), 24};
        rule.ge = rule.le = 24;
        lists[0].rules.push_back(rule);
    }
    const auto filter = PrefixFilter::of({"irr"}, lists);
    const auto begin = std::chrono::steady_clock::now();
    std::size_t permitted = 0;
    for (std::uint32_t n = 0; n < 100'000; ++n)
        permitted += filter->permits({IpAddress::v4(0x0b000000 + n * 256), 24});
    EXPECT_EQ(permitted, 50'000u);
    // Rule by rule it takes minutes.
    EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds{5});
}

}  // namespace
}  // namespace torii::bgp::test
