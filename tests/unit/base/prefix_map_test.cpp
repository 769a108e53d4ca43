#include "base/prefix_map.hpp"

#include <gtest/gtest.h>

#include <map>
#include <random>

namespace torii {
namespace {

using Reference = std::map<Prefix, std::uint32_t>;

std::optional<Prefix> longest_match(const Reference& map, const IpAddress& address) {
    std::optional<Prefix> best;
    for (const auto& [prefix, value] : map)
        if (prefix.contains(address) && (!best || prefix.length() > best->length())) best = prefix;
    return best;
}

// Prefixes that like to nest and to crowd: few distinct leading bytes.
class Prefixes {
public:
    explicit Prefixes(unsigned seed) : random_(seed) {}

    IpAddress address() {
        std::array<std::uint8_t, 16> bytes{};
        const bool six = random_() % 3 == 0;
        for (std::size_t i = 0; i < (six ? 16u : 4u); ++i)
            bytes[i] = static_cast<std::uint8_t>(i % 2 == 0 ? random_() % 3 : random_() % 256);
        if (six) return IpAddress::v6(bytes);
        return IpAddress::v4(std::uint32_t{bytes[0]} << 24 | std::uint32_t{bytes[1]} << 16 |
                             std::uint32_t{bytes[2]} << 8 | bytes[3]);
    }
    Prefix prefix() {
        const auto a = address();
        return {a, static_cast<std::uint8_t>(random_() % (a.bits() + 1u))};
    }
    std::uint32_t number() { return static_cast<std::uint32_t>(random_()); }

private:
    std::mt19937 random_;
};

void expect_same(const PrefixMap<std::uint32_t>& map, const Reference& reference) {
    ASSERT_EQ(map.size(), reference.size());
    auto expected = reference.begin();
    map.walk([&](const Prefix& prefix, std::uint32_t value) {
        EXPECT_EQ(prefix, expected->first);
        EXPECT_EQ(value, expected->second);
        ++expected;
        return true;
    });
    EXPECT_EQ(expected, reference.end());
}

TEST(PrefixMap, AgreesWithAnOrderedMapThroughRandomChanges) {
    for (unsigned seed = 1; seed <= 8; ++seed) {
        Prefixes draw{seed};
        PrefixMap<std::uint32_t> map;
        Reference reference;
        for (int round = 0; round < 6; ++round) {
            for (int i = 0; i < 3000; ++i) {
                const auto prefix = draw.prefix();
                const auto value = draw.number();
                EXPECT_EQ(map.try_emplace(prefix, value).second,
                          reference.try_emplace(prefix, value).second);
            }
            expect_same(map, reference);
            // Most go again, so that branches fold back as well.
            for (auto at = reference.begin(); at != reference.end();) {
                if (draw.number() % 8 == 0) {
                    ++at;
                    continue;
                }
                EXPECT_TRUE(map.erase(at->first));
                EXPECT_FALSE(map.erase(at->first));
                at = reference.erase(at);
            }
            expect_same(map, reference);
        }
    }
}

TEST(PrefixMap, FindsTheLongestMatch) {
    Prefixes draw{42};
    PrefixMap<std::uint32_t> map;
    Reference reference;
    for (int i = 0; i < 2000; ++i) {
        const auto prefix = draw.prefix();
        map.try_emplace(prefix, 0);
        reference.try_emplace(prefix, 0);
    }
    for (int i = 0; i < 2000; ++i) {
        const auto address = draw.address();
        const auto found = map.longest_match(address);
        EXPECT_EQ(found ? std::optional{found->first} : std::nullopt,
                  longest_match(reference, address));
    }
}

TEST(PrefixMap, WalksSubtreesCoversAndFromACursor) {
    Prefixes draw{7};
    PrefixMap<std::uint32_t> map;
    Reference reference;
    for (int i = 0; i < 4000; ++i) {
        const auto prefix = draw.prefix();
        map.try_emplace(prefix, 0);
        reference.try_emplace(prefix, 0);
    }
    for (int i = 0; i < 300; ++i) {
        const auto probe = draw.prefix();
        std::vector<Prefix> within, covering, from, expected_within, expected_covering;
        map.walk_within(probe, [&](const Prefix& p, auto&) { return within.push_back(p), true; });
        map.walk_covering(probe,
                          [&](const Prefix& p, auto&) { return covering.push_back(p), true; });
        map.walk_from(probe,
                      [&](const Prefix& p, auto&) { return from.push_back(p), from.size() < 5; });
        for (const auto& [p, value] : reference) {
            if (probe.contains(p)) expected_within.push_back(p);
            if (p.contains(probe)) expected_covering.push_back(p);
        }
        EXPECT_EQ(within, expected_within);
        EXPECT_EQ(covering, expected_covering);
        auto at = reference.lower_bound(probe);
        for (const auto& p : from) EXPECT_EQ(p, (at++)->first);
    }
}

TEST(PrefixMap, HoldsEverythingTwiceOverAtTheExtremes) {
    PrefixMap<std::uint32_t> map;
    for (std::uint8_t length = 0; length <= 32; ++length)
        EXPECT_TRUE(map.try_emplace(Prefix{IpAddress::v4(0xffffffff), length}, length).second);
    for (std::uint32_t i = 0; i < 1024; ++i)
        EXPECT_TRUE(map.try_emplace(Prefix::host(IpAddress::v4(0xffff0000 + i)), i).second);
    EXPECT_EQ(map.longest_match(IpAddress::v4(0xffffffff))->first.length(), 32);
    EXPECT_EQ(map.longest_match(IpAddress::v4(0xfffffffe))->first.length(), 31);
    EXPECT_EQ(map.longest_match(IpAddress::v4(0))->first.length(), 0);
    EXPECT_FALSE(map.longest_match(*IpAddress::parse("::")));
}

}  // namespace
}  // namespace torii
