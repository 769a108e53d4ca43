#include "tests/support/packet_world.hpp"

#include <rte_ethdev.h>
#include <rte_ring.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>

#include "dataplane/slow/slow_path.hpp"
#include "dataplane/worker/buffer_note.hpp"
#include "dataplane/worker/transmit.hpp"
#include "dataplane/worker/vlan.hpp"
#include "tests/support/test_eal.hpp"

namespace torii::support {
namespace {

using namespace dataplane;

rte_mempool* pool = nullptr;
std::vector<std::pair<PortIndex, rte_mbuf*>> caught;
constexpr std::uint16_t kVlans[2] = {100, 200};

std::uint16_t room = 0xffff;  // of a device, in one call

std::uint16_t catch_packets(void* port, rte_mbuf** packets, std::uint16_t n) {
    n = std::min(n, room);
    for (std::uint16_t i = 0; i < n; ++i)
        caught.emplace_back(*static_cast<PortIndex*>(port), packets[i]);
    return n;
}

void start_eal_once() {
    if (pool != nullptr) return;
    start_test_eal("torii-test");
    pool = rte_pktmbuf_pool_create("world", 8191, 0, 64, 10'240, 0);
    if (pool == nullptr) std::abort();
    static PortIndex numbers[2] = {0, 1};
    static void* queues[2][1] = {{&numbers[0]}, {&numbers[1]}};
    for (std::uint16_t p = 0; p < 2; ++p) {
        rte_eth_conf conf{};
        if (rte_eth_dev_configure(p, 1, 1, &conf) != 0 ||
            rte_eth_rx_queue_setup(p, 0, 64, 0, nullptr, pool) != 0 ||
            rte_eth_tx_queue_setup(p, 0, 64, 0, nullptr) != 0 || rte_eth_dev_start(p) != 0)
            std::abort();
        rte_eth_fp_ops[p].txq.data = queues[p];
        rte_eth_fp_ops[p].tx_pkt_burst = catch_packets;
    }
}

IpAddress ip(const std::string& text) {
    return *IpAddress::parse(text);
}
Bytes bytes_of(rte_mbuf* m) {
    Bytes out(m->pkt_len);
    const auto* at = rte_pktmbuf_read(m, 0, m->pkt_len, out.data());
    if (at != out.data()) std::memcpy(out.data(), at, out.size());
    return out;
}

}  // namespace

PacketWorld::PacketWorld(LookupKind kind, Tags tags) : tags_(tags) {
    start_eal_once();
    const char* addresses[2][2] = {{"10.1.0.1", "2001:db8:1::1"}, {"10.2.0.1", "2001:db8:2::1"}};
    for (PortIndex p = 0; p < 2; ++p) {
        auto& port = ports_[p];
        port.mac = {{2, 0, 0, 0, 0, static_cast<std::uint8_t>(p + 1)}};
        std::memcpy(&port.mac_bits, port.mac.bytes.data(), 6);
        port.device = p;
        port.twin = true;
        port.addresses = {{ip(addresses[p][0]), 24}, {ip(addresses[p][1]), 64}};
        port.ip4_source = port.addresses[0].address.v4();
        port.ip6_source = port.addresses[1].address.bytes();
        const auto net4 = ip(addresses[p][0]).v4() & 0xffffff00;
        const auto net6 = Ip6{Ip6::of(ip(addresses[p][1])).high, 0};
        fib4.set(net4, 24, HopTable::attached(p));
        fib6.set(net6, 64, HopTable::attached(p));
        fib4.set(net4 | 1, 32, HopTable::kLocal);
        fib6.set({net6.high, 1}, 128, HopTable::kLocal);
        fib4.set(net4, 32, HopTable::kBroadcast);
        fib4.set(net4 | 255, 32, HopTable::kBroadcast);
        const MacAddress mac{{2, 0, 0, 0, static_cast<std::uint8_t>(p + 1), 1}};
        fib4.set(net4 | 2, 32, neighbor(p, mac));
        fib6.set({net6.high, 2}, 128, neighbor(p, mac));
        for (const auto& own : port.addresses) own_.add(own.address);
        own_.add(net4);
        own_.add(net4 | 255);
    }
    fib4.set(ip("10.1.0.3").v4(), 32, neighbor(0, {{2, 0, 0, 0, 1, 3}}));
    tables_.fib4 = fib4.view();
    tables_.fib6 = fib6.view();
    tables_.hops = hops.data();
    tables_.own = &own_;
    tables_.udp_services = &services_;
    worker = std::make_unique<Worker>(0, 4096);
    worker->tables = &tables_;
    worker->forward = choose_isa(kind).forward;
    worker->send_routed = send_routed;
    worker->pool = pool;
    worker->policing = &policing;
    worker->port_count = 3;
    worker->control = worker->exception = &bell_;
    bell_.asleep = false;
    static unsigned worlds = 0;
    const auto ring = [&](const std::string& name) {
        auto* r = rte_ring_create((name + std::to_string(worlds)).c_str(), 1024, 0, 0);
        if (r == nullptr) std::abort();
        rings_.push_back(r);
        return r;
    };
    for (std::size_t c = 0; c < kPuntClasses; ++c)
        worker->punt[c] = ring("p" + std::to_string(c) + "_");
    worker->hold = ring("h");
    worker->inject = ring("i");
    ++worlds;
    if (tags_ != Tags::None) make_sub_ports();
    publish();
}

void PacketWorld::make_sub_ports() {
    auto sub_ports = std::make_shared<SubPorts>();
    for (PortIndex p = 0; p < 2; ++p) {
        ports_[p].device = 0;
        ports_[p].vlan = kVlans[p];
        ports_[p].inserts_tags = tags_ == Tags::ByDevice;
        sub_ports->of[kVlans[p]] = p;
    }
    auto& trunk = ports_[kTrunk];
    trunk.mac = ports_[0].mac;
    trunk.mac_bits = ports_[0].mac_bits;
    trunk.sub_ports = std::move(sub_ports);
    tables_.ports[kTrunk] = &trunk;
}

PacketWorld::~PacketWorld() {
    take_sent();
    room = 0xffff;
    for (auto* ring : rings_) {
        void* m = nullptr;
        while (rte_ring_dequeue(ring, &m) == 0) rte_pktmbuf_free(static_cast<rte_mbuf*>(m));
        rte_ring_free(ring);
    }
}

HopId PacketWorld::neighbor(PortIndex port, MacAddress mac) {
    const auto id = hops.take();
    neighbors_[port].emplace_back(id, mac);
    return id;
}

void PacketWorld::publish() {
    ports_[kTrunk].max_frame = ports_[kTrunk].mtu + 18u;
    ports_[kTrunk].software_checksum = !checksum_good_;
    for (PortIndex p = 0; p < 2; ++p) {
        ports_[p].max_frame = ports_[p].mtu + 18u;
        ports_[p].software_checksum = !checksum_good_;
        for (const auto& [id, mac] : neighbors_[p])
            hops.write(id, Hop::forward(mac, ports_[p].mac, p, ports_[p].mtu));
        tables_.ports[p] = &ports_[p];
    }
}

void PacketWorld::set_mtu(PortIndex port, std::uint16_t mtu) {
    ports_[port].mtu = mtu;
    publish();
}
void PacketWorld::add_address(PortIndex port, const PortAddress& address) {
    ports_[port].addresses.push_back(address);
    if (address.address.is_v4())
        fib4.set(address.address.v4(), 32, HopTable::kLocal);
    else
        fib6.set(Ip6::of(address.address), 128, HopTable::kLocal);
    own_.add(address.address);
}
void PacketWorld::share_transmit_queues(std::size_t queues) {
    for (auto& port : ports_) port.locks = std::make_shared<TransmitLocks>(queues);
}

void PacketWorld::set_strict_rpf(PortIndex port, bool on) {
    ports_[port].strict_rpf = on;
}
void PacketWorld::set_shut(PortIndex port, bool shut) {
    ports_[port].shut = shut;
}
void PacketWorld::set_hardware_checksum(bool on) {
    checksum_good_ = on;
    publish();
}

void PacketWorld::set_room(std::uint16_t packets) {
    room = packets;
}

void PacketWorld::drop_sources(std::span<const Prefix> sources) {
    for (auto& port : ports_) {
        port.soft = std::make_shared<const SoftFlow>(sources);
        port.drops_early = !port.soft->empty();
    }
}

void PacketWorld::receive(std::span<const Bytes> frames, PortIndex in) {
    std::vector<rte_mbuf*> packets;
    for (const auto& frame : frames) {
        auto* m = rte_pktmbuf_alloc(pool);
        if (m == nullptr) std::abort();
        // Freed buffers keep what they held: a check that reads beyond shows.
        std::memset(rte_pktmbuf_mtod(m, void*), 0xa5, 128);
        std::memcpy(rte_pktmbuf_append(m, static_cast<std::uint16_t>(frame.size())), frame.data(),
                    frame.size());
        if (checksum_good_) m->ol_flags |= RTE_MBUF_F_RX_IP_CKSUM_GOOD;
        if (tags_ == Tags::ByDevice && in != kTrunk) {
            m->ol_flags |= RTE_MBUF_F_RX_VLAN | RTE_MBUF_F_RX_VLAN_STRIPPED;
            m->vlan_tci = static_cast<std::uint16_t>(0xe000 | kVlans[in]);
        } else if (tags_ == Tags::InFrames && in != kTrunk && frame.size() >= 12) {
            auto* start = reinterpret_cast<std::uint8_t*>(rte_pktmbuf_prepend(m, kVlanTag));
            if (start == nullptr) std::abort();
            std::memmove(start, start + kVlanTag, 12);
            write32(start + 12, 0x8100e000u | kVlans[in]);
        }
        packets.push_back(m);
    }
    if (tags_ != Tags::None) in = kTrunk;
    for (std::size_t i = 0; i < packets.size(); i += kBurst) {
        const auto n = static_cast<unsigned>(std::min<std::size_t>(kBurst, packets.size() - i));
        dataplane::forward(*worker, in, ports_[in], &packets[i], n);
        flush_from(*worker, 1);
    }
}

std::vector<PacketWorld::Sent> PacketWorld::take_sent() {
    flush_from(*worker, 1);
    std::vector<Sent> out;
    for (const auto& [device, m] : caught) {
        out.push_back(sent(device, m));
        rte_pktmbuf_free(m);
    }
    caught.clear();
    return out;
}

PacketWorld::Sent PacketWorld::sent(PortIndex device, rte_mbuf* m) const {
    Sent out{device, bytes_of(m)};
    if (tags_ == Tags::None) return out;
    std::uint16_t tag = 0;
    if (tags_ == Tags::ByDevice) {
        if (m->ol_flags & RTE_MBUF_F_TX_VLAN) tag = m->vlan_tci;
    } else if (read16(&out.frame[12]) == kEtherVlan) {
        tag = read16(&out.frame[14]);
        out.frame.erase(out.frame.begin() + 12, out.frame.begin() + 12 + kVlanTag);
    }
    const auto* at = std::ranges::find(kVlans, tag);
    out.port = at == std::end(kVlans) ? kTrunk : static_cast<PortIndex>(at - kVlans);
    return out;
}

void PacketWorld::drop_sent() {
    flush_from(*worker, 1);
    for (const auto& [port, m] : caught) rte_pktmbuf_free(m);
    caught.clear();
}

std::vector<Bytes> PacketWorld::take_punted() {
    std::vector<Bytes> out;
    for (auto* ring : worker->punt) {
        void* m = nullptr;
        while (rte_ring_dequeue(ring, &m) == 0) {
            out.push_back(bytes_of(static_cast<rte_mbuf*>(m)));
            rte_pktmbuf_free(static_cast<rte_mbuf*>(m));
        }
    }
    return out;
}

unsigned PacketWorld::time_out_held() {
    unsigned n = 0;
    void* m = nullptr;
    for (; rte_ring_dequeue(worker->hold, &m) == 0; ++n) {
        note(static_cast<rte_mbuf*>(m)).kind = BufferNote::Kind::TimedOut;
        injected(*worker, static_cast<rte_mbuf*>(m));
    }
    return n;
}

void PacketWorld::drop_held() {
    void* m = nullptr;
    while (rte_ring_dequeue(worker->hold, &m) == 0) rte_pktmbuf_free(static_cast<rte_mbuf*>(m));
}

std::map<std::string, std::uint64_t> PacketWorld::exits() const {
    std::map<std::string, std::uint64_t> out;
    for (const auto& port : worker->counters.exits)
        for (std::size_t e = 0; e < kExits; ++e)
            if (port[e] != 0) out[std::string(to_string(static_cast<Exit>(e)))] += port[e];
    return out;
}
std::uint64_t PacketWorld::received() const {
    std::uint64_t sum = 0;
    for (const auto& rx : worker->counters.rx) sum += rx.packets;
    return sum;
}
std::uint64_t PacketWorld::transmitted() const {
    std::uint64_t sum = 0;
    for (const auto& tx : worker->counters.tx) sum += tx.packets;
    return sum;
}
unsigned PacketWorld::buffers_in_use() const {
    return rte_mempool_in_use_count(pool);
}

}  // namespace torii::support
