#include "dataplane/fib/line_hash_writer.hpp"

#include <gtest/gtest.h>

#include <random>

namespace torii::dataplane {
namespace {

// Nodes' /64s follow each other, or every 2^n-th does; each start draws a multiplier of
// its own, and none may make long walks of such a table.
TEST(LineHash, DealsSequencesEvenlyWhateverItDrew) {
    std::mt19937_64 random{11};
    for (unsigned step = 0; step <= 32; step += 8)
        for (int start = 0; start < 100; ++start) {
            Quiescence workers{1};
            LineHash<Line64> table{workers};
            constexpr std::uint64_t kKeys = 2560;
            const auto first = random();
            for (std::uint64_t i = 0; i < kKeys; ++i) table.set(first + (i << step), 1);
            std::uint64_t walked = 0;
            const auto& view = *table.view().load();
            for (std::uint32_t line = 0; line <= view.mask; ++line)
                walked += view.lines[line].displaced & ~Line64::kPassed;
            EXPECT_LT(walked, kKeys) << "lines beyond their own, steps of 2^" << step;
        }
}

}  // namespace
}  // namespace torii::dataplane
