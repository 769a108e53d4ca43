#include "dataplane/fib/fib6.hpp"

#include <gtest/gtest.h>

#include <random>
#include <thread>
#include <vector>

#include "dataplane/fast/isa.hpp"
#include "plain_table.hpp"

namespace torii::dataplane {
namespace {

IpAddress address(const Ip6& a) {
    std::array<std::uint8_t, 16> bytes;
    for (std::size_t i = 0; i < 8; ++i) {
        bytes[i] = static_cast<std::uint8_t>(a.high >> (56 - 8 * i));
        bytes[8 + i] = static_cast<std::uint8_t>(a.low >> (56 - 8 * i));
    }
    return IpAddress::v6(bytes);
}
Ip6 masked(Ip6 a, unsigned length) {
    if (length <= 64) {
        a.low = 0;
        a.high = length == 0 ? 0 : a.high & ~std::uint64_t{0} << (64 - length);
    } else if (length < 128) {
        a.low &= ~std::uint64_t{0} << (128 - length);
    }
    return a;
}

struct World {
    Quiescence workers{4};
    Fib6 fib{100'000, 20'000, workers};
    PlainTable plain;
    std::mt19937_64 random{7};

    void set(Ip6 a, unsigned length, HopId hop) {
        a = masked(a, length);
        ASSERT_TRUE(fib.set(a, length, hop)) << length;
        plain.set({address(a), static_cast<std::uint8_t>(length)}, hop);
    }
    void erase(Ip6 a, unsigned length) {
        a = masked(a, length);
        const Prefix p{address(a), static_cast<std::uint8_t>(length)};
        ASSERT_EQ(fib.erase(a, length), plain.has(p)) << p.to_string();
        plain.erase(p);
    }
    // Addresses close together, so that prefixes of all lengths meet.
    Ip6 near() {
        Ip6 a{0x20010db800000000, 0};
        a.high |=
            (random() & 3) << 40 | (random() & 3) << 30 | (random() & 3) << 17 | (random() & 3);
        a.low = (random() & 3) << 62 | (random() & 3) << 33 | (random() & 3) << 8 | (random() & 3);
        return a;
    }
    void compare() {
        std::vector<Ip6> at;
        for (const auto& [prefix, hop] : plain.routes()) {
            auto a = Ip6::of(prefix.address());
            at.push_back(a);
            at.push_back({a.high, a.low + 1});
            at.push_back({a.high, a.low - 1});
            at.push_back({a.high + 1, a.low});
            at.push_back({a.high - 1, ~a.low});
        }
        for (int i = 0; i < 1000; ++i) at.push_back(near());
        for (std::size_t i = 0; i < at.size(); i += 64) {
            std::vector<Ip6> burst(at.begin() + static_cast<long>(i),
                                   at.begin() + static_cast<long>(std::min(i + 64, at.size())));
            compare(burst);
            // The same within one slot of the first stage, and within one /64.
            constexpr std::uint64_t kSlot = ~std::uint64_t{0} << 40;
            for (auto& a : burst) a.high = (burst[0].high & kSlot) | (a.high & ~kSlot);
            compare(burst);
            for (auto& a : burst) a.high = burst[0].high;
            compare(burst);
        }
    }
    void compare(const std::vector<Ip6>& burst) {
        std::uint64_t high[64], low[64];
        std::uint32_t hops[64];
        for (std::size_t k = 0; k < burst.size(); ++k) {
            high[k] = burst[k].high;
            low[k] = burst[k].low;
        }
        for (const auto kind : {LookupKind::Scalar, LookupKind::Avx2, LookupKind::Avx512}) {
            choose_isa(kind).lookup6(fib.view(), high, low, hops,
                                     static_cast<unsigned>(burst.size()));
            for (std::size_t k = 0; k < burst.size(); ++k) {
                const auto right = plain.lookup(address(burst[k]));
                ASSERT_EQ(fib.lookup(burst[k]), right) << address(burst[k]).to_string();
                ASSERT_EQ(hops[k], right) << address(burst[k]).to_string();
            }
        }
    }
};

TEST(Fib6, AgreesWithAPlainTableOnRandomAddsAndDeletes) {
    World w;
    for (int round = 0; round < 40; ++round) {
        for (int i = 0; i < 150; ++i) {
            const auto a = w.near();
            const auto length = static_cast<unsigned>(w.random() % 129);
            if (w.random() % 3 == 0)
                w.erase(a, length);
            else
                w.set(a, length, 1 + static_cast<HopId>(w.random() % 1000));
        }
        w.compare();
        if (round % 4 == 0) w.fib.reclaim();
    }
}

TEST(Fib6, LeavesNothingBehindWhenAllPrefixesAreGone) {
    World w;
    for (int round = 0; round < 10; ++round) {
        std::vector<std::pair<Ip6, unsigned>> made;
        for (int i = 0; i < 500; ++i) {
            const auto a = w.near();
            const auto length = static_cast<unsigned>(w.random() % 129);
            w.set(a, length, 7);
            made.emplace_back(masked(a, length), length);
        }
        std::shuffle(made.begin(), made.end(), w.random);
        for (const auto& [a, length] : made)
            if (w.plain.has({address(a), static_cast<std::uint8_t>(length)})) w.erase(a, length);
        EXPECT_EQ(w.fib.prefixes(), 0u);
        EXPECT_EQ(w.fib.nodes().used(), 0u);
        w.compare();
    }
}

TEST(Fib6, FindsPodPrefixesByTheThousand) {
    World w;
    for (std::uint64_t i = 0; i < 5000; ++i) {
        w.set({0xfd00001000000000 | i << 3, 0}, 64, 1 + static_cast<HopId>(i));
        w.set({0xfd00002000000000 | (i & 15), i << 20}, 120, 10'000 + static_cast<HopId>(i));
    }
    w.compare();
}

TEST(Fib6, RefusesWhatDoesNotFitAndStaysAsItWas) {
    Quiescence workers{1};
    Fib6 fib{2, 2, workers};
    EXPECT_FALSE(fib.set({0x20010db800000000, 0}, 48, 1));  // needs three nodes
    EXPECT_EQ(fib.lookup({0x20010db800000000, 0}), 0u);
    EXPECT_TRUE(fib.set({0x20010db800000000, 0}, 32, 1));
    EXPECT_TRUE(fib.set({0x20010db800000000, 0}, 120, 2));
    EXPECT_FALSE(fib.set({0x20010db900000000, 0}, 32, 3));
    EXPECT_FALSE(fib.set({0x20010db900000000, 0}, 64, 3));
    EXPECT_EQ(fib.lookup({0x20010db900000000, 0}), 0u);
    EXPECT_EQ(fib.lookup({0x20010db800000000, 255}), 2u);
    EXPECT_EQ(fib.lookup({0x20010db800000000, 256}), 1u);
}

TEST(Fib6, AnswersOldOrNewWhileAWriterWorks) {
    Quiescence workers{1};
    Fib6 fib{100'000, 1000, workers};
    fib.set({0xfd00001000000000, 0}, 40, 1);
    std::atomic<bool> stop{false};
    std::atomic<std::uint64_t> wrong{0}, asked{0};
    std::thread reader([&] {
        rte_rcu_qsbr_thread_register(workers.state(), 0);
        rte_rcu_qsbr_thread_online(workers.state(), 0);
        std::mt19937_64 random{3};
        std::uint64_t high[32], low[32];
        std::uint32_t hop[32];
        while (!stop.load(std::memory_order_relaxed)) {
            for (unsigned i = 0; i < 32; ++i) {
                high[i] = 0xfd00001000000000 | (random() & 0x3ff);
                low[i] = (random() & 0x3f) << 8;
            }
            choose_isa(LookupKind::Auto).lookup6(fib.view(), high, low, hop, 32);
            for (unsigned i = 0; i < 32; ++i) {
                const auto site = static_cast<std::uint32_t>(high[i] & 0x3ff);
                const auto pod = static_cast<std::uint32_t>(low[i] >> 8);
                if (hop[i] != 1 && hop[i] != 2 + site && hop[i] != 10'000 + site * 64 + pod)
                    wrong.fetch_add(1);
            }
            asked.fetch_add(32, std::memory_order_relaxed);
            rte_rcu_qsbr_quiescent(workers.state(), 0);
        }
        rte_rcu_qsbr_thread_offline(workers.state(), 0);
    });
    std::mt19937_64 random{5};
    for (int i = 0; i < 300'000 || asked.load() < 100'000; ++i) {
        const auto site = static_cast<std::uint32_t>(random() & 0x3ff);
        const auto pod = static_cast<std::uint32_t>(random() & 0x3f);
        const Ip6 a{0xfd00001000000000 | site, std::uint64_t{pod} << 8};
        const bool is_pod = (random() & 1) != 0;
        if (random() & 1)
            fib.set(is_pod ? a : Ip6{a.high, 0}, is_pod ? 120 : 64,
                    is_pod ? 10'000 + site * 64 + pod : 2 + site);
        else
            fib.erase(is_pod ? a : Ip6{a.high, 0}, is_pod ? 120 : 64);
        if (i % 64 == 0) fib.reclaim();
    }
    stop = true;
    reader.join();
    EXPECT_EQ(wrong.load(), 0u);
}

}  // namespace
}  // namespace torii::dataplane
