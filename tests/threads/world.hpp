#pragma once

#include <rte_mbuf.h>
#include <rte_ring.h>

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "dataplane/fib/quiescence.hpp"

// What the tests of threads share: EAL, rings and buffers whose synchronisation
// ThreadSanitizer sees, and threads that read until they are stopped.
namespace torii::threads {

// Starts EAL, once a process.
void start_eal();

// A pool of packet buffers. Its free list is locked: that of libdpdk is not compiled with
// ThreadSanitizer, which would take a buffer that changed hands for a race.
rte_mempool* make_pool(unsigned buffers);

// A ring with room for `size`, as the data plane makes them.
struct RingDelete {
    void operator()(rte_ring* ring) const { rte_ring_free(ring); }
};
using RingPtr = std::unique_ptr<rte_ring, RingDelete>;
RingPtr make_ring(const std::string& name, unsigned size, bool many_producers = false);

// Threads that run `turn` over and over, reporting a quiescent state between two turns, as
// workers do. Stopped and joined by the destructor.
class Readers {
public:
    using Turn = std::function<void(unsigned thread)>;

    Readers(dataplane::Quiescence& quiescence, unsigned threads, Turn turn);
    ~Readers() { stop(); }
    Readers(const Readers&) = delete;
    Readers& operator=(const Readers&) = delete;

    void stop();
    // Waits until each thread has made so many turns more.
    void let_pass(std::uint64_t turns) const;

private:
    struct alignas(64) Turns {
        std::atomic<std::uint64_t> made{0};
    };
    std::atomic<bool> stop_{false};
    std::vector<Turns> turns_;
    std::vector<std::thread> threads_;
};

}  // namespace torii::threads
