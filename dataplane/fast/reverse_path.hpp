#pragma once

#include "dataplane/worker/worker.hpp"

namespace torii::dataplane {

// RFC 3704 §2.2 for a burst: the packets whose source is reached by the port that they came in by
// stay in front, and how many is returned; the others take the slow path, which has the rule.
unsigned check_sources(Worker& worker, PortIndex in, const PortState& port, rte_mbuf** packets,
                       unsigned count);

}  // namespace torii::dataplane
