// The tables that workers read while control writes them.
#include <gtest/gtest.h>

#include <random>
#include <set>

#include "dataplane/fast/isa.hpp"
#include "dataplane/fib/fib4.hpp"
#include "dataplane/fib/fib6.hpp"
#include "dataplane/fib/hop.hpp"
#include "tests/threads/world.hpp"

namespace torii::threads {
namespace {

using namespace dataplane;

constexpr unsigned kReaders = 2, kBurstSize = 32;

// Changes a few prefixes over and over. Each has one hop of its own, or none: a reader may
// see nothing else.
TEST(TableThreads, AnAddressLeadsToItsHopOrNowhereWhileRoutesComeAndGo) {
    Quiescence quiescence{kReaders};
    Fib4 fib4{1000, 100, quiescence};
    Fib6 fib6{1000, 100, quiescence};
    constexpr std::uint32_t kNet = 0x0a000000;
    constexpr std::uint64_t kNet6 = 0xfd00'0000'0000'0000;
    constexpr unsigned kPrefixes = 24;
    const auto length4 = [](unsigned i) { return i % 3 == 0 ? 24u : i % 3 == 1 ? 28u : 32u; };
    const auto length6 = [](unsigned i) { return i % 3 == 0 ? 48u : i % 3 == 1 ? 64u : 120u; };
    const auto address4 = [](unsigned i) { return kNet + (i << 8); };
    const auto address6 = [](unsigned i) { return Ip6{kNet6 + (std::uint64_t{i} << 16), 0}; };

    const auto view4 = fib4.view();
    const auto view6 = fib6.view();
    std::atomic<std::uint64_t> wrong{0}, found{0};
    Readers readers{quiescence, kReaders, [&](unsigned) {
                        std::uint32_t to4[kBurstSize], hop[kBurstSize];
                        std::uint64_t high[kBurstSize], low[kBurstSize];
                        for (unsigned i = 0; i < kBurstSize; ++i) {
                            to4[i] = address4(i % kPrefixes);
                            high[i] = address6(i % kPrefixes).high;
                            low[i] = address6(i % kPrefixes).low;
                        }
                        const auto check = [&] {
                            for (unsigned i = 0; i < kBurstSize; ++i) {
                                if (hop[i] != 0 && hop[i] != 1000 + i % kPrefixes)
                                    wrong.fetch_add(1, std::memory_order_relaxed);
                                found.fetch_add(hop[i] != 0, std::memory_order_relaxed);
                            }
                        };
                        kScalar.lookup4(view4, to4, hop, kBurstSize);
                        check();
                        kScalar.lookup6(view6, high, low, hop, kBurstSize);
                        check();
                    }};
    std::mt19937 random{1};
    for (int round = 0; round < 4000; ++round) {
        const auto i = static_cast<unsigned>(random() % kPrefixes);
        if (random() % 2) {
            fib4.set(address4(i), length4(i), 1000 + i);
            fib6.set(address6(i), length6(i), 1000 + i);
        } else {
            fib4.erase(address4(i), length4(i));
            fib6.erase(address6(i), length6(i));
        }
        if (round % 8 == 0) {
            readers.let_pass(1);
            fib4.reclaim();
            fib6.reclaim();
        }
    }
    readers.stop();
    EXPECT_EQ(wrong.load(), 0u);
    EXPECT_GT(found.load(), 0u);
}

TEST(TableThreads, AHopIsReadWhole) {
    Quiescence quiescence{kReaders};
    HopTable hops{256, quiescence};
    const auto id = hops.take();
    // Each octet of a MAC is the number of the write.
    const auto hop = [](std::uint8_t n) {
        MacAddress mac;
        mac.bytes.fill(n);
        return Hop::forward(mac, mac, n, 1500);
    };
    hops.write(id, hop(0));
    std::atomic<std::uint64_t> torn{0};
    const auto* table = hops.data();
    Readers readers{quiescence, kReaders, [&](unsigned) {
                        const Hop seen = load(table[id]);
                        for (const auto octet : seen.macs)
                            if (octet != seen.port) torn.fetch_add(1, std::memory_order_relaxed);
                    }};
    for (unsigned round = 0; round < 20'000; ++round)
        hops.write(id, hop(static_cast<std::uint8_t>(round % kMaxPorts)));
    readers.stop();
    EXPECT_EQ(torn.load(), 0u);
}

}  // namespace
}  // namespace torii::threads
