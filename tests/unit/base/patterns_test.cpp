#include <gtest/gtest.h>

#include "base/as_path_pattern.hpp"
#include "base/community.hpp"

namespace torii {
namespace {

AsPathPattern::Path path(std::vector<std::uint32_t> ases, std::string text) {
    AsPathPattern::Path p{std::move(ases), 0, 0, 0, std::move(text)};
    p.length = p.ases.size();
    if (!p.ases.empty()) p.neighbor = p.ases.front(), p.originator = p.ases.back();
    return p;
}

const AsPathPattern::Path kThree = path({65001, 65002, 65003}, "65001 65002 65003");
const AsPathPattern::Path kNone = path({}, "");

bool matches(std::string_view pattern, const AsPathPattern::Path& p) {
    const auto parsed = AsPathPattern::parse(pattern);
    EXPECT_TRUE(parsed) << pattern;
    return parsed && parsed->matches(p);
}

TEST(AsPathPattern, AsksForEndsLengthAndMembers) {
    EXPECT_TRUE(matches("neighbor 65001", kThree));
    EXPECT_FALSE(matches("neighbor 65002", kThree));
    EXPECT_TRUE(matches("originated 65003", kThree));
    EXPECT_TRUE(matches("contains 65002", kThree));
    EXPECT_FALSE(matches("contains 6500", kThree));
    EXPECT_TRUE(matches("length ge 3", kThree));
    EXPECT_FALSE(matches("length le 2", kThree));
    EXPECT_TRUE(matches("empty", kNone));
    EXPECT_FALSE(matches("empty", kThree));
}

TEST(AsPathPattern, UnderscoreIsTheBorderOfANumber) {
    EXPECT_TRUE(matches("_65002_", kThree));
    EXPECT_TRUE(matches("_65003_", kThree));
    EXPECT_TRUE(matches("^65001_", kThree));
    EXPECT_FALSE(matches("_500_", kThree));
    EXPECT_TRUE(matches("^$", kNone));
    EXPECT_TRUE(matches("^65001 [0-9]+ (65003|65004)$", kThree));
}

TEST(AsPathPattern, BracesStandForSets) {
    EXPECT_TRUE(matches("{1,2}$", path({65001, 1, 2}, "65001 {1,2}")));
    EXPECT_TRUE(matches("_2_", path({65001, 1, 2}, "65001 {1,2}")));
}

TEST(AsPathPattern, RefusesWhatItCannotRead) {
    for (const auto* bad : {"", "neighbor", "neighbor x", "(", "[1", "a", "\\1", "length eq 3"})
        EXPECT_FALSE(AsPathPattern::parse(bad)) << bad;
    EXPECT_FALSE(AsPathPattern::parse(std::string(300, '1')));
    EXPECT_FALSE(AsPathPattern::parse("[0-9]++++++++++++++++++++++++++++++++++++++++"));
    EXPECT_FALSE(AsPathPattern::parse("(((((((((((((((1+)+)+)+)+)+)+)+)+)+)+)+)+)+)+"));
    // The library takes minutes and more for these.
    for (const auto* endless : {"6_+++++5", "(____)+(____)+", "(0*_0*_)*", "((^|$)+)+", "(1?|_)+",
                                "3|_6?+++++", "^^6*****6******6*****6******", "(((1*)*)*)*"})
        EXPECT_FALSE(AsPathPattern::parse(endless)) << endless;
    EXPECT_FALSE(AsPathPattern::parse(std::string(100, '_')));
}

TEST(AsPathPattern, RepeatsWhatBordersAreAPartOf) {
    EXPECT_TRUE(matches("^65001(_6500[0-9])*$", kThree));
    EXPECT_TRUE(matches("^(6500[123]_)+$", kThree));
    EXPECT_TRUE(matches("_65002_?65003_", kThree));
    EXPECT_FALSE(matches("^(6500[12]_)+$", kThree));
}

TEST(AsPathPattern, IsWrittenAsItIsRead) {
    for (const auto* text : {"empty", "neighbor 65001", "originated 4200000001", "contains 1",
                             "length ge 5", "length le 0", "^65001(_|$)"})
        EXPECT_EQ(AsPathPattern::parse(text)->to_string(), text);
}

TEST(CommunityPattern, IsWrittenAsItIsRead) {
    for (const auto* text :
         {"65000:1", "65000:*", "*:7", "no-export", "graceful-shutdown", "65000:1:2", "1:*:*",
          "rt:65000:1", "soo:4200000000:7", "rt:65000:*", "0x4004fde800000000"})
        EXPECT_EQ(CommunityPattern::parse(text)->to_string(), text);
    EXPECT_EQ(CommunityPattern::parse("65535:65281")->to_string(), "no-export");
}

TEST(CommunityPattern, MatchesWhatFits) {
    const auto any = *CommunityPattern::parse("65000:*");
    EXPECT_TRUE(any.matches(CommunityPattern::parse("65000:7")->bytes()));
    EXPECT_FALSE(any.matches(CommunityPattern::parse("65001:7")->bytes()));
    EXPECT_FALSE(any.exact());
    EXPECT_TRUE(CommunityPattern::parse("1:2:3")->exact());
}

TEST(CommunityPattern, RefusesWhatItCannotRead) {
    for (const auto* bad : {"", "65000", "65536:1", "1:2:3:4", "x:1", "0x12", "rt:1", "1:", ":1"})
        EXPECT_FALSE(CommunityPattern::parse(bad)) << bad;
}

}  // namespace
}  // namespace torii
