#include "dataplane/fib/fib4.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <random>
#include <thread>
#include <vector>

#include "dataplane/fast/isa.hpp"
#include "plain_table.hpp"

namespace torii::dataplane {
namespace {

struct World {
    Quiescence workers{4};
    Fib4 fib{100'000, 4'000, workers};
    PlainTable plain;
    std::mt19937 random{7};

    std::uint32_t number(std::uint32_t below) {
        return static_cast<std::uint32_t>(random() % below);
    }

    void set(std::uint32_t a, unsigned length, HopId hop) {
        ASSERT_TRUE(fib.set(a, length, hop));
        plain.set({IpAddress::v4(a), static_cast<std::uint8_t>(length)}, hop);
    }
    void erase(std::uint32_t a, unsigned length) {
        const Prefix p{IpAddress::v4(a), static_cast<std::uint8_t>(length)};
        EXPECT_EQ(fib.erase(a, length), plain.has(p));
        plain.erase(p);
    }
    // Every prefix's first and last address, their neighbors, and some others.
    void compare() {
        std::vector<std::uint32_t> at;
        for (const auto& [prefix, hop] : plain.routes()) {
            const auto first = prefix.address().v4();
            const auto last =
                static_cast<std::uint32_t>(first | ~(~0ull << (32 - prefix.length())));
            for (const auto a : {first, last, first - 1, last + 1}) at.push_back(a);
        }
        for (int i = 0; i < 2000; ++i) at.push_back(static_cast<std::uint32_t>(random()));
        std::vector<std::uint32_t> hops(64);
        for (std::size_t i = 0; i < at.size(); i += 64) {
            const auto n = static_cast<unsigned>(std::min<std::size_t>(64, at.size() - i));
            for (const auto kind : {LookupKind::Scalar, LookupKind::Avx2, LookupKind::Avx512}) {
                choose_isa(kind).lookup4(fib.view(), &at[i], hops.data(), n);
                for (unsigned k = 0; k < n; ++k) {
                    const auto right = plain.lookup(IpAddress::v4(at[i + k]));
                    ASSERT_EQ(hops[k], right) << IpAddress::v4(at[i + k]).to_string();
                    ASSERT_EQ(fib.lookup(at[i + k]), right);
                }
            }
        }
    }
};

TEST(Fib4, AgreesWithAPlainTableOnRandomAddsAndDeletes) {
    World w;
    for (int round = 0; round < 20; ++round) {
        for (int i = 0; i < 200; ++i) {
            const auto a = w.number(1 << 16) << 12 | w.number(1 << 12);
            const auto length = 8 + w.number(25);
            if (w.number(3) == 0)
                w.erase(a & (length == 32 ? ~0u : ~(~0u >> length)), length);
            else
                w.set(a, length, 1 + w.number(1000));
        }
        w.compare();
    }
}

TEST(Fib4, KeepsNestedPrefixesApartInAnyOrderOfTheirGoing) {
    World w;
    for (int round = 0; round < 30; ++round) {
        const std::uint32_t base = 0x0a141e28;
        std::vector<unsigned> lengths;
        for (unsigned l = 0; l <= 32; ++l) lengths.push_back(l);
        std::shuffle(lengths.begin(), lengths.end(), w.random);
        for (const auto l : lengths) w.set(base & (l == 0 ? 0 : ~0u << (32 - l)), l, l + 1);
        w.compare();
        std::shuffle(lengths.begin(), lengths.end(), w.random);
        for (const auto l : lengths) {
            w.erase(base & (l == 0 ? 0 : ~0u << (32 - l)), l);
            w.compare();
        }
        EXPECT_EQ(w.fib.blocks().used(), 0u);
        EXPECT_EQ(w.fib.prefixes(), 0u);
    }
}

TEST(Fib4, RefusesWhatDoesNotFitAndStaysAsItWas) {
    Quiescence workers{1};
    Fib4 fib{3, 1, workers};
    EXPECT_TRUE(fib.set(0x0a000000, 8, 1));
    EXPECT_TRUE(fib.set(0x0a000080, 25, 2));
    EXPECT_FALSE(fib.set(0x0b000080, 25, 3));  // no block left
    EXPECT_EQ(fib.lookup(0x0b000080), 0u);
    EXPECT_TRUE(fib.set(0x0b000000, 8, 4));
    EXPECT_FALSE(fib.set(0x0c000000, 8, 5));  // no prefix left
    EXPECT_EQ(fib.lookup(0x0c000000), 0u);
    EXPECT_TRUE(fib.set(0x0b000000, 8, 6));  // a change needs no room
    EXPECT_EQ(fib.lookup(0x0b010203), 6u);
    EXPECT_TRUE(fib.erase(0x0a000080, 25));
    EXPECT_TRUE(fib.set(0x0b000080, 25, 7));
    EXPECT_EQ(fib.lookup(0x0b000081), 7u);
}

TEST(Fib4, GivesNoBlockToAnotherWhileAWorkerMayReadIt) {
    Quiescence workers{1};
    Fib4 fib{10, 1, workers};
    rte_rcu_qsbr_thread_register(workers.state(), 0);
    rte_rcu_qsbr_thread_online(workers.state(), 0);
    EXPECT_TRUE(fib.set(0x0a000080, 25, 2));
    EXPECT_TRUE(fib.erase(0x0a000080, 25));
    EXPECT_FALSE(fib.set(0x0b000080, 25, 3));
    rte_rcu_qsbr_quiescent(workers.state(), 0);
    EXPECT_TRUE(fib.set(0x0b000080, 25, 3));
}

TEST(Fib4, AnswersOldOrNewWhileAWriterWorks) {
    Quiescence workers{1};
    Fib4 fib{1000, 64, workers};
    // Each address has two possible answers: the outer prefix's and the inner's.
    fib.set(0x0a000000, 16, 1);
    std::atomic<bool> stop{false};
    std::atomic<std::uint64_t> wrong{0}, asked{0};
    std::thread reader([&] {
        rte_rcu_qsbr_thread_register(workers.state(), 0);
        rte_rcu_qsbr_thread_online(workers.state(), 0);
        std::mt19937 random{3};
        std::uint32_t dst[32], hop[32];
        while (!stop.load(std::memory_order_relaxed)) {
            for (auto& d : dst) d = static_cast<std::uint32_t>(0x0a000000 | (random() & 0xffff));
            choose_isa(LookupKind::Auto).lookup4(fib.view(), dst, hop, 32);
            for (unsigned i = 0; i < 32; ++i)
                if (hop[i] != 1 && hop[i] != 2 + (dst[i] >> 8 & 0xff)) wrong.fetch_add(1);
            asked.fetch_add(32, std::memory_order_relaxed);
            rte_rcu_qsbr_quiescent(workers.state(), 0);
        }
        rte_rcu_qsbr_thread_offline(workers.state(), 0);
    });
    std::mt19937 random{5};
    for (int i = 0; i < 200'000 || asked.load() < 100'000; ++i) {
        const auto third = static_cast<std::uint32_t>(random() & 0xff);
        const auto length = 24 + static_cast<unsigned>(random() % 9);
        const auto a = static_cast<std::uint32_t>((0x0a000000 | third << 8 | (random() & 0xff)) &
                                                  (~0u << (32 - length)));
        if (random() & 1)
            fib.set(a, length, 2 + third);
        else
            fib.erase(a, length);
    }
    stop = true;
    reader.join();
    EXPECT_EQ(wrong.load(), 0u);
}

}  // namespace
}  // namespace torii::dataplane
