#include "base/prefix.hpp"

#include <gtest/gtest.h>

#include "base/mac.hpp"

namespace torii {
namespace {

TEST(IpAddress, PrintsWhatItParsed) {
    for (const auto* text :
         {"0.0.0.0", "10.1.2.3", "255.255.255.255", "::", "2001:db8::1", "fe80::1"})
        EXPECT_EQ(IpAddress::parse(text)->to_string(), text);
}

TEST(IpAddress, RefusesWhatIsNoAddress) {
    for (const auto* text :
         {"", "10.0.0", "10.0.0.256", "1.2.3.4.5", "fe80::1%eth0", "::g", "10.0.0.1 "})
        EXPECT_FALSE(IpAddress::parse(text)) << text;
    EXPECT_FALSE(IpAddress::parse(std::string_view{"10.0.0.1\0x", 10}));
}

TEST(IpAddress, FindsTheIpv4InsideAMappedAddress) {
    EXPECT_EQ(IpAddress::parse("::ffff:10.0.0.1")->mapped_v4(), IpAddress::parse("10.0.0.1"));
    EXPECT_FALSE(IpAddress::parse("::fffe:10.0.0.1")->mapped_v4());
    EXPECT_FALSE(IpAddress::parse("2001:db8::ffff:10.0.0.1")->mapped_v4());
}

TEST(Prefix, ClearsHostBitsSoThatEqualBlocksAreEqual) {
    EXPECT_EQ(Prefix::parse("10.1.2.3/24"), Prefix::parse("10.1.2.0/24"));
    EXPECT_FALSE(Prefix::parse_strict("10.1.2.3/24"));
    EXPECT_EQ(Prefix::parse("2001:db8::1/33")->to_string(), "2001:db8::/33");
}

TEST(Prefix, RefusesWhatIsNoPrefix) {
    for (const auto* text :
         {"10.0.0.0/33", "10.0.0.0/", "10.0.0.0/-1", "10.0.0.0/8x", "::/129", "/8"})
        EXPECT_FALSE(Prefix::parse(text)) << text;
}

TEST(Prefix, ContainsItsOwnFamilyOnly) {
    const auto all4 = Prefix::default_route(Family::Ip4);
    EXPECT_TRUE(all4.contains(*IpAddress::parse("1.2.3.4")));
    EXPECT_FALSE(all4.contains(*IpAddress::parse("::1")));
    EXPECT_TRUE(Prefix::parse("10.0.0.0/8")->contains(*Prefix::parse("10.1.0.0/16")));
    EXPECT_FALSE(Prefix::parse("10.1.0.0/16")->contains(*Prefix::parse("10.0.0.0/8")));
    EXPECT_TRUE(Prefix::parse("10.1.0.0/16")->overlaps(*Prefix::parse("10.0.0.0/8")));
}

TEST(MacAddress, RoundTrips) {
    EXPECT_EQ(MacAddress::parse("02:00:00:0a:ff:01")->to_string(), "02:00:00:0a:ff:01");
    for (const auto* text : {"02:00:00:00:00", "02-00-00-00-00-01", "02:00:00:00:00:0g", ""})
        EXPECT_FALSE(MacAddress::parse(text)) << text;
}

}  // namespace
}  // namespace torii
