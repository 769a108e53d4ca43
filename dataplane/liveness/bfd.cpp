#include "dataplane/liveness/bfd.hpp"

namespace torii::dataplane::bfd {

Session::Session(std::uint32_t discriminator, const SessionSettings& settings)
    : settings_(settings), discriminator_(discriminator), min_rx_(settings.required_min_rx) {}

Session::Outcome Session::enter(State state, Diagnostic why) {
    Outcome out;
    out.changed = out.send_now = state != state_;
    if (!out.changed) return out;
    state_ = state;
    diagnostic_ = why;
    // RFC 5880 §6.8.3: a new interval is sent by a poll; a longer one of a session that
    // is Up would have to wait for its end, but leaving Up is no such case.
    min_tx_ = wanted_min_tx();
    min_rx_ = settings_.required_min_rx;
    polling_ = state == State::Up;
    return out;
}

Session::Outcome Session::receive(const Packet& p, Micros now) {
    if (state_ == State::AdminDown) return {.accepted = false};
    remote_discriminator_ = p.my_discriminator;
    remote_state_ = p.state;
    remote_diagnostic_ = p.diagnostic;
    remote_demand_ = p.demand;
    remote_independent_ = p.control_plane_independent;
    remote_min_rx_ = p.required_min_rx;
    remote_min_tx_ = p.desired_min_tx;
    remote_min_echo_rx_ = p.required_min_echo_rx;
    remote_multiplier_ = p.multiplier;
    last_received_ = now;
    // RFC 5880 §6.8.3: the end of a poll puts the new intervals in force.
    if (p.final && polling_) {
        polling_ = false;
        min_tx_ = wanted_min_tx();
        min_rx_ = settings_.required_min_rx;
    }

    Outcome out;
    if (p.state == State::AdminDown) {
        if (state_ != State::Down) out = enter(State::Down, Diagnostic::NeighborSignaledDown);
    } else {
        switch (state_) {
            case State::Down:
                if (p.state == State::Down) out = enter(State::Init, diagnostic_);
                if (p.state == State::Init) out = enter(State::Up, Diagnostic::None);
                break;
            case State::Init:
                if (p.state != State::Down) out = enter(State::Up, Diagnostic::None);
                break;
            case State::Up:
                if (p.state == State::Down)
                    out = enter(State::Down, Diagnostic::NeighborSignaledDown);
                break;
            case State::AdminDown:
                break;
        }
    }
    // A poll is answered by the caller at once, without regard to any timer.
    out.send_now |= p.poll;
    return out;
}

Session::Outcome Session::expire() {
    // RFC 5880 §6.8.1: the discriminator of a peer that is silent that long is void.
    remote_discriminator_ = 0;
    remote_min_rx_ = 1;
    remote_demand_ = false;
    remote_state_ = State::Down;
    if (state_ != State::Up && state_ != State::Init) return {};
    return enter(State::Down, Diagnostic::DetectionTimeExpired);
}

Session::Outcome Session::change(const SessionSettings& settings) {
    settings_ = settings;
    if (state_ != State::Up) {
        min_tx_ = wanted_min_tx();
        min_rx_ = settings_.required_min_rx;
        return {};
    }
    // RFC 5880 §6.8.3: what the peer counts on holds until it has answered: we send no
    // less often, and detect no sooner.
    min_tx_ = std::min(min_tx_, settings_.desired_min_tx);
    min_rx_ = std::max(min_rx_, settings_.required_min_rx);
    polling_ = true;
    return {.send_now = true};
}

Session::Outcome Session::set_admin_down(bool down) {
    if (down) return enter(State::AdminDown, Diagnostic::AdministrativelyDown);
    if (state_ != State::AdminDown) return {};
    remote_discriminator_ = 0;
    return enter(State::Down, Diagnostic::None);
}

Micros Session::detection_time() const {
    // RFC 5880 §6.8.4, asynchronous mode.
    if (state_ == State::AdminDown || remote_multiplier_ == 0) return 0;
    return Micros{remote_multiplier_} * std::max(min_rx_, remote_min_tx_);
}

std::uint32_t Session::transmit_interval() const {
    // RFC 5880 §6.8.7
    if (settings_.passive && remote_discriminator_ == 0) return 0;
    if (remote_min_rx_ == 0) return 0;
    if (demand_active() && !polling_) return 0;
    return std::max(min_tx_, remote_min_rx_);
}

Packet Session::compose(bool answer) const {
    Packet p;
    p.diagnostic = diagnostic_;
    p.state = state_;
    // RFC 5880 §6.8.7: never both.
    p.poll = polling_ && !answer;
    p.final = answer;
    // The workers keep time without the control thread, but die with its process.
    p.control_plane_independent = false;
    p.authenticated = settings_.key.any();
    p.multiplier = settings_.multiplier;
    p.my_discriminator = discriminator_;
    p.your_discriminator = remote_discriminator_;
    p.desired_min_tx = wanted_min_tx();
    p.required_min_rx = settings_.required_min_rx;
    p.required_min_echo_rx = settings_.required_min_echo_rx;
    return p;
}

}  // namespace torii::dataplane::bfd
