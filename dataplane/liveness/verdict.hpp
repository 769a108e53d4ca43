#pragma once

#include <chrono>
#include <cstdint>
#include <string>

#include "dataplane/liveness/session.hpp"

namespace torii::dataplane {

namespace liveness {

// Everything that is known of one neighbor.
struct Evidence {
    bool link = true;
    bool watched = false;  // by echo or probe
    Status status;         // what its worker reports
    bool bfd = false;
    bool bfd_was_up = false;  // since the last time its silence meant nothing
    bool resolved = true;     // the kernel has its MAC
    RoutingSession routing = RoutingSession::None;
};

struct Judgement {
    NeighborVerdict verdict = NeighborVerdict::Unknown;
    std::string reason;
    friend bool operator==(const Judgement&, const Judgement&) = default;
};

// The one verdict: evidence of failure has precedence, but for a BFD session that
// shares the fate of a control plane which is restarting (RFC 5882 §4.3.2.2).
Judgement judge(const Evidence& evidence);

// Keeps a neighbor that comes and goes away for longer each time: not at all at first, then a
// second, two, four, up to a minute; five quiet minutes forgive everything.
class Damper {
public:
    using Time = std::chrono::steady_clock::time_point;
    void died(Time now);
    Time held_until() const { return until_; }
    unsigned deaths() const { return deaths_; }

private:
    unsigned deaths_ = 0;  // in a row
    Time last_{}, until_{};
};

}  // namespace liveness
}  // namespace torii::dataplane
