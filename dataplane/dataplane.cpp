#include "dataplane/dataplane.hpp"

#include <rte_cycles.h>
#include <rte_errno.h>
#include <rte_launch.h>
#include <rte_lcore.h>
#include <rte_ring.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <algorithm>

#include "base/event_list.hpp"
#include "base/packet_buffers.hpp"
#include "dataplane/loop.hpp"
#include "dataplane/packet/headers.hpp"
#include "dataplane/packet/soft_flow.hpp"
#include "dataplane/parts.hpp"
#include "dataplane/slow/slow_path.hpp"
#include "dataplane/worker/buffer_note.hpp"
#include "dataplane/worker/ring.hpp"

namespace torii::dataplane {
namespace {

constexpr unsigned kPuntRing[kPuntClasses] = {4096, 2048, 512, 1024, 1024, 512, 512, 256, 128};
constexpr unsigned kInjectRing = 4096;
constexpr unsigned kPoolCache = BufferDemand::kPoolCache;
static_assert(kTransmitBuffer == BufferDemand::kTransmitBuffer);
constexpr std::chrono::milliseconds kTick{100};

std::uint32_t buffers_for(const Settings& settings, std::size_t workers) {
    if (settings.mbufs != 0) return settings.mbufs;
    BufferDemand demand{workers};
    for (const auto& port : settings.ports) {
        if (port.is_sub_port())
            demand.add_sub_port();
        else
            demand.add_port(port.rx_queues, port.tx_queues, port.rx_descriptors,
                            port.tx_descriptors);
    }
    std::size_t n = demand.least() + 8192 + settings.capacity.held_packets;
    for (const auto ring : kPuntRing) n += workers * ring;
    n += workers * kInjectRing;
    // A power of two less one is what the mempool's ring holds best.
    std::uint32_t rounded = 16384;
    while (rounded - 1 < n) rounded *= 2;
    return rounded - 1;
}

std::uint32_t data_room(const Settings& settings) {
    std::uint32_t largest = 1500;
    for (const auto& port : settings.ports) largest = std::max<std::uint32_t>(largest, port.mtu);
    // NICs round what they fill down, to 128 octets or to 1,024.
    constexpr std::uint32_t kAround = 14 + 8, kGrain = 1024;
    const auto filled = (largest + kAround + kGrain - 1) / kGrain * kGrain;
    return std::max<std::uint32_t>(RTE_MBUF_DEFAULT_BUF_SIZE, filled + RTE_PKTMBUF_HEADROOM);
}

bool watch(int epoll, int fd) {
    epoll_event event{EPOLLIN, {.fd = fd}};
    return ::epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) == 0;
}

int run_worker(void* worker) {
    run(*static_cast<Worker*>(worker));
    return 0;
}

}  // namespace

Dataplane::Parts::Parts(Settings wanted, EventSink& sink)
    : settings(std::move(wanted)),
      events(sink),
      fib4(settings.capacity.ip4_prefixes, settings.capacity.ip4_extensions, quiescence),
      fib6(settings.capacity.ip6_prefixes, settings.capacity.ip6_nodes, quiescence),
      hops(std::max<std::uint32_t>(settings.capacity.next_hops, 256) + HopTable::kFirstPort +
               kMaxPorts,
           quiescence),
      // Those in use find room nevertheless.
      neighbors(hops, std::min(settings.capacity.neighbors,
                               std::max<std::uint32_t>(settings.capacity.next_hops, 256) / 2)),
      publisher(fib4, fib6, hops, neighbors, quiescence, sink, settings.capacity.group_members),
      soft(std::make_shared<const SoftFlow>(settings.drop_sources)) {
    hops.when_taken([this](HopId hop) {
        hop_pasts.erase(hop);
        if (const auto past = sum_hop(hop); past.packets != 0) hop_pasts.emplace(hop, past);
    });
}

Dataplane::Parts::~Parts() {
    stop();
}

void Dataplane::Parts::warn(EventId id, const SystemError& error) {
    events.emit({id, "the kernel refused: " + error.message(), {}});
}

Result<void, SystemError> Dataplane::Parts::make_pool() {
    const auto n = buffers_for(settings, eal->lcores.size());
    // Control and the exception thread share the pool with workers, and the kernel may take
    // their CPU away in the middle: workers do not wait for that (relaxed tail).
    pool = rte_pktmbuf_pool_create_by_ops("torii", n, kPoolCache, RTE_ALIGN(sizeof(BufferNote), 8),
                                          static_cast<std::uint16_t>(data_room(settings)),
                                          static_cast<int>(rte_socket_id()), "ring_mt_rts");
    if (pool == nullptr)
        return Failure{SystemError{"allocate " + std::to_string(n) + " packet buffers", rte_errno}};
    return {};
}

Result<void, SystemError> Dataplane::Parts::make_workers() {
    const auto hz = rte_get_tsc_hz();
    const auto share = static_cast<unsigned>(eal->lcores.size());
    policing->limit(settings.policing, hz);
    tables.fib4 = fib4.view();
    tables.fib6 = fib6.view();
    tables.hops = hops.data();
    udp_services = std::make_shared<const std::vector<std::uint16_t>>(settings.udp_services);
    tables.udp_services = udp_services.get();
    isa = &choose_isa(settings.lookup);
    for (unsigned i = 0; i < share; ++i) {
        auto w = std::make_unique<Worker>(i, hops.pool().limit() + 1);
        w->tables = &tables;
        w->forward = isa->forward;
        w->send_routed = send_routed;
        w->pool = pool;
        w->lcore = eal->lcores[i];
        w->cpu = eal->cpus[i];
        w->busy_poll = settings.busy_poll;
        w->quiescence = quiescence.state();
        w->control = &bell;
        const auto ring = [&](const std::string& name, unsigned size, unsigned flags) {
            auto* r = rte_ring_create((name + std::to_string(i)).c_str(), size,
                                      static_cast<int>(rte_socket_id()), flags);
            if (r != nullptr) rings.push_back(r);
            return r;
        };
        for (std::size_t c = 0; c < kPuntClasses; ++c)
            w->punt[c] =
                ring("punt" + std::to_string(c) + "_", kPuntRing[c], RING_F_SP_ENQ | RING_F_SC_DEQ);
        w->hold = ring("hold_", 1024, RING_F_SP_ENQ | RING_F_SC_DEQ);
        w->inject = ring("inject_", kInjectRing, RING_F_MP_RTS_ENQ | RING_F_SC_DEQ);
        if (rings.size() != (i + 1) * (kPuntClasses + 2))
            return Failure{SystemError{"make rings", rte_errno}};
        w->policing = policing.get();
        workers.push_back(std::move(w));
    }
    if (auto done = make_detectors(); !done) return done;
    seen_loops.resize(workers.size());
    seen_cycles.resize(workers.size());
    return {};
}

Result<void, SystemError> Dataplane::Parts::start() {
    const std::size_t worker_count = settings.worker_cpus.empty()
                                         ? std::max<std::size_t>(settings.workers, 1)
                                         : settings.worker_cpus.size();
    if (worker_count > kMaxWorkers)
        return Failure{SystemError{"at most " + std::to_string(kMaxWorkers) + " workers", 0}};
    if (settings.ports.size() > kMaxPorts)
        return Failure{SystemError{"at most " + std::to_string(kMaxPorts) + " ports", 0}};
    const std::uint64_t buffer_bytes =
        std::uint64_t{buffers_for(settings, worker_count)} * (data_room(settings) + 320);
    auto started = start_eal(settings, buffer_bytes);
    if (!started) return Failure{started.error()};
    eal = std::move(*started);
    if (auto done = make_pool(); !done) return done;

    epoll = ::epoll_create1(EPOLL_CLOEXEC);
    bell.fd = ::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    timer = ::timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
    const itimerspec every{{0, kTick.count() * 1'000'000}, {0, kTick.count() * 1'000'000}};
    if (epoll < 0 || bell.fd < 0 || timer < 0 || ::timerfd_settime(timer, 0, &every, nullptr) < 0)
        return Failure{last_system_error("make the data plane's descriptors")};
    auto kernel = Netlink::open();
    if (!kernel) return Failure{kernel.error()};
    netlink.emplace(std::move(*kernel));
    if (!watch(epoll, bell.fd) || !watch(epoll, timer) || !watch(epoll, netlink->descriptor()))
        return Failure{last_system_error("watch the data plane's descriptors")};

    if (auto done = make_workers(); !done) return done;
    auto thread = ExceptionThread::start(workers, pool);
    if (!thread) return Failure{thread.error()};
    exception = std::move(*thread);
    for (auto& w : workers) w->exception = &exception->bell();

    // What a run that crashed left behind; its netdevs went with its process.
    netlink->remove_rules(settings.route_table);
    const bool any_twin =
        std::ranges::any_of(settings.ports, [](const auto& p) { return p.kernel_twin; });
    if (any_twin && !settings.tun_name.empty()) {
        auto made = Tap::tun(settings.tun_name);
        if (!made) return Failure{made.error()};
        tun.emplace(std::move(*made));
        for (const auto family : {Family::Ip4, Family::Ip6})
            if (auto done = netlink->add_default_route(family, tun->netdev(), settings.route_table);
                !done)
                warn("KERNEL-ROUTE", done.error());
        exception->add_tun(tun->fd());
    }
    publish_own();
    for (const auto& port : settings.ports)
        if (auto opened = open_port(port); !opened) return Failure{opened.error()};
    share_queues();
    launch();
    for (const auto& n : settings.static_neighbors) apply_static(n);
    dump_neighbors();
    dump_shared();
    publisher.set_unbalanced_after(settings.unbalanced_after);
    publisher.set_traffic_probe([this](HopId hop) { return sum_hop(hop).packets != 0; });
    events.emit({"DATAPLANE-UP",
                 "forwarding started",
                 {{"ports", std::to_string(places.size())},
                  {"workers", std::to_string(workers.size())},
                  {"lookup", std::string(isa->name)},
                  {"hugepages", eal->hugepages ? "yes" : "no"}}});
    return {};
}

void Dataplane::Parts::launch() {
    for (auto& w : workers) rte_eal_remote_launch(run_worker, w.get(), w->lcore);
    running = true;
}

void Dataplane::Parts::stop() {
    for (auto& w : workers) w->stop.store(true);
    if (running) rte_eal_mp_wait_lcore();
    running = false;
    exception.reset();
    if (netlink) netlink->remove_rules(settings.route_table);
    neighbors.each([](Neighbor& n) {
        for (auto* m : n.held) rte_pktmbuf_free(m);
        n.held.clear();
    });
    for (auto* ring : rings) {
        void* m = nullptr;
        while (ring_take(ring, &m, 1) == 1) rte_pktmbuf_free(static_cast<rte_mbuf*>(m));
        rte_ring_free(ring);
    }
    rings.clear();
    for (auto* ring : std::exchange(sessions_rings, {})) rte_ring_free(ring);
    tracer.reset();
    monitor.reset();
    detectors.clear();
    workers.clear();
    tun.reset();
    places.clear();
    netlink.reset();
    for (int* fd : {&epoll, &bell.fd, &timer})
        if (*fd >= 0) ::close(std::exchange(*fd, -1));
    if (pool != nullptr) rte_mempool_free(std::exchange(pool, nullptr));
    if (eal) {
        stop_eal(*eal);
        eal.reset();
        events.emit({"DATAPLANE-DOWN", "forwarding stopped", {}});
    }
}

Dataplane::Dataplane(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}
Dataplane::~Dataplane() = default;

Result<std::unique_ptr<Dataplane>, SystemError> Dataplane::start(Settings settings,
                                                                 EventSink& events) {
    auto parts = std::make_unique<Parts>(std::move(settings), events);
    if (auto done = parts->start(); !done) return Failure{done.error()};
    return std::unique_ptr<Dataplane>{new Dataplane{std::move(parts)}};
}

void Dataplane::stop() {
    parts_->stop();
}
void Dataplane::listen(LivenessListener* listener) {
    parts_->listener = listener;
}
void Dataplane::apply(const rib::FibDelta& delta) {
    parts_->publisher.apply(delta);
    parts_->ask_for_fresh();
    parts_->publisher.reclaim();
}

Result<PortIndex, SystemError> Dataplane::add_port(const PortSettings& port) {
    auto index = parts_->open_port(port);
    if (index) parts_->share_queues();
    return index;
}

Result<void, SystemError> Dataplane::set_addresses(PortIndex port,
                                                   std::vector<PortAddress> addresses) {
    if (port >= parts_->places.size()) return Failure{SystemError{"no such port", EINVAL}};
    const auto before = parts_->places[port].port->settings().addresses;
    parts_->places[port].port->set_addresses(std::move(addresses));
    parts_->claim(port, before);
    // Echoes go from our address to our address.
    parts_->neighbors.each([port](Neighbor& n) {
        if (n.port == port) n.watch_decided = false;
    });
    return {};
}

Result<void, SystemError> Dataplane::set_mtu(PortIndex port, std::uint16_t mtu) {
    if (port >= parts_->places.size()) return Failure{SystemError{"no such port", EINVAL}};
    auto& place = parts_->places[port];
    constexpr unsigned kAround = 14 + 8;
    const auto room = rte_pktmbuf_data_room_size(parts_->pool) - RTE_PKTMBUF_HEADROOM - kAround;
    if (mtu > room)
        return Failure{SystemError{"packet buffers hold IP packets of " + std::to_string(room) +
                                       " octets; restart for larger ones",
                                   0}};
    if (auto done = place.port->set_mtu(mtu); !done) return done;
    if (place.twin)
        if (auto done = set_netdev_mtu(place.twin->name(), mtu); !done) return done;
    parts_->set_tun_mtu();
    parts_->publish_port(port);
    parts_->neighbors.each([&](Neighbor& n) {
        if (n.port == port && n.usable()) parts_->resolved(n, n.mac, n.state);
    });
    return {};
}

void Dataplane::set_admission(const ControlPlanePolicing& policing,
                              const std::vector<std::uint16_t>& udp_services) {
    auto& p = *parts_;
    if (p.settings.policing != policing) {
        p.settings.policing = policing;
        p.policing->limit(policing, rte_get_tsc_hz());
    }
    if (*p.udp_services == udp_services) return;
    auto before = std::exchange(p.udp_services,
                                std::make_shared<const std::vector<std::uint16_t>>(udp_services));
    p.tables.udp_services.store(p.udp_services.get(), std::memory_order_release);
    p.retired.retire(std::move(before));
}

void Dataplane::set_unbalanced_after(std::chrono::seconds after) {
    parts_->publisher.set_unbalanced_after(after);
}

void Dataplane::set_static_neighbors(std::vector<StaticNeighbor> wanted) {
    auto& p = *parts_;
    for (const auto& old : p.settings.static_neighbors) {
        if (std::ranges::find(wanted, old) != wanted.end()) continue;
        if (auto* n = p.neighbors.find(old.port, old.address);
            n != nullptr && n->state == NeighborState::Static) {
            if (p.places[old.port].twin)
                p.netlink->remove_neighbor(p.places[old.port].twin->netdev(), old.address);
            p.unresolved(*n);
        }
    }
    for (const auto& n : wanted) p.apply_static(n);
    p.settings.static_neighbors = std::move(wanted);
}

int Dataplane::descriptor() const {
    return parts_->epoll;
}
void Dataplane::poll() {
    parts_->poll();
}

}  // namespace torii::dataplane
