#include "tests/bench/bgpswarm/swarm.hpp"

namespace swarm {

int Swarm::run() {
    prepare();
    start_ = monotonic();
    usage_.push_back({"start", usage_of(opt_.dut_pids)});
    while (phase_ != Phase::Done) step();
    close_all();
    report();
    return result_ == "ok" ? 0 : 1;
}

void Swarm::prepare() {
    dut_ = Addr::parse(opt_.dut_host);
    pod_base_ = bgp::get32(Addr::parse(opt_.pod_base).bytes.data());
    vip_base_ = bgp::get32(Addr::parse(opt_.vip_base).bytes.data());
    nh6_base_ = Addr::parse(opt_.nh6_base);
    raise_fd_limit();
    add_peers(Role::Receiver, opt_.receivers, opt_.src_receivers, opt_.receiver_as);
    add_peers(Role::Full, opt_.full_peers, opt_.src_full, opt_.full_as);
    add_peers(Role::Node, opt_.peers, opt_.src_nodes, opt_.local_as);
    if (opt_.full_peers > 0) prepare_table();
    expected_ = opt_.expect >= 0 ? static_cast<uint64_t>(opt_.expect)
                                 : unique_prefixes(opt_.peers, opt_.full_peers);
    for (auto& p : peers_)
        if (p.role == Role::Receiver)
            p.table = std::make_unique<RouteTable>(std::max<uint64_t>(expected_, 1024));
    for (uint32_t i = 0; i < peers_.size(); ++i) connect_queue_.push_back(i);
    flap_sent_.resize(opt_.peers, -1);
    epoll_ = epoll_create1(EPOLL_CLOEXEC);
    if (epoll_ < 0) die("epoll_create1: %s", std::strerror(errno));
}

void Swarm::raise_fd_limit() {
    const rlim_t need = opt_.peers + opt_.receivers + opt_.full_peers + 64;
    rlimit r{};
    getrlimit(RLIMIT_NOFILE, &r);
    if (r.rlim_cur >= need) return;
    r.rlim_cur = need;
    r.rlim_max = std::max(r.rlim_max, need);
    if (setrlimit(RLIMIT_NOFILE, &r) != 0)
        die("cannot raise RLIMIT_NOFILE to %lu: %s", static_cast<unsigned long>(need),
            std::strerror(errno));
}

void Swarm::add_peers(Role role, uint32_t n, const std::string& base, uint32_t asn) {
    if (n == 0) return;
    const Addr first = Addr::parse(base);
    if (first.v6 != dut_.v6) die("source address %s and DUT differ in family", base.c_str());
    for (uint32_t i = 0; i < n; ++i) {
        Peer p;
        p.role = role;
        p.index = i;
        p.asn = asn + i * opt_.as_step;
        p.src = first.plus(i);
        peers_.push_back(std::move(p));
    }
}

void Swarm::prepare_table() {
    const double t0 = monotonic();
    table_ = !opt_.mrt_file.empty() ? load_mrt(opt_.mrt_file, opt_.mrt_peer, opt_.ipv6)
                                    : synthetic_table(opt_.full_table, opt_.seed);
    for (const auto& p : peers_) {
        if (p.role != Role::Full) continue;
        const Origination o{p.asn,       p.index,      p.index * opt_.prepend_step,
                            opt_.ibgp(), next_hop4(p), next_hop6(p),
                            opt_.seed};
        table_bytes_.push_back(encode_table(table_, o, opt_.ipv6));
    }
    generate_seconds_ = monotonic() - t0;
}

uint64_t Swarm::unique_prefixes(uint64_t nodes, uint64_t fulls) const {
    uint64_t n = nodes * opt_.prefixes_per_peer + (nodes > 0 ? opt_.vips : 0) +
                 (fulls > 0 ? table_.nets.size() : 0);
    if (opt_.ipv6) n += nodes + (nodes > 0 ? opt_.vips : 0);
    return n;
}

bgp::AttrBlock Swarm::node_attrs(const Peer& p) const {
    bgp::AttrSpec spec;
    if (opt_.ibgp())
        spec.has_local_pref = true;
    else
        spec.path = {p.asn};
    bgp::AttrBlock block;
    bgp::encode_attrs(block, spec);
    return block;
}

void Swarm::announce_node(Peer& p) {
    const bgp::AttrBlock attrs = node_attrs(p);
    std::vector<Net> nets{pod(p.index)};
    if (opt_.prefixes_per_peer == 0) nets.clear();
    for (uint32_t k = 0; k + 1 < opt_.prefixes_per_peer; ++k) nets.push_back(extra(p.index, k));
    bgp::announce(p.out, attrs, nets, next_hop4(p));
    nets.clear();
    for (uint32_t k = 0; k < opt_.vips; ++k) nets.push_back(Net::v4(vip_base_ + k, 32));
    bgp::announce(p.out, attrs, nets, next_hop4(p));
    bgp::end_of_rib(p.out, false);
    if (opt_.ipv6) {
        nets = {pod6(p.index)};
        for (uint32_t k = 0; k < opt_.vips; ++k)
            nets.push_back(Net::v6of(0xfd00002000000000ULL, k + 1, 128));
        bgp::announce(p.out, attrs, nets, next_hop6(p));
        bgp::end_of_rib(p.out, true);
    }
    prefixes_sent_ += opt_.prefixes_per_peer + opt_.vips + (opt_.ipv6 ? 1 + opt_.vips : 0);
}

}  // namespace swarm
