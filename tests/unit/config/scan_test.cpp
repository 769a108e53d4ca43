#include "config/scan.hpp"

#include <gtest/gtest.h>

namespace torii::config {
namespace {

TEST(Scan, GivesBigNumbersTheLTheyNeed) {
    EXPECT_EQ(scan("asn = 4200000001;", "f").text, "asn = 4200000001L;");
    EXPECT_EQ(scan("asn = 4200000001L;", "f").text, "asn = 4200000001L;");
    EXPECT_EQ(scan("x = 0xffffffff;", "f").text, "x = 0xffffffffL;");
    EXPECT_EQ(scan("x = [2147483647, 2147483648];", "f").text, "x = [2147483647, 2147483648L];");
    EXPECT_EQ(scan("x = -4200000001;", "f").text, "x = -4200000001L;");
}

TEST(Scan, LeavesNumbersInTextNamesAndCommentsAlone) {
    for (const auto* text :
         {"a = \"4200000001\";", "a4200000001 = 1;", "# 4200000001\n", "/* 4200000001 */",
          "// 10.0.0.1\n", "a = 1.5e10;", "a = \"\\\"1\";"}) {
        const auto scanned = scan(text, "f");
        EXPECT_EQ(scanned.text, text);
        EXPECT_TRUE(scanned.problems.empty()) << text;
    }
}

TEST(Scan, RefusesANumberThatFitsNoInteger) {
    EXPECT_EQ(scan("a = 99999999999999999999;", "f").problems.size(), 1u);
    EXPECT_EQ(scan("a = 99999999999999999999L;", "f").problems.size(), 1u);
}

TEST(Scan, FindsAddressesWithoutQuotesOnTheirLine) {
    const auto scanned =
        scan("a = \"x\";\nb = 10.0.0.1;\nc = fd00::/64;\nd = 02:00:00:00:00:01;", "f");
    ASSERT_EQ(scanned.problems.size(), 3u);
    EXPECT_EQ(scanned.problems[0].line, 2u);
    EXPECT_EQ(scanned.problems[1].line, 3u);
    EXPECT_EQ(scanned.problems[2].line, 4u);
    EXPECT_EQ(scanned.problems[1].hint, "write \"fd00::/64\"");
}

TEST(Scan, AcceptsAColonForAnEqualsSign) {
    EXPECT_TRUE(scan("a : 5; b : { c : \"x\" }", "f").problems.empty());
}

TEST(Scan, EndsAtAZeroByte) {
    EXPECT_EQ(scan(std::string_view{"a = 1;\0b = 2;", 13}, "f").problems.size(), 1u);
}

TEST(Scan, SurvivesTextThatEndsAnywhere) {
    const std::string text = "a = { b = \"x\\\"\"; /* c */ d = [1, 0x2, -3L]; }; @include \"y\"\n";
    for (std::size_t n = 0; n <= text.size(); ++n) (void)scan(text.substr(0, n), "f");
}

}  // namespace
}  // namespace torii::config
