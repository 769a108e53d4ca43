#include "dataplane/slow/slow_path.hpp"

#include <rte_ring.h>

#include <algorithm>

#include "dataplane/fib/bucket_table.hpp"
#include "dataplane/fib/lookup6.hpp"
#include "dataplane/liveness/receive.hpp"
#include "dataplane/packet/flow_hash.hpp"
#include "dataplane/packet/fragment.hpp"
#include "dataplane/packet/headers.hpp"
#include "dataplane/packet/icmp_error.hpp"
#include "dataplane/packet/soft_flow.hpp"
#include "dataplane/worker/buffer_note.hpp"
#include "dataplane/worker/punt.hpp"
#include "dataplane/worker/ring.hpp"
#include "dataplane/worker/transmit.hpp"
#include "dataplane/worker/vlan.hpp"

namespace torii::dataplane {
namespace {

constexpr std::uint8_t kAdvertise = 136;  // RFC 4861 §4.4

// One packet on its way; valid for one call.
struct Packet {
    rte_mbuf* m;
    PortIndex in;
    const PortState& port;     // of the ingress
    bool link_unicast = true;  // the frame was for our MAC
    bool ours = false;         // made here or by our kernel: not aged, not answered

    std::uint8_t* frame() const { return rte_pktmbuf_mtod(m, std::uint8_t*); }
    std::uint8_t* ip() const { return frame() + kEtherHeader; }
    // What of the packet lies in the first segment.
    std::span<const std::uint8_t> bytes() const {
        return {ip(), std::size_t{m->data_len} - kEtherHeader};
    }
    std::uint32_t length() const { return m->pkt_len - kEtherHeader; }
    bool is_ip4() const { return read16(frame() + 12) == kEtherIp4; }
};

void route(Worker& w, const Packet& p);
void settle(Worker& w, const Packet& p, HopId id);

HopId lookup4(const Tables& t, std::uint32_t a) {
    auto v = read_shared(t.fib4.root[a >> 8]);
    if (value::is_child(v))
        v = read_shared(t.fib4.blocks[value::payload(v) * std::size_t{256} + (a & 0xff)]);
    const auto hop = value::payload(v);
    return hop != 0 ? hop : read_shared(*t.fib4.fallback);
}

HopId lookup(const Tables& t, const Packet& p, bool source) {
    const auto* ip = p.ip();
    if (p.is_ip4()) return lookup4(t, read32(ip + (source ? 12 : 16)));
    const auto* a = ip + (source ? 8 : 24);
    return lookup6(t.fib6, read64(a), read64(a + 8));
}

// ARP or ND that passes, from `mac`, of an address that leads to `id`. Unknown
// neighbors do not crowd out those that we send to.
void punt_neighbor(Worker& w, const Packet& p, HopId id, const std::uint8_t* mac) {
    const Hop hop = load(w.tables->hops[id]);
    const bool known =
        hop.kind() == HopKind::Forward && hop.port == p.in && hop.next_hop_mac_is(mac);
    punt(w, p.in, p.port, p.m, known ? PuntClass::KnownNeighbor : PuntClass::Neighbor);
}

void punt_arp(Worker& w, const Packet& p) {
    const auto* arp = p.ip();
    punt_neighbor(w, p, lookup4(*w.tables, read32(arp + 14)), arp + 8);
}

void punt_nd(Worker& w, const Packet& p) {
    const auto* about = p.ip() + (p.ip()[kIp6Header] == kAdvertise ? kIp6Header + 8 : 8);
    punt_neighbor(w, p, lookup6(w.tables->fib6, read64(about), read64(about + 8)), p.frame() + 6);
}

// What a path's MTU is has a budget of its own (RFC 1191, RFC 8201): without it connections hang.
bool admits_error(const Worker& w, const Packet& p, const IcmpError& error) {
    const bool too_big = p.is_ip4() ? error.type == 3 && error.code == 4 : error.type == 2;
    auto& of = too_big ? w.policing->too_big : w.policing->icmp_errors;
    return of[p.in].admit(w.now);
}

// Our own kernel learns what becomes of its packets, the MTU of their path above all. The error
// comes from where the packet was sent to: of our addresses the kernel takes none from outside.
void report_to_kernel(Worker& w, const Packet& p, const IcmpError& error) {
    auto* const ring = w.punt[static_cast<std::size_t>(PuntClass::Icmp)];
    const auto bytes = p.bytes();
    const bool ip4 = p.is_ip4();
    if (ring == nullptr || bytes.size() < (ip4 ? kIp4Header : kIp6Header)) return;
    if (!(ip4 ? may_answer_ip4(bytes, true) : may_answer_ip6(bytes, true, error))) return;
    if (!admits_error(w, p, error)) return;
    auto* m = rte_pktmbuf_alloc(w.pool);
    if (m == nullptr) return;
    std::span<std::uint8_t> out{rte_pktmbuf_mtod(m, std::uint8_t*), kMaxIcmp6Error};
    const auto length = ip4 ? write_icmp4_error(out, bytes, error, read32(bytes.data() + 16))
                            : write_icmp6_error(out, bytes, error, bytes.subspan<24, 16>());
    m->data_len = static_cast<std::uint16_t>(length);
    m->pkt_len = m->data_len;
    note(m).kind = BufferNote::Kind::Punted;
    note(m).port = kFromKernel;
    if (!ring_put(ring, m)) return rte_pktmbuf_free(m);
    ++w.counters.generated;
    w.exception->ring();
}

// Sends the ICMP error, as far as rules and rate allow, and lets the packet leave.
void refuse(Worker& w, const Packet& p, Exit exit, const IcmpError& error) {
    if (error.type != 0 && p.ours && p.in == kFromKernel) report_to_kernel(w, p, error);
    if (error.type != 0 && !p.ours) {
        const auto bytes = p.bytes();
        const bool ip4 = p.is_ip4();
        const bool may = ip4 ? may_answer_ip4(bytes, p.link_unicast)
                             : may_answer_ip6(bytes, p.link_unicast, error);
        const bool addressed =
            ip4 ? p.port.ip4_source != 0 : p.port.ip6_source != decltype(p.port.ip6_source){};
        if (may && addressed && admits_error(w, p, error)) {
            if (auto* m = rte_pktmbuf_alloc(w.pool); m != nullptr) {
                auto* frame = rte_pktmbuf_mtod(m, std::uint8_t*);
                std::span<std::uint8_t> out{frame + kEtherHeader, kMaxIcmp6Error};
                const auto length = ip4 ? write_icmp4_error(out, bytes, error, p.port.ip4_source)
                                        : write_icmp6_error(out, bytes, error, p.port.ip6_source);
                write16(frame + 12, ip4 ? kEtherIp4 : kEtherIp6);
                m->data_len = static_cast<std::uint16_t>(kEtherHeader + length);
                m->pkt_len = m->data_len;
                ++w.counters.generated;
                route(w, {m, kFromKernel, p.port, true, true});
            }
        }
    }
    drop(w, p.in, p.m, exit);
}

void fragment(Worker& w, const Packet& p, const Hop& hop, HopId id) {
    if (p.m->nb_segs > 1 && rte_pktmbuf_linearize(p.m) != 0)
        return drop(w, p.in, p.m, Exit::NoBuffer);
    const auto total = read16(p.ip() + 2);
    const std::uint32_t header = (p.ip()[0] & 15u) * 4;
    const std::uint32_t pieces = (total - header) / ((hop.mtu - header) & ~7u) + 1;
    rte_mbuf* made[64];
    if (hop.mtu < 68 || pieces > 64 || rte_pktmbuf_alloc_bulk(w.pool, made, pieces) != 0)
        return drop(w, p.in, p.m, Exit::NoBuffer);
    Fragmenter cut{{p.ip(), total}, hop.mtu};
    unsigned n = 0;
    for (; n < pieces; ++n) {
        auto* frame = rte_pktmbuf_mtod(made[n], std::uint8_t*);
        const auto length = cut.next(frame + kEtherHeader);
        if (length == 0) break;
        std::memcpy(frame, hop.macs, 12);
        write16(frame + 12, kEtherIp4);
        made[n]->data_len = static_cast<std::uint16_t>(kEtherHeader + length);
        made[n]->pkt_len = made[n]->data_len;
        auto& count = w.counters.hops[id];
        ++count.packets;
        count.bytes += length;
        transmit(w, hop.port, made[n]);
    }
    if (n < pieces) rte_pktmbuf_free_bulk(&made[n], pieces - n);
    w.counters.generated += n - 1;
    rte_pktmbuf_free(p.m);
}

void age(const Packet& p) {
    auto* ip = p.ip();
    if (!p.is_ip4()) {
        --ip[7];
        return;
    }
    // RFC 1624 equation 3 for TTL - 1.
    --ip[8];
    const auto sum = (std::uint32_t{0xffff} & ~std::uint32_t{read16(ip + 10)}) + 0xfeff;
    write16(ip + 10, ~fold16(sum) & 0xffffu);
}

void send(Worker& w, const Packet& p, const Hop& hop, HopId id) {
    const bool ip4 = p.is_ip4();
    auto* ip = p.ip();
    if (!p.ours && (ip4 ? ip[8] : ip[7]) <= 1)
        return refuse(w, p, ip4 ? Exit::Ip4TtlExceeded : Exit::Ip6HopExceeded,
                      ip4 ? IcmpError{11, 0, 0} : IcmpError{3, 0, 0});
    const std::uint32_t length = ip4 ? read16(ip + 2) : kIp6Header + read16(ip + 4);
    if (length > hop.mtu) {
        if (!ip4) return refuse(w, p, Exit::Ip6TooBig, {2, 0, hop.mtu});
        if (read16(ip + 6) & kDontFragment) return refuse(w, p, Exit::Ip4TooBig, {3, 4, hop.mtu});
        if (!p.ours) age(p);
        return fragment(w, p, hop, id);
    }
    if (p.m->nb_segs > 1 && rte_pktmbuf_linearize(p.m) != 0)
        return drop(w, p.in, p.m, Exit::NoBuffer);
    if (!p.ours) age(p);
    std::memcpy(p.frame(), hop.macs, 12);
    auto& count = w.counters.hops[id];
    ++count.packets;
    count.bytes += length;
    transmit(w, hop.port, p.m);
}

// Trailers do not travel on, and everything behind relies on the packet's length.
bool trim_to_packet(const Packet& p) {
    const std::uint32_t length = p.is_ip4() ? read16(p.ip() + 2) : kIp6Header + read16(p.ip() + 4);
    const auto frame = length + kEtherHeader;
    return p.m->pkt_len == frame ||
           rte_pktmbuf_trim(p.m, static_cast<std::uint16_t>(p.m->pkt_len - frame)) == 0;
}

// BGP's class is for those that a session is configured with, by address and TTL.
PuntClass class_by_source(const Worker& w, const Packet& p, PuntClass c) {
    if (c != PuntClass::Bgp && c != PuntClass::BgpOpen) return c;
    const auto* sources = w.tables->bgp.load(std::memory_order_acquire);
    if (sources == nullptr) return c;
    const auto* ip = p.ip();
    const bool ip4 = p.is_ip4();
    return sources->class_of(ip4 ? IpAddress::v4(read32(ip + 12)) : ip6_at(ip + 8), ip[ip4 ? 8 : 7],
                             c == PuntClass::BgpOpen);
}

void local(Worker& w, const Packet& p) {
    const bool ip4 = p.is_ip4();
    if (p.m->nb_segs > 1 && rte_pktmbuf_linearize(p.m) != 0)
        return drop(w, p.in, p.m, Exit::NoBuffer);
    if (liveness::is_control(p.bytes())) return liveness::take_control(w, p.in, p.m, p.bytes());
    // Neighbor discovery to our unicast addresses has rules of its own.
    if (!ip4 && p.ip()[6] == kIcmp6 && p.m->data_len > kEtherHeader + kIp6Header) {
        const auto type = p.ip()[kIp6Header];
        if (type >= 133 && type <= 137) {
            const auto exit = inspect_nd(p.bytes(), p.port.addresses);
            if (type == kAdvertise && is_punt(exit) &&
                liveness::take_answer(w, p.in, ip6_at(p.ip() + kIp6Header + 8), p.frame() + 6))
                return drop(w, p.in, p.m, Exit::LivenessProbe);
            return is_punt(exit) ? punt_nd(w, p) : drop(w, p.in, p.m, exit);
        }
    }
    const auto* listed = w.tables->udp_services.load(std::memory_order_acquire);
    const auto services = listed != nullptr ? std::span{*listed} : std::span<const std::uint16_t>{};
    const auto verdict =
        ip4 ? inspect_local4(p.bytes(), services) : inspect_local6(p.bytes(), services);
    if (is_punt(verdict.exit))
        return punt(w, p.in, p.port, p.m,
                    class_by_source(w, p, static_cast<PuntClass>(verdict.exit)));
    refuse(w, p, verdict.exit, verdict.error);
}

void hold(Worker& w, const Packet& p, const Hop& hop, bool guarded) {
    // Next hops are known and few; addresses of an attached network are as many as a scan has.
    if (hop.kind() == HopKind::Attached && !w.policing->glean[hop.port].admit(w.now))
        return drop(w, p.in, p.m, Exit::HoldPoliced);
    if (p.in == kFromKernel || p.ours) {
        // The kernel's own queue waits better; ours would wait for an answer to itself.
        note(p.m).port = kFromKernel;
    } else {
        note(p.m).port = p.in;
    }
    auto& n = note(p.m);
    n.kind = BufferNote::Kind::Held;
    n.out_port = hop.port;
    n.guarded = guarded;
    n.neighbor = hop.kind() == HopKind::Hold ? static_cast<std::uint32_t>(hop.number()) : 0;
    const auto* ip = p.ip();
    n.address = p.is_ip4() ? IpAddress::v4(read32(ip + 16)) : ip6_at(ip + 24);
    if (!ring_put(w.hold, p.m)) return drop(w, p.in, p.m, Exit::HoldFull);
    ++w.counters.held;
    w.control->ring();
}

std::uint32_t hash_of(const Packet& p) {
    const auto length = static_cast<std::uint32_t>(p.bytes().size());
    return p.is_ip4() ? hash_ip4(p.ip(), length) : hash_ip6(p.ip(), length);
}

// The member that a flow chose has failed, and its buckets are not given away yet: another
// one, the same for all packets of the flow, or else what the group has as its backup.
// kNone: no group, or no member is left.
HopId stand_in(const Worker& w, const Packet& p) {
    const Hop hop = load(w.tables->hops[lookup(*w.tables, p, false)]);
    if (hop.kind() != HopKind::Group) return HopTable::kNone;
    constexpr unsigned kTries = 32;
    const auto& table = *hop.buckets();
    auto hash = hash_of(p);
    for (unsigned i = 0; i < kTries; ++i) {
        hash = (hash ^ hash >> 15) * 0x9e3779b1u + 1;
        const HopId id = table.buckets[hash & table.mask].hop;
        if (load(w.tables->hops[id]).kind() == HopKind::Forward) return id;
    }
    const HopId backup = table.backup;
    return load(w.tables->hops[backup]).kind() == HopKind::Forward ? backup : HopTable::kNone;
}

void settle(Worker& w, const Packet& p, HopId id) {
    Hop hop = load(w.tables->hops[id]);
    const bool ip4 = p.is_ip4();
    bool guarded = false;
    if (hop.kind() == HopKind::Group) {
        guarded = hop.guarded() && !p.ours;
        auto& bucket = hop.buckets()->buckets[hash_of(p) & hop.buckets()->mask];
        bucket.epoch = w.epoch;
        auto& count = w.counters.hops[id];
        ++count.packets;
        count.bytes += p.length();
        id = bucket.hop;
        hop = load(w.tables->hops[id]);
    }
    if (hop.kind() == HopKind::Unreachable) {
        if (const auto other = stand_in(w, p); other != HopTable::kNone) {
            id = other;
            hop = load(w.tables->hops[id]);
        }
    }
    // RFC 1812 §5.3.1: a packet for ourselves may come with any TTL.
    const bool leaves = hop.kind() == HopKind::Attached || hop.kind() == HopKind::Hold;
    if (leaves && !p.ours && p.ip()[ip4 ? 8 : 7] <= 1)
        return refuse(w, p, ip4 ? Exit::Ip4TtlExceeded : Exit::Ip6HopExceeded,
                      ip4 ? IcmpError{11, 0, 0} : IcmpError{3, 0, 0});
    switch (hop.kind()) {
        case HopKind::Forward:
            if (guarded && hop.next_hop_mac_is(p.frame() + 6))
                return drop(w, p.in, p.m, Exit::LoopGuard);
            return send(w, p, hop, id);
        case HopKind::Local:
            if (p.ours) return drop(w, p.in, p.m, Exit::PuntNoTwin);
            return local(w, p);
        case HopKind::Attached:
        case HopKind::Hold:
            return hold(w, p, hop, guarded);
        case HopKind::Discard:
            return drop(w, p.in, p.m, ip4 ? Exit::Ip4Discard : Exit::Ip6Discard);
        case HopKind::Broadcast:
            return drop(w, p.in, p.m, Exit::Ip4DirectedBroadcast);
        case HopKind::Unreachable:
            return refuse(w, p, ip4 ? Exit::Ip4Unreachable : Exit::Ip6Unreachable,
                          ip4 ? IcmpError{3, 1, 0} : IcmpError{1, 0, 0});
        case HopKind::NoRoute:
        case HopKind::Group:
            return refuse(w, p, ip4 ? Exit::Ip4NoRoute : Exit::Ip6NoRoute,
                          ip4 ? IcmpError{3, 0, 0} : IcmpError{1, 0, 0});
    }
}

void route(Worker& w, const Packet& p) {
    settle(w, p, lookup(*w.tables, p, false));
}

// From an address of ours, or from all hosts of an attached network (RFC 1812 §5.3.7).
bool from_ourselves(const Worker& w, const Packet& p) {
    const auto kind = load(w.tables->hops[lookup(*w.tables, p, true)]).kind();
    return kind == HopKind::Local || kind == HopKind::Broadcast;
}

bool is_own(const PortState& port, const IpAddress& address) {
    return std::ranges::find(port.addresses, address, &PortAddress::address) !=
           port.addresses.end();
}

// RFC 3927 §2.7: what has an address of a link stays there. Between us and that link it passes.
bool is_of_link4(const std::uint8_t* address) {
    return read16(address) == 0xa9fe;
}

void ip_frame(Worker& w, Packet& p, bool to_us, bool to_group) {
    const bool ip4 = p.is_ip4();
    const bool known = (p.m->ol_flags & RTE_MBUF_F_RX_IP_CKSUM_MASK) == RTE_MBUF_F_RX_IP_CKSUM_GOOD;
    const auto verdict =
        ip4 ? inspect_ip4(p.bytes(), p.length(), known) : inspect_ip6(p.bytes(), p.length());
    p.link_unicast = to_us;
    if (!verdict.passes()) {
        // The one group of the kernel's that routers of a pair talk in.
        const bool group = verdict.exit == Exit::Ip4Multicast || verdict.exit == Exit::Ip6Multicast;
        if (group && to_group && is_vrrp_group(p.bytes()) && trim_to_packet(p)) return local(w, p);
        if (group && to_group && !ip4 && is_mld_query(p.bytes()))
            return punt(w, p.in, p.port, p.m, PuntClass::Mld);
        return refuse(w, p, verdict.exit, verdict.error);
    }
    if (!trim_to_packet(p)) return drop(w, p.in, p.m, Exit::NoBuffer);
    const auto* ip = p.ip();
    if (!ip4 && ip[24] == 0xff) {
        if (!to_group) return drop(w, p.in, p.m, Exit::Ip6Multicast);
        const auto type = p.length() > kIp6Header ? ip[kIp6Header] : std::uint8_t{0};
        if (type < 133 || type > 137) return drop(w, p.in, p.m, Exit::Ip6Multicast);
        const auto exit = inspect_nd(p.bytes(), p.port.addresses);
        return is_punt(exit) ? punt_nd(w, p) : drop(w, p.in, p.m, exit);
    }
    if (from_ourselves(w, p)) {
        if (to_us && liveness::is_echo(p.bytes()))
            return drop(w, p.in, p.m, liveness::take_echo(w, p.in, p.bytes()));
        return drop(w, p.in, p.m, ip4 ? Exit::Ip4MartianSource : Exit::Ip6MartianSource);
    }
    if (ip4 && (is_of_link4(ip + 12) || is_of_link4(ip + 16))) {
        if (to_us && is_own(p.port, IpAddress::v4(read32(ip + 16)))) return local(w, p);
        return drop(w, p.in, p.m,
                    is_of_link4(ip + 12) ? Exit::Ip4MartianSource : Exit::Ip4MartianDestination);
    }
    if (!to_us) {
        // RFC 1812 §5.3.4; an echo request to all hosts is not answered (RFC 1122 §3.2.2.6).
        const bool echo = ip4 && ip[9] == kIcmp &&
                          w.tables->hops[lookup(*w.tables, p, false)].kind() == HopKind::Broadcast;
        return drop(w, p.in, p.m, echo ? Exit::IcmpIgnored : Exit::L2NotForUs);
    }
    if (!ip4) {
        // RFC 4291 §2.5.6: link-local packets stay on their link.
        const bool source_local = ip[8] == 0xfe && (ip[9] & 0xc0) == 0x80;
        const bool destination_local = ip[24] == 0xfe && (ip[25] & 0xc0) == 0x80;
        if (destination_local) {
            if (is_own(p.port, ip6_at(ip + 24))) return local(w, p);
            return drop(w, p.in, p.m, Exit::Ip6Scope);
        }
        // RFC 4861 §8.3: whomever it is for, a router does not follow a redirect.
        constexpr std::uint8_t kRedirect = 137;
        if (ip[6] == kIcmp6 && p.length() > kIp6Header && ip[kIp6Header] == kRedirect)
            return drop(w, p.in, p.m, Exit::Icmp6Redirect);
        if (source_local) {
            const auto kind = w.tables->hops[lookup(*w.tables, p, false)].kind();
            // RFC 4443 §3.1: beyond scope of source address.
            return kind == HopKind::Local ? local(w, p) : refuse(w, p, Exit::Ip6Scope, {1, 2, 0});
        }
    }
    if (p.port.strict_rpf && !reverse_path_ok(w, p.in, ip, ip4))
        return drop(w, p.in, p.m, Exit::Urpf);
    route(w, p);
}

// Takes the tag out where none is expected; false when the packet left instead.
bool untag(Worker& w, const Packet& p) {
    const auto leave = [&](Exit exit) {
        drop(w, p.in, p.m, exit);
        return false;
    };
    // The one that names a sub-port is out already.
    if (p.port.vlan != 0 || p.port.sub_ports) return leave(Exit::L2DoubleTag);
    if (p.m->data_len < kEtherHeader + kVlanTag) return leave(Exit::RxRunt);
    // IEEE 802.1Q §9.6: 0 is a mere priority.
    const std::uint16_t id = read16(p.frame() + 14) & kVlanId;
    if (id != 0) return leave(exit_of_tag(id));
    take_tag_out(p.m);
    return read16(p.frame() + 12) != kEtherVlan || leave(Exit::L2DoubleTag);
}

}  // namespace

bool reverse_path_ok(const Worker& w, PortIndex in, const std::uint8_t* ip, bool ip4) {
    const auto id = ip4 ? lookup4(*w.tables, read32(ip + 12))
                        : lookup6(w.tables->fib6, read64(ip + 8), read64(ip + 16));
    const Hop hop = load(w.tables->hops[id]);
    switch (hop.kind()) {
        case HopKind::Forward:
        case HopKind::Attached:
        case HopKind::Hold:
            return hop.port == in;
        case HopKind::Group: {
            const std::uint64_t ports = hop.buckets()->ports;
            return ports >> in & 1;
        }
        default:
            return false;
    }
}

void slow_frame(Worker& w, PortIndex in, const PortState& port, rte_mbuf* m) {
    ++w.counters.slow[in];
    constexpr std::uint32_t kHeaders = 256;  // what inspection may want contiguous
    if (m->pkt_len < kEtherHeader) return drop(w, in, m, Exit::RxRunt);
    if (m->pkt_len > port.max_frame) return drop(w, in, m, Exit::RxOversize);
    if (m->nb_segs > 1 && m->data_len < std::min(kHeaders, m->pkt_len) &&
        rte_pktmbuf_linearize(m) != 0)
        return drop(w, in, m, Exit::NoBuffer);

    Packet p{m, in, port};
    if (p.frame()[6] & 1) return drop(w, in, m, Exit::L2BadSource);
    if (read16(p.frame() + 12) == kEtherVlan) {
        if (!untag(w, p)) return;
        // Behind a tag neither the port nor the burst saw the source.
        if (port.soft && port.soft->drops(p.frame(), m->data_len))
            return drop(w, in, m, Exit::DropList);
    }

    std::uint64_t to = 0;
    std::memcpy(&to, p.frame(), 6);
    const bool to_us = to == port.mac_bits, to_group = (p.frame()[0] & 1) != 0;
    const auto type = read16(p.frame() + 12);
    if (!to_us && !to_group) return drop(w, in, m, Exit::L2NotForUs);
    switch (type) {
        case kEtherArp: {
            const auto exit = inspect_arp(p.bytes(), port.mac, port.addresses);
            constexpr std::uint16_t kReply = 2;
            if (is_punt(exit) && read16(p.ip() + 6) == kReply &&
                liveness::take_answer(w, in, IpAddress::v4(read32(p.ip() + 14)), p.ip() + 8))
                return drop(w, in, m, Exit::LivenessProbe);
            return is_punt(exit) ? punt_arp(w, p) : drop(w, in, m, exit);
        }
        case kEtherIp4:
        case kEtherIp6:
            return ip_frame(w, p, to_us, to_group);
        default:
            return drop(w, in, m, Exit::L2UnknownType);
    }
}

void slow_hop(Worker& w, PortIndex in, const PortState& port, rte_mbuf* m, HopId hop) {
    ++w.counters.slow[in];
    settle(w, {m, in, port}, hop);
}

void send_routed(Worker& w, rte_mbuf* m) {
    static const PortState kOurs{};
    route(w, {m, kFromKernel, kOurs, true, true});
}

void injected(Worker& w, rte_mbuf* m) {
    const auto& n = note(m);
    const auto* port =
        n.port < kMaxPorts ? w.tables->ports[n.port].load(std::memory_order_acquire) : nullptr;
    static const PortState kKernel{};
    const Packet p{m, port != nullptr ? n.port : kFromKernel, port != nullptr ? *port : kKernel};
    switch (n.kind) {
        case BufferNote::Kind::KernelFrame:
            ++w.counters.injected;
            if (port == nullptr) return drop(w, kFromKernel, m, Exit::LinkDown);
            return transmit(w, n.port, m);
        case BufferNote::Kind::KernelPacket:
            ++w.counters.injected;
            return route(w, {m, kFromKernel, kKernel, true, true});
        case BufferNote::Kind::Resumed:
            // Without another lookup: what the table has there may be on its way still.
            ++w.counters.resumed;
            if (n.guarded && n.next.next_hop_mac_is(p.frame() + 6))
                return drop(w, p.in, m, Exit::LoopGuard);
            return send(w, {m, p.in, p.port, true, port == nullptr}, n.next, n.hop);
        case BufferNote::Kind::TimedOut:
            ++w.counters.resumed;
            return refuse(w, p, p.is_ip4() ? Exit::Ip4ArpTimeout : Exit::Ip6NdTimeout,
                          p.is_ip4() ? IcmpError{3, 1, 0} : IcmpError{1, 3, 0});
        case BufferNote::Kind::Bfd:
            return liveness::take_control(w, p.in, m, p.bytes());
        case BufferNote::Kind::Punted:
        case BufferNote::Kind::Held:
            return drop(w, p.in, m, Exit::Stopped);
    }
}

}  // namespace torii::dataplane
