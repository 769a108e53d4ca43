#include "dataplane/liveness/watch.hpp"

#include <algorithm>

namespace torii::dataplane {
namespace {

// A newcomer's first answer is not left waiting for the next packet.
constexpr bfd::Micros kLookAgain = 20'000;

}  // namespace

void Watch::Track::note(Micros at) {
    if (at == heard) return;
    heard = at;
    ++answered;
    unanswered = 0;
}

void Watch::Track::sent() {
    if (unanswered != 0) answered = 0;
    ++unanswered;
}

void Watch::start(const WatchSettings& settings, Micros now) {
    *this = {};
    settings_ = settings;
    send_at_ = echo_at_ = now;
}

bool Watch::silent(const Track& track, Micros now) const {
    return now >= track.heard + patience() && track.unanswered + 1 >= settings_.multiplier &&
           track.unanswered != 0;
}

bool Watch::enter(State state, Method method) {
    const bool changed = state != state_ || method != method_;
    if (state != state_) send_at_ = 0;  // at once, and by the new pace
    state_ = state;
    method_ = method;
    return changed;
}

bool Watch::decide(Micros now) {
    const bool echo_works = echoes() && echo_.answered >= 2;
    switch (state_) {
        case State::Unknown:
            if (echo_works) return enter(State::Up, Method::Echo);
            if (probes() && probe_.answered > 0) return enter(State::Up, Method::Probe);
            return false;
        case State::Up:
            if (method_ == Method::Echo) {
                if (!silent(echo_, now)) return false;
                // Asked while echoes were late, it answered: only echoes ceased.
                if (probes() && probe_.heard > echo_.heard) {
                    lost_echo_ = true;
                    echo_at_ = now + kRetest;
                    return enter(State::Up, Method::Probe);
                }
                return enter(State::Down, Method::Echo);
            }
            if (echo_works) {
                lost_echo_ = false;
                return enter(State::Up, Method::Echo);
            }
            return silent(probe_, now) && enter(State::Down, Method::Probe);
        case State::Down:
            // Back when it answers as many in a row as it missed.
            if (probes() && probe_.answered >= settings_.multiplier)
                return enter(State::Up, Method::Probe);
            if (echo_works) return enter(State::Up, Method::Echo);
            return false;
    }
    return false;
}

// Time to the next packet.
Watch::Micros Watch::pace(Micros now) {
    switch (state_) {
        case State::Unknown:
            return kSlow;
        case State::Up:
            // Late: closer together, and probes as well.
            if (method_ == Method::Echo && probes() && echo_.unanswered > 1 &&
                now > echo_.heard + interval())
                return std::max(interval() / 2, least_echo_interval_);
            return interval();
        case State::Down:
            return probe_.answered > 0 ? settings_.interval : Micros{kSlow};
    }
    return kSlow;
}

void Watch::send(Micros now, Step& out) {
    if (state_ == State::Up && method_ == Method::Echo) {
        out.echo = true;
        out.probe = probes() && echo_.unanswered != 0 && now > echo_.heard + interval();
    } else {
        out.probe = probes();
        out.echo = echoes() && now >= echo_at_;
    }
    if (out.echo) {
        echo_.sent();
        if (method_ != Method::Echo) {
            // A few quick tests at first, then one now and then; two in a row when one
            // has come back.
            constexpr unsigned kFirstTests = 5;
            const bool keen =
                ++tested_ < kFirstTests || echo_.answered != 0 || state_ == State::Down;
            echo_at_ = now + (keen ? kSlow : kRetest);
        }
    }
    if (out.probe) probe_.sent();
}

Watch::Step Watch::step(Micros now, const LastReceived& heard, std::uint32_t random) {
    Step out;
    echo_.note(heard.echo);
    probe_.note(heard.probe);
    // The answer to a test calls for the second one.
    if (method_ != Method::Echo && echo_.answered == 1 && echo_.unanswered == 0)
        echo_at_ = std::min(echo_at_, now + kSlow);
    out.changed = decide(now);
    if (now >= send_at_) {
        const auto wait = pace(now);
        send(now, out);
        // Three quarters and more, as RFC 5880 §6.8.7 has it.
        send_at_ = now + wait * (192 + random % 65) / 256;
    }
    out.next = send_at_;
    if (state_ == State::Unknown && probe_.unanswered + echo_.unanswered < 6)
        out.next = std::min(out.next, now + kLookAgain);
    if (state_ != State::Up) return out;
    const auto& track = method_ == Method::Echo ? echo_ : probe_;
    const auto deadline = track.heard + patience();
    if (deadline > now) out.next = std::min(out.next, deadline);
    return out;
}

}  // namespace torii::dataplane
