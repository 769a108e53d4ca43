#include "dataplane/liveness/verdict.hpp"

#include <algorithm>

namespace torii::dataplane::liveness {

Judgement judge(const Evidence& e) {
    using WatchState = Watch::State;
    const auto& s = e.status;
    const bool echo = s.method == Watch::Method::Echo;
    if (!e.link) return {NeighborVerdict::Down, "the port has no link"};
    // RFC 5882 §3.2: a session that was shut down is no evidence of the path.
    const bool bfd_down = e.bfd && e.bfd_was_up && s.bfd != bfd::State::Up &&
                          s.bfd != bfd::State::AdminDown && s.bfd_remote != bfd::State::AdminDown;
    const bool excused = e.routing == RoutingSession::Restarting && !s.independent;
    if (bfd_down && !excused)
        return {NeighborVerdict::Down, "BFD: " + std::string{to_string(s.diagnostic)}};
    if (e.watched && s.watch == WatchState::Down)
        return {NeighborVerdict::Down,
                echo ? "no echo comes back" : "no answer to ARP or neighbor solicitations"};
    if (e.bfd && s.bfd == bfd::State::Up) return {NeighborVerdict::Up, "BFD is up"};
    if (e.watched && s.watch == WatchState::Up)
        return {NeighborVerdict::Up, echo          ? "echoes come back"
                                     : s.lost_echo ? "answers probes, does not return echoes"
                                                   : "answers probes"};
    if (e.routing == RoutingSession::Up) return {NeighborVerdict::Up, "its BGP session is up"};
    if (!e.resolved) return {NeighborVerdict::Unknown, "its MAC address is not resolved"};
    return {NeighborVerdict::Unknown, "has not answered yet"};
}

void Damper::died(Time now) {
    using namespace std::chrono_literals;
    if (deaths_ != 0 && now - last_ > 5min) deaths_ = 0;
    last_ = now;
    until_ = deaths_ == 0
                 ? now
                 : now + std::chrono::seconds{std::min(60L, 1L << std::min(deaths_ - 1, 6u))};
    ++deaths_;
}

}  // namespace torii::dataplane::liveness
