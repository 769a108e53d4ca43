#include "tests/bench/bgpswarm/swarm.hpp"

namespace swarm {

void Swarm::on_readable(Peer& p) {
    for (int rounds = 0; rounds < 4 && p.fd >= 0; ++rounds) {
        const size_t kept = p.partial.size();
        std::copy(p.partial.begin(), p.partial.end(), rx_buffer_.begin());
        const ssize_t n = recv(p.fd, rx_buffer_.data() + kept, kReadSize, 0);
        if (n < 0) {
            if (errno == EAGAIN || errno == EINTR) return;
            drop(p, std::string("recv: ") + std::strerror(errno), true);
            return;
        }
        if (n == 0) {
            drop(p, "closed by DUT", true);
            return;
        }
        bytes_received_ += static_cast<uint64_t>(n);
        const double t = now();
        p.max_rx_gap = std::max(p.max_rx_gap, t - p.last_rx);
        p.last_rx = t;
        View data(rx_buffer_.data(), kept + static_cast<size_t>(n));
        while (data.size() >= bgp::kHeader) {
            const size_t len = bgp::get16(&data[16]);
            if (len < bgp::kHeader) {
                drop(p, "bad message length from DUT", true);
                return;
            }
            if (data.size() < len) break;
            if (!on_message(p, data.first(len), t)) return;
            data = data.subspan(len);
        }
        p.partial.assign(data.begin(), data.end());
        if (static_cast<size_t>(n) < kReadSize) return;
    }
}

bool Swarm::on_open(Peer& p, View m) {
    if (p.state != State::OpenSent || m.size() < 29) {
        drop(p, "unexpected OPEN", true);
        return false;
    }
    uint32_t asn = bgp::get16(&m[20]);
    const uint16_t hold = bgp::get16(&m[22]);
    p.as4 = false;
    View params = m.subspan(29);
    while (params.size() >= 2 && params.size() >= 2u + params[1]) {
        if (params[0] == 2)
            for (View c = params.subspan(2, params[1]); c.size() >= 2 && c.size() >= 2u + c[1];
                 c = c.subspan(2u + c[1]))
                if (c[0] == 65 && c[1] == 4) p.as4 = true, asn = bgp::get32(&c[2]);
        params = params.subspan(2u + params[1]);
    }
    if (opt_.remote_as != 0 && asn != opt_.remote_as) {
        bgp::notification(p.out, 2, 2);
        flush(p);
        if (p.fd >= 0) drop(p, "DUT speaks for AS " + std::to_string(asn), true);
        return false;
    }
    p.hold = std::min(hold, opt_.hold);
    bgp::keepalive(p.out);
    p.state = State::OpenConfirm;
    flush(p);
    return p.fd >= 0;
}

void Swarm::on_route_refresh(Peer& p) {
    ++route_refreshes_;
    if (p.state != State::Established || !p.announced || !p.bulk.empty()) return;
    if (p.role == Role::Node) {
        p.flap_withdrawn = false;
        announce_node(p);
    } else if (p.role == Role::Full) {
        p.bulk = table_bytes_[p.index];
    } else {
        return;
    }
    if (!p.has_unsent_updates) p.has_unsent_updates = true, ++unsent_peers_;
    flush(p);
}

void Swarm::on_update(Peer& p, View m, double t) {
    bool good;
    if (p.table == nullptr) {
        good = decode_update(
            m, p.as4, [](bool, const uint8_t*, uint8_t, uint32_t) {}, p.rx);
    } else {
        auto on_net = [&](bool v6, const uint8_t* bytes, uint8_t len, uint32_t via) {
            auto& slot = p.table->find(v6, bytes, len);
            if (via == RouteTable::kAbsent && slot.via == RouteTable::kAbsent) return;
            p.table->set(slot, via);
            ++p.rx.changed;
            p.last_change = t;
            if (p.first_route < 0) p.first_route = t;
            if (event_at_ >= 0) {
                if (p.event_first < 0) p.event_first = t;
                p.event_last = t;
                ++(via == RouteTable::kAbsent ? p.event_withdrawn : p.event_announced);
                if (p.index == 0 && !flap_sent_.empty() && !v6 && len == 24)
                    note_latency(bytes, via, t);
            }
        };
        good = decode_update(m, p.as4, on_net, p.rx);
        if (p.complete_at < 0 && p.table->held() >= expected_ && expected_ > 0) p.complete_at = t;
    }
    if (!good) ++p.rx.malformed;
}

void Swarm::note_latency(const uint8_t* bytes, uint32_t via, double t) {
    uint8_t a[4] = {bytes[0], bytes[1], bytes[2], 0};
    const uint32_t node = (bgp::get32(a) - pod_base_) >> 8;
    if (node >= flap_sent_.size() || flap_sent_[node] < 0) return;
    const Peer& sender = peers_[opt_.receivers + opt_.full_peers + node];
    if (sender.flap_withdrawn != (via == RouteTable::kAbsent))
        return;  // an older state of a merged flap
    latencies_.push_back(static_cast<float>(t - flap_sent_[node]));
    flap_sent_[node] = -1;
}

}  // namespace swarm
