// Ports as the data plane runs them: opened, published to workers, shut down, and their
// addresses in the kernel and in the tables.
#include <unistd.h>

#include <algorithm>
#include <cstring>

#include "base/event_list.hpp"
#include "dataplane/liveness/frames.hpp"
#include "dataplane/packet/headers.hpp"
#include "dataplane/parts.hpp"
#include "dataplane/worker/buffer_note.hpp"
#include "dataplane/worker/ring.hpp"

namespace torii::dataplane {
namespace {

// fe80::/64 of a MAC (RFC 4291 appendix A), as the kernel makes it for the twin.
IpAddress link_local(const MacAddress& mac) {
    const auto& b = mac.bytes;
    return IpAddress::v6({0xfe, 0x80, 0, 0, 0, 0, 0, 0, static_cast<std::uint8_t>(b[0] ^ 2), b[1],
                          b[2], 0xff, 0xfe, b[3], b[4], b[5]});
}

// The first and last address of an attached IPv4 network mean all its hosts (RFC 1812 §5.3.5).
std::vector<IpAddress> broadcasts(const PortAddress& own) {
    if (own.address.is_v6() || own.length > 30) return {};
    const auto host_bits = ~std::uint32_t{0} >> own.length;
    return {IpAddress::v4(own.address.v4() | host_bits), own.address.masked(own.length)};
}

// RFC 4291 §2.6.1; a link of two routers has none (RFC 6164 §5).
std::optional<IpAddress> router_anycast(const PortAddress& own) {
    if (own.address.is_v4() || own.address.is_link_local() || own.length > 126) return std::nullopt;
    const auto anycast = own.address.masked(own.length);
    return anycast == own.address ? std::nullopt : std::optional{anycast};
}

}  // namespace

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
    if (wanted.shutdown) place.port->set_shutdown(true);
    places.push_back(std::move(place));
    claim(index, {});
    if (wanted.shutdown) set_twin(index);
    for (auto& w : workers) w->port_count.store(static_cast<unsigned>(places.size()));
    // From here on its packets are its own.
    if (places[index].root != index) publish_port(places[index].root);
    if (places[index].netdev != 0)
        netlink->dump_links([&](const KernelLink& link) {
            if (link.netdev == places[index].netdev) places[index].carrier = link.carrier;
        });
    places[index].up = is_up(places[index]);
    set_tun_mtu();
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
    for (const auto& a : addresses)
        if (const auto anycast = router_anycast(a)) place.own.push_back({*anycast, a.length});
    kernel_addresses(index, before);
    for (const auto& gone : before) {
        publisher.erase_host(gone.address, HopTable::kLocal);
        for (const auto& a : broadcasts(gone)) publisher.erase_host(a, HopTable::kBroadcast);
        if (const auto anycast = router_anycast(gone))
            publisher.erase_host(*anycast, HopTable::kLocal);
    }
    for (const auto& own_address : addresses) {
        if (place.port->settings().shutdown) break;
        for (const auto& a : broadcasts(own_address)) publisher.set_host(a, HopTable::kBroadcast);
        if (!has_scope(own_address.address))
            publisher.set_host(own_address.address, HopTable::kLocal);
        if (const auto anycast = router_anycast(own_address))
            publisher.set_host(*anycast, HopTable::kLocal);
    }
    neighbors.each([&](Neighbor& n) {
        if (n.port == index) place_host(n);
    });
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
        if (has_scope(a.address)) continue;
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
    state->locks = port.locks();
    std::shared_ptr<SubPorts> sub_ports;
    for (PortIndex i = 0; i < places.size(); ++i)
        if (places[i].root == index && i != index) {
            if (!sub_ports) sub_ports = std::make_shared<SubPorts>();
            const auto& sub_port = places[i].port->settings();
            // One that is shut down gives way to another of its VLAN.
            if (auto& of = sub_ports->of[sub_port.vlan]; !sub_port.shutdown || of == rib::kAnyPort)
                of = i;
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
    state->shut = port.settings().shutdown;
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
    for (const auto& place : places)
        for (const auto& a : place.own) {
            filter->add(a.address);
            for (const auto& all : broadcasts(a)) filter->add(all);
        }
    tables.own.store(filter.get(), std::memory_order_release);
    if (own != nullptr) retired.retire(own);
    own = std::move(filter);
}

// No worker sleeps longer than the fastest of its ports can wait.
void Dataplane::Parts::limit_naps() {
    for (std::size_t i = 0; i < workers.size(); ++i) {
        std::uint32_t most = 1'000'000;
        for (const auto& q : *queues[i])
            if (const auto patience = places[q.port].port->patience())
                most = static_cast<std::uint32_t>(std::min<std::int64_t>(most, patience->count()));
        workers[i]->most_nap.store(most, std::memory_order_relaxed);
    }
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
    limit_naps();
}

void Dataplane::set_filters(PortIndex index, bool promiscuous, bool strict_rpf) {
    if (index >= parts_->places.size()) return;
    parts_->places[index].port->set_filters(promiscuous, strict_rpf);
    parts_->publish_port(index);
}

// Workers stop at once; links, neighbors and what depends on them follow with the next poll.
void Dataplane::set_shutdown(PortIndex index, bool shutdown) {
    if (index >= parts_->places.size()) return;
    parts_->shut(index, shutdown);
}

void Dataplane::Parts::shut(PortIndex index, bool shutdown) {
    auto& place = places[index];
    if (place.port->settings().shutdown == shutdown) return;
    place.port->set_shutdown(shutdown);
    set_twin(index);
    publish_port(index);
    if (place.root != index) publish_port(place.root);
    look_at_links = true;
    const std::uint64_t one = 1;
    [[maybe_unused]] const auto written = ::write(bell.fd, &one, sizeof one);
}

// The twin of a port that is shut down is down as well. The kernel forgets neighbors with that.
void Dataplane::Parts::set_twin(PortIndex index) {
    auto& place = places[index];
    if (!place.twin) return;
    const bool down = place.port->settings().shutdown;
    if (const auto done =
            down ? set_netdev_down(place.twin->name()) : set_netdev_up(place.twin->name());
        !done)
        warn("KERNEL-LINK", done.error());
    for (const auto& a : place.port->settings().addresses) {
        if (down) {
            publisher.erase_host(a.address, HopTable::kLocal);
            continue;
        }
        if (!has_scope(a.address)) publisher.set_host(a.address, HopTable::kLocal);
        if (auto done = netlink->add_address(place.twin->netdev(), a.address, a.length); !done)
            warn("KERNEL-ADDRESS", done.error());
    }
}

// What other processes do to a twin (`ip link set down`, a network manager, udev's own MAC) cuts
// BGP, ARP and ND: it is undone, and worth a line.
void Dataplane::Parts::watch_twin(PortIndex index, const KernelLink& link) {
    auto& place = places[index];
    if (link.gone) {
        exception->forget_twin(index);
        return events.emit(
            {"TWIN-LOST",
             "the kernel's interface of port " + place.port->settings().name + " was removed",
             {{"port", place.port->settings().name}}});
    }
    // The message is about the past, at the start even from before our own settings.
    const auto state = netdev_state(place.twin->name());
    if (!state) return;
    if (state->mac != place.port->mac()) {
        if (auto done = set_netdev_mac(place.twin->name(), place.port->mac()); !done)
            return warn("KERNEL-LINK", done.error());
        restored(index, "its MAC address");
    }
    if (state->up || place.port->settings().shutdown) return;
    set_twin(index);
    restored(index, "its state up");
}

void Dataplane::Parts::restored(PortIndex index, const char* what) {
    if (!restorations.admit()) return;
    const auto& name = places[index].port->settings().name;
    events.emit({"TWIN-RESTORED",
                 "the kernel's interface of port " + name + " had lost " + what + "; set again",
                 {{"port", name}, {"what", what}}});
}

// What the kernel sends through us fits through every port: nothing else would announce to its
// sockets that it does not (RFC 1191 §3, RFC 8201 §4).
void Dataplane::Parts::set_tun_mtu() {
    if (!tun) return;
    constexpr std::uint16_t kLeastOfIp6 = 1280;
    std::uint16_t least = 9600;
    for (const auto& place : places) least = std::min(least, place.port->mtu());
    if (auto done = set_netdev_mtu(tun->name(), std::max(least, kLeastOfIp6)); !done)
        warn("KERNEL-LINK", done.error());
}

// Where a link comes up the switch behind it may have our MAC by another port, and hosts may have
// another one for our addresses.
void Dataplane::Parts::announce(PortIndex index) {
    const auto& place = places[index];
    if (!place.twin || !running) return;
    for (const auto& address : place.own) {
        // Anycast addresses are those of other routers too.
        if (address.address.is_v6() && address.address == address.address.masked(address.length))
            continue;
        const auto frame = liveness::announcement(place.port->mac(), address.address);
        auto* m = rte_pktmbuf_alloc(pool);
        if (m == nullptr) return;
        constexpr std::size_t kLeast = 60;
        const auto size = std::max<std::size_t>(frame.length, kLeast);
        auto* out = rte_pktmbuf_append(m, static_cast<std::uint16_t>(size));
        std::memset(out, 0, size);
        std::memcpy(out, frame.bytes.data(), frame.length);
        note(m).kind = BufferNote::Kind::KernelFrame;
        note(m).port = index;
        if (!ring_put(workers[index % workers.size()]->inject, m)) return rte_pktmbuf_free(m);
    }
}

}  // namespace torii::dataplane
