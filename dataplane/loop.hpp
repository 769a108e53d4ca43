#pragma once

#include "dataplane/worker/worker.hpp"

namespace torii::dataplane {

// The lcore's loop, until `stop`.
void run(Worker& worker);
// One turn of it; the number of packets seen.
unsigned turn(Worker& worker, const std::vector<ReceiveQueue>& queues);

}  // namespace torii::dataplane
