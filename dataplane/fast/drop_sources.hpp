#pragma once

#include "dataplane/worker/worker.hpp"

namespace torii::dataplane {

// Lets those packets of a burst leave that are from sources of the drop list, before
// anything else is asked about them. The others stay in front; returns how many.
unsigned drop_sources(Worker& worker, PortIndex in, const PortState& port, rte_mbuf** packets,
                      unsigned count);

}  // namespace torii::dataplane
