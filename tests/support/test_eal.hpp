#pragma once

#include <string>

namespace torii::support {

// Starts EAL for a test without hugepages and NICs: 192 MiB, the calling thread on CPU 0,
// two net_null devices. Once a process; ends it when EAL does not start. The runtime directory
// of `name` is removed at once.
void start_test_eal(const std::string& name);

}  // namespace torii::support
