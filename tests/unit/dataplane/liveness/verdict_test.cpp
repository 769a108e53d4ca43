#include "dataplane/liveness/verdict.hpp"

#include <gtest/gtest.h>

namespace torii::dataplane::liveness {
namespace {

using namespace std::chrono_literals;
using enum NeighborVerdict;

Evidence watched(Watch::State state, Watch::Method method = Watch::Method::Echo) {
    Evidence e;
    e.watched = true;
    e.status.watch = state;
    e.status.method = method;
    return e;
}
Evidence with_bfd(bfd::State state, bool was_up = true) {
    auto e = watched(Watch::State::Up);
    e.bfd = true;
    e.bfd_was_up = was_up;
    e.status.bfd = state;
    e.status.diagnostic = bfd::Diagnostic::DetectionTimeExpired;
    return e;
}

TEST(Verdict, IsDownWithTheLinkWhateverElseIsSaid) {
    auto e = with_bfd(bfd::State::Up);
    e.link = false;
    EXPECT_EQ(judge(e), (Judgement{Down, "the port has no link"}));
}

TEST(Verdict, BelievesWhoeverSaysDead) {
    EXPECT_EQ(judge(with_bfd(bfd::State::Down)).verdict, Down);
    EXPECT_EQ(judge(with_bfd(bfd::State::Down)).reason, "BFD: control detection time expired");
    auto e = with_bfd(bfd::State::Up);
    e.status.watch = Watch::State::Down;
    EXPECT_EQ(judge(e).verdict, Down);
    e.routing = RoutingSession::Up;  // a session outlives its node by its hold time
    EXPECT_EQ(judge(e).verdict, Down);
}

TEST(Verdict, IgnoresABfdSessionThatWasNeverUpOrWasShutDown) {
    EXPECT_EQ(judge(with_bfd(bfd::State::Down, false)).verdict, Up);
    auto e = with_bfd(bfd::State::Down);
    e.status.bfd_remote = bfd::State::AdminDown;  // RFC 5882 §3.2
    EXPECT_EQ(judge(e).verdict, Up);
}

TEST(Verdict, ExcusesBfdThatRestartsWithItsControlPlane) {  // RFC 5882 §4.3.2.2
    auto e = with_bfd(bfd::State::Down);
    e.routing = RoutingSession::Restarting;
    EXPECT_EQ(judge(e).verdict, Up);
    e.status.independent = true;  // C bit: it does not share that fate
    EXPECT_EQ(judge(e).verdict, Down);
    e.status.independent = false;
    e.status.watch = Watch::State::Down;
    EXPECT_EQ(judge(e).verdict, Down);
}

TEST(Verdict, IsUnknownUntilAnybodyHasAnswered) {
    EXPECT_EQ(judge(watched(Watch::State::Unknown)).verdict, Unknown);
    auto e = watched(Watch::State::Unknown);
    e.routing = RoutingSession::Up;
    EXPECT_EQ(judge(e), (Judgement{Up, "its BGP session is up"}));
}

TEST(Verdict, SaysWhatItRestsOn) {
    EXPECT_EQ(judge(watched(Watch::State::Up)).reason, "echoes come back");
    auto e = watched(Watch::State::Up, Watch::Method::Probe);
    EXPECT_EQ(judge(e).reason, "answers probes");
    e.status.lost_echo = true;
    EXPECT_EQ(judge(e).reason, "answers probes, does not return echoes");
}

TEST(Damper, HoldsWhoFlapsBackForLongerEachTimeAndForgivesQuiet) {
    Damper damper;
    auto now = Damper::Time{} + 1h;
    damper.died(now);
    EXPECT_EQ(damper.held_until(), now);  // once is no flapping
    for (const auto hold : {1s, 2s, 4s, 8s, 16s, 32s, 60s, 60s}) {
        now += 10s;
        damper.died(now);
        EXPECT_EQ(damper.held_until(), now + hold);
    }
    now += 6min;
    damper.died(now);
    EXPECT_EQ(damper.held_until(), now);
}

}  // namespace
}  // namespace torii::dataplane::liveness
