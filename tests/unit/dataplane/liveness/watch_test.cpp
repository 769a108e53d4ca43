#include "dataplane/liveness/watch.hpp"

#include <gtest/gtest.h>

namespace torii::dataplane {
namespace {

using Micros = bfd::Micros;
constexpr Micros kMs = 1000, kSecond = 1'000'000;

// A node as the watch sees it, and time that goes by.
struct Node {
    bool returns_echoes = true;
    bool answers_probes = true;
    Watch watch;
    Watch::LastReceived heard;
    Micros now = kSecond;
    unsigned echoes = 0, probes = 0, changes = 0;

    explicit Node(WatchSettings settings = {}) { watch.start(settings, now); }

    // Steps until that time; answers take 100 us.
    void until(Micros end) {
        while (true) {
            const auto step = watch.step(now, heard, random_ = random_ * 1664525 + 1013904223);
            changes += step.changed;
            echoes += step.echo;
            probes += step.probe;
            if (step.echo && returns_echoes) heard.echo = now + 100;
            if (step.probe && answers_probes) heard.probe = now + 100;
            if (step.next > end) break;
            now = std::max(step.next, now + 1);
        }
        now = end;
    }
    void pass(Micros time) { until(now + time); }
    // How long it takes to be found dead.
    Micros die() {
        returns_echoes = answers_probes = false;
        const auto died = now;
        while (watch.state() == Watch::State::Up && now < died + 60 * kSecond) pass(kMs);
        return now - died;
    }

private:
    std::uint32_t random_ = 1;
};

TEST(Watch, TakesEchoesWhereTheyComeBack) {
    Node node;
    node.pass(25 * kMs);
    EXPECT_EQ(node.watch.state(), Watch::State::Up);
    EXPECT_EQ(node.watch.method(), Watch::Method::Probe);  // one echo is not enough
    node.pass(3 * kSecond);
    EXPECT_EQ(node.watch.state(), Watch::State::Up);
    EXPECT_EQ(node.watch.method(), Watch::Method::Echo);
}

TEST(Watch, FallsBackToProbesWhereTheyDoNot) {
    Node node;
    node.returns_echoes = false;
    node.pass(20 * kSecond);
    EXPECT_EQ(node.watch.state(), Watch::State::Up);
    EXPECT_EQ(node.watch.method(), Watch::Method::Probe);
    EXPECT_FALSE(node.watch.lost_echo());
    // Tried now and then, and taken when they work.
    const auto before = node.echoes;
    node.pass(60 * kSecond);
    EXPECT_GE(node.echoes - before, 1u);
    EXPECT_LE(node.echoes - before, 4u);
    node.returns_echoes = true;
    node.pass(40 * kSecond);
    EXPECT_EQ(node.watch.method(), Watch::Method::Echo);
}

TEST(Watch, FindsASilentDeathInTimeByEither) {
    for (const bool echo : {true, false}) {
        Node node;
        node.returns_echoes = echo;
        node.pass(30 * kSecond);
        for (int death = 0; death < 50; ++death) {
            node.pass(7 * kMs);
            const auto took = node.die();
            EXPECT_LE(took, 302 * kMs);
            EXPECT_GE(took, 180 * kMs);
            node.answers_probes = true;
            node.returns_echoes = echo;
            node.pass(40 * kSecond);
            ASSERT_EQ(node.watch.state(), Watch::State::Up);
        }
    }
}

TEST(Watch, SendsEchoesNoFasterThanTheNeighborAsks) {
    Node node;
    node.pass(10 * kSecond);
    ASSERT_EQ(node.watch.method(), Watch::Method::Echo);
    node.watch.pace_echoes(400 * kMs);
    node.pass(kSecond);
    const auto before = node.echoes;
    node.pass(100 * kSecond);
    EXPECT_GE(node.echoes - before, 250u);
    EXPECT_LE(node.echoes - before, 334u);  // a quarter of jitter: RFC 5880 §6.8.9
    // Late ones come no closer together.
    node.returns_echoes = node.answers_probes = false;
    const auto alive = node.echoes;
    EXPECT_LE(node.die(), 1202 * kMs);
    EXPECT_LE(node.echoes - alive, 5u);
    node.returns_echoes = node.answers_probes = true;
    node.watch.pace_echoes(0);
    node.pass(20 * kSecond);
    ASSERT_EQ(node.watch.state(), Watch::State::Up);
    const auto again = node.echoes;
    node.pass(10 * kSecond);
    EXPECT_GE(node.echoes - again, 95u);
}

TEST(Watch, DoesNotTakeTheEndOfEchoesForADeath) {
    Node node;
    node.pass(10 * kSecond);
    ASSERT_EQ(node.watch.method(), Watch::Method::Echo);
    node.returns_echoes = false;
    node.pass(2 * kSecond);
    EXPECT_EQ(node.watch.state(), Watch::State::Up);
    EXPECT_EQ(node.watch.method(), Watch::Method::Probe);
    EXPECT_TRUE(node.watch.lost_echo());
    EXPECT_LE(node.die(), 302 * kMs);
}

TEST(Watch, TakesItForADeathWhereOnlyEchoesCount) {
    Node node{{Detect::Echo, 100'000, 3}};
    node.pass(10 * kSecond);
    ASSERT_EQ(node.watch.state(), Watch::State::Up);
    EXPECT_EQ(node.probes, 0u);
    node.returns_echoes = false;
    node.pass(kSecond);
    EXPECT_EQ(node.watch.state(), Watch::State::Down);
}

TEST(Watch, SaysNothingOfWhoNeverAnswered) {
    Node node;
    node.returns_echoes = node.answers_probes = false;
    node.pass(100 * kSecond);
    EXPECT_EQ(node.watch.state(), Watch::State::Unknown);
    EXPECT_EQ(node.changes, 0u);
}

TEST(Watch, NeedsAsManyAnswersToBeBackAsItTookToBeGone) {
    Node node;
    node.pass(10 * kSecond);
    node.die();
    node.pass(5 * kSecond);
    const auto sent = node.probes;
    node.pass(10 * kSecond);
    EXPECT_LE(node.probes - sent, 14u);  // once a second while nothing comes
    // One lucky answer is not a life.
    node.heard.probe = node.now;
    node.pass(2 * kSecond);
    EXPECT_EQ(node.watch.state(), Watch::State::Down);
    node.answers_probes = true;
    node.pass(2 * kSecond);
    EXPECT_EQ(node.watch.state(), Watch::State::Up);
}

TEST(Watch, DoesNotBlameTheNodeForASleepOfOurOwn) {
    Node node;
    node.pass(10 * kSecond);
    node.now += 5 * kSecond;  // the worker did not run
    node.pass(kSecond);
    EXPECT_EQ(node.watch.state(), Watch::State::Up);
    EXPECT_EQ(node.changes, 2u);  // by probe, then by echo
}

TEST(Watch, SendsNoMoreThanItsPaceWhenAllIsWell) {
    Node node;
    node.pass(10 * kSecond);
    const auto echoes = node.echoes, probes = node.probes;
    node.pass(10 * kSecond);
    EXPECT_GE(node.echoes - echoes, 100u);
    EXPECT_LE(node.echoes - echoes, 134u);  // jitter takes up to a quarter off
    EXPECT_EQ(node.probes, probes);
}

}  // namespace
}  // namespace torii::dataplane
