#include "bgp/session/fsm.hpp"

#include <array>

namespace torii::bgp {

namespace {

using namespace std::chrono_literals;
using Actions = std::vector<FsmAction>;

// One overload for each event; each answers the next state. What no state
// expects is an FSM error by design, not a hole.
struct Transitions {
    const State state;
    std::chrono::seconds& hold;
    Actions& out;

    bool idle() const { return state == State::Idle; }
    bool connecting() const { return state == State::Connect || state == State::Active; }
    bool open() const { return state >= State::OpenSent; }

    State operator()(const event::Dial&) {
        return idle() ? act(State::Connect, action::Connect{}) : state;
    }
    State operator()(const event::Listen&) { return idle() ? State::Active : state; }

    State operator()(const event::TcpUp&) {
        if (!connecting()) return state;
        return act(State::OpenSent, action::SendOpen{}, action::ArmHold{kOpenHold, false});
    }
    State operator()(const event::TcpDown&) { return idle() ? state : down(); }

    State operator()(const event::OpenReceived& e) {
        if (state != State::OpenSent) return unexpected();
        hold = std::chrono::seconds{e.hold_time};
        return act(State::OpenConfirm, action::SendKeepalive{}, action::ArmHold{hold, true});
    }
    State operator()(const event::KeepaliveReceived&) {
        if (state == State::OpenConfirm)
            return act(State::Established, action::ArmHold{hold, true}, action::Up{});
        return state == State::Established ? state : unexpected();
    }
    State operator()(const event::UpdateReceived&) { return deliver(); }
    State operator()(const event::RefreshReceived&) { return deliver(); }
    // RFC 4271 §6.4: never answered.
    State operator()(const event::NotificationReceived&) { return idle() ? state : down(); }

    State operator()(const event::Malformed& e) { return refuse(e.answer); }
    State operator()(const event::HoldExpired&) {
        return refuse({ErrorCode::HoldTimerExpired, 0, {}});
    }
    // RFC 9687 §3.3: the peer does not read; no NOTIFICATION would reach it,
    // one is queued all the same.
    State operator()(const event::SendHoldExpired&) {
        return refuse({ErrorCode::SendHoldTimerExpired, 0, {}});
    }
    State operator()(const event::Stop& e) { return refuse(e.farewell); }

private:
    template <class... A>
    State act(State next, A... actions) {
        (out.emplace_back(std::move(actions)), ...);
        return next;
    }
    State deliver() {
        return state == State::Established ? act(state, action::Accept{}) : unexpected();
    }
    // RFC 6608
    State unexpected() {
        const auto subcode = static_cast<std::uint8_t>(
            open() ? static_cast<int>(state) - static_cast<int>(State::OpenSent) + 1 : 0);
        return refuse({ErrorCode::FiniteStateMachine, subcode, {}});
    }
    State refuse(const Notification& why) {
        if (idle()) return state;
        if (open()) out.emplace_back(action::SendNotification{why});
        return down();
    }
    State down() {
        if (state == State::Established) out.emplace_back(action::Down{});
        return act(State::Idle, action::Close{});
    }
};

}  // namespace

std::string_view to_string(State state) {
    static constexpr std::array<std::string_view, 6> kNames{
        "Idle", "Connect", "Active", "OpenSent", "OpenConfirm", "Established"};
    return kNames[static_cast<std::size_t>(state)];
}

std::vector<FsmAction> Fsm::handle(const FsmEvent& event) {
    Actions actions;
    state_ = std::visit(Transitions{state_, hold_, actions}, event);
    return actions;
}

}  // namespace torii::bgp
