#include <gtest/gtest.h>

#include "base/suggest.hpp"
#include "config/model.hpp"
#include "config/value_text.hpp"

namespace torii::config {
namespace {

TEST(PrefixRule, PrintsWhatItParsed) {
    for (const auto* text :
         {"10.0.0.0/8", "10.0.0.0/8 ge 24", "10.0.0.0/8 le 24", "deny 10.0.0.0/8 ge 9 le 10", "any",
          "deny any", "::/0 ge 64 le 64", "10.0.0.1/32", "deny 0.0.0.0/0"})
        EXPECT_EQ(PrefixRule::parse(text).value().to_string(), text);
}

TEST(PrefixRule, RefusesWhatIsNoRule) {
    for (const auto* text :
         {"", "permit", "10.0.0.1", "10.0.0.1/8", "10.0.0.0/8 ge 7", "10.0.0.0/8 ge 33",
          "10.0.0.0/8 ge 24 le 16", "10.0.0.0/8 ge", "10.0.0.0/8 eq 9", "any ge 8",
          "10.0.0.0/8 ge 9 ge 10", "10.0.0.0/8 9"})
        EXPECT_FALSE(PrefixRule::parse(text)) << text;
}

TEST(PrefixRule, MatchesLengthsBetweenGeAndLeInsideThePrefix) {
    const auto rule = *PrefixRule::parse("10.244.0.0/16 ge 24 le 24");
    EXPECT_TRUE(rule.matches(*Prefix::parse("10.244.3.0/24")));
    EXPECT_FALSE(rule.matches(*Prefix::parse("10.244.3.0/25")));
    EXPECT_FALSE(rule.matches(*Prefix::parse("10.244.0.0/16")));
    EXPECT_FALSE(rule.matches(*Prefix::parse("10.245.0.0/24")));
    EXPECT_FALSE(PrefixRule::parse("0.0.0.0/0 le 32")->matches(*Prefix::parse("::/0")));
    EXPECT_TRUE(PrefixRule::parse("any")->matches(*Prefix::parse("::/0")));
}

TEST(Via, PrintsWhatItParsed) {
    for (const auto* text : {"192.0.2.1", "fe80::1@uplink", "192.0.2.1 weight 2",
                             "192.0.2.1 weight 0", "2001:db8::1@a-b weight 65535"})
        EXPECT_EQ(Via::parse(text).value().to_string(), text);
    for (const auto* text :
         {"", "x", "192.0.2.1@", "192.0.2.1 weight", "192.0.2.1 weight -1",
          "192.0.2.1 weight 65536", "192.0.2.1 metric 2", "192.0.2.1 weight 2 3"})
        EXPECT_FALSE(Via::parse(text)) << text;
}

TEST(Endpoint, PrintsWhatItParsed) {
    for (const auto* text : {"127.0.0.1:8080", "[::1]:80", "0.0.0.0:65535"})
        EXPECT_EQ(Endpoint::parse(text).value().to_string(), text);
    for (const auto* text : {"", "8080", "::1:80", "127.0.0.1:", "127.0.0.1:0", "127.0.0.1:65536",
                             "[127.0.0.1]:80", "host:80"})
        EXPECT_FALSE(Endpoint::parse(text)) << text;
}

TEST(Asn, ReadsNumbersAndAsdot) {
    EXPECT_EQ(parse_asn("4200000001")->number, 4200000001u);
    EXPECT_EQ(parse_asn("64086.59905")->number, 4200000001u);
    for (const auto* text : {"", "-1", "4294967296", "65536.1", "1.65536", "1.2.3", "1x", "."})
        EXPECT_FALSE(parse_asn(text)) << text;
}

TEST(Suggest, KnowsTyposAndLeavesStrangersAlone) {
    EXPECT_EQ(suggest("adresses", {"addresses", "mtu"}), "addresses");
    EXPECT_EQ(suggest("remote-as", {"remote_as", "local_as"}), "remote_as");
    EXPECT_EQ(suggest("neighbor", {"neighbors", "groups"}), "neighbors");
    EXPECT_EQ(suggest("quux", {"addresses", "mtu"}), "");
    EXPECT_EQ(suggest(std::string(1000, 'a'), {"addresses"}), "");
}

}  // namespace
}  // namespace torii::config
