#include "tests/bench/bgpswarm/swarm.hpp"

namespace swarm {

void Swarm::step() {
    pump_connects();
    if (phase_ == Phase::Flap) pump_flap();
    epoll_event evs[512];
    const int wait_ms = phase_ == Phase::Flap                              ? 1
                        : !connect_queue_.empty() && opt_.connect_rate > 0 ? 1
                                                                           : 20;
    const int n = epoll_wait(epoll_, evs, std::size(evs), wait_ms);
    for (int i = 0; i < n; ++i) {
        Peer& p = peers_[evs[i].data.u32];
        if (p.fd < 0) continue;
        if (p.state == State::Connecting) {
            finish_connect(p);
            continue;
        }
        if (p.state == State::Silent) {
            if (evs[i].events & (EPOLLHUP | EPOLLERR))
                epoll_ctl(epoll_, EPOLL_CTL_DEL, p.fd, nullptr);
            continue;
        }
        if (evs[i].events & (EPOLLIN | EPOLLHUP | EPOLLERR)) on_readable(p);
        if (p.fd >= 0 && (evs[i].events & EPOLLOUT)) flush(p);
    }
    const double t = now();
    if (t >= next_tick_) {
        tick(t);
        next_tick_ = t + kTick;
    }
    advance(t);
}

void Swarm::pump_connects() {
    const double t = now();
    while (!connect_queue_.empty() && in_flight_ < opt_.connect_parallel) {
        if (opt_.connect_rate > 0 && static_cast<double>(connects_) > t * opt_.connect_rate) break;
        Peer& p = peers_[connect_queue_.front()];
        // Receivers first, so that they see the routes come in one by one.
        if (p.role != Role::Receiver && receivers_pending()) break;
        connect_queue_.pop_front();
        connect(p);
    }
}

bool Swarm::receivers_pending() const {
    for (uint32_t i = 0; i < opt_.receivers; ++i)
        if (!peers_[i].ever_established) return true;
    return false;
}

void Swarm::finish_connect(Peer& p) {
    int err = 0;
    socklen_t len = sizeof err;
    getsockopt(p.fd, SOL_SOCKET, SO_ERROR, &err, &len);
    if (err != 0) {
        drop(p, std::string("connect: ") + std::strerror(err), true);
        return;
    }
    send_open(p);
    flush(p);
}

void Swarm::tick(double t) {
    for (size_t i = 0; i < retry_queue_.size();) {
        Peer& p = peers_[retry_queue_[i]];
        if (t < p.retry_at) {
            ++i;
            continue;
        }
        connect_queue_.push_back(retry_queue_[i]);
        retry_queue_[i] = retry_queue_.back();
        retry_queue_.pop_back();
    }
    for (auto& p : peers_) {
        if (p.state == State::Established) {
            p.max_rx_gap = std::max(p.max_rx_gap, t - p.last_rx);
            if (p.hold == 0) continue;
            if (t - p.last_rx > p.hold) {
                ++hold_expired_;
                if (!p.bulk_started) bgp::notification(p.out, 4, 0), flush(p);
                if (p.fd >= 0) drop(p, "hold timer expired: DUT silent", true);
            } else if (t - p.last_tx > p.hold / 3.0 && p.out.empty() && p.bulk.empty()) {
                bgp::keepalive(p.out);
                flush(p);
            }
        } else if (p.state == State::OpenSent || p.state == State::OpenConfirm) {
            if (t - p.last_tx > 30) drop(p, "no answer to OPEN within 30 s", true);
        }
    }
    if (opt_.progress && t >= next_progress_) {
        next_progress_ = t + 1;
        std::fprintf(stderr,
                     "%7.2f s  phase %d  established %zu/%zu  sent %" PRIu64 " prefixes %" PRIu64
                     " bytes  held",
                     t, static_cast<int>(phase_), established_, peers_.size(), prefixes_sent_,
                     bytes_sent_);
        for (uint32_t i = 0; i < std::min(opt_.receivers, 4u); ++i)
            std::fprintf(stderr, " %zu", peers_[i].table->held());
        std::fprintf(stderr, " of %" PRIu64 "\n", expected_);
    }
}

void Swarm::advance(double t) {
    if (g_interrupted)
        finish("interrupted");
    else if (t > opt_.timeout)
        finish("timeout");
    switch (phase_) {
        case Phase::Establish:
            if (established_ == peers_.size()) phase_ = Phase::Converge;
            break;
        case Phase::Converge:
            if (!converged(t)) break;
            converged_ = true;
            stable_at_ = last_change();
            usage_.push_back({"converged", usage_of(opt_.dut_pids)});
            phase_since_ = t;
            phase_ = opt_.flap_rate > 0 || opt_.kill_fraction > 0 ? Phase::Settle : Phase::Linger;
            break;
        case Phase::Settle:
            if (t - phase_since_ < opt_.settle) break;
            usage_.push_back({"event_start", usage_of(opt_.dut_pids)});
            phase_since_ = event_at_ = now();
            if (opt_.flap_rate > 0) {
                phase_ = Phase::Flap;
            } else {
                kill_sessions();
                phase_ = Phase::Reconverge;
            }
            break;
        case Phase::Flap:
            if (t - phase_since_ < opt_.flap_duration) break;
            usage_.push_back({"flap_end", usage_of(opt_.dut_pids)});
            flap_seconds_ = t - phase_since_;
            for (auto& p : peers_)
                if (p.flap_withdrawn) toggle(p);
            expected_after_ = expected_;
            phase_ = Phase::Reconverge;
            break;
        case Phase::Reconverge:
            if (!converged(t)) break;
            reconverged_ = true;
            usage_.push_back({"reconverged", usage_of(opt_.dut_pids)});
            phase_since_ = t;
            phase_ = Phase::Linger;
            break;
        case Phase::Linger:
            if (t - phase_since_ >= opt_.linger) finish("ok");
            break;
        case Phase::Done:
            break;
    }
}

void Swarm::finish(const char* result) {
    if (phase_ == Phase::Done) return;
    result_ = result;
    usage_.push_back({"end", usage_of(opt_.dut_pids)});
    phase_ = Phase::Done;
}

double Swarm::last_change() const {
    double last = -1;
    for (uint32_t i = 0; i < opt_.receivers; ++i) last = std::max(last, peers_[i].last_change);
    return last;
}

bool Swarm::converged(double t) {
    if (unsent_peers_ > 0) return false;
    const bool after = event_at_ >= 0;
    if (after && opt_.reconnect > 0 && established_ < peers_.size()) return false;
    const uint64_t want = after ? expected_after_ : expected_;
    for (uint32_t i = 0; i < opt_.receivers; ++i) {
        const RouteTable& table = *peers_[i].table;
        if (table.held() != want) return false;
        if (after && opt_.kill_full && opt_.reconnect == 0)
            for (uint32_t m = 0; m < killed_; ++m)
                if (table.held_via_peer(m) > 0) return false;
    }
    return t - std::max(last_change(), last_update_written_) >= opt_.idle;
}

void Swarm::pump_flap() {
    const double t = now();
    auto due = static_cast<uint64_t>((t - phase_since_) * opt_.flap_rate);
    due = std::min(due, flaps_ + opt_.peers);  // at most one round at a time
    for (; flaps_ < due; ++flaps_) {
        Peer& p = peers_[opt_.receivers + opt_.full_peers + flap_next_];
        flap_next_ = (flap_next_ + 1) % opt_.peers;
        if (p.state != State::Established || p.out.size() > kMaxQueued)
            ++flaps_skipped_;
        else
            toggle(p);
    }
}

void Swarm::toggle(Peer& p) {
    if (p.state != State::Established) return;
    p.flap_withdrawn = !p.flap_withdrawn;
    const Net n = pod(p.index);
    if (p.flap_withdrawn)
        bgp::withdraw(p.out, n, next_hop4(p).v6);
    else
        bgp::announce(p.out, node_attrs(p), std::span(&n, 1), next_hop4(p));
    flap_sent_[p.index] = now();
    if (!p.has_unsent_updates) p.has_unsent_updates = true, ++unsent_peers_;
    flush(p);
}

void Swarm::kill_sessions() {
    const uint32_t total = opt_.kill_full ? opt_.full_peers : opt_.peers;
    killed_ = static_cast<uint32_t>(std::lround(opt_.kill_fraction * total));
    for (auto& p : peers_) {
        if (p.role != (opt_.kill_full ? Role::Full : Role::Node) || p.index >= killed_ || p.fd < 0)
            continue;
        p.killed = true;
        if (p.has_unsent_updates) p.has_unsent_updates = false, --unsent_peers_;
        if (opt_.kill_mode == KillMode::Silent) {
            if (p.state == State::Established) --established_;
            p.state = State::Silent;
            continue;
        }
        if (opt_.kill_mode == KillMode::Notify && !p.bulk_started)
            bgp::notification(p.out, 6, 2), flush(p);
        if (opt_.kill_mode == KillMode::Rst) {
            const linger l{1, 0};
            setsockopt(p.fd, SOL_SOCKET, SO_LINGER, &l, sizeof l);
        }
        if (p.fd >= 0) drop(p, "killed", false);
    }
    if (opt_.expect_after >= 0)
        expected_after_ = static_cast<uint64_t>(opt_.expect_after);
    else if (opt_.reconnect > 0)
        expected_after_ = expected_;
    else
        expected_after_ = opt_.kill_full ? unique_prefixes(opt_.peers, opt_.full_peers - killed_)
                                         : unique_prefixes(opt_.peers - killed_, opt_.full_peers);
}

void Swarm::close_all() {
    for (auto& p : peers_) {
        if (p.fd < 0) continue;
        if (p.state == State::Established && !p.bulk_started)
            bgp::notification(p.out, 6, 2), flush(p);
        if (p.fd >= 0) close(p.fd);
        p.fd = -1;
    }
}

}  // namespace swarm
