#include "rib/resolver.hpp"

#include <algorithm>
#include <cassert>

namespace torii::rib {

namespace {
constexpr std::size_t kSteps = 4096;  // of one settle()
}

Resolver::TrackedId Resolver::enter(const IpAddress& address) {
    if (const auto* known = index_.find(Prefix::host(address))) return *known;
    TrackedId id;
    if (free_.empty()) {
        id = static_cast<TrackedId>(tracked_.size());
        tracked_.emplace_back();
    } else {
        id = free_.back();
        free_.pop_back();
    }
    tracked_[id] = Tracked{};
    tracked_[id].address = address;
    index_.try_emplace(Prefix::host(address), id);
    resolve(id);
    return id;
}

void Resolver::leave(TrackedId id) {
    auto& tracked = tracked_[id];
    // While it waits in pending_ its number must not mean another address.
    if (tracked.in_use() || tracked.pending) return;
    index_.erase(Prefix::host(tracked.address));
    point(tracked.via, NextHopSets::kNone);
    point(tracked.blocked, NextHopSets::kNone);
    tracked = {};
    free_.push_back(id);
}

void Resolver::mark(TrackedId id) {
    if (std::exchange(tracked_[id].pending, true)) return;
    pending_.push_back(id);
}

void Resolver::add_set(NextHopSets::Id id) {
    for (const auto& member : sets_[id].members)
        if (member.port == kAnyPort) tracked_[enter(member.address)].sets.push_back(id);
    resolve_set(sets_[id]);
}

void Resolver::remove_set(NextHopSets::Id id) {
    for (const auto& member : sets_[id].members) {
        if (member.port != kAnyPort) continue;
        const auto* tracked = index_.find(Prefix::host(member.address));
        assert(tracked != nullptr);
        auto& users = tracked_[*tracked].sets;
        const auto at = std::ranges::find(users, id);
        if (at != users.end()) {
            *at = users.back();
            users.pop_back();
        }
        leave(*tracked);
    }
}

Reachability Resolver::track(const IpAddress& address) {
    auto& tracked = tracked_[enter(address)];
    ++tracked.watchers;
    return tracked.reachability();
}

void Resolver::untrack(const IpAddress& address) {
    const auto* id = index_.find(Prefix::host(address));
    if (id == nullptr || tracked_[*id].watchers == 0) return;
    --tracked_[*id].watchers;
    leave(*id);
}

bool Resolver::knows(const IpAddress& address) const {
    if (const auto* id = index_.find(Prefix::host(address));
        id != nullptr && tracked_[*id].in_use())
        return true;
    for (NextHopSets::Id id = 0; id < sets_.capacity(); ++id)
        if (sets_[id].routes != 0 &&
            std::ranges::find(sets_[id].members, address, &NextHop::address) !=
                sets_[id].members.end())
            return true;
    return false;
}

void Resolver::route_changed(const Prefix& prefix) {
    if (prefix.is_default()) return;  // nothing resolves through it
    index_.walk_within(prefix, [&](const Prefix&, TrackedId id) {
        mark(id);
        return true;
    });
}

void Resolver::point(NextHopSets::Id& field, NextHopSets::Id to) {
    if (field != NextHopSets::kNone) --sets_[field].dependents;
    field = to;
    if (to != NextHopSets::kNone) ++sets_[to].dependents;
}

bool Resolver::depends_on(NextHopSets::Id set, TrackedId id, int levels) const {
    for (const auto& member : sets_[set].members) {
        if (member.port != kAnyPort) continue;
        const auto* other = index_.find(Prefix::host(member.address));
        if (other == nullptr) continue;
        if (*other == id) return true;
        const auto via = tracked_[*other].via;
        if (via != NextHopSets::kNone && levels > 0 && depends_on(via, id, levels - 1)) return true;
    }
    return false;
}

bool Resolver::resolve(TrackedId id) {
    auto& tracked = tracked_[id];
    std::vector<FibNextHop> resolved;
    std::uint8_t depth = 0;
    auto through = NextHopSets::kNone;
    auto blocked = NextHopSets::kNone;

    const auto circular = [&](NextHopSets::Id set) {
        if (!depends_on(set, id, kMaxDepth)) return false;
        blocked = set;
        return true;
    };
    if (const auto via = lookup_(tracked.address, circular)) {
        if (via->kind == RouteKind::Attached) {
            if (!is_dead(tracked.address, via->port)) resolved = {{tracked.address, via->port, 1}};
        } else if (via->kind == RouteKind::Forward && sets_[via->set].depth < kMaxDepth) {
            through = via->set;
            resolved = sets_[through].resolved;
            depth = static_cast<std::uint8_t>(sets_[through].depth + 1);
        }
    }

    const bool changed = resolved != tracked.resolved || depth != tracked.depth;
    tracked.resolved = std::move(resolved);
    tracked.depth = depth;
    point(tracked.via, through);
    point(tracked.blocked, blocked);
    return changed;
}

bool Resolver::resolve_set(NextHopSet& set) const {
    std::vector<FibNextHop> resolved;
    std::uint8_t depth = 0;
    for (const auto& member : set.members) {
        if (member.port != kAnyPort) {
            if (!is_dead(member.address, member.port))
                resolved.push_back({member.address, member.port, member.weight});
            continue;
        }
        const auto* id = index_.find(Prefix::host(member.address));
        assert(id != nullptr);
        const auto& tracked = tracked_[*id];
        depth = std::max(depth, tracked.depth);
        for (auto hop : tracked.resolved) {
            hop.weight = static_cast<std::uint16_t>(
                std::min<std::uint32_t>(std::uint32_t{hop.weight} * member.weight, 0xffff));
            resolved.push_back(hop);
        }
    }
    // Two members behind one neighbor are one next hop of their joint weight.
    std::ranges::sort(resolved);
    std::size_t kept = 0;
    for (std::size_t i = 0; i < resolved.size(); ++i) {
        if (kept > 0 && resolved[kept - 1].neighbor == resolved[i].neighbor &&
            resolved[kept - 1].port == resolved[i].port) {
            const auto sum = std::uint32_t{resolved[kept - 1].weight} + resolved[i].weight;
            resolved[kept - 1].weight = static_cast<std::uint16_t>(std::min(sum, 0xffffu));
        } else {
            resolved[kept++] = resolved[i];
        }
    }
    resolved.resize(kept);

    const bool changed = resolved != set.resolved || depth != set.depth;
    set.resolved = std::move(resolved);
    set.depth = depth;
    return changed;
}

bool Resolver::refresh_set(NextHopSets::Id id, Outcome& outcome) {
    auto& set = sets_[id];
    const bool was_usable = set.usable();
    const auto before = set.resolved;
    if (!resolve_set(set)) return false;
    if (set.resolved != before) outcome.changed_sets.push_back(id);
    if (set.usable() != was_usable) outcome.flipped_sets.push_back(id);
    return true;
}

void Resolver::set_liveness(const IpAddress& neighbor, PortIndex port, bool alive) {
    if (alive ? dead_.erase({neighbor, port}) == 0 : !dead_.emplace(neighbor, port).second) return;
    if (const auto* id = index_.find(Prefix::host(neighbor))) mark(*id);
    // Sets that name the port resolve directly. A death is rare enough for a scan.
    for (NextHopSets::Id id = 0; id < sets_.capacity(); ++id)
        if (std::ranges::any_of(sets_[id].members, [&](const NextHop& member) {
                return member.port == port && member.address == neighbor;
            }))
            pending_sets_.push_back(id);
}

bool Resolver::set_port(PortIndex port, bool up) {
    if (up ? down_.erase(port) == 0 : !down_.insert(port).second) return false;
    for (NextHopSets::Id id = 0; id < sets_.capacity(); ++id)
        if (std::ranges::find(sets_[id].members, port, &NextHop::port) != sets_[id].members.end())
            pending_sets_.push_back(id);
    for (TrackedId id = 0; id < tracked_.size(); ++id)
        if (tracked_[id].in_use() &&
            (tracked_[id].resolved.empty() ||
             std::ranges::find(tracked_[id].resolved, port, &FibNextHop::port) !=
                 tracked_[id].resolved.end()))
            mark(id);
    return true;
}

void Resolver::refresh_pending(NextHopSets::Id set, Outcome& outcome) {
    if (!refresh_set(set, outcome) || sets_[set].dependents == 0) return;
    for (TrackedId other = 0; other < tracked_.size(); ++other)
        if (tracked_[other].via == set || tracked_[other].blocked == set) mark(other);
}

Resolver::Outcome Resolver::settle() {
    Outcome outcome;
    for (const auto set : std::exchange(pending_sets_, {}))
        if (sets_[set].routes != 0) refresh_pending(set, outcome);
    for (auto steps = std::min(4 * tracked_.size() + 64, kSteps); !pending_.empty() && steps > 0;
         --steps) {
        const auto id = pending_.back();
        pending_.pop_back();
        tracked_[id].pending = false;
        if (!tracked_[id].in_use()) {
            leave(id);
            continue;
        }
        const auto before = tracked_[id].reachability();
        if (!resolve(id)) continue;
        if (tracked_[id].watchers > 0 && tracked_[id].reachability() != before)
            outcome.tracked.emplace_back(tracked_[id].address, tracked_[id].reachability());

        for (const auto set : tracked_[id].sets) refresh_pending(set, outcome);
    }
    return outcome;
}

}  // namespace torii::rib
