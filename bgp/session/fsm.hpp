#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string_view>
#include <variant>
#include <vector>

#include "bgp/wire/open.hpp"

// RFC 4271 §8 for one connection, as a function: events in, actions out. It
// owns no socket, no timer and no clock. Peer decides when to dial, and which of
// two connections survives (§6.8); each connection has one of these.
namespace torii::bgp {

enum class State : std::uint8_t { Idle, Connect, Active, OpenSent, OpenConfirm, Established };
std::string_view to_string(State state);

namespace event {
struct Dial {};        // start an outgoing connection
struct Listen {};      // wait for an incoming one
struct TcpUp {};       // connected or accepted
struct TcpDown {};     // refused, reset or closed by the peer
struct OpenReceived {  // acceptable, hold time already agreed on
    std::uint16_t hold_time = 0;
};
struct KeepaliveReceived {};
struct UpdateReceived {};
struct RefreshReceived {};
struct NotificationReceived {};
struct Malformed {  // a message or an OPEN that cannot be accepted
    Notification answer;
};
struct HoldExpired {};
struct SendHoldExpired {};
struct Stop {  // by us
    Notification farewell;
};
}  // namespace event

using FsmEvent = std::variant<event::Dial, event::Listen, event::TcpUp, event::TcpDown,
                              event::OpenReceived, event::KeepaliveReceived, event::UpdateReceived,
                              event::RefreshReceived, event::NotificationReceived, event::Malformed,
                              event::HoldExpired, event::SendHoldExpired, event::Stop>;

namespace action {
struct Connect {};
struct SendOpen {};
struct SendKeepalive {};
struct SendNotification {
    Notification notification;
};
struct ArmHold {  // zero: no hold timer
    std::chrono::seconds after{0};
    bool keepalives = false;
};
struct Up {};    // the session is Established
struct Down {};  // it no longer is
struct Close {};
struct Accept {};  // the message is for the owner
}  // namespace action

using FsmAction =
    std::variant<action::Connect, action::SendOpen, action::SendKeepalive, action::SendNotification,
                 action::ArmHold, action::Up, action::Down, action::Close, action::Accept>;

// RFC 4271 §8.2.2: "a hold timer value of 4 minutes is suggested".
inline constexpr std::chrono::seconds kOpenHold{240};

class Fsm {
public:
    std::vector<FsmAction> handle(const FsmEvent& event);
    State state() const { return state_; }

private:
    State state_ = State::Idle;
    std::chrono::seconds hold_{0};
};

}  // namespace torii::bgp
