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
#include <set>

#include "base/event_list.hpp"
#include "dataplane/loop.hpp"
#include "dataplane/packet/headers.hpp"
#include "dataplane/packet/soft_flow.hpp"
#include "dataplane/parts.hpp"
#include "dataplane/slow/slow_path.hpp"
#include "dataplane/worker/buffer_note.hpp"
#include "dataplane/worker/ring.hpp"

namespace torii::dataplane {
namespace {

constexpr unsigned kPuntRing[kPuntClasses] = {4096, 2048, 512, 1024, 1024, 512, 512};
constexpr unsigned kInjectRing = 4096;
constexpr unsigned kPoolCache = 256;
constexpr std::chrono::milliseconds kTick{100};

std::uint32_t buffers_for(const Settings& settings, std::size_t workers) {
    if (settings.mbufs != 0) return settings.mbufs;
    std::size_t n = 8192 + settings.capacity.held_packets;
    for (const auto ring : kPuntRing) n += workers * ring;
    n += workers * (kInjectRing + 2 * kPoolCache);
    for (const auto& port : settings.ports) {
        n += workers * kTransmitBuffer;
        if (port.is_sub_port()) continue;
        n += std::max<std::size_t>(workers, port.rx_queues) * port.rx_descriptors +
             std::max<std::size_t>(workers, port.tx_queues) * port.tx_descriptors;
    }
    // A power of two less one is what the mempool's ring holds best.
    std::uint32_t rounded = 16384;
    while (rounded - 1 < n) rounded *= 2;
    return rounded - 1;
}

std::uint32_t data_room(const Settings& settings) {
    std::uint32_t largest = 1500;
    for (const auto& port : settings.ports) largest = std::max<std::uint32_t>(largest, port.mtu);
    constexpr std::uint32_t kAround = 14 + 8 + RTE_PKTMBUF_HEADROOM;
    return std::max<std::uint32_t>(RTE_MBUF_DEFAULT_BUF_SIZE, (largest + kAround + 63) & ~63u);
}

// fe80::/64 of a MAC (RFC 4291 appendix A), as the kernel makes it for the twin.
IpAddress link_local(const MacAddress& mac) {
    const auto& b = mac.bytes;
    return IpAddress::v6({0xfe, 0x80, 0, 0, 0, 0, 0, 0, static_cast<std::uint8_t>(b[0] ^ 2), b[1],
                          b[2], 0xff, 0xfe, b[3], b[4], b[5]});
}

std::uint32_t last_word(const IpAddress& a) {
    const std::size_t at = a.size() - 4;
    return std::uint32_t{a.byte(at)} << 24 | std::uint32_t{a.byte(at + 1)} << 16 |
           std::uint32_t{a.byte(at + 2)} << 8 | a.byte(at + 3);
}

// The first and last address of an attached IPv4 network mean all its hosts (RFC 1812 §5.3.5).
std::vector<IpAddress> broadcasts(const PortAddress& own) {
    if (own.address.is_v6() || own.length > 30) return {};
    const auto host_bits = ~std::uint32_t{0} >> own.length;
    return {IpAddress::v4(own.address.v4() | host_bits), own.address.masked(own.length)};
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
      neighbors(hops, std::max<std::uint32_t>(settings.capacity.next_hops, 256) / 2),
      publisher(fib4, fib6, hops, neighbors, quiescence, sink, settings.capacity.group_members),
      soft(std::make_shared<const SoftFlow>(settings.drop_sources)) {}

Dataplane::Parts::~Parts() {
    stop();
}

void Dataplane::Parts::warn(EventId id, const SystemError& error) {
    events.emit({id, "the kernel refused: " + error.message(), {}});
}

Result<void, SystemError> Dataplane::Parts::make_pool() {
    const auto n = buffers_for(settings, eal->lcores.size());
    pool = rte_pktmbuf_pool_create("torii", n, kPoolCache, RTE_ALIGN(sizeof(BufferNote), 8),
                                   static_cast<std::uint16_t>(data_room(settings)),
                                   static_cast<int>(rte_socket_id()));
    if (pool == nullptr)
        return Failure{SystemError{"allocate " + std::to_string(n) + " packet buffers", rte_errno}};
    return {};
}

Result<void, SystemError> Dataplane::Parts::make_workers() {
    const auto hz = rte_get_tsc_hz();
    const auto share = static_cast<unsigned>(eal->lcores.size());
    const auto& rates = settings.policing;
    const PunterRate by_class[kPuntClasses] = {
        rates.bgp,      {rates.bgp.packets_per_second / 10, rates.bgp.burst},
        rates.vrrp,     rates.neighbor,
        rates.neighbor, rates.icmp,
        rates.other};
    tables.fib4 = fib4.view();
    tables.fib6 = fib6.view();
    tables.hops = hops.data();
    tables.udp_services = settings.udp_services;
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
        w->inject = ring("inject_", kInjectRing, RING_F_SC_DEQ);
        if (rings.size() != (i + 1) * (kPuntClasses + 2))
            return Failure{SystemError{"make rings", rte_errno}};
        for (auto& port : w->policers)
            for (std::size_t c = 0; c < kPuntClasses; ++c)
                port[c] = Policer(by_class[c], hz, share);
        for (auto& policer : w->icmp_errors) policer = Policer(rates.icmp_errors, hz, share);
        workers.push_back(std::move(w));
    }
    if (auto done = make_detectors(); !done) return done;
    seen_loops.resize(workers.size());
    seen_cycles.resize(workers.size());
    return {};
}

Result<void, SystemError> Dataplane::Parts::start() {
    std::size_t worker_count = std::max<std::size_t>(settings.worker_cpus.size(), 1);
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

Result<PortIndex, SystemError> Dataplane::Parts::open_port(const PortSettings& wanted) {
    if (places.size() >= kMaxPorts)
        return Failure{SystemError{"at most " + std::to_string(kMaxPorts) + " ports", 0}};
    const auto index = static_cast<PortIndex>(places.size());
    Place place;
    place.root = index;
    if (wanted.is_sub_port()) {
        const auto parent = parent_of(wanted);
        if (!parent) return Failure{parent.error()};
        place.root = *parent;
        place.port = Port::on(*places[*parent].port, wanted);
    } else {
        auto opened =
            Port::open(wanted, static_cast<unsigned>(workers.size()), pool, settings.offload);
        if (!opened) return Failure{opened.error()};
        place.port = std::move(*opened);
    }
    place.netdev = place.port->netdev().empty() ? 0 : netdev_index(place.port->netdev());
    if (wanted.kernel_twin) {
        auto twin = Tap::twin(wanted.name, place.port->mac(), wanted.mtu);
        if (!twin) return Failure{twin.error()};
        place.twin.emplace(std::move(*twin));
        exception->add_twin(index, place.twin->fd());
    }
    places.push_back(std::move(place));
    claim(index, {});
    for (auto& w : workers) w->port_count.store(static_cast<unsigned>(places.size()));
    // From here on its packets are its own.
    if (places[index].root != index) publish_port(places[index].root);
    if (places[index].netdev != 0)
        netlink->dump_links([&](const KernelLink& link) {
            if (link.netdev == places[index].netdev) places[index].carrier = link.carrier;
        });
    places[index].up = places[index].carrier && places[index].port->link_up();
    events.emit({"PORT-OPEN",
                 "port " + wanted.name + " opened",
                 {{"device", wanted.is_sub_port()
                                 ? "VLAN " + std::to_string(wanted.vlan) + " of " + wanted.parent
                                 : wanted.device},
                  {"driver", places[index].port->driver()},
                  {"mac", places[index].port->mac().to_string()},
                  {"link", places[index].up ? "up" : "down"}}});
    return index;
}

Result<PortIndex, SystemError> Dataplane::Parts::parent_of(const PortSettings& sub_port) const {
    const auto failed = [&](const std::string& why) {
        return Failure{SystemError{"port " + sub_port.name + ": " + why, 0}};
    };
    const auto parent = std::ranges::find_if(places, [&](const Place& place) {
        const auto& port = place.port->settings();
        return port.name == sub_port.parent && !port.is_sub_port();
    });
    if (parent == places.end())
        return failed("there is no port " + sub_port.parent + " to be part of");
    if (sub_port.vlan == 0 || sub_port.vlan >= kVlanId) return failed("a VLAN is 1 to 4094");
    const auto index = static_cast<PortIndex>(parent - places.begin());
    for (const auto& place : places)
        if (const auto& other = place.port->settings();
            place.root == index && other.vlan == sub_port.vlan && !other.shutdown)
            return failed("VLAN " + std::to_string(sub_port.vlan) + " of " + sub_port.parent +
                          " is port " + other.name + " already");
    return index;
}

// Takes over a port's addresses: in the kernel, in the tables, for the workers.
void Dataplane::Parts::claim(PortIndex index, const std::vector<PortAddress>& before) {
    auto& place = places[index];
    const auto& addresses = place.port->settings().addresses;
    place.own = addresses;
    place.own.push_back({link_local(place.port->mac()), 64});
    place.own.insert(place.own.end(), place.shared.begin(), place.shared.end());
    kernel_addresses(index, before);
    for (const auto& gone : before) {
        publisher.erase_host(gone.address);
        for (const auto& a : broadcasts(gone)) publisher.erase_host(a);
    }
    for (const auto& own_address : addresses) {
        for (const auto& a : broadcasts(own_address)) publisher.set_host(a, HopTable::kBroadcast);
        if (!own_address.address.is_link_local())
            publisher.set_host(own_address.address, HopTable::kLocal);
    }
    publish_port(index);
    publish_own();
}

void Dataplane::Parts::kernel_addresses(PortIndex index, const std::vector<PortAddress>& before) {
    auto& place = places[index];
    if (!place.twin) return;
    const auto& wanted = place.port->settings().addresses;
    const auto netdev = place.twin->netdev();
    for (const auto& a : before) {
        if (std::ranges::find(wanted, a) != wanted.end()) continue;
        if (auto done = netlink->remove_address(netdev, a.address, a.length); !done)
            warn("KERNEL-ADDRESS", done.error());
        netlink->remove_rules_from(a.address, settings.route_table);
    }
    for (const auto& a : wanted) {
        if (std::ranges::find(before, a) != before.end()) continue;
        if (auto done = netlink->add_address(netdev, a.address, a.length); !done)
            warn("KERNEL-ADDRESS", done.error());
        if (a.address.is_link_local()) continue;
        if (auto done = netlink->add_rules(a.address, settings.route_table); !done)
            warn("KERNEL-RULE", done.error());
    }
}

void Dataplane::Parts::publish_port(PortIndex index) {
    const auto& place = places[index];
    const auto& port = *place.port;
    auto state = std::make_shared<PortState>();
    state->mac = port.mac();
    std::memcpy(&state->mac_bits, port.mac().bytes.data(), 6);
    state->device = port.device();
    state->tx_queues = port.tx_queues();
    state->mtu = port.mtu();
    state->vlan = port.settings().vlan;
    state->inserts_tags = port.inserts_tags();
    std::shared_ptr<SubPorts> sub_ports;
    for (PortIndex i = 0; i < places.size(); ++i)
        if (places[i].root == index && i != index) {
            if (!sub_ports) sub_ports = std::make_shared<SubPorts>();
            const auto& sub_port = places[i].port->settings();
            if (!sub_port.shutdown) sub_ports->of[sub_port.vlan] = i;
        }
    state->sub_ports = std::move(sub_ports);
    constexpr std::uint32_t kTagged = 14 + 4;
    // DPDK's af_packet sockets reassemble fragments before we see them: what
    // arrives in one piece was perhaps sent in many, each within the MTU.
    constexpr std::uint32_t kAnyPacket = 65535;
    state->max_frame = (port.driver() == "net_af_packet" ? kAnyPacket : port.mtu()) + kTagged;
    state->software_checksum = !port.hardware_checksum();
    state->strict_rpf = port.settings().strict_rpf;
    state->twin = place.twin.has_value();
    state->addresses = place.own;
    offload(place, *state);
    // A port without an address of a family borrows one (RFC 1812 §4.3.2.4).
    const auto source = [&](Family family) -> std::optional<IpAddress> {
        for (const auto& a : port.settings().addresses)
            if (a.address.family() == family && !a.address.is_link_local()) return a.address;
        for (const auto& other : places)
            for (const auto& a : other.port->settings().addresses)
                if (a.address.family() == family && !a.address.is_link_local()) return a.address;
        return std::nullopt;
    };
    if (const auto a = source(Family::Ip4)) state->ip4_source = a->v4();
    state->ip6_source = source(Family::Ip6).value_or(link_local(port.mac())).bytes();
    tables.ports[index].store(state.get(), std::memory_order_release);
    auto& slot = port_states[index];
    if (slot != nullptr) retired.retire(slot);
    slot = std::move(state);
}

void Dataplane::Parts::publish_own() {
    auto filter = std::make_shared<OwnFilter>();
    std::set<std::uint32_t> words;  // sub-ports share their parent's link-local address
    for (const auto& place : places)
        for (const auto& a : place.own) words.insert(last_word(a.address));
    for (const auto word : words) filter->add(word);
    tables.own.store(filter.get(), std::memory_order_release);
    if (own != nullptr) retired.retire(own);
    own = std::move(filter);
}

void Dataplane::Parts::share_queues() {
    std::vector<std::vector<ReceiveQueue>> shares(workers.size());
    std::size_t next = 0;
    for (PortIndex i = 0; i < places.size(); ++i)
        for (std::uint16_t q = 0; q < places[i].port->rx_queues(); ++q)
            shares[next++ % shares.size()].push_back({i, places[i].port->device(), q});
    std::vector<std::shared_ptr<const std::vector<ReceiveQueue>>> made;
    for (std::size_t i = 0; i < workers.size(); ++i) {
        made.push_back(std::make_shared<const std::vector<ReceiveQueue>>(std::move(shares[i])));
        workers[i]->queues.store(made.back().get(), std::memory_order_release);
    }
    for (auto& old : queues) retired.retire(old);
    queues = std::move(made);
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
    if (auto done = place.port->set_mtu(mtu); !done) return done;
    if (place.twin)
        if (auto done = set_netdev_mtu(place.twin->name(), mtu); !done) return done;
    parts_->publish_port(port);
    parts_->neighbors.each([&](Neighbor& n) {
        if (n.port == port && n.usable()) parts_->resolved(n, n.mac, n.state);
    });
    return {};
}

void Dataplane::set_shutdown(PortIndex sub_port, bool shutdown) {
    if (sub_port >= parts_->places.size()) return;
    auto& place = parts_->places[sub_port];
    place.port->set_shutdown(shutdown);
    if (place.root != sub_port) parts_->publish_port(place.root);
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
