// Which neighbor is at which MAC, which ports are up, and the packets that wait for it.
#include <rte_cycles.h>
#include <rte_ring.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <algorithm>

#include "base/event_list.hpp"
#include "dataplane/parts.hpp"
#include "dataplane/worker/buffer_note.hpp"
#include "dataplane/worker/ring.hpp"

namespace torii::dataplane {
namespace {

using namespace std::chrono_literals;
constexpr auto kAskAgain = 1s;            // RFC 1122 §2.3.2.1: no more often
constexpr auto kPatience = 3500ms;        // the kernel gives up after three probes
constexpr auto kForget = 3s;              // a neighbor that failed and is not in use
constexpr auto kConfirmed = 3500ms;       // silence of one that only may be dead
constexpr auto kSettled = 10s;            // entries of a flood do not live that long in the kernel
constexpr unsigned kHeldForStranger = 3;  // RFC 4861 §7.2.2: one and more
constexpr unsigned kVerify = 100;         // ticks between two looks at whether it is sent to

}  // namespace

void Dataplane::Parts::poll() {
    epoll_event events_[8];
    const int n = ::epoll_wait(epoll, events_, 8, 0);
    for (int i = 0; i < n; ++i) {
        std::uint64_t count = 0;
        const int fd = events_[i].data.fd;
        if (fd == netlink->descriptor()) {
            const bool complete =
                netlink->changes([this](const KernelNeighbor& k) { on_kernel_change(k); },
                                 [this](const KernelLink& l) { on_link_state(l); },
                                 [this](const KernelAddress& a) { on_kernel_change(a); });
            if (!complete) resynchronize();
        } else if (::read(fd, &count, sizeof count) == sizeof count && fd == timer) {
            tick();
        }
    }
    if (look_at_links) check_links();
    if (bgp_dirty) publish_bgp();
    take_held();
    monitor->poll();
    prune();
    ask_for_fresh();
    publisher.reclaim();
    retired.reclaim();
}

// Changes were lost: all of it anew, and once more with the next tick where the kernel could
// not give it whole.
void Dataplane::Parts::resynchronize() {
    bool whole = dump_shared();
    whole &= dump_neighbors();
    whole &= netlink->dump_links([this](const KernelLink& l) { on_link_state(l); });
    kernel_is_unclear = !whole;
}

// ---- packets that wait

void Dataplane::Parts::take_held() {
    bell.asleep.store(true);
    std::atomic_thread_fence(std::memory_order_seq_cst);
    for (const auto& worker : workers) {
        void* packets[64];
        for (int turns = 0; turns < 16; ++turns) {
            const unsigned n = ring_take(worker->hold, packets, 64);
            for (unsigned i = 0; i < n; ++i) hold(static_cast<rte_mbuf*>(packets[i]));
            if (n < 64) break;
        }
    }
}

void Dataplane::Parts::hold(rte_mbuf* m) {
    const auto& about = note(m);
    if (about.out_port >= places.size()) return reinject(m, nullptr);
    auto* neighbor = about.neighbor != 0
                         ? neighbors.by_number(about.neighbor)
                         : neighbors.get(about.out_port, about.address, Neighbors::Claim::Asked);
    // No evidence that it is not there: its packets wait no longer than that.
    if (neighbor == nullptr || neighbor->port != about.out_port) return let_go_of(m);
    // Resolved while the packet was on its way here.
    if (neighbor->usable()) return reinject(m, neighbor);
    if (neighbor->state == NeighborState::Failed && Clock::now() - neighbor->since < kAskAgain)
        return reinject(m, nullptr);
    // Next hops in use have half of the room for themselves.
    const bool stranger = neighbor->users == 0;
    const auto room = settings.capacity.held_packets;
    if (neighbor->held.size() >=
            (stranger ? kHeldForStranger : settings.capacity.held_per_neighbor) ||
        held >= room || (stranger && held_for_strangers >= room / 2))
        return let_go_of(m);
    neighbor->held.push_back(m);
    ++held;
    if (stranger) ++held_for_strangers;
    resolve(*neighbor);
}

void Dataplane::Parts::let_go_of(rte_mbuf* m) {
    ++counted.exits[note(m).port][static_cast<std::size_t>(Exit::HoldFull)];
    ++let_go;
    rte_pktmbuf_free(m);
}

// On to the neighbor, by what its hop is now and without another lookup, or back: no packet
// waits twice.
void Dataplane::Parts::reinject(rte_mbuf* m, const Neighbor* there) {
    auto& about = note(m);
    about.kind = BufferNote::Kind::TimedOut;
    if (there != nullptr) {
        about.hop = there->hop;
        about.next = hops.read(there->hop);
        if (about.next.kind() == HopKind::Forward) about.kind = BufferNote::Kind::Resumed;
    }
    if (!ring_put(workers[about.port % workers.size()]->inject, m)) let_go_of(m);
}

void Dataplane::Parts::resume(Neighbor& neighbor) {
    held -= neighbor.held.size();
    for (auto* m : std::exchange(neighbor.held, {}))
        reinject(m, neighbor.usable() ? &neighbor : nullptr);
}

// ---- neighbors

bool Dataplane::Parts::on_link(const Place& place, const IpAddress& address) const {
    return !has_scope(address) &&
           std::ranges::find(place.shared, address, &PortAddress::address) == place.shared.end() &&
           std::ranges::any_of(place.own, [&](const PortAddress& own_address) {
               return Prefix{own_address.address, own_address.length}.contains(address);
           });
}

void Dataplane::Parts::resolve(Neighbor& neighbor) {
    const auto now = Clock::now();
    if (neighbor.state == NeighborState::Static) return;
    if (neighbor.state == NeighborState::Resolving && now - neighbor.asked < kAskAgain) return;
    auto& place = places[neighbor.port];
    if (!place.twin) return failed(neighbor, "the port has no kernel twin");
    if (neighbor.state != NeighborState::Resolving) {
        neighbor.state = NeighborState::Resolving;
        neighbor.since = now;
    }
    neighbor.asked = now;
    netlink->resolve(place.twin->netdev(), neighbor.address);
}

void Dataplane::Parts::ask_for_fresh() {
    for (const auto number : neighbors.take_fresh())
        if (auto* n = neighbors.by_number(number);
            n != nullptr && n->state == NeighborState::Unresolved && n->port < places.size())
            resolve(*n);
}

void Dataplane::Parts::resolved(Neighbor& neighbor, const MacAddress& mac, NeighborState state) {
    const auto& place = places[neighbor.port];
    const bool news = !neighbor.usable();
    neighbor.mac = mac;
    if (auto* watched = monitor->find(neighbor.port, neighbor.address)) locate(*watched, neighbor);
    // Its MAC is no evidence that it is up.
    if (neighbor.dead) return;
    neighbor.state = state;
    if (news) neighbor.since = Clock::now();
    publisher.neighbor_changed(
        neighbor, Hop::forward(mac, place.port->mac(), neighbor.port, place.port->mtu()));
    publisher.clear_suspicion(neighbor);
    place_host(neighbor);
    resume(neighbor);
    if (news && listener != nullptr)
        listener->neighbor_changed(neighbor.port, neighbor.address, state);
}

void Dataplane::Parts::failed(Neighbor& neighbor, std::string_view why) {
    const bool news = neighbor.state != NeighborState::Failed;
    const bool was_usable = neighbor.usable();
    neighbor.state = NeighborState::Failed;
    neighbor.since = Clock::now();
    // Answered by the workers for a while, instead of being asked for again.
    publisher.neighbor_changed(neighbor, Hop::of(HopKind::Unreachable));
    place_host(neighbor);
    resume(neighbor);
    if (!news) return;
    if (!neighbor.dead && (was_usable || neighbor.users != 0))
        events.emit({"NEIGHBOR-LOST",
                     "neighbor unreachable",
                     {{"port", places[neighbor.port].port->settings().name},
                      {"neighbor", neighbor.address.to_string()},
                      {"why", std::string(why)}}});
    if (listener != nullptr)
        listener->neighbor_changed(neighbor.port, neighbor.address, NeighborState::Failed);
}

void Dataplane::Parts::unresolved(Neighbor& neighbor) {
    if (neighbor.dead) return;
    if (neighbor.users == 0) return forget(neighbor);
    const bool news = neighbor.usable();
    neighbor.state = NeighborState::Unresolved;
    neighbor.since = Clock::now();
    publisher.neighbor_changed(neighbor, std::nullopt);
    publisher.clear_suspicion(neighbor);
    place_host(neighbor);
    resolve(neighbor);
    if (news && listener != nullptr)
        listener->neighbor_changed(neighbor.port, neighbor.address, NeighborState::Unresolved);
}

// The host route of a neighbor on a network of its port, whose networks may have changed. One
// that was never found has none: the table is not for what a scan looks for.
void Dataplane::Parts::place_host(Neighbor& neighbor) {
    const bool worth_it = neighbor.usable() || neighbor.host_hop != 0 ||
                          (neighbor.state == NeighborState::Failed && neighbor.users != 0);
    const bool wanted = worth_it && on_link(places[neighbor.port], neighbor.address);
    const auto hop = !wanted ? 0 : neighbor.suspect ? neighbor.last_resort : neighbor.hop;
    // Over the old one, so that there is no moment without any.
    if (hop != 0) publisher.set_host(neighbor.address, hop);
    if (neighbor.host_hop != 0 && neighbor.host_hop != hop)
        publisher.erase_host(neighbor.address, neighbor.host_hop);
    neighbor.host_hop = hop;
}

void Dataplane::Parts::forget(Neighbor& neighbor) {
    resume(neighbor);
    if (auto* watched = monitor->find(neighbor.port, neighbor.address)) monitor->close(*watched);
    publisher.erase_host(neighbor.address, neighbor.host_hop);
    neighbors.erase(neighbor);
}

// The kernel's table is not large, and full of the hosts that asked last: an entry less is no
// evidence that a neighbor failed. A neighbor in use is looked for at its stored MAC, which
// goes on being used unless no answer comes from there.
void Dataplane::Parts::gone(Neighbor& neighbor) {
    if (!neighbor.usable()) return;
    const bool settled = Clock::now() - neighbor.since >= kSettled;
    if (neighbor.users != 0 || settled || lives(neighbor))
        netlink->confirm(places[neighbor.port].twin->netdev(), neighbor.address, neighbor.mac);
    else
        forget(neighbor);
}

// The kernel does not see what the workers send to a neighbor, and would not ask whether it
// is still there (RFC 4861 §7.3, RFC 1122 §2.3.2.1).
void Dataplane::Parts::verify(unsigned tick) {
    for (std::size_t number = tick % kVerify; number < neighbors.numbers(); number += kVerify) {
        auto* n = neighbors.by_number(static_cast<std::uint32_t>(number));
        if (n == nullptr || n->state != NeighborState::Reachable) continue;
        std::uint64_t sent = 0;
        publisher.each_hop_of(*n, [&](HopId hop) { sent += sum_hop(hop).packets; });
        if (std::exchange(n->sent, sent) != sent && places[n->port].twin)
            netlink->resolve(places[n->port].twin->netdev(), n->address);
    }
}

bool Dataplane::Parts::dump_neighbors() {
    std::vector<bool> known;
    const bool whole = netlink->dump_neighbors([&](const KernelNeighbor& kernel) {
        on_kernel_change(kernel);
        const auto* place = place_of(kernel.netdev);
        if (place == nullptr) return;
        const auto* n =
            neighbors.find(static_cast<PortIndex>(place - places.data()), kernel.address);
        if (n == nullptr) return;
        if (n->number >= known.size()) known.resize(n->number + 1);
        known[n->number] = true;
    });
    if (!whole) return false;
    std::vector<Neighbor*> missing;
    neighbors.each([&](Neighbor& n) {
        if (n.state == NeighborState::Reachable && places[n.port].twin &&
            (n.number >= known.size() || !known[n.number]))
            missing.push_back(&n);
    });
    for (auto* n : missing) gone(*n);
    return true;
}

Dataplane::Parts::Place* Dataplane::Parts::place_of(unsigned netdev) {
    const auto place = std::ranges::find_if(
        places, [&](const Place& p) { return p.twin && p.twin->netdev() == netdev; });
    return place == places.end() ? nullptr : &*place;
}

void Dataplane::Parts::on_kernel_change(const KernelNeighbor& kernel) {
    using State = KernelNeighbor::State;
    const auto* place = place_of(kernel.netdev);
    if (place == nullptr) return;
    const auto index = static_cast<PortIndex>(place - places.data());
    auto* neighbor = neighbors.find(index, kernel.address);
    if (neighbor != nullptr && neighbor->state == NeighborState::Static) return;
    // A neighbor that answers us, itself or by its kernel, is there, whatever became of the entry
    // in our kernel.
    const bool lost = kernel.state == State::Failed || kernel.state == State::Incomplete;
    if (lost && neighbor != nullptr && lives(*neighbor)) return;
    switch (kernel.state) {
        case State::Reachable:
        case State::Stale:
            // What was on its way here when the port was shut down.
            if (place->port->settings().shutdown) return;
            if (kernel.mac.is_multicast() || kernel.mac.is_zero()) return;
            // The kernel answers requests from any address, and stores the senders. What is
            // on no network of the port is a neighbor only as a next hop that is bound to it.
            if (neighbor == nullptr && !has_scope(kernel.address) &&
                !on_link(*place, kernel.address))
                return;
            if (neighbor == nullptr)
                neighbor = neighbors.get(index, kernel.address, Neighbors::Claim::Learned);
            if (neighbor == nullptr) return;
            if (!neighbor->usable() || neighbor->mac != kernel.mac)
                resolved(*neighbor, kernel.mac, NeighborState::Reachable);
            return;
        case State::Failed:
            if (neighbor != nullptr) failed(*neighbor, "no answer to ARP or neighbor solicitation");
            return;
        case State::Incomplete:
            if (neighbor != nullptr && neighbor->usable()) unresolved(*neighbor);
            return;
        case State::Gone:
            // What waits for an answer goes on waiting.
            if (neighbor != nullptr) gone(*neighbor);
            return;
    }
}

void Dataplane::Parts::apply_static(const StaticNeighbor& wanted) {
    if (wanted.port >= places.size()) return;
    auto* neighbor = neighbors.get(wanted.port, wanted.address);
    if (neighbor == nullptr) return;
    const auto& place = places[wanted.port];
    if (place.twin) netlink->set_permanent(place.twin->netdev(), wanted.address, wanted.mac);
    resolved(*neighbor, wanted.mac, NeighborState::Static);
}

// ---- links

bool Dataplane::Parts::is_up(const Place& place) {
    return !place.port->settings().shutdown && place.carrier && place.port->link_up();
}

void Dataplane::Parts::on_link_state(const KernelLink& link) {
    if (auto* place = place_of(link.netdev); place != nullptr)
        return watch_twin(static_cast<PortIndex>(place - places.data()), link);
    for (PortIndex i = 0; i < places.size(); ++i)
        if (places[i].netdev != 0 && places[i].netdev == link.netdev) {
            places[i].carrier = link.carrier;
            set_link(i, is_up(places[i]));
        }
}

void Dataplane::Parts::check_links() {
    look_at_links = false;
    for (PortIndex i = 0; i < places.size(); ++i) set_link(i, is_up(places[i]));
}

void Dataplane::Parts::set_link(PortIndex index, bool up) {
    auto& place = places[index];
    if (place.up == up) return;
    place.up = up;
    events.emit({up ? EventId{"LINK-UP"} : EventId{"LINK-DOWN"},
                 "link of port " + place.port->settings().name + (up ? " up" : " down"),
                 {{"port", place.port->settings().name}}});
    if (up) {
        if (!queues.empty()) limit_naps();  // its speed may be another one
        announce(index);
    }
    monitor->link(index, up);
    std::vector<Neighbor*> there;
    neighbors.each([&](Neighbor& n) {
        if (n.port == index && !(up && (n.usable() || n.dead))) there.push_back(&n);
    });
    for (auto* n : there) {
        if (!up) {
            failed(*n, "link down");
            if (n->suspect) confirm_death(*n);
            continue;
        }
        const auto fixed = std::ranges::find_if(settings.static_neighbors, [&](const auto& s) {
            return s.port == index && s.address == n->address;
        });
        if (fixed != settings.static_neighbors.end())
            apply_static(*fixed);
        else
            unresolved(*n);
    }
    if (listener != nullptr) listener->link_changed(index, up);
}

void Dataplane::Parts::tick() {
    check_links();
    neighbors.recount();
    if (kernel_is_unclear) resynchronize();
    const auto now = Clock::now();
    std::vector<Neighbor*> silent, done, sure;
    held_for_strangers = 0;
    neighbors.each([&](Neighbor& n) {
        if (n.users == 0) held_for_strangers += n.held.size();
        if (n.state == NeighborState::Resolving && now - n.since > kPatience)
            silent.push_back(&n);
        else if (n.state == NeighborState::Failed && n.users == 0 && !n.dead &&
                 now - n.since > kForget)
            done.push_back(&n);
    });
    neighbors.each([&](Neighbor& n) {
        if (n.suspect && now - n.suspected >= kConfirmed) sure.push_back(&n);
    });
    for (auto* n : sure) confirm_death(*n);
    for (auto* n : silent) failed(*n, "no answer to ARP or neighbor solicitation");
    for (auto* n : done) {
        if (const auto& twin = places[n->port].twin)
            netlink->remove_neighbor(twin->netdev(), n->address);
        forget(*n);
    }
    watch_tick();
    verify(ticks++);
    if (now - last_second < 1s) return;
    last_second = now;
    // Next hops in use are asked for again and again, on a link that is up.
    neighbors.each([&](Neighbor& n) {
        if ((n.users != 0 || n.dead) && !n.usable() && places[n.port].up &&
            now - n.asked > kAskAgain) {
            n.asked = now;
            if (places[n.port].twin) netlink->resolve(places[n.port].twin->netdev(), n.address);
        }
    });
    const auto hz = rte_get_tsc_hz();
    start_slowly();
    report_drops();
    publisher.settle(static_cast<std::uint32_t>(rte_rdtsc() / (hz / 4)) + 1);
}

}  // namespace torii::dataplane
