#include "tests/bench/bgpswarm/swarm.hpp"

namespace swarm {

void Swarm::report() {
    FILE* f = opt_.json.empty() ? stdout : std::fopen(opt_.json.c_str(), "w");
    if (f == nullptr) die("%s: %s", opt_.json.c_str(), std::strerror(errno));
    Json j(f);
    j.open();
    j.text("result", result_);
    j.num("run_seconds", now());
    j.open("sessions");
    j.count("asked", peers_.size());
    j.count("established_at_end", established_);
    j.count("established_total", ever_established_total_);
    j.count("connects", connects_);
    j.num("first_established", first_established_);
    j.num("all_established", all_established_);
    j.count("drops_before_established", drops_before_);
    j.count("drops_after_established", drops_established_);
    j.count("hold_expired_on_dut", hold_expired_);
    j.count("route_refreshes_asked", route_refreshes_);
    double gap = 0;
    for (const auto& p : peers_) gap = std::max(gap, p.max_rx_gap);
    j.num("longest_silence_of_dut", gap);
    j.open("drop_reasons");
    for (const auto& [why, n] : drop_reasons_) j.count(why.c_str(), n);
    j.close();
    j.open("notifications");
    for (const auto& [text, n] : notifications_) j.count(text.c_str(), n);
    j.close();
    j.close();
    j.open("sent");
    j.count("prefixes", prefixes_sent_);
    j.count("unique_prefixes", unique_prefixes(opt_.peers, opt_.full_peers));
    j.count("bytes", bytes_sent_);
    j.num("table_generation_seconds", generate_seconds_);
    j.num("first_announce", announce_start_);
    j.num("last_update_written", last_update_written_);
    j.close();
    j.open("convergence");
    j.count("reached", converged_);
    double complete = opt_.receivers > 0 ? 0 : -1;
    for (uint32_t i = 0; i < opt_.receivers; ++i)
        complete = complete < 0 || peers_[i].complete_at < 0
                       ? -1
                       : std::max(complete, peers_[i].complete_at);
    j.count("expected_prefixes", expected_);
    j.num("all_receivers_complete", complete);
    j.num("last_change", stable_at_);
    j.close();
    if (event_at_ >= 0) report_event(j);
    report_receivers(j);
    if (!opt_.dut_pids.empty()) {
        j.open("dut_process");
        for (const auto& [when, u] : usage_) {
            j.open(when);
            j.num("cpu_user", u.user, 2);
            j.num("cpu_system", u.system, 2);
            j.count("peak_rss_kib", u.hwm_kib);
            j.count("rss_kib", u.rss_kib);
            j.close();
        }
        j.close();
    }
    rusage self{};
    getrusage(RUSAGE_SELF, &self);
    j.open("self");
    j.num("cpu_user",
          static_cast<double>(self.ru_utime.tv_sec) +
              static_cast<double>(self.ru_utime.tv_usec) * 1e-6,
          3);
    j.num("cpu_system",
          static_cast<double>(self.ru_stime.tv_sec) +
              static_cast<double>(self.ru_stime.tv_usec) * 1e-6,
          3);
    j.count("peak_rss_kib", static_cast<uint64_t>(self.ru_maxrss));
    j.count("bytes_received", bytes_received_);
    j.close();
    j.close();
    if (f != stdout) std::fclose(f);
}

void Swarm::report_event(Json& j) {
    j.open("event");
    j.text("kind", opt_.flap_rate > 0 ? "flap" : "kill");
    j.num("at", event_at_);
    j.count("reconverged", reconverged_);
    j.num("last_change_after", last_change() > event_at_ ? last_change() - event_at_ : -1);
    if (opt_.flap_rate > 0) {
        j.num("seconds", flap_seconds_);
        j.count("updates_sent", flaps_ - flaps_skipped_);
        j.count("updates_skipped_backpressure", flaps_skipped_);
        std::sort(latencies_.begin(), latencies_.end());
        j.count("latency_samples", latencies_.size());
        for (const auto& [name, q] :
             {std::pair{"latency_p50", 0.5}, {"latency_p99", 0.99}, {"latency_max", 1.0}})
            j.num(name, latencies_.empty() ? -1
                                           : latencies_[static_cast<size_t>(
                                                 q * static_cast<double>(latencies_.size() - 1))]);
    } else {
        j.count("killed", killed_);
    }
    j.count("expected_prefixes_after", expected_after_);
    j.close();
}

void Swarm::report_receivers(Json& j) {
    j.open("receivers", '[');
    for (uint32_t i = 0; i < std::min(opt_.receivers, 16u); ++i) {
        const Peer& p = peers_[i];
        j.open();
        j.count("held", p.table->held());
        j.num("first_route", p.first_route);
        j.num("complete", p.complete_at);
        j.num("last_change", p.last_change);
        j.count("updates", p.rx.updates);
        j.count("prefixes_announced", p.rx.announced);
        j.count("prefixes_withdrawn", p.rx.withdrawn);
        j.count("end_of_rib", p.rx.end_of_rib);
        j.count("malformed", p.rx.malformed);
        if (event_at_ >= 0) {
            j.num("event_first_change", p.event_first < 0 ? -1 : p.event_first - event_at_);
            j.num("event_last_change", p.event_last < 0 ? -1 : p.event_last - event_at_);
            j.count("event_announced", p.event_announced);
            j.count("event_withdrawn", p.event_withdrawn);
        }
        if (p.table->markers_seen() > 0) {
            j.open("held_via_full_peer", '[');
            for (uint32_t m = 0; m < std::min<size_t>(p.table->markers_seen(), 64); ++m)
                j.count(nullptr, p.table->held_via_peer(m));
            j.close(']');
        }
        j.close();
    }
    j.close(']');
    RxCounters others;
    for (const auto& p : peers_)
        if (p.role != Role::Receiver)
            others.updates += p.rx.updates, others.announced += p.rx.announced,
                others.withdrawn += p.rx.withdrawn, others.malformed += p.rx.malformed;
    j.open("received_by_senders");
    j.count("updates", others.updates);
    j.count("prefixes_announced", others.announced);
    j.count("prefixes_withdrawn", others.withdrawn);
    j.count("malformed", others.malformed);
    j.close();
}

}  // namespace swarm
