#pragma once

#include <atomic>
#include <cstddef>
#include <vector>

namespace torii::dataplane {

// One flag for each transmit queue that several workers share: it is set while a burst is handed
// to the device.
struct TransmitLocks {
    explicit TransmitLocks(std::size_t queues) : busy(queues) {}
    std::vector<std::atomic<bool>> busy;
};

}  // namespace torii::dataplane
