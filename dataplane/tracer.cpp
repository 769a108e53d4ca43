#include "dataplane/tracer.hpp"

#include <rte_cycles.h>
#include <rte_ip.h>
#include <rte_mbuf.h>
#include <rte_ring.h>

#include <cstring>

#include "dataplane/fib/bucket_table.hpp"
#include "dataplane/fib/lookup6.hpp"
#include "dataplane/packet/flow_hash.hpp"
#include "dataplane/packet/headers.hpp"
#include "dataplane/worker/capture.hpp"
#include "dataplane/worker/ring.hpp"
#include "dataplane/worker/vlan.hpp"
#include "dataplane/worker/worker.hpp"

namespace torii::dataplane {
namespace {

// The MAC of no neighbor, so that the loop guard has no reason.
constexpr std::uint8_t kSourceMac[6] = {0x02, 0, 0, 0, 0, 0x01};

constexpr std::uint16_t header_of(std::uint8_t protocol) {
    return protocol == kTcp ? 20 : 8;
}

// TCP with SYN, UDP without payload, an ICMP echo request; of others eight zeros.
void write_l4(std::uint8_t* l4, const TracePacket& p) {
    if (has_ports(p.protocol)) {
        write16(l4, p.source_port);
        write16(l4 + 2, p.destination_port);
    }
    if (p.protocol == kTcp) {
        constexpr std::uint8_t kSyn = 2;
        l4[12] = 5 << 4;
        l4[13] = kSyn;
    } else if (p.protocol == kUdp) {
        write16(l4 + 4, header_of(kUdp));
    } else if (p.protocol == kIcmp || p.protocol == kIcmp6) {
        constexpr std::uint8_t kEcho4 = 8, kEcho6 = 128;
        l4[0] = p.protocol == kIcmp ? kEcho4 : kEcho6;
    }
}

// Where the transport's checksum stands; 0: it has none that we write.
std::uint32_t checksum_at(std::uint8_t protocol) {
    if (protocol == kTcp) return 16;
    if (protocol == kUdp) return 6;
    return protocol == kIcmp || protocol == kIcmp6 ? 2 : 0;
}

// A whole frame; its length.
std::uint16_t write_frame(std::uint8_t* frame, const TracePacket& p, const MacAddress& to) {
    std::memset(frame, 0, kEtherHeader + kIp6Header + 20);
    std::memcpy(frame, to.bytes.data(), 6);
    std::memcpy(frame + 6, kSourceMac, 6);
    auto* ip = frame + kEtherHeader;
    const auto payload = header_of(p.protocol);
    const auto sum_at = checksum_at(p.protocol);
    if (p.destination.is_v4()) {
        write16(frame + 12, kEtherIp4);
        ip[0] = 0x45;
        write16(ip + 2, static_cast<std::uint16_t>(kIp4Header + payload));
        ip[8] = p.ttl;
        ip[9] = p.protocol;
        write32(ip + 12, p.source.v4());
        write32(ip + 16, p.destination.v4());
        auto* l4 = ip + kIp4Header;
        write_l4(l4, p);
        auto* header = reinterpret_cast<rte_ipv4_hdr*>(ip);
        header->hdr_checksum = rte_ipv4_cksum(header);
        std::uint16_t sum = 0;
        if (p.protocol == kIcmp)
            sum = static_cast<std::uint16_t>(~rte_raw_cksum(l4, payload));
        else if (sum_at != 0)
            sum = rte_ipv4_udptcp_cksum(header, l4);
        if (sum_at != 0) std::memcpy(l4 + sum_at, &sum, 2);
        return static_cast<std::uint16_t>(kEtherHeader + kIp4Header + payload);
    }
    write16(frame + 12, kEtherIp6);
    ip[0] = 0x60;
    write16(ip + 4, payload);
    ip[6] = p.protocol;
    ip[7] = p.ttl;
    std::memcpy(ip + 8, p.source.bytes().data(), 16);
    std::memcpy(ip + 24, p.destination.bytes().data(), 16);
    auto* l4 = ip + kIp6Header;
    write_l4(l4, p);
    if (sum_at != 0) {
        const auto sum = rte_ipv6_udptcp_cksum(reinterpret_cast<rte_ipv6_hdr*>(ip), l4);
        std::memcpy(l4 + sum_at, &sum, 2);
    }
    return static_cast<std::uint16_t>(kEtherHeader + kIp6Header + payload);
}

HopId lookup(const Tables& tables, const IpAddress& destination) {
    if (!destination.is_v4()) {
        const auto* bytes = destination.bytes().data();
        return lookup6(tables.fib6, read64(bytes), read64(bytes + 8));
    }
    const auto a = destination.v4();
    auto v = tables.fib4.root[a >> 8];
    if (value::is_child(v))
        v = tables.fib4.blocks[value::payload(v) * std::size_t{256} + (a & 0xff)];
    const auto hop = value::payload(v);
    return hop != 0 ? hop : *tables.fib4.fallback;
}

CaptureFilter everything() {
    CaptureFilter out;
    out.points.set();
    out.snap = kEtherHeader;
    return out;
}

struct FreeRing {
    void operator()(rte_ring* ring) const { rte_ring_free(ring); }
};

}  // namespace

struct Tracer::Ghost {
    Ghost(const Worker& like, std::uint32_t hop_limit) : worker(kMaxWorkers, hop_limit) {
        worker.tables = like.tables;
        worker.forward = like.forward;
        worker.pool = like.pool;
        worker.lcore = like.lcore;
        // Awake: no thread has to be woken for what only seems to happen.
        bell.asleep = false;
        worker.exception = worker.control = &bell;
        ring.reset(rte_ring_create("ghost", 8, static_cast<int>(rte_socket_id()),
                                   RING_F_SP_ENQ | RING_F_SC_DEQ));
        worker.hold = ring.get();
        for (auto& punt : worker.punt) punt = ring.get();
        worker.capture.store(&exits, std::memory_order_relaxed);
    }

    TraceView outcome(const rte_mbuf* ours, bool& left);

    Doorbell bell;
    std::unique_ptr<rte_ring, FreeRing> ring;
    CaptureRing exits{everything()};
    Worker worker;
};

Tracer::Tracer(const Worker& like, std::uint32_t hop_limit)
    : ghost_(std::make_unique<Ghost>(like, hop_limit)) {}
Tracer::~Tracer() = default;

// Looks at what the ghost did, and takes it away.
TraceView Tracer::Ghost::outcome(const rte_mbuf* ours, bool& left) {
    TraceView out;
    left = false;
    for (PortIndex port = 0; port < kMaxPorts; ++port) {
        for (unsigned i = 0; i < worker.waiting[port]; ++i) {
            auto* m = worker.out[port].packets[i];
            if (m == ours) {
                left = true;
                out.exit = "transmit";
                out.out = port;
                std::memcpy(out.mac.bytes.data(), rte_pktmbuf_mtod(m, std::uint8_t*), 6);
            } else {
                out.answered = true;
            }
            rte_pktmbuf_free(m);
        }
        worker.waiting[port] = worker.urgent[port] = 0;
        std::ranges::fill(worker.out[port].bytes, 0);
    }
    void* taken = nullptr;
    while (ring && ring_take(ring.get(), &taken, 1) == 1) {
        if (taken == ours) {
            left = true;
            out.exit = "hold";
        }
        rte_pktmbuf_free(static_cast<rte_mbuf*>(taken));
    }
    // An answer by ICMP may have an exit of its own: the frame's source MAC separates them.
    CapturedFrame frame;
    while (exits.take(frame))
        if (std::memcmp(&frame.bytes[6], kSourceMac, sizeof kSourceMac) == 0) {
            left = true;
            out.exit = capture_point_name(frame.point);
        } else {
            out.answered = true;
        }
    return out;
}

std::optional<TraceView> Tracer::trace(const TracePacket& packet) {
    auto& w = ghost_->worker;
    if (packet.in >= kMaxPorts || !ghost_->ring) return std::nullopt;
    const auto* port = w.tables->ports[packet.in].load(std::memory_order_acquire);
    auto* m = port != nullptr ? rte_pktmbuf_alloc(w.pool) : nullptr;
    if (m == nullptr) return std::nullopt;
    auto* frame = rte_pktmbuf_mtod(m, std::uint8_t*);
    m->data_len = write_frame(frame, packet, port->mac);
    m->pkt_len = m->data_len;
    m->packet_type = 0;

    const Hop hop = load(w.tables->hops[lookup(*w.tables, packet.destination)]);
    Bucket* bucket = nullptr;
    std::uint32_t index = 0, buckets = 0;
    if (hop.kind() == HopKind::Group) {
        const auto* ip = frame + kEtherHeader;
        const std::uint32_t length = m->data_len - kEtherHeader;
        const auto& table = *hop.buckets();
        index =
            (packet.destination.is_v4() ? hash_ip4(ip, length) : hash_ip6(ip, length)) & table.mask;
        buckets = table.size();
        bucket = &table.buckets[index];
    }
    // A bucket that is only asked about is not in use.
    const auto used = bucket != nullptr ? bucket->epoch.word : 0;
    w.now = rte_rdtsc();
    forward(w, packet.in, *port, &m, 1);
    if (bucket != nullptr) bucket->epoch = used;

    bool left = false;
    auto out = ghost_->outcome(m, left);
    if (!left) return std::nullopt;
    out.buckets = buckets;
    out.bucket = index;
    return out;
}

}  // namespace torii::dataplane
