#include "dataplane/liveness/timer_wheel.hpp"

#include <gtest/gtest.h>

#include <random>
#include <vector>

namespace torii::dataplane {
namespace {

TEST(TimerWheel, FiresEachTimerAtItsTickAndOnce) {
    TimerWheel wheel;
    std::vector<Timer> timers(1000);
    std::mt19937 random{1};
    for (auto& timer : timers) wheel.arm(timer, 1 + random() % 20'000);
    std::size_t fired = 0;
    for (std::uint64_t now = 1; now <= 20'000; ++now)
        wheel.advance(now, [&](Timer& timer) {
            EXPECT_EQ(timer.due, now);
            EXPECT_FALSE(timer.armed());
            ++fired;
        });
    EXPECT_EQ(fired, timers.size());
}

TEST(TimerWheel, CatchesUpAfterALongSleep) {
    TimerWheel wheel;
    Timer soon, later, far;
    wheel.arm(soon, 5);
    wheel.arm(later, 90'000);
    wheel.arm(far, 1'000'000);
    std::vector<Timer*> fired;
    wheel.advance(100'000, [&](Timer& timer) { fired.push_back(&timer); });
    EXPECT_EQ(fired.size(), 2u);
    EXPECT_TRUE(far.armed());
}

TEST(TimerWheel, LetsAFiringTimerDisarmItsNeighbors) {
    TimerWheel wheel;
    Timer first, second, third;
    for (auto* timer : {&first, &second, &third}) wheel.arm(*timer, 10);
    unsigned fired = 0;
    wheel.advance(10, [&](Timer&) {
        ++fired;
        wheel.disarm(second);
        wheel.disarm(third);
    });
    EXPECT_EQ(fired, 1u);
}

TEST(TimerWheel, NeverFiresInThePast) {
    TimerWheel wheel;
    wheel.start_at(500);
    Timer timer;
    wheel.arm(timer, 3);
    unsigned fired = 0;
    wheel.advance(501, [&](Timer&) { ++fired; });
    EXPECT_EQ(fired, 1u);
}

}  // namespace
}  // namespace torii::dataplane
