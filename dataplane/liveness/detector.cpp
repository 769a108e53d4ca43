#include "dataplane/liveness/detector.hpp"

#include <rte_ring.h>

#include <algorithm>
#include <cstring>

#include "dataplane/liveness/frames.hpp"
#include "dataplane/packet/headers.hpp"
#include "dataplane/worker/ring.hpp"
#include "dataplane/worker/transmit.hpp"

namespace torii::dataplane::liveness {
namespace {

constexpr unsigned kTickShift = 10;    // a tick of the wheel is 1,024 us
constexpr Micros kStall = 5'000;       // a loop that took longer did not run in between
constexpr Micros kHung = 1'000'000;    // a worker asleep so long is waited for no more
constexpr Micros kMostGrace = 50'000;  // for what waits in the queues after it
constexpr unsigned kOrders = 64;       // a turn

}  // namespace

Detector::Detector(Roster& roster, std::uint64_t hz, std::uint64_t seed, rte_ring* orders,
                   rte_ring* reports)
    : roster_(roster),
      clock_(hz),
      tick_cycles_((hz << kTickShift) / 1'000'000),
      random_(seed | 1),
      orders_(orders),
      reports_(reports) {}

std::uint32_t Detector::random() {
    random_ ^= random_ << 13;
    random_ ^= random_ >> 7;
    random_ ^= random_ << 17;
    return static_cast<std::uint32_t>(random_ >> 32);
}

void Detector::arm(SessionTimer& timer, Micros when) {
    wheel_.arm(timer, (when >> kTickShift) + 1);
}

bool Detector::turn(Worker& w) {
    now_ = clock_.at(w.now);
    w.liveness_due = w.now + tick_cycles_;
    if (last_turn_ == 0) {
        wheel_.start_at(now_ >> kTickShift);
    } else {
        const auto gap = now_ - last_turn_;
        if (gap > kStall) grace_until_ = now_ + std::min(gap, kMostGrace);
        // Silence counts only while all workers could receive.
        if (gap > 0 && (gap > kStall || another_sleeps(w.id))) slept_ += gap - 1;
    }
    last_turn_ = now_;
    roster_.pulses[w.id].at.store(now_, std::memory_order_relaxed);
    sent_ = false;
    void* orders[kOrders];
    const unsigned n = ring_take(orders_, orders, kOrders);
    for (unsigned i = 0; i < n; ++i) {
        auto& session = *static_cast<Session*>(orders[i]);
        adopt(w, session);
        // From here on control may free it.
        session.orders_done.fetch_add(1, std::memory_order_release);
    }
    wheel_.advance(now_ >> kTickShift,
                   [&](Timer& timer) { fire(w, static_cast<SessionTimer&>(timer)); });
    return sent_;
}

void Detector::fire(Worker& w, SessionTimer& timer) {
    auto& session = *timer.session;
    switch (timer.kind) {
        case SessionTimer::Kind::Watch:
            return step(w, session);
        case SessionTimer::Kind::BfdSend:
            if (session.bfd.transmit_interval() == 0) return;
            send_control(w, session, false);
            return schedule(session);
        case SessionTimer::Kind::BfdDetect:
            return detect(w, session);
    }
}

// ---- orders

void Detector::adopt(Worker& w, Session& session) {
    ++orders_done_;
    const Plan* const before = session.plan;
    const Plan* const plan = session.wanted.load(std::memory_order_acquire);
    if (plan == before && plan != nullptr) return;
    // By the plan that has it: it defines what is sent.
    if (before != nullptr && before->bfd && (plan == nullptr || !plan->bfd)) end_bfd(w, session);
    if (plan == nullptr) {
        wheel_.disarm(session.step);
        session.plan = nullptr;
    } else {
        session.plan = plan;
        const bool watched = before != nullptr && before->watch.detect != Detect::Off;
        if (plan->watch.detect == Detect::Off) {
            wheel_.disarm(session.step);
            session.watch = {};
        } else if (!watched) {
            session.watch.start(plan->watch, awake());
            arm(session.step, now_);
        } else if (before->watch != plan->watch) {
            session.watch.change(plan->watch);
            arm(session.step, now_);
        }
        adopt_bfd(w, session, before);
    }
    session.adopted.store(plan, std::memory_order_release);
    report(session);
}

void Detector::adopt_bfd(Worker& w, Session& session, const Plan* before) {
    const auto& plan = *session.plan;
    const bool had = before != nullptr && before->bfd;
    if (!plan.bfd) return;
    if (!had) {
        session.bfd = {session.discriminator, plan.bfd_settings};
        session.received = {};
        session.sequence = random();  // RFC 5880 §6.7.3
    } else if (before->bfd_settings != plan.bfd_settings) {
        if (before->bfd_settings.key != plan.bfd_settings.key) session.received = {};
        settle(w, session, session.bfd.change(plan.bfd_settings), false);
    }
    settle(w, session, session.bfd.set_admin_down(plan.bfd_shutdown), false);
    if (!had && session.bfd.transmit_interval() != 0) arm(session.bfd_send, now_);
}

// RFC 5880 §6.8.16: the peer shall be notified that this is no failure.
void Detector::end_bfd(Worker& w, Session& session) {
    // A detection time's worth of packets, at once: afterwards there is nothing to send by.
    constexpr unsigned kFarewells = 3;
    session.bfd.set_admin_down(true);
    for (unsigned i = 0; i < kFarewells; ++i) send_control(w, session, false);
    wheel_.disarm(session.bfd_send);
    wheel_.disarm(session.bfd_detect);
}

void Detector::report(Session& session) {
    Status now = session.read();
    const auto before = now;
    const bool died =
        session.watch.state() == Watch::State::Down && before.watch == Watch::State::Up;
    const bool fell = session.bfd.state() == bfd::State::Down && before.bfd == bfd::State::Up;
    now.watch = session.watch.state();
    now.method = session.watch.method();
    now.lost_echo = session.watch.lost_echo();
    now.bfd = session.bfd.state();
    now.bfd_remote = session.bfd.remote_state();
    now.diagnostic = session.bfd.diagnostic();
    now.remote_diagnostic = session.bfd.remote_diagnostic();
    now.independent = session.bfd.remote_independent();
    if (died || fell) ++now.deaths;
    session.publish(now);
    // Once in the ring is enough; it has room for every session there can be.
    if (!session.reported.exchange(true, std::memory_order_acq_rel)) ring_put(reports_, &session);
}

// ---- echoes and probes

bool Detector::another_sleeps(unsigned self) const {
    for (unsigned i = 0; i < roster_.workers; ++i) {
        const auto at = roster_.pulses[i].at.load(std::memory_order_relaxed);
        if (i != self && at + kStall < now_ && at + kHung > now_) return true;
    }
    return false;
}

// Not before the last step, which has not seen it, and in the order they came.
Micros Detector::note(Noted& noted, Micros heard, Micros since) const {
    if (heard != noted.heard) {
        noted.heard = heard;
        noted.awake = std::min(awake(), std::max(since + 1, heard - std::min(heard, slept_)));
    }
    return noted.awake;
}

void Detector::step(Worker& w, Session& session) {
    const auto& plan = *session.plan;
    const Watch::LastReceived heard{
        note(session.echo_noted, session.echo_received.load(std::memory_order_relaxed),
             session.stepped),
        note(session.probe_noted, session.probe_received.load(std::memory_order_relaxed),
             session.stepped)};
    const auto next = session.watch.step(awake(), heard, random());
    session.stepped = awake();
    if (next.echo && plan.echo.length != 0) send_echo(w, session);
    if (next.probe && plan.probe.length != 0) {
        send(w, plan.port, plan.probe);
        auto& sent = session.gauges.probes_sent;
        sent.store(sent.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
    }
    arm(session.step, next.next + slept_);
    if (!next.changed) return;
    report(session);
    w.control->ring();
}

rte_mbuf* Detector::make(Worker& w, const Frame& frame) {
    auto* m = rte_pktmbuf_alloc(w.pool);
    if (m == nullptr) return nullptr;
    std::memcpy(rte_pktmbuf_mtod(m, void*), frame.bytes.data(), frame.length);
    m->data_len = frame.length;
    m->pkt_len = frame.length;
    ++w.counters.generated;
    sent_ = true;
    return m;
}

void Detector::send(Worker& w, PortIndex port, const Frame& frame) {
    if (auto* m = make(w, frame)) transmit_first(w, port, m);
}

void Detector::send_echo(Worker& w, Session& session) {
    const auto& plan = *session.plan;
    auto* m = make(w, plan.echo);
    if (m == nullptr) return;
    auto* frame = rte_pktmbuf_mtod(m, std::uint8_t*);
    std::memcpy(frame + plan.echo.length - 8, &now_, 8);
    finish_udp(frame, plan.echo.length - kEchoPayload, kEchoPayload);
    transmit_first(w, plan.port, m);
    auto& sent = session.gauges.echoes_sent;
    sent.store(sent.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
}

// ---- BFD

void Detector::schedule(Session& session) {
    const Micros interval = session.bfd.transmit_interval();
    session.gauges.transmit_interval.store(static_cast<std::uint32_t>(interval),
                                           std::memory_order_relaxed);
    if (interval == 0) return wheel_.disarm(session.bfd_send);
    const auto least = session.bfd.least_share();
    const auto share = least + random() % (session.bfd.largest_share() - least + 1);
    arm(session.bfd_send, now_ + interval * share / 256);
}

void Detector::send_control(Worker& w, Session& session, bool answer) {
    const auto& plan = *session.plan;
    if (plan.control.length == 0) return;
    auto* m = make(w, plan.control);
    if (m == nullptr) return;
    auto* frame = rte_pktmbuf_mtod(m, std::uint8_t*);
    const auto length = bfd::seal(
        session.bfd.compose(answer), plan.bfd_settings.key, ++session.sequence,
        std::span<std::uint8_t, bfd::kLongest>{frame + plan.control.length, bfd::kLongest});
    finish_udp(frame, plan.control.length, length);
    m->data_len = static_cast<std::uint16_t>(m->data_len + length);
    m->pkt_len = m->data_len;
    auto& sent = session.gauges.bfd_sent;
    sent.store(sent.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
    if (plan.routed) return w.send_routed(w, m);
    transmit_first(w, plan.port, m);
}

Exit Detector::receive(Worker& w, Session& session, const bfd::Packet& packet,
                       std::span<const std::uint8_t> payload, std::uint8_t ttl) {
    const auto* plan = session.plan;
    if (plan == nullptr || !plan->bfd) return Exit::BfdNoSession;
    if (ttl < plan->least_ttl) return Exit::BfdTtl;
    if (!bfd::authentic(payload, packet, plan->bfd_settings.key, session.received))
        return Exit::BfdBadAuth;
    now_ = clock_.at(w.now);
    const bool independent = session.bfd.remote_independent();
    const auto remote_state = session.bfd.remote_state();
    const auto outcome = session.bfd.receive(packet, now_);
    if (!outcome.accepted) return Exit::BfdNoSession;
    auto& g = session.gauges;
    g.bfd_received.store(g.bfd_received.load(std::memory_order_relaxed) + 1,
                         std::memory_order_relaxed);
    settle(w, session, outcome, packet.poll);
    if (!outcome.changed && (independent != session.bfd.remote_independent() ||
                             remote_state != session.bfd.remote_state()))
        report(session);
    return Exit::BfdControl;
}

// Brings timers, views and the peer to where the session is now.
void Detector::settle(Worker& w, Session& session, const bfd::Session::Outcome& outcome,
                      bool answer) {
    session.watch.pace_echoes(session.bfd.least_echo_interval());
    const auto interval = session.bfd.transmit_interval();
    const auto before = session.gauges.transmit_interval.load(std::memory_order_relaxed);
    if (outcome.send_now) send_control(w, session, answer);
    // An answer to a poll is no turn of the timer's (RFC 5880 §6.8.7).
    if (outcome.changed || interval != before || !session.bfd_send.armed()) schedule(session);

    const auto detection = session.bfd.detection_time();
    if (detection == 0) {
        wheel_.disarm(session.bfd_detect);
    } else {
        const auto deadline = session.bfd.last_received() + detection;
        if (!session.bfd_detect.armed() || session.bfd_detect.due > (deadline >> kTickShift) + 1)
            arm(session.bfd_detect, deadline);
    }
    auto& g = session.gauges;
    g.detection_time.store(static_cast<std::uint32_t>(detection), std::memory_order_relaxed);
    g.remote_discriminator.store(session.bfd.remote_discriminator(), std::memory_order_relaxed);
    g.remote_min_tx.store(session.bfd.remote_min_tx(), std::memory_order_relaxed);
    g.remote_min_rx.store(session.bfd.remote_min_rx(), std::memory_order_relaxed);
    g.remote_multiplier.store(session.bfd.remote_multiplier(), std::memory_order_relaxed);
    if (!outcome.changed) return;
    report(session);
    w.control->ring();
}

void Detector::detect(Worker& w, Session& session) {
    const auto detection = session.bfd.detection_time();
    if (detection == 0) return;
    const auto deadline = session.bfd.last_received() + detection;
    // LastReceived since the timer was set; or we have slept, and so may have what came.
    if (deadline > now_) return arm(session.bfd_detect, deadline);
    if (grace_until_ > now_) return arm(session.bfd_detect, grace_until_);
    if (session.bfd.remote_discriminator() == 0) {
        // RFC 5880 §6.7.3: after twice that silence any sequence number will do.
        if (deadline + detection > now_) return arm(session.bfd_detect, deadline + detection);
        session.received.known = false;
        return;
    }
    const auto outcome = session.bfd.expire();
    settle(w, session, outcome, false);
    arm(session.bfd_detect, deadline + detection);
}

}  // namespace torii::dataplane::liveness
