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
constexpr auto kLoopsAgain = 10s;

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
    if (listener != nullptr)
        listener->verdict_changed(session.port, session.address, judgement.verdict,
                                  judgement.reason);
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

// Packets between a node that does not have a service address and a gateway that routes it
// there are a misconfiguration, and worth a line.
void Dataplane::Parts::report_loops() {
    constexpr auto kExit = static_cast<std::size_t>(Exit::LoopGuard);
    for (PortIndex i = 0; i < places.size(); ++i) {
        std::uint64_t now = 0;
        for (const auto& w : workers) now += w->counters.exits[i][kExit];
        auto& seen = places[i].loops_seen;
        if (now == seen || Clock::now() - places[i].loops_reported_at < kLoopsAgain) continue;
        events.emit(
            {"LOOP-GUARD",
             "packets dropped: their next hop is the node that sent them",
             {{"port", places[i].port->settings().name}, {"packets", std::to_string(now - seen)}}});
        seen = now;
        places[i].loops_reported_at = Clock::now();
    }
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
    parts_->monitor->routing(port, neighbor, session);
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
