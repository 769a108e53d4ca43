// QSBR and what is freed after it: a reader never sees what control has freed or used again.
#include <gtest/gtest.h>

#include "dataplane/fib/retired.hpp"
#include "tests/threads/world.hpp"

namespace torii::threads {
namespace {

using dataplane::IndexPool;
using dataplane::Quiescence;
using dataplane::Retired;

constexpr unsigned kReaders = 3, kRounds = 3000;

struct Object {
    explicit Object(std::uint64_t n) : number(n), twice(2 * n) {}
    ~Object() { number = 0; }
    std::uint64_t number, twice;
};

TEST(Reclamation, FreesAnObjectWhenEachReaderHasLetGoOfIt) {
    Quiescence quiescence{kReaders};
    Retired<std::unique_ptr<const Object>> retired{quiescence};
    std::atomic<const Object*> shared{new Object{1}};
    std::atomic<std::uint64_t> wrong{0};
    Readers readers{quiescence, kReaders, [&](unsigned) {
                        const auto* object = shared.load(std::memory_order_acquire);
                        for (int look = 0; look < 4; ++look)
                            if (object->number == 0 || object->twice != 2 * object->number)
                                wrong.fetch_add(1, std::memory_order_relaxed);
                    }};
    std::size_t freed = 0;
    for (std::uint64_t n = 2; n < kRounds; ++n) {
        retired.retire(std::unique_ptr<const Object>{shared.exchange(new Object{n})});
        if (n % 16 == 0) readers.let_pass(1);
        freed += retired.reclaim();
    }
    readers.stop();
    freed += retired.reclaim();
    EXPECT_EQ(wrong.load(), 0u);
    EXPECT_EQ(freed, kRounds - 2);
    EXPECT_EQ(retired.waiting(), 0u);
    delete shared.load();
}

TEST(Reclamation, GivesAnIndexOutAgainWhenEachReaderHasLetGoOfIt) {
    Quiescence quiescence{kReaders};
    IndexPool pool{64, quiescence};
    std::uint64_t slots[64] = {};  // plain: only the grace period keeps readers and writer apart
    const auto first = pool.take();
    slots[first] = 1;
    std::atomic<std::uint32_t> shared{first};
    std::atomic<std::uint64_t> wrong{0};
    Readers readers{quiescence, kReaders, [&](unsigned) {
                        const auto index = shared.load(std::memory_order_acquire);
                        if (slots[index] == 0) wrong.fetch_add(1, std::memory_order_relaxed);
                    }};
    for (std::uint64_t n = 2; n < kRounds; ++n) {
        auto index = pool.take();
        while (index == 0) {
            readers.let_pass(1);
            index = pool.take();
        }
        slots[index] = n;
        pool.retire(shared.exchange(index, std::memory_order_acq_rel));
    }
    readers.stop();
    EXPECT_EQ(wrong.load(), 0u);
    EXPECT_EQ(pool.used(), 1u);
}

}  // namespace
}  // namespace torii::threads
