#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "base/loop.hpp"
#include "dataplane/fib/fib_fault.hpp"

namespace torii::app {

class Gateway;

// Compares the forwarding tables with the routing table, without end, at a hundredth of the
// control thread (a twentieth with a full table), or at once when asked. Control thread.
class FibProof {
public:
    struct Outcome {
        std::uint64_t prefixes = 0, groups = 0, neighbors = 0;  // that were compared
        std::uint64_t count = 0;                                // of faults
        std::vector<dataplane::FibFault> faults;                // some of them
        bool healed = true;                                     // a second pass found nothing
        std::chrono::microseconds took{0};
    };

    explicit FibProof(Gateway& gateway);

    void start();
    // A whole pass in slices of half a millisecond, and another one when it found something.
    void verify(std::function<void(Outcome)> done);

private:
    bool run(std::chrono::microseconds slice);
    void step();
    void slice();
    void finish();

    Gateway& gateway_;
    Timer timer_;
    std::chrono::steady_clock::time_point began_;
    std::chrono::microseconds slice_{90};
    // Requests that wait for the pass.
    std::vector<std::function<void(Outcome)>> waiting_;
    Outcome outcome_;
    std::uint64_t faults_before_ = 0;
    bool second_ = false;
};

}  // namespace torii::app
