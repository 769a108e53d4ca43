#pragma once

#include <algorithm>
#include <cstdint>
#include <string_view>

#include "dataplane/liveness/settings.hpp"

namespace torii::dataplane {

// Whether a neighbor is up, by packets that its kernel answers by itself: echoes that
// it forwards back to us (RFC 9747), and ARP requests or neighbor solicitations, here
// called probes. A function of times, without I/O; one worker steps it.
//
// The self-test: a node that answers a probe is watched by probes, and by echoes as soon
// as two of them have come back. Where echoes cease and probes are still answered, the
// node is up and does not return echoes any more: it is watched by probes, and echoes
// are tried again now and then. Failure is a number of packets in a row that nothing came
// back for, counted as well as timed: a worker that did not run sent none.
class Watch {
public:
    using Micros = bfd::Micros;
    enum class State : std::uint8_t { Unknown, Up, Down };
    enum class Method : std::uint8_t { None, Echo, Probe };
    static constexpr Micros kSlow = 1'000'000;     // RFC 9747: no faster until it is up
    static constexpr Micros kRetest = 30'000'000;  // echoes of a node that returned none

    // When the last answers came, as the worker that received them noted; 0: never.
    struct LastReceived {
        Micros echo = 0;
        Micros probe = 0;
    };
    struct Step {
        bool echo = false;   // send one
        bool probe = false;  // send one
        bool changed = false;
        Micros next = 0;  // step again
    };

    void start(const WatchSettings& settings, Micros now);
    void change(const WatchSettings& settings) { settings_ = settings; }
    // The least time between echoes that the neighbor asks for; 0: it asks for nothing.
    void pace_echoes(Micros least) { least_echo_interval_ = least; }
    Step step(Micros now, const LastReceived& heard, std::uint32_t random);

    State state() const { return state_; }
    Method method() const { return method_; }
    // Echoes came back once and do not any more.
    bool lost_echo() const { return lost_echo_; }

private:
    struct Track {
        Micros heard = 0;         // the last answer
        unsigned answered = 0;    // packets in a row
        unsigned unanswered = 0;  // since the last answer
        void note(Micros at);
        void sent();
    };
    bool echoes() const {
        return settings_.detect == Detect::Auto || settings_.detect == Detect::Echo;
    }
    bool probes() const {
        return settings_.detect == Detect::Auto || settings_.detect == Detect::Probe;
    }
    // Between packets of the method in use.
    Micros interval() const {
        return method_ == Method::Echo ? std::max<Micros>(settings_.interval, least_echo_interval_)
                                       : settings_.interval;
    }
    Micros patience() const { return settings_.multiplier * interval(); }
    bool silent(const Track& track, Micros now) const;
    bool enter(State state, Method method);
    bool decide(Micros now);
    Micros pace(Micros now);
    void send(Micros now, Step& out);

    WatchSettings settings_;
    State state_ = State::Unknown;
    Method method_ = Method::None;
    bool lost_echo_ = false;
    Track echo_, probe_;
    Micros least_echo_interval_ = 0;
    unsigned tested_ = 0;  // echoes sent without a return since the start
    Micros send_at_ = 0, echo_at_ = 0;
};

constexpr std::string_view to_string(Watch::Method method) {
    constexpr std::string_view kNames[] = {"none", "echo", "probe"};
    return kNames[static_cast<std::size_t>(method)];
}

}  // namespace torii::dataplane
