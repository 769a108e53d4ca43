#include "dataplane/worker/worker.hpp"

#include <unistd.h>

namespace torii::dataplane {

void Doorbell::ring() {
    // Pairs with the sleeper's fence between raising the flag and its last look.
    std::atomic_thread_fence(std::memory_order_seq_cst);
    if (!asleep.load(std::memory_order_relaxed) || !asleep.exchange(false)) return;
    const std::uint64_t one = 1;
    [[maybe_unused]] const auto written = ::write(fd, &one, sizeof one);
}

}  // namespace torii::dataplane
