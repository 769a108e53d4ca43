#pragma once

#include "dataplane/worker/worker.hpp"

namespace torii::dataplane {

// A frame for the kernel: policed by class and port, then through the class's
// ring to the exception thread.
void punt(Worker& w, PortIndex in, const PortState& port, rte_mbuf* m, PuntClass c);

}  // namespace torii::dataplane
