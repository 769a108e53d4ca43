#include "bgp/session/timers.hpp"

#include <gtest/gtest.h>

namespace torii::bgp {
namespace {

using namespace std::chrono_literals;

struct Counting final : Timed {
    explicit Counting(int& calls) : calls_(calls) {}
    std::optional<Clock::TimePoint> on_time(Clock::TimePoint) override {
        ++calls_;
        return std::nullopt;
    }
    int& calls_;
};

TEST(Timers, ForgetAppointmentsOfWhatIsGone) {
    Loop loop;
    ManualClock clock;
    Timers timers{loop, clock};
    int calls = 0;
    const auto kept = std::make_shared<Counting>(calls);
    timers.schedule(kept, timers.now() + 10min);
    for (int i = 0; i < 100'000; ++i)
        timers.schedule(std::make_shared<Counting>(calls), timers.now() + 10min);
    EXPECT_LT(timers.appointments(), 2000u);
    clock.advance(11min);
    timers.run_due();
    EXPECT_EQ(calls, 1);
}

TEST(Timers, KeepAppointmentsOfWhatIsThere) {
    Loop loop;
    ManualClock clock;
    Timers timers{loop, clock};
    int calls = 0;
    std::vector<std::shared_ptr<Counting>> kept;
    for (int i = 0; i < 5000; ++i) {
        kept.push_back(std::make_shared<Counting>(calls));
        timers.schedule(kept.back(), timers.now() + std::chrono::seconds{5000 - i});
        timers.schedule(kept.back(), timers.now() + std::chrono::seconds{i / 2});
    }
    clock.advance(3h);
    for (int turn = 0; turn < 5000 && calls < 5000; ++turn) timers.run_due();
    EXPECT_EQ(calls, 5000);
}

}  // namespace
}  // namespace torii::bgp
