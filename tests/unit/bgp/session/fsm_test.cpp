#include "bgp/session/fsm.hpp"

#include <gtest/gtest.h>

#include <algorithm>

namespace torii::bgp {
namespace {

using namespace std::chrono_literals;

Fsm in(State state) {
    Fsm fsm;
    if (state == State::Idle) return fsm;
    fsm.handle(state == State::Active ? FsmEvent{event::Listen{}} : FsmEvent{event::Dial{}});
    if (state <= State::Active) return fsm;
    fsm.handle(event::TcpUp{});
    if (state == State::OpenSent) return fsm;
    fsm.handle(event::OpenReceived{30});
    if (state == State::OpenConfirm) return fsm;
    fsm.handle(event::KeepaliveReceived{});
    return fsm;
}

template <class A>
const A* get(const std::vector<FsmAction>& actions) {
    for (const auto& action : actions)
        if (const auto* found = std::get_if<A>(&action)) return found;
    return nullptr;
}

constexpr State kAll[] = {State::Idle,     State::Connect,     State::Active,
                          State::OpenSent, State::OpenConfirm, State::Established};

std::vector<FsmEvent> every_event() {
    return {event::Dial{},
            event::Listen{},
            event::TcpUp{},
            event::TcpDown{},
            event::OpenReceived{90},
            event::KeepaliveReceived{},
            event::UpdateReceived{},
            event::RefreshReceived{},
            event::NotificationReceived{},
            event::Malformed{{ErrorCode::MessageHeader, 1, {}}},
            event::HoldExpired{},
            event::SendHoldExpired{},
            event::Stop{{ErrorCode::Cease, 2, {}}}};
}

TEST(Fsm, ReachesEachStateByTheBook) {
    for (const State state : kAll) EXPECT_EQ(in(state).state(), state);
}

TEST(Fsm, SendsAnOpenAndWaitsFourMinutesForTheOther) {
    auto fsm = in(State::Active);
    const auto actions = fsm.handle(event::TcpUp{});
    EXPECT_NE(get<action::SendOpen>(actions), nullptr);
    ASSERT_NE(get<action::ArmHold>(actions), nullptr);
    EXPECT_EQ(get<action::ArmHold>(actions)->after, 240s);
}

TEST(Fsm, ArmsTheHoldTimerAsAgreed) {
    auto fsm = in(State::OpenSent);
    const auto actions = fsm.handle(event::OpenReceived{30});
    EXPECT_NE(get<action::SendKeepalive>(actions), nullptr);
    EXPECT_EQ(get<action::ArmHold>(actions)->after, 30s);
}

TEST(Fsm, IsUpOnceAndDownOnce) {
    auto fsm = in(State::OpenConfirm);
    EXPECT_NE(get<action::Up>(fsm.handle(event::KeepaliveReceived{})), nullptr);
    EXPECT_EQ(get<action::Up>(fsm.handle(event::KeepaliveReceived{})), nullptr);
    EXPECT_NE(get<action::Down>(fsm.handle(event::TcpDown{})), nullptr);
    EXPECT_EQ(get<action::Down>(fsm.handle(event::TcpDown{})), nullptr);
}

TEST(Fsm, NamesTheStateInWhichAMessageWasUnexpected) {  // RFC 6608
    const auto subcode = [](State state, const FsmEvent& event) {
        auto fsm = in(state);
        const auto actions = fsm.handle(event);
        const auto* sent = get<action::SendNotification>(actions);
        return sent != nullptr && sent->notification.code == ErrorCode::FiniteStateMachine
                   ? int{sent->notification.subcode}
                   : -1;
    };
    EXPECT_EQ(subcode(State::OpenSent, event::KeepaliveReceived{}), 1);
    EXPECT_EQ(subcode(State::OpenSent, event::UpdateReceived{}), 1);
    EXPECT_EQ(subcode(State::OpenConfirm, event::OpenReceived{90}), 2);
    EXPECT_EQ(subcode(State::OpenConfirm, event::RefreshReceived{}), 2);
    EXPECT_EQ(subcode(State::Established, event::OpenReceived{90}), 3);
}

TEST(Fsm, NeverAnswersANotification) {
    for (const State state : kAll) {
        auto fsm = in(state);
        EXPECT_EQ(get<action::SendNotification>(fsm.handle(event::NotificationReceived{})),
                  nullptr);
        EXPECT_EQ(fsm.state(), State::Idle);
    }
}

TEST(Fsm, EndsInIdleWithOneCloseWheneverItGivesUpWhateverTheStateAndEvent) {
    for (const State state : kAll)
        for (const auto& event : every_event()) {
            auto fsm = in(state);
            const auto actions = fsm.handle(event);
            const auto closes = std::ranges::count_if(
                actions, [](const auto& a) { return std::holds_alternative<action::Close>(a); });
            const bool gave_up = state != State::Idle && fsm.state() == State::Idle;
            EXPECT_EQ(closes, gave_up ? 1 : 0) << to_string(state) << " x " << event.index();
            EXPECT_EQ(get<action::Down>(actions) != nullptr,
                      gave_up && state == State::Established);
            // Nothing can be said on a connection that does not exist.
            if (state < State::OpenSent) {
                EXPECT_EQ(get<action::SendNotification>(actions), nullptr);
            }
        }
}

}  // namespace
}  // namespace torii::bgp
