#pragma once

#include <cstdint>
#include <span>

#include "dataplane/liveness/session.hpp"
#include "dataplane/worker/worker.hpp"

namespace torii::dataplane::liveness {

// The workers' clock: microseconds out of TSC cycles, without a division.
class MicroClock {
public:
    explicit MicroClock(std::uint64_t hz) : scale_((std::uint64_t{1'000'000} << 32) / hz) {}
    Micros at(std::uint64_t tsc) const {
        __extension__ using Wide = unsigned __int128;
        return static_cast<Micros>((Wide{tsc} * scale_) >> 32);
    }

private:
    std::uint64_t scale_;
};

// Liveness in one worker: owns the timers of its sessions and sends for them. Control
// orders by a ring of sessions, whose plans it has swapped; the answer is a ring of
// sessions whose status has changed. Everything but the rings is the worker's.
class Detector {
public:
    Detector(Roster& roster, std::uint64_t hz, std::uint64_t seed, rte_ring* orders,
             rte_ring* reports);

    // Orders, then timers. True when packets wait to be sent.
    bool turn(Worker& w);

    // A BFD packet whose sender, hops and form are right, for a session of this worker.
    // The exit it leaves by.
    Exit receive(Worker& w, Session& session, const bfd::Packet& packet,
                 std::span<const std::uint8_t> payload, std::uint8_t ttl);

    const Roster& roster() const { return roster_; }
    Micros now(const Worker& w) const { return clock_.at(w.now); }
    std::uint64_t orders_done() const { return orders_done_; }

private:
    void adopt(Worker& w, Session& session);
    void adopt_bfd(Worker& w, Session& session, const Plan* before);
    void end_bfd(Worker& w, Session& session);
    void fire(Worker& w, SessionTimer& timer);
    void step(Worker& w, Session& session);
    bool another_sleeps(unsigned self) const;
    Micros awake() const { return now_ - slept_; }
    Micros note(Noted& noted, Micros heard, Micros since) const;
    void detect(Worker& w, Session& session);
    void settle(Worker& w, Session& session, const bfd::Session::Outcome& outcome, bool answer);
    void schedule(Session& session);
    void send_control(Worker& w, Session& session, bool answer);
    void send_echo(Worker& w, Session& session);
    void send(Worker& w, PortIndex port, const Frame& frame);
    rte_mbuf* make(Worker& w, const Frame& frame);
    void arm(SessionTimer& timer, Micros when);
    void report(Session& session);
    std::uint32_t random();

    Roster& roster_;
    MicroClock clock_;
    std::uint64_t tick_cycles_;
    std::uint64_t random_;
    rte_ring* orders_;
    rte_ring* reports_;
    TimerWheel wheel_;
    Micros now_ = 0;
    Micros last_turn_ = 0;
    Micros slept_ = 0;        // in all: we, or another worker that may hold an answer
    Micros grace_until_ = 0;  // after a sleep of our own, what waits in the queues comes first
    bool sent_ = false;
    std::uint64_t orders_done_ = 0;
};

}  // namespace torii::dataplane::liveness
