#include "dataplane/fib/neighbors.hpp"

#include <gtest/gtest.h>

namespace torii::dataplane {
namespace {

using Claim = Neighbors::Claim;

IpAddress host(std::uint32_t n) {
    return IpAddress::v4(0x0a010000 + n);
}

struct World {
    Quiescence workers{1};
    HopTable hops{HopTable::kFirstPort + kMaxPorts + 4000, workers};
    Neighbors neighbors{hops, 1600};

    unsigned scan(PortIndex port, std::uint32_t first, unsigned addresses) {
        unsigned found_room = 0;
        for (unsigned i = 0; i < addresses; ++i)
            found_room += neighbors.get(port, host(first + i), Claim::Asked) != nullptr;
        return found_room;
    }
};

TEST(Neighbors, GiveAScanItsQuotaAndNextHopsAPlace) {
    World w;
    EXPECT_EQ(w.scan(0, 0, 50'000), w.neighbors.quota());
    EXPECT_LE(w.neighbors.quota(), w.neighbors.limit() / 8);
    // Other ports have theirs.
    EXPECT_NE(w.neighbors.get(1, host(1), Claim::Asked), nullptr);
    for (std::uint32_t n = 0; n < 3000; ++n) {
        auto* next_hop = w.neighbors.get(0, host(100'000 + n));
        ASSERT_NE(next_hop, nullptr) << n;
        w.neighbors.use(*next_hop);
    }
}

TEST(Neighbors, LetStrangersInAgainWhenThoseBeforeThemAnsweredOrWent) {
    World w;
    w.scan(0, 0, 50'000);
    EXPECT_EQ(w.neighbors.get(0, host(70'000), Claim::Asked), nullptr);
    w.neighbors.find(0, host(0))->state = NeighborState::Reachable;
    w.neighbors.erase(*w.neighbors.find(0, host(1)));
    w.neighbors.recount();
    EXPECT_EQ(w.scan(0, 70'000, 10), 2u);
}

TEST(Neighbors, KeepHalfOfThePlacesForThoseThatAreLookedFor) {
    World w;
    unsigned learned = 0;
    for (std::uint32_t n = 0; n < 10'000; ++n)
        learned += w.neighbors.get(0, host(n), Claim::Learned) != nullptr;
    EXPECT_EQ(learned, w.neighbors.limit() / 2);
    EXPECT_NE(w.neighbors.get(0, host(20'000), Claim::Asked), nullptr);
    // A next hop that was a stranger stays where it is.
    auto* n = w.neighbors.get(0, host(5));
    ASSERT_NE(n, nullptr);
    w.neighbors.use(*n);
    EXPECT_EQ(w.neighbors.strangers(), w.neighbors.limit() / 2);
    w.neighbors.release(*n);
    EXPECT_EQ(w.neighbors.strangers(), w.neighbors.limit() / 2 + 1);
}

}  // namespace
}  // namespace torii::dataplane
