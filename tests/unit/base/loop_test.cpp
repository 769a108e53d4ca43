#include "base/loop.hpp"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <csignal>
#include <optional>
#include <vector>

namespace torii {
namespace {

using namespace std::chrono_literals;

// Runs the loop until `done`, or a second has passed.
template <class Done>
bool run_until(Loop& loop, Done done) {
    const auto end = std::chrono::steady_clock::now() + 1s;
    while (!done() && std::chrono::steady_clock::now() < end) loop.poll();
    return done();
}

TEST(Loop, RunsPostedWorkInOrderAndWhatThatPosts) {
    Loop loop;
    std::vector<int> ran;
    loop.post([&] {
        ran.push_back(1);
        loop.post([&] { ran.push_back(3); });
    });
    loop.post([&] { ran.push_back(2); });
    EXPECT_EQ(loop.poll(), 3u);
    EXPECT_EQ(ran, (std::vector{1, 2, 3}));
    EXPECT_EQ(loop.poll(), 0u);
}

TEST(Loop, RunsUntilItIsStopped) {
    Loop loop;
    Timer never{loop};
    never.start(1h, [] { FAIL(); });
    loop.post_after(1ms, [&] { loop.stop(); });
    loop.run();
}

TEST(Loop, DestroysWorkThatNeverRan) {
    const auto kept = std::make_shared<int>(0);
    {
        Loop loop;
        loop.post([kept] {});
        loop.post_after(1h, [kept] {});
        EXPECT_EQ(kept.use_count(), 3);
    }
    EXPECT_EQ(kept.use_count(), 1);
}

TEST(Timer, ANewStartReplacesTheEarlierOne) {
    Loop loop;
    Timer timer{loop};
    int ran = 0;
    timer.start(0ms, [&] { ran = 1; });
    timer.start(1ms, [&] { ran = 2; });
    EXPECT_TRUE(timer.running());
    EXPECT_TRUE(run_until(loop, [&] { return ran != 0; }));
    EXPECT_EQ(ran, 2);
    EXPECT_FALSE(timer.running());
}

TEST(Timer, DoesNotRunAfterCancelEvenWhenItWasDue) {
    Loop loop;
    Timer timer{loop};
    std::optional<Timer> ended{std::in_place, loop};
    timer.start(0ms, [] { FAIL(); });
    ended->start(0ms, [] { FAIL(); });
    ::usleep(1000);
    loop.post([&] {
        timer.cancel();
        ended.reset();
    });
    loop.poll();
    EXPECT_FALSE(timer.running());
    loop.poll();
}

TEST(Timer, MayBeStartedAgainByItsOwnWork) {
    Loop loop;
    Timer timer{loop};
    int left = 3;
    std::function<void()> again = [&] {
        if (--left > 0) timer.start(0ms, again);
    };
    timer.start(0ms, again);
    EXPECT_TRUE(run_until(loop, [&] { return left == 0; }));
}

class DescriptorTest : public testing::Test {
protected:
    DescriptorTest() {
        int ends[2];
        EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends), 0);
        near.assign(ends[0]);
        far = ends[1];
    }
    ~DescriptorTest() override { ::close(far); }
    char take() const {
        char byte = 0;
        return ::read(near.get(), &byte, 1) == 1 ? byte : '\0';
    }

    Loop loop;
    Descriptor near{loop};
    int far = -1;
};

TEST_F(DescriptorTest, ReportsWhatIsLeftUnreadAgain) {
    ASSERT_EQ(::write(far, "ab", 2), 2);
    std::string got;
    near.while_readable([&] {
        got += take();
        return true;
    });
    EXPECT_TRUE(run_until(loop, [&] { return got == "ab"; }));
    EXPECT_EQ(loop.poll(), 0u);
    ASSERT_EQ(::write(far, "c", 1), 1);
    EXPECT_TRUE(run_until(loop, [&] { return got == "abc"; }));
}

TEST_F(DescriptorTest, StopsWhenTheHandlerReturnsFalse) {
    ASSERT_EQ(::write(far, "ab", 2), 2);
    int calls = 0;
    near.while_readable([&] { return ++calls < 1; });
    EXPECT_TRUE(run_until(loop, [&] { return calls == 1; }));
    loop.poll();
    EXPECT_EQ(calls, 1);
}

TEST_F(DescriptorTest, DropsHandlersWhenItIsClosed) {
    const auto kept = std::make_shared<int>(0);
    near.while_readable([kept] { return ADD_FAILURE(), true; });
    near.when_writable([kept] { FAIL(); });
    near.close();
    EXPECT_FALSE(near.is_open());
    loop.poll();
    EXPECT_EQ(kept.use_count(), 1);
    char byte;
    EXPECT_EQ(::read(far, &byte, 1), 0);  // the other end sees it
}

TEST_F(DescriptorTest, MayEndInItsOwnHandler) {
    std::optional<Descriptor> own{std::in_place, loop};
    own->assign(::dup(near.get()));
    own->while_readable([&] {
        own.reset();
        return true;
    });
    ASSERT_EQ(::write(far, "a", 1), 1);
    EXPECT_TRUE(run_until(loop, [&] { return !own.has_value(); }));
}

TEST_F(DescriptorTest, IsGivenBackOpen) {
    const int number = near.get();
    EXPECT_EQ(near.release(), number);
    EXPECT_EQ(near.get(), -1);
    ASSERT_EQ(::write(far, "a", 1), 1);
    near.assign(number);
    EXPECT_EQ(take(), 'a');
}

TEST(Signals, AreTakenUntilTheHandlerReturnsFalse) {
    Loop loop;
    int taken = 0;
    const Signals signals{loop, {SIGUSR1}, [&](int number) {
                              EXPECT_EQ(number, SIGUSR1);
                              return ++taken < 2;
                          }};
    for (int i = 1; i <= 2; ++i) {
        ::raise(SIGUSR1);
        EXPECT_TRUE(run_until(loop, [&] { return taken == i; }));
    }
    ::raise(SIGUSR1);
    loop.poll();
    EXPECT_EQ(taken, 2);
}

}  // namespace
}  // namespace torii
