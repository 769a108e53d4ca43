#include "bgp/rib/attribute_pool.hpp"

#include <set>

#include "base/byte_writer.hpp"
#include "tests/unit/bgp/raw_peer.hpp"

namespace torii::bgp::test {
namespace {

struct Pool : testing::Test {
    FakeTracker tracker;
    NextHops hops{tracker, [](NextHopId) {}};
    AttributePool pool{hops};

    AttributesId intern(const Bytes& communities) {
        Attributes a;
        a.set(Attribute::Origin);
        a.set(Attribute::AsPath);
        a.set(Attribute::Communities);
        a.communities = communities;
        return pool.intern(a, 0);
    }
};

TEST_F(Pool, StoresEqualSetsOnce) {
    const Bytes one{0, 1, 0, 1}, other{0, 1, 0, 2};
    const auto a = intern(one), b = intern(one), c = intern(other);
    EXPECT_EQ(a, b);
    EXPECT_NE(a, c);
    EXPECT_EQ(pool.size(), 2u);
    for (const auto id : {a, b, c}) pool.release(id);
    EXPECT_EQ(pool.size(), 0u);
    EXPECT_EQ(pool.bytes(), 0u);
}

// A hash that folds each word by a multiplication alone can be steered: the top bit of one
// word is undone by two bits of the next.
TEST_F(Pool, CannotBeFilledWithSetsOfOneHashByAPeer) {
    constexpr int kPairs = 12;
    std::set<std::uint64_t> hashes;
    std::vector<AttributesId> all;
    for (int phase = 0; phase < 8; ++phase)
        for (unsigned variant = 0; variant < (1u << kPairs); ++variant) {
            Bytes communities(static_cast<std::size_t>(phase), 0);
            for (int pair = 0; pair < kPairs; ++pair) {
                std::uint64_t words[2] = {0x0101010101010101, 0x0202020202020202};
                if (variant >> pair & 1) {
                    words[0] ^= std::uint64_t{1} << 63;
                    words[1] ^= std::uint64_t{1} << 63 | std::uint64_t{1} << 31;
                }
                const auto* bytes = reinterpret_cast<const std::uint8_t*>(words);
                communities.insert(communities.end(), bytes, bytes + sizeof words);
            }
            communities.resize(communities.size() / 4 * 4);
            const auto id = intern(communities);
            hashes.insert(pool[id].hash);
            all.push_back(id);
        }
    std::ranges::sort(all);
    const auto sets = static_cast<std::size_t>(std::ranges::unique(all).begin() - all.begin());
    EXPECT_EQ(hashes.size(), sets);
    EXPECT_EQ(pool.size(), sets);
}

TEST_F(Pool, HasAKeyOfItsOwn) {
    AttributePool second{hops};
    Attributes a;
    a.set(Attribute::Origin);
    EXPECT_NE(pool[pool.intern(a, 0)].hash, second[second.intern(a, 0)].hash);
}

}  // namespace
}  // namespace torii::bgp::test
