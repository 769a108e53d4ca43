#pragma once

#include "tests/bench/bgpswarm/session.hpp"

namespace swarm {

// All sessions of a run, in one thread around one epoll.
class Swarm {
public:
    explicit Swarm(Options o) : opt_(std::move(o)), rx_buffer_(kReadSize + 65536) {}

    int run();

private:
    enum class Phase { Establish, Converge, Settle, Flap, Reconverge, Linger, Done };
    static constexpr size_t kReadSize = 1 << 20;
    static constexpr double kTick = 0.1, kRetry = 1.0;
    static constexpr size_t kMaxQueued = 1 << 20;

    double now() const { return monotonic() - start_; }

    // -- preparation

    void prepare();

    void raise_fd_limit();

    void add_peers(Role role, uint32_t n, const std::string& base, uint32_t asn);

    void prepare_table();

    uint64_t unique_prefixes(uint64_t nodes, uint64_t fulls) const;

    Addr next_hop6(const Peer& p) const { return p.src.v6 ? p.src : nh6_base_.plus(p.index); }
    Addr next_hop4(const Peer& p) const { return p.src.v6 || opt_.enh ? next_hop6(p) : p.src; }

    // -- routes of a node

    Net pod(uint32_t node) const { return Net::v4(pod_base_ + (node << 8), 24); }
    Net pod6(uint32_t node) const { return Net::v6of(0xfd00001000000000ULL + node, 0, 64); }
    Net extra(uint32_t node, uint32_t k) const {  // a permutation of the 2^20 /24s in 32.0.0.0/4
        const uint32_t i = node * (opt_.prefixes_per_peer - 1) + k;
        return Net::v4(0x20000000u | ((i * 0x9e375u + 0x5bd1u) & 0xfffffu) << 8, 24);
    }

    bgp::AttrBlock node_attrs(const Peer& p) const;

    void announce_node(Peer& p);

    // -- session life

    void connect(Peer& p);

    void drop(Peer& p, const std::string& why, bool by_dut);

    void send_open(Peer& p);

    void become_established(Peer& p);

    void announce(Peer& p);

    // -- sending

    void flush(Peer& p);

    // -- receiving

    void on_readable(Peer& p);

    bool on_message(Peer& p, View m, double t) {  // false: the session is gone
        switch (m[18]) {
            case bgp::Open:
                return on_open(p, m);
            case bgp::Update:
                on_update(p, m, t);
                return true;
            case bgp::Keepalive:
                if (p.state == State::OpenConfirm) become_established(p);
                return p.fd >= 0;
            case bgp::Notification: {
                const std::string text =
                    "NOTIFICATION " +
                    (m.size() >= 21 ? bgp::notification_text(m[19], m[20]) : "(short)");
                ++notifications_[text];
                drop(p, text, true);
                return false;
            }
            case bgp::RouteRefresh:
                on_route_refresh(p);
                return p.fd >= 0;
            default:
                return true;
        }
    }

    bool on_open(Peer& p, View m);

    // The DUT asks for everything again, e.g. after a change of its import policy.
    void on_route_refresh(Peer& p);

    void on_update(Peer& p, View m, double t);

    void note_latency(const uint8_t* bytes, uint32_t via, double t);

    // -- main loop

    void step();

    void pump_connects();

    bool receivers_pending() const;

    void finish_connect(Peer& p);

    void tick(double t);

    void advance(double t);

    void finish(const char* result);

    double last_change() const;

    // Complete (everything sent, every receiver holds what it should) and quiet for --idle seconds.
    bool converged(double t);

    // -- events

    void pump_flap();

    void toggle(Peer& p);

    void kill_sessions();

    void close_all();

    // -- report

    void report();

    void report_event(Json& j);

    void report_receivers(Json& j);

    Options opt_;
    Addr dut_, nh6_base_;
    uint32_t pod_base_ = 0, vip_base_ = 0;
    std::vector<Peer> peers_;  // receivers, then full-table peers, then nodes
    Table table_;
    std::vector<Bytes> table_bytes_;  // one encoding per full-table peer
    Bytes rx_buffer_;
    int epoll_ = -1;
    Phase phase_ = Phase::Establish;
    std::string result_ = "running";
    std::deque<uint32_t> connect_queue_;
    std::vector<uint32_t> retry_queue_;
    uint32_t in_flight_ = 0;
    uint64_t connects_ = 0;
    size_t established_ = 0, unsent_peers_ = 0;
    uint64_t ever_established_total_ = 0, drops_before_ = 0, drops_established_ = 0,
             hold_expired_ = 0, route_refreshes_ = 0;
    uint64_t prefixes_sent_ = 0, bytes_sent_ = 0, bytes_received_ = 0, expected_ = 0,
             expected_after_ = 0;
    uint64_t flaps_ = 0, flaps_skipped_ = 0;
    uint32_t flap_next_ = 0, killed_ = 0;
    bool converged_ = false, reconverged_ = false;
    double start_ = 0, first_established_ = -1, all_established_ = -1, announce_start_ = -1,
           last_update_written_ = -1;
    double generate_seconds_ = 0, stable_at_ = -1, event_at_ = -1, phase_since_ = 0,
           flap_seconds_ = 0;
    double next_tick_ = 0, next_progress_ = 0;
    std::vector<double> flap_sent_;
    std::vector<float> latencies_;
    std::unordered_map<std::string, uint64_t> drop_reasons_, notifications_;
    std::vector<std::pair<const char*, ProcessUsage>> usage_;
};

}  // namespace swarm
