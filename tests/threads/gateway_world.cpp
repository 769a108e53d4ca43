#include "tests/threads/gateway_world.hpp"

#include <rte_cycles.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>

#include "dataplane/fast/isa.hpp"
#include "dataplane/loop.hpp"
#include "dataplane/packet/headers.hpp"
#include "dataplane/worker/buffer_note.hpp"
#include "dataplane/worker/ring.hpp"

namespace torii::threads {

using namespace dataplane;

namespace {

IpAddress ip(const char* text) {
    return *IpAddress::parse(text);
}

const MacAddress kOurs[2] = {{{2, 0, 0, 0, 0, 1}}, {{2, 0, 0, 0, 0, 2}}};

Frame frame4(PortIndex port, std::uint32_t to, std::uint8_t ttl, std::uint8_t protocol,
             std::uint16_t source_port) {
    Frame f(60);
    std::memcpy(f.data(), kOurs[port].bytes.data(), 6);
    const std::uint8_t theirs[6] = {2, 0, 0, 0, static_cast<std::uint8_t>(port + 1), 1};
    std::memcpy(f.data() + 6, theirs, 6);
    write16(f.data() + 12, kEtherIp4);
    auto* h = f.data() + kEtherHeader;
    h[0] = 0x45;
    write16(h + 2, 46);
    h[8] = ttl;
    h[9] = protocol;
    write32(h + 12, (port == 0 ? 0x0a010000u : 0x0a020000u) + 50);
    write32(h + 16, to);
    if (protocol == kIcmp) {
        h[20] = 8;  // echo request
        write16(h + 22, checksum(h + 20, 26));
    } else {
        write16(h + 20, source_port);
        write16(h + 22, 443);
    }
    write16(h + 10, checksum(h, kIp4Header));
    return f;
}

Frame frame6(PortIndex port, const IpAddress& to, std::uint16_t source_port) {
    Frame f(80);
    std::memcpy(f.data(), kOurs[port].bytes.data(), 6);
    f[6] = 2;
    write16(f.data() + 12, kEtherIp6);
    auto* h = f.data() + kEtherHeader;
    h[0] = 0x60;
    write16(h + 4, 26);
    h[6] = kTcp;
    h[7] = 64;
    const auto from = ip(port == 0 ? "2001:db8:1::50" : "2001:db8:2::50").bytes();
    std::memcpy(h + 8, from.data(), 16);
    std::memcpy(h + 24, to.bytes().data(), 16);
    write16(h + 40, source_port);
    write16(h + 42, 443);
    return f;
}

// To routes that come and go, to services, to ourselves, to nobody, to unknown neighbors.
std::vector<Frame> frames(PortIndex port) {
    std::vector<Frame> out;
    for (std::uint16_t flow = 0; flow < 96; ++flow) {
        const std::uint32_t pod = 0x0a640000u + ((flow % 16u) << 8) + 5;
        const std::uint32_t service = 0x0a600001u + flow % 4;
        const auto source_port = static_cast<std::uint16_t>(1024 + flow);
        if (flow % 3 == 0) out.push_back(frame4(port, pod, 64, kTcp, source_port));
        if (flow % 3 == 1) out.push_back(frame4(port, service, 64, kTcp, source_port));
        if (flow % 3 == 2)
            out.push_back(frame6(port,
                                 *IpAddress::parse("fd00:64:" + std::to_string(flow % 8) + "::5"),
                                 source_port));
        if (flow % 8 == 0) out.push_back(frame4(port, pod, 1, kTcp, source_port));
        if (flow % 8 == 1)
            out.push_back(frame4(port, port == 0 ? 0x0a010001 : 0x0a020001, 64, kIcmp, 0));
        if (flow % 8 == 2) out.push_back(frame4(port, 0x0b000001, 64, kTcp, source_port));
        if (flow % 8 == 3) out.push_back(frame4(port, 0x0a010063 + flow, 64, kTcp, source_port));
    }
    return out;
}

}  // namespace

// ---- devices

SourceAndSink::SourceAndSink(std::uint16_t device, rte_mempool* pool, std::vector<Frame> frames)
    : device_(device), pool_(pool), frames_(std::move(frames)), before_(rte_eth_fp_ops[device]) {
    rx_queues_[0] = this;
    for (int q = 0; q < 2; ++q) tx_queues_[q] = &sent_[q];
    auto& ops = rte_eth_fp_ops[device];
    ops.rxq.data = rx_queues_;
    ops.txq.data = tx_queues_;
    ops.rx_pkt_burst = receive;
    ops.tx_pkt_burst = send;
}

SourceAndSink::~SourceAndSink() {
    rte_eth_fp_ops[device_] = before_;
}

std::uint64_t SourceAndSink::sent() const {
    return sent_[0].packets.load(std::memory_order_relaxed) +
           sent_[1].packets.load(std::memory_order_relaxed);
}

std::uint16_t SourceAndSink::receive(void* self, rte_mbuf** packets, std::uint16_t n) {
    auto& device = *static_cast<SourceAndSink*>(self);
    n = std::min<std::uint16_t>(n, 32);
    if (rte_pktmbuf_alloc_bulk(device.pool_, packets, n) != 0) return 0;
    for (std::uint16_t i = 0; i < n; ++i) {
        const auto& frame = device.frames_[device.next_++ % device.frames_.size()];
        std::memcpy(rte_pktmbuf_append(packets[i], static_cast<std::uint16_t>(frame.size())),
                    frame.data(), frame.size());
    }
    return n;
}

std::uint16_t SourceAndSink::send(void* queue, rte_mbuf** packets, std::uint16_t n) {
    static_cast<Queue*>(queue)->packets.fetch_add(n, std::memory_order_relaxed);
    rte_pktmbuf_free_bulk(packets, n);
    return n;
}

// ---- the gateway

GatewayWorld::GatewayWorld() {
    static unsigned worlds = 0;
    const auto world = std::to_string(worlds++);
    const auto ring = [&](const std::string& name, unsigned size, bool many = false) {
        rings_.push_back(make_ring(name + world, size, many));
        return rings_.back().get();
    };
    tables.fib4 = fib4.view();
    tables.fib6 = fib6.view();
    tables.hops = hops.data();
    monitor = std::make_unique<liveness::Monitor>(
        64u, [this](std::shared_ptr<const void> thing) { retired.retire(std::move(thing)); },
        [](liveness::Watched&, NeighborVerdict) {});
    monitor->roster().workers = kWorkers;
    const auto hz = rte_get_tsc_hz();
    for (unsigned i = 0; i < kWorkers; ++i) {
        const auto number = std::to_string(i) + "_";
        auto w = std::make_unique<Worker>(i, hops.pool().limit() + 1);
        w->tables = &tables;
        w->forward = kScalar.forward;
        w->pool = pool;
        w->quiescence = quiescence.state();
        w->control = &bell_;
        w->port_count = 2;
        for (std::size_t c = 0; c < kPuntClasses; ++c)
            w->punt[c] = ring("p" + std::to_string(c) + number, 256);
        w->hold = ring("h" + number, 256);
        w->inject = ring("i" + number, 256, true);
        auto* orders = ring("o" + number, 256);
        auto* reports = ring("r" + number, 256);
        monitor->add_lane(orders, reports);
        monitor->roster().inject[i] = w->inject;
        detectors.push_back(
            std::make_unique<liveness::Detector>(monitor->roster(), hz, i + 1, orders, reports));
        w->liveness = detectors.back().get();
        workers.push_back(std::move(w));
    }
    auto own = std::make_shared<OwnFilter>();
    own->add(0x0a010001);
    own->add(0x0a020001);
    own_ = own;
    tables.own.store(own_.get(), std::memory_order_release);
    for (PortIndex port = 0; port < 2; ++port) {
        devices[port] = std::make_unique<SourceAndSink>(port, pool, frames(port));
        publish_port(port, 1500);
        const auto net = port == 0 ? 0x0a010000u : 0x0a020000u;
        fib4.set(net, 24, HopTable::attached(port));
        fib4.set(net | 1, 32, HopTable::kLocal);
    }
    publish_queues();
}

GatewayWorld::~GatewayWorld() {
    stop();
    exception.reset();
    void* m = nullptr;
    for (const auto& w : workers) {
        for (auto* ring : w->punt)
            while (ring_take(ring, &m, 1) == 1) rte_pktmbuf_free(static_cast<rte_mbuf*>(m));
        for (auto* ring : {w->hold, w->inject})
            while (ring_take(ring, &m, 1) == 1) rte_pktmbuf_free(static_cast<rte_mbuf*>(m));
    }
    for (const int fd : {kernel[0], kernel[1], twins_[0], twins_[1]})
        if (fd >= 0) ::close(fd);
}

void GatewayWorld::start() {
    auto made = ExceptionThread::start(workers, pool);
    if (!made) std::abort();
    exception = std::move(*made);
    for (PortIndex port = 0; port < 2; ++port) {
        int pair[2];
        if (::socketpair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0, pair) != 0) std::abort();
        twins_[port] = pair[0];
        kernel[port] = pair[1];
        exception->add_twin(port, pair[0]);
    }
    for (const auto& w : workers) {
        w->exception = &exception->bell();
        threads_.emplace_back([worker = w.get()] { run(*worker); });
    }
}

void GatewayWorld::stop() {
    for (const auto& w : workers) w->stop.store(true);
    for (auto& thread : threads_)
        if (thread.joinable()) thread.join();
    if (exception) exception->stop();
}

void GatewayWorld::publish_port(PortIndex port, std::uint16_t mtu) {
    auto state = std::make_shared<PortState>();
    state->mac = kOurs[port];
    std::memcpy(&state->mac_bits, state->mac.bytes.data(), 6);
    state->device = port;
    state->tx_queues = 2;
    state->mtu = mtu;
    state->max_frame = mtu + 18u;
    state->twin = true;
    state->addresses = {{ip(port == 0 ? "10.1.0.1" : "10.2.0.1"), 24}};
    state->ip4_source = state->addresses[0].address.v4();
    tables.ports[port].store(state.get(), std::memory_order_release);
    if (ports_[port]) retired.retire(std::move(ports_[port]));
    ports_[port] = std::move(state);
}

void GatewayWorld::publish_queues() {
    for (unsigned i = 0; i < kWorkers; ++i) {
        auto queues = std::make_shared<std::vector<ReceiveQueue>>();
        queues->push_back({static_cast<PortIndex>(i), static_cast<std::uint16_t>(i), 0});
        workers[i]->queues.store(queues.get(), std::memory_order_release);
        if (queues_[i]) retired.retire(std::move(queues_[i]));
        queues_[i] = std::move(queues);
    }
}

void GatewayWorld::control_turn() {
    for (const auto& w : workers) {
        void* packets[64];
        const unsigned n = ring_take(w->hold, packets, 64);
        for (unsigned i = 0; i < n; ++i) {
            auto* m = static_cast<rte_mbuf*>(packets[i]);
            note(m).hop = 0;
            note(m).next =
                Hop::forward({{2, 0, 0, 0, 1, 9}}, {{2, 0, 0, 0, 0, 1}}, note(m).out_port, 1500);
            note(m).kind = i % 2 ? BufferNote::Kind::Resumed : BufferNote::Kind::TimedOut;
            if (!ring_put(w->inject, m)) rte_pktmbuf_free(m);
        }
        held += n;
    }
    char buffer[2048];
    for (const int fd : kernel)
        while (fd >= 0 && ::recv(fd, buffer, sizeof buffer, 0) > 0) ++punted;
    monitor->poll();
    publisher.reclaim();
    fib4.reclaim();
    fib6.reclaim();
    hops.reclaim();
    retired.reclaim();
}

}  // namespace torii::threads
