#include "app/fib_proof.hpp"

#include <algorithm>
#include <numeric>
#include <utility>

#include "app/gateway.hpp"
#include "dataplane/dataplane.hpp"

namespace torii::app {
namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

// A hundredth of the thread, and as far as a twentieth where a pass would take too long else;
// one that ends early is followed by a rest.
constexpr auto kEach = 10ms;
constexpr std::chrono::microseconds kLeastSlice = 90us, kMostSlice = 500us;
constexpr auto kLeastPass = 5s, kMostPass = 10s;
// About ten microseconds.
constexpr std::size_t kStep = 10'000;

std::uint64_t faults_of(const dataplane::ProverCounters& counters) {
    return std::accumulate(counters.faults.begin(), counters.faults.end(), std::uint64_t{0});
}

}  // namespace

FibProof::FibProof(Gateway& gateway) : gateway_(gateway), timer_(gateway.loop()) {}

void FibProof::start() {
    if (gateway_.dataplane() == nullptr) return;
    began_ = Clock::now();
    timer_.start(kEach, [this] { step(); });
}

// True: a pass ended.
bool FibProof::run(std::chrono::microseconds slice) {
    const auto until = Clock::now() + slice;
    do {
        if (gateway_.dataplane()->prove(gateway_.table(), kStep)) return true;
        // Changes are on their way: making them goes first.
        if (!gateway_.table().settled()) return false;
    } while (Clock::now() < until);
    return false;
}

void FibProof::step() {
    if (gateway_.dataplane() == nullptr) return;
    auto next = std::chrono::duration_cast<std::chrono::milliseconds>(kEach);
    if (waiting_.empty() && run(slice_)) {
        const auto now = Clock::now();
        const auto pass = std::chrono::duration_cast<std::chrono::milliseconds>(now - began_);
        if (pass > kMostPass) slice_ = std::min(2 * slice_, kMostSlice);
        if (pass < kLeastPass) slice_ = std::max(slice_ / 2, kLeastSlice);
        gateway_.dataplane()->take_faults();
        if (pass < kLeastPass)
            next = std::chrono::duration_cast<std::chrono::milliseconds>(kLeastPass) - pass;
        began_ = now + next;
    }
    timer_.start(next, [this] { step(); });
}

void FibProof::verify(std::function<void(Outcome)> done) {
    auto* dataplane = gateway_.dataplane();
    if (dataplane == nullptr) return done({});
    waiting_.push_back(std::move(done));
    if (waiting_.size() > 1) return;
    dataplane->restart_proof();
    outcome_ = {};
    second_ = false;
    began_ = Clock::now();
    faults_before_ = faults_of(dataplane->proof());
    const auto& counters = dataplane->proof();
    outcome_.prefixes = counters.prefixes;
    outcome_.groups = counters.groups;
    outcome_.neighbors = counters.neighbors;
    slice();
}

void FibProof::slice() {
    if (gateway_.dataplane() == nullptr) return finish();
    if (run(500us)) return finish();
    gateway_.ask([this] { slice(); });
}

void FibProof::finish() {
    if (auto* dataplane = gateway_.dataplane(); dataplane != nullptr) {
        const auto& counters = dataplane->proof();
        const auto found = faults_of(counters) - faults_before_;
        faults_before_ = faults_of(counters);
        if (!second_) {
            outcome_.prefixes = counters.prefixes - outcome_.prefixes;
            outcome_.groups = counters.groups - outcome_.groups;
            outcome_.neighbors = counters.neighbors - outcome_.neighbors;
            outcome_.count = found;
            outcome_.faults = dataplane->take_faults();
            outcome_.took =
                std::chrono::duration_cast<std::chrono::microseconds>(Clock::now() - began_);
        }
        if (!second_ && found != 0) {
            second_ = true;
            dataplane->restart_proof();
            return gateway_.ask([this] { slice(); });
        }
        outcome_.healed = found == 0;
    }
    began_ = Clock::now();
    for (const auto& done : std::exchange(waiting_, {})) done(outcome_);
}

}  // namespace torii::app
