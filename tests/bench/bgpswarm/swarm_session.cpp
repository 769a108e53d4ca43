#include "tests/bench/bgpswarm/swarm.hpp"

namespace swarm {

void Swarm::connect(Peer& p) {
    p.fd = socket(dut_.v6 ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (p.fd < 0) die("socket: %s", std::strerror(errno));
    const int on = 1;
    setsockopt(p.fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    setsockopt(p.fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on);
    if (opt_.ttl > 0) {
        if (dut_.v6)
            setsockopt(p.fd, IPPROTO_IPV6, IPV6_UNICAST_HOPS, &opt_.ttl, sizeof opt_.ttl);
        else
            setsockopt(p.fd, IPPROTO_IP, IP_TTL, &opt_.ttl, sizeof opt_.ttl);
    }
    sockaddr_storage ss;
    socklen_t len = dut_.fill(ss, opt_.dut_port);
    if (!opt_.md5.empty()) {
        tcp_md5sig sig{};
        std::memcpy(&sig.tcpm_addr, &ss, sizeof sig.tcpm_addr);
        sig.tcpm_keylen = static_cast<uint16_t>(opt_.md5.size());
        std::memcpy(sig.tcpm_key, opt_.md5.data(), opt_.md5.size());
        if (setsockopt(p.fd, IPPROTO_TCP, TCP_MD5SIG, &sig, sizeof sig) != 0)
            die("TCP_MD5SIG: %s", std::strerror(errno));
    }
    sockaddr_storage from;
    const socklen_t from_len = p.src.fill(from, 0);
    if (bind(p.fd, reinterpret_cast<sockaddr*>(&from), from_len) != 0)
        die("bind to source address: %s", std::strerror(errno));
    p.state = State::Connecting;
    p.last_rx = p.last_tx = now();
    ++in_flight_;
    ++connects_;
    if (::connect(p.fd, reinterpret_cast<sockaddr*>(&ss), len) != 0 && errno != EINPROGRESS) {
        drop(p, std::string("connect: ") + std::strerror(errno), true);
        return;
    }
    p.writable_wanted = true;
    epoll_event ev{};
    ev.events = EPOLLIN | EPOLLOUT;
    ev.data.u32 = static_cast<uint32_t>(&p - peers_.data());
    epoll_ctl(epoll_, EPOLL_CTL_ADD, p.fd, &ev);
}

void Swarm::drop(Peer& p, const std::string& why, bool by_dut) {
    const bool was_established = p.state == State::Established;
    if (p.state == State::Connecting || p.state == State::OpenSent || p.state == State::OpenConfirm)
        --in_flight_;
    if (was_established) --established_;
    if (p.fd >= 0) close(p.fd);
    p.fd = -1;
    p.out.clear();
    p.out_at = 0;
    p.partial.clear();
    p.bulk = {};
    p.bulk_started = p.announced = p.has_unsent_updates = false;
    if (by_dut) {
        ++(was_established ? drops_established_ : drops_before_);
        ++drop_reasons_[why];
    }
    const bool again = was_established ? opt_.reconnect > 0 : !p.killed || opt_.reconnect > 0;
    p.state = again ? State::Idle : State::Gone;
    if (again) {
        p.restarting = p.ever_established;
        p.retry_at = now() + (was_established ? opt_.reconnect : kRetry);
        retry_queue_.push_back(static_cast<uint32_t>(&p - peers_.data()));
    }
}

void Swarm::send_open(Peer& p) {
    const uint32_t id = p.src.v6 ? 0xac000000u + static_cast<uint32_t>(&p - peers_.data()) + 1
                                 : bgp::get32(p.src.bytes.data());
    bgp::open(p.out,
              {p.asn, id, opt_.hold, opt_.gr_time, opt_.ipv6, opt_.enh, opt_.gr, p.restarting});
    p.state = State::OpenSent;
}

void Swarm::become_established(Peer& p) {
    p.state = State::Established;
    p.ever_established = true;
    --in_flight_;
    ++established_;
    ++ever_established_total_;
    const double t = now();
    if (first_established_ < 0) first_established_ = t;
    if (established_ == peers_.size() && all_established_ < 0) {
        all_established_ = t;
        if (opt_.barrier)
            for (auto& q : peers_) announce(q);
    }
    if (!opt_.barrier || all_established_ >= 0) announce(p);
}

void Swarm::announce(Peer& p) {
    if (p.announced || p.state != State::Established) return;
    p.announced = true;
    if (announce_start_ < 0) announce_start_ = now();
    if (p.role == Role::Node) {
        announce_node(p);
    } else if (p.role == Role::Full) {
        p.bulk = table_bytes_[p.index];
        prefixes_sent_ += table_.nets.size();
    } else {
        bgp::end_of_rib(p.out, false);
        if (opt_.ipv6) bgp::end_of_rib(p.out, true);
    }
    p.has_unsent_updates = true;
    ++unsent_peers_;
    flush(p);
}

void Swarm::flush(Peer& p) {
    if (p.fd < 0 || p.state == State::Connecting || p.state == State::Silent) return;
    for (;;) {
        const bool small = p.out_at < p.out.size();
        const View data = small ? View(p.out).subspan(p.out_at) : p.bulk;
        if (data.empty()) break;
        const ssize_t n =
            send(p.fd, data.data(), std::min<size_t>(data.size(), 1 << 18), MSG_NOSIGNAL);
        if (n < 0) {
            if (errno == EAGAIN || errno == EINTR) break;
            drop(p, std::string("send: ") + std::strerror(errno), true);
            return;
        }
        bytes_sent_ += static_cast<uint64_t>(n);
        p.last_tx = now();
        if (small) {
            p.out_at += static_cast<size_t>(n);
        } else {
            p.bulk_started = true;
            p.bulk = p.bulk.subspan(static_cast<size_t>(n));
        }
    }
    if (p.out_at == p.out.size()) {
        p.out.clear();
        p.out_at = 0;
    }
    const bool empty = p.out.empty() && p.bulk.empty();
    if (empty && p.has_unsent_updates) {
        p.has_unsent_updates = false;
        p.bulk_started = false;
        --unsent_peers_;
        last_update_written_ = now();
    }
    if (p.writable_wanted != !empty) {
        p.writable_wanted = !empty;
        epoll_event ev{};
        ev.events = EPOLLIN | (empty ? 0u : static_cast<uint32_t>(EPOLLOUT));
        ev.data.u32 = static_cast<uint32_t>(&p - peers_.data());
        epoll_ctl(epoll_, EPOLL_CTL_MOD, p.fd, &ev);
    }
}

}  // namespace swarm
