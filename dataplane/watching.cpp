// Liveness: which neighbors are watched, and what becomes of groups when one fails.
#include <rte_cycles.h>
#include <rte_errno.h>
#include <rte_ring.h>
#include <unistd.h>

#include <algorithm>
#include <random>

#include "base/event_list.hpp"
#include "dataplane/parts.hpp"

namespace torii::dataplane {
namespace {

using namespace std::chrono_literals;
constexpr auto kPruneSlice = 1ms;  // of the control thread, before others have their turn
constexpr std::size_t kPruneGroups = 16;
constexpr auto kDropsAgain = 10s;

std::uint64_t microseconds(std::chrono::steady_clock::duration time) {
    return static_cast<std::uint64_t>(
        std::chrono::duration_cast<std::chrono::microseconds>(time).count());
}

// Our address towards the neighbor: of its network, else any of its family and scope.
std::optional<IpAddress> local_address(const std::vector<PortAddress>& own,
                                       const IpAddress& neighbor) {
    std::optional<IpAddress> any;
    for (const auto& a : own) {
        if (a.address.family() != neighbor.family() ||
            a.address.is_link_local() != neighbor.is_link_local())
            continue;
        if (Prefix{a.address, a.length}.contains(neighbor)) return a.address;
        if (!any) any = a.address;
    }
    return any;
}

}  // namespace

Result<void, SystemError> Dataplane::Parts::make_detectors() {
    monitor.emplace(
        settings.capacity.watched,
        [this](std::shared_ptr<const void> thing) { retired.retire(std::move(thing)); },
        [this](liveness::Watched& watched, NeighborVerdict before) {
            verdict_changed(watched, before);
        });
    std::random_device seed;
    monitor->roster().workers = static_cast<unsigned>(workers.size());
    const auto room = std::max(monitor->limit(), 64u) * 2;
    for (auto& w : workers) {
        rte_ring* made[2];
        constexpr const char* kNames[] = {"orders_", "reports_"};
        for (int i = 0; i < 2; ++i) {
            made[i] = rte_ring_create((kNames[i] + std::to_string(w->id)).c_str(), room,
                                      static_cast<int>(rte_socket_id()),
                                      RING_F_SP_ENQ | RING_F_SC_DEQ | RING_F_EXACT_SZ);
            if (made[i] == nullptr) return Failure{SystemError{"make liveness rings", rte_errno}};
            sessions_rings.push_back(made[i]);
        }
        monitor->add_lane(made[0], made[1]);
        monitor->roster().inject[w->id] = w->inject;
        detectors.push_back(std::make_unique<liveness::Detector>(
            monitor->roster(), rte_get_tsc_hz(), std::uint64_t{seed()} << 32 | seed(), made[0],
            made[1]));
        w->liveness = detectors.back().get();
    }
    return {};
}

// Asks whether and how a neighbor is to be watched, and sees to it.
void Dataplane::Parts::update_watch(Neighbor& neighbor) {
    neighbor.watch_decided = true;
    neighbor.watched_use = neighbor.users != 0;
    const auto profile =
        listener == nullptr
            ? std::nullopt
            : listener->liveness_of(neighbor.port, neighbor.address, neighbor.users != 0);
    auto* watched = monitor->find(neighbor.port, neighbor.address);
    if (!profile || !profile->any()) {
        if (watched == nullptr) return;
        monitor->close(*watched);
        if (!std::exchange(neighbor.dead, false)) return;
        if (listener != nullptr)
            listener->verdict_changed(neighbor.port, neighbor.address, NeighborVerdict::Unknown,
                                      "not watched any more");
        return unresolved(neighbor);
    }
    neighbor.slow_start = profile->slow_start;
    if (watched == nullptr) {
        std::vector<unsigned> owners;
        for (unsigned i = 0; i < workers.size(); ++i)
            if (std::ranges::any_of(*queues[i], [&](const auto& q) {
                    return q.port == places[neighbor.port].root;
                }))
                owners.push_back(i);
        watched = monitor->open(neighbor.port, neighbor.address, *profile, owners);
        if (watched == nullptr)
            return events.emit({"LIVENESS-FULL",
                                "neighbor not watched: no liveness session is free",
                                {{"neighbor", neighbor.address.to_string()}}});
        watched->evidence.link = places[neighbor.port].up;
    }
    monitor->change(*watched, *profile);
    locate(*watched, neighbor);
}

void Dataplane::Parts::locate(liveness::Watched& watched, const Neighbor& neighbor) {
    const auto& place = places[neighbor.port];
    const auto local = local_address(place.own, neighbor.address);
    if (!local || neighbor.mac.is_zero()) return;
    monitor->locate(watched, {neighbor.mac, place.port->mac(), neighbor.address, *local});
}

bool Dataplane::Parts::lives(const Neighbor& neighbor) {
    const auto* watched = monitor->find(neighbor.port, neighbor.address);
    if (watched == nullptr || watched->dead()) return false;
    const auto& e = watched->evidence;
    return (e.watched && e.status.watch == Watch::State::Up) ||
           (e.bfd && e.status.bfd == bfd::State::Up);
}

NeighborState Dataplane::Parts::live_state(const Neighbor& neighbor) const {
    const bool fixed = std::ranges::any_of(settings.static_neighbors, [&](const auto& s) {
        return s.port == neighbor.port && s.address == neighbor.address;
    });
    return fixed ? NeighborState::Static : NeighborState::Reachable;
}

void Dataplane::Parts::verdict_changed(liveness::Watched& watched, NeighborVerdict before) {
    const auto& session = *watched.session;
    const auto& judgement = watched.judgement;
    const bool dead = watched.dead();
    if (auto* n = neighbors.find(session.port, session.address)) {
        if (dead) {
            if (!prune_began) prune_began = Clock::now();
            n->dead = true;
            // A node that stands still for a second loses less by that than by a withdrawal.
            if (places[n->port].up && n->usable()) {
                publisher.suspect(*n);
                n->suspected = Clock::now();
            }
            failed(*n, judgement.reason);
            prune();
        } else if (std::exchange(n->dead, false) && !n->mac.is_zero()) {
            if (n->slow_start.count() != 0) {
                n->share = 1;
                n->back = Clock::now();
            }
            resolved(*n, n->mac, live_state(*n));
        }
    }
    const std::string port =
        session.port < places.size() ? places[session.port].port->settings().name : std::string{};
    if (dead || before != NeighborVerdict::Unknown || judgement.verdict == NeighborVerdict::Up)
        events.emit(
            {dead ? EventId{"LIVENESS-DOWN"} : EventId{"LIVENESS-UP"},
             dead ? "neighbor failed the liveness check" : "neighbor passes the liveness check",
             {{"port", port},
              {"neighbor", session.address.to_string()},
              {"why", judgement.reason}}});
    // Routing follows when there is no doubt left.
    const auto* n = neighbors.find(session.port, session.address);
    if (listener != nullptr && !(n != nullptr && n->suspect))
        listener->verdict_changed(session.port, session.address, judgement.verdict,
                                  judgement.reason);
}

// It stayed silent: what had no other next hop is unreachable now, and its sessions end.
void Dataplane::Parts::confirm_death(Neighbor& neighbor) {
    publisher.clear_suspicion(neighbor);
    publisher.neighbor_changed(neighbor, Hop::of(HopKind::Unreachable));
    place_host(neighbor);
    prune();
    const auto* watched = monitor->find(neighbor.port, neighbor.address);
    if (listener != nullptr && watched != nullptr && watched->dead())
        listener->verdict_changed(neighbor.port, neighbor.address, NeighborVerdict::Down,
                                  watched->judgement.reason);
}

// Groups with a neighbor that failed or came back, a slice at a time.
void Dataplane::Parts::prune() {
    const auto until = Clock::now() + kPruneSlice;
    while (publisher.refill(kPruneGroups))
        if (Clock::now() >= until) {
            const std::uint64_t one = 1;
            [[maybe_unused]] const auto written = ::write(bell.fd, &one, sizeof one);
            return;
        }
    if (!prune_began) return;
    last_prune_us = microseconds(Clock::now() - *prune_began);
    worst_prune_us = std::max(worst_prune_us, last_prune_us);
    prune_began.reset();
}

void Dataplane::Parts::watch_tick() {
    std::vector<Neighbor*> wanted;
    neighbors.each([&](Neighbor& n) {
        const bool changed = !n.watch_decided || n.watched_use != (n.users != 0);
        if ((changed && (n.usable() || n.dead)) || (n.dead && n.users == 0)) wanted.push_back(&n);
    });
    for (auto* n : wanted) update_watch(*n);
    monitor->tick();
    prune();
}

void Dataplane::Parts::start_slowly() {
    neighbors.each([&](Neighbor& n) {
        if (n.share == Neighbor::kFullShare) return;
        const auto share = n.share_at(Clock::now());
        if (share == n.share) return;
        n.share = share;
        publisher.share_changed(n);
    });
}

// What counters show to operators that look at them, and is worth a line to the others.
void Dataplane::Parts::report_drops() {
    for (PortIndex i = 0; i < places.size(); ++i) {
        // Between a node that does not have a service address and a gateway that routes it there.
        report_drop(i, places[i].loops, {Exit::LoopGuard}, "LOOP-GUARD",
                    "packets dropped: their next hop is the node that sent them");
        // RFC 5227 §2.4 (c): the administrator of a router is notified.
        report_drop(i, places[i].conflicts, {Exit::ArpConflict, Exit::NdConflict},
                    "ADDRESS-CONFLICT", "another host uses an address of this port");
    }
}

void Dataplane::Parts::report_drop(PortIndex port, Place::Reported& last,
                                   std::initializer_list<Exit> exits, EventId id,
                                   const char* text) {
    std::uint64_t now = 0;
    for (const auto& w : workers)
        for (const auto exit : exits)
            now += w->counters.exits[port][static_cast<std::size_t>(exit)];
    if (now == last.seen || Clock::now() - last.at < kDropsAgain) return;
    events.emit({id,
                 text,
                 {{"port", places[port].port->settings().name},
                  {"packets", std::to_string(now - last.seen)}}});
    last = {now, Clock::now()};
}

void Dataplane::set_pools(std::vector<Prefix> pools) {
    parts_->publisher.guard(std::move(pools));
}

void Dataplane::reconsider_liveness() {
    parts_->neighbors.each([](Neighbor& n) { n.watch_decided = false; });
}

void Dataplane::reconsider_liveness(const IpAddress& neighbor) {
    for (PortIndex port = 0; port < parts_->places.size(); ++port)
        if (auto* n = parts_->neighbors.find(port, neighbor)) n->watch_decided = false;
}

void Dataplane::set_routing_session(PortIndex port, const IpAddress& neighbor,
                                    RoutingSession session) {
    auto& p = *parts_;
    p.monitor->routing(port, neighbor, session);
    const bool changed = session == RoutingSession::Up ? p.bgp_up.insert(neighbor).second
                                                       : p.bgp_up.erase(neighbor) != 0;
    p.bgp_dirty |= changed;
}

void Dataplane::set_bgp_sources(std::vector<BgpSource> sources) {
    if (parts_->bgp_wanted == sources) return;
    parts_->bgp_wanted = std::move(sources);
    parts_->publish_bgp();
}

// Sessions come up by the thousand: with each poll at most once.
void Dataplane::Parts::publish_bgp() {
    bgp_dirty = false;
    if (!bgp_wanted) return;
    auto made = std::make_shared<BgpSources>();
    for (const auto& source : *bgp_wanted) {
        if (source.from.is_host())
            made->peers[source.from.address()] = {source.least_ttl, false};
        else
            made->ranges.emplace_back(source.from, source.least_ttl);
    }
    std::ranges::sort(made->ranges, std::greater{},
                      [](const auto& range) { return range.first.length(); });
    for (const auto& address : bgp_up) {
        auto& peer = made->peers[address];
        peer.established = true;
        if (peer.least_ttl != 0) continue;
        const auto range = std::ranges::find_if(
            made->ranges, [&](const auto& r) { return r.first.contains(address); });
        if (range != made->ranges.end()) peer.least_ttl = range->second;
    }
    tables.bgp.store(made.get(), std::memory_order_release);
    if (bgp != nullptr) retired.retire(bgp);
    bgp = std::move(made);
}

void Dataplane::set_multihop(const std::vector<MultihopSettings>& wanted) {
    auto& p = *parts_;
    auto& monitor = *p.monitor;
    for (const auto& old : p.multihop)
        if (std::ranges::find(wanted, old.address, &MultihopSettings::address) == wanted.end())
            if (auto* watched = monitor.find(rib::kAnyPort, old.address)) monitor.close(*watched);
    std::vector<unsigned> owners;
    for (unsigned i = 0; i < p.workers.size(); ++i) owners.push_back(i);
    for (const auto& one : wanted) {
        LivenessProfile profile;
        profile.watch.detect = Detect::Off;
        profile.bfd = one.bfd;
        profile.bfd_shutdown = one.shutdown;
        auto* watched = monitor.open(rib::kAnyPort, one.address, profile, owners);
        if (watched == nullptr) continue;
        monitor.change(*watched, profile);
        monitor.set_least_ttl(*watched, one.least_ttl);
        monitor.locate(*watched, {{}, {}, one.address, one.local});
    }
    p.multihop = wanted;
}

std::optional<NeighborVerdict> Dataplane::verdict(const IpAddress& neighbor) const {
    for (PortIndex port = 0; port < parts_->places.size(); ++port)
        if (const auto* watched = parts_->monitor->find(port, neighbor))
            return watched->judgement.verdict;
    return std::nullopt;
}

std::vector<LivenessView> Dataplane::liveness() const {
    return parts_->monitor->views();
}

LivenessCounters Dataplane::liveness_counters() const {
    auto out = parts_->monitor->counters();
    out.last_prune_us = parts_->last_prune_us;
    out.worst_prune_us = parts_->worst_prune_us;
    return out;
}

}  // namespace torii::dataplane
