// The event log: written by the control thread, read by the management thread.
#include "mgmt/event_log.hpp"

#include <gtest/gtest.h>

#include <thread>

#include "base/event_list.hpp"

namespace torii::threads {
namespace {

TEST(EventLogThreads, ReadersSeeEachEventOnceAndInOrder) {
    constexpr std::uint64_t kEvents = 5000;
    mgmt::EventLog log{kEvents};
    const auto reader = [&] {
        std::uint64_t seen = 0;
        while (seen < kEvents) {
            for (const auto& event : log.since(seen, 100)) {
                ASSERT_EQ(event.sequence, seen + 1);
                ASSERT_EQ(event.text, std::to_string(seen + 1));
                ++seen;
            }
            log.recent(3);
            std::this_thread::yield();
        }
    };
    std::thread one{reader}, other{reader};
    for (std::uint64_t n = 1; n <= kEvents; ++n) {
        log.append({"START", std::to_string(n), {}}, std::chrono::system_clock::now());
    }
    one.join();
    other.join();
    EXPECT_EQ(log.last_sequence(), kEvents);
}

}  // namespace
}  // namespace torii::threads
