#pragma once

#include <algorithm>
#include <cstdint>

#include "dataplane/liveness/bfd_auth.hpp"
#include "dataplane/liveness/bfd_packet.hpp"

namespace torii::dataplane::bfd {

using Micros = std::uint64_t;  // a point in time or a span, monotonic

// What an operator wants of a session. Intervals in microseconds.
struct SessionSettings {
    std::uint32_t desired_min_tx = 100'000;
    std::uint32_t required_min_rx = 100'000;
    std::uint8_t multiplier = 3;
    bool passive = false;  // RFC 5880 §6.1: wait to be spoken to
    // Packets that a peer sends to itself through us are forwarded like any other.
    std::uint32_t required_min_echo_rx = 50'000;
    Key key;

    friend bool operator==(const SessionSettings&, const SessionSettings&) = default;
};

// One BFD session without I/O: packets and times go in, states and packets come out.
// RFC 5880 §6.8. It owns no timer: the owner of the timers asks when to send and
// when to give up.
//
// We send at the configured pace while Up and once a second otherwise. Demand mode is
// never asked for; where the peer asks, periodic sending stops as it wants.
class Session {
public:
    static constexpr std::uint32_t kSlow = 1'000'000;  // RFC 5880 §6.8.3

    Session() = default;
    Session(std::uint32_t discriminator, const SessionSettings& settings);

    // What a packet or an expiry led to.
    struct Outcome {
        bool accepted = true;  // false: not to be counted as life
        bool changed = false;  // the state
        bool send_now = false;
    };

    // A packet that decode() and authentic() let through and whose sender fits.
    Outcome receive(const Packet& packet, Micros now);
    // The detection time is over, by the clock of the caller.
    Outcome expire();
    // Another configuration: Up sessions negotiate it by a poll sequence.
    Outcome change(const SessionSettings& settings);
    Outcome set_admin_down(bool down);

    // Time since the last packet after which the peer is down; 0: nothing to detect.
    Micros detection_time() const;
    // Base of the time to the next packet, before jitter; 0: none is to be sent.
    std::uint32_t transmit_interval() const;
    // The shortest and longest share of it, in 1/256 (RFC 5880 §6.8.7).
    std::uint32_t least_share() const { return 192; }
    std::uint32_t largest_share() const { return settings_.multiplier == 1 ? 230 : 256; }

    // The next packet; `answer` to a poll.
    Packet compose(bool answer) const;

    State state() const { return state_; }
    State remote_state() const { return remote_state_; }
    Diagnostic diagnostic() const { return diagnostic_; }
    Diagnostic remote_diagnostic() const { return remote_diagnostic_; }
    std::uint32_t discriminator() const { return discriminator_; }
    std::uint32_t remote_discriminator() const { return remote_discriminator_; }
    std::uint32_t remote_min_rx() const { return remote_min_rx_; }
    std::uint32_t remote_min_tx() const { return remote_min_tx_; }
    // The least time between echoes through the peer (RFC 5880 §6.8.9); 0: it states none,
    // and echoes that need no help of its BFD (RFC 9747) are paced by us.
    std::uint32_t least_echo_interval() const {
        return state_ == State::Up ? remote_min_echo_rx_ : 0;
    }
    std::uint8_t remote_multiplier() const { return remote_multiplier_; }
    bool remote_independent() const { return remote_independent_; }
    bool polling() const { return polling_; }
    Micros last_received() const { return last_received_; }
    const SessionSettings& settings() const { return settings_; }

private:
    std::uint32_t wanted_min_tx() const {
        return state_ == State::Up ? settings_.desired_min_tx
                                   : std::max(settings_.desired_min_tx, kSlow);
    }
    bool demand_active() const {
        return remote_demand_ && state_ == State::Up && remote_state_ == State::Up;
    }
    Outcome enter(State state, Diagnostic why);

    SessionSettings settings_;
    std::uint32_t discriminator_ = 0;
    State state_ = State::Down, remote_state_ = State::Down;
    Diagnostic diagnostic_ = Diagnostic::None, remote_diagnostic_ = Diagnostic::None;
    std::uint32_t remote_discriminator_ = 0;
    // In force; the settings' own once a poll sequence has ended.
    std::uint32_t min_tx_ = kSlow, min_rx_ = kSlow;
    std::uint32_t remote_min_rx_ = 1, remote_min_tx_ = 0, remote_min_echo_rx_ = 0;
    std::uint8_t remote_multiplier_ = 0;
    bool remote_demand_ = false, remote_independent_ = false;
    bool polling_ = false;
    Micros last_received_ = 0;
};

}  // namespace torii::dataplane::bfd
