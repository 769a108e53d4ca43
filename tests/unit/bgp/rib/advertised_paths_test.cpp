#include "bgp/rib/advertised_paths.hpp"

#include <map>
#include <random>
#include <set>

#include "base/byte_writer.hpp"
#include "tests/unit/bgp/raw_peer.hpp"

namespace torii::bgp::test {
namespace {

struct Advertised : testing::Test {
    FakeTracker tracker;
    NextHops hops{tracker, [](NextHopId) {}};
    AttributePool pool{hops};
    std::vector<AttributesId> sets;
    std::vector<AdvertisedPath> news;
    std::vector<std::uint32_t> gone;

    void SetUp() override {
        for (std::uint32_t i = 0; i < 8; ++i) {
            Bytes communities;
            ByteWriter{communities}.u32(i);
            Attributes a;
            for (const auto code : {Attribute::Origin, Attribute::AsPath, Attribute::Communities})
                a.set(code);
            a.communities = communities;
            sets.push_back(pool.intern(a, 0));
        }
    }
};

TEST_F(Advertised, APathKeepsItsNumberAndAReceiverThatFollowsHasThemAll) {
    std::mt19937 random{7};
    {
        AdvertisedPaths paths{pool};
        std::map<std::uint32_t, AttributesId> receiver;  // by number
        std::map<std::pair<PeerId, std::uint32_t>, std::uint32_t> numbers;
        for (int round = 0; round < 400; ++round) {
            std::map<std::pair<PeerId, std::uint32_t>, AttributesId> wanted;
            for (auto n = random() % 40; n > 0; --n)
                wanted[{1 + random() % 4, random() % 16}] = sets[random() % 8];
            std::vector<AdvertisedPath> list;
            for (const auto& [key, set] : wanted) list.push_back({0, key.first, key.second, set});
            paths.change(5, list, news, gone);
            for (const auto id : gone) EXPECT_EQ(receiver.erase(id), 1u);
            for (const auto& path : news) receiver[path.id] = path.attributes;
            std::map<std::uint32_t, AttributesId> now;
            for (const auto& path : paths.of(5)) {
                EXPECT_TRUE(now.emplace(path.id, path.attributes).second);
                const auto key = std::pair{path.peer, path.received_id};
                EXPECT_EQ(wanted.at(key), path.attributes);
                const auto old = numbers.find(key);
                EXPECT_EQ(old != numbers.end() ? old->second : path.id, path.id);
            }
            EXPECT_EQ(now.size(), wanted.size());
            EXPECT_EQ(now, receiver);
            numbers.clear();
            for (const auto& path : paths.of(5)) numbers[{path.peer, path.received_id}] = path.id;
        }
    }
    for (const auto id : sets) pool.release(id);
    EXPECT_EQ(pool.size(), 0u);
}

TEST_F(Advertised, NumbersAreTheLowestThatAreFree) {
    AdvertisedPaths paths{pool};
    std::vector<AdvertisedPath> list;
    for (std::uint32_t i = 0; i < 100; ++i) list.push_back({0, 1, i, sets[0]});
    paths.change(5, list, news, gone);
    EXPECT_EQ(news.size(), 100u);
    list.erase(list.begin() + 10, list.end());
    paths.change(5, list, news, gone);
    EXPECT_EQ(gone.size(), 90u);
    list.push_back({0, 2, 0, sets[1]});
    paths.change(5, list, news, gone);
    ASSERT_EQ(news.size(), 1u);
    EXPECT_EQ(news[0].id, 11u);
}

}  // namespace
}  // namespace torii::bgp::test
