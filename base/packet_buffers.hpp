#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

namespace torii {

// How many packet buffers a set of ports and workers takes, for the check of a configuration
// and for the pool itself.
struct BufferDemand {
    static constexpr std::size_t kPoolCache = 256;       // of a worker, filled up to twice that
    static constexpr std::size_t kTransmitBuffer = 256;  // of a worker for each port

    std::size_t workers = 1;
    std::size_t ports = 0;
    std::size_t in_queues = 0;  // of the devices, when they are full

    // With 0 for queues there is one a worker.
    void add_port(std::size_t rx_queues, std::size_t tx_queues, std::size_t rx_descriptors,
                  std::size_t tx_descriptors) {
        ++ports;
        in_queues += std::max(workers, rx_queues) * rx_descriptors +
                     std::max(workers, tx_queues) * tx_descriptors;
    }
    void add_sub_port() { ++ports; }

    // With fewer a port does not start, or full transmit queues leave none to receive into.
    std::size_t least() const {
        return in_queues + workers * (ports * kTransmitBuffer + 2 * kPoolCache) + 1024;
    }
};

}  // namespace torii
