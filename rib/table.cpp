#include "rib/table.hpp"

#include <algorithm>
#include <utility>

namespace torii::rib {

Table::Table()
    : resolver_(sets_, [this](const IpAddress& address, const auto& excluded) {
          return lookup(address, excluded);
      }) {}

Table::CandidateId Table::allocate() {
    if (free_.empty()) {
        candidates_.emplace_back();
        return static_cast<CandidateId>(candidates_.size() - 1);
    }
    const auto id = free_.back();
    free_.pop_back();
    return id;
}

void Table::release(const Candidate& candidate) {
    if (candidate.set == NextHopSets::kNone || !sets_.release(candidate.set)) return;
    resolver_.remove_set(candidate.set);
    removed_groups_.push_back(candidate.set);
}

bool Table::usable(const Candidate& candidate) const {
    return candidate.kind != RouteKind::Forward || sets_[candidate.set].usable();
}

Table::CandidateId Table::in_use(CandidateId head) const {
    while (head != kEnd && !usable(candidates_[head])) head = candidates_[head].next;
    return head;
}

void Table::put(const Prefix& prefix, const RouteSpec& route) {
    Candidate wanted;
    wanted.source = route.source;
    wanted.distance = route.distance;
    wanted.kind = route.kind;
    if (route.kind == RouteKind::Forward) {
        const auto [id, fresh] = sets_.acquire(route.next_hops);
        wanted.set = id;
        if (fresh) {
            resolver_.add_set(id);
            dirty_groups_.push_back(id);
        }
    } else if (route.kind == RouteKind::Attached && !route.next_hops.empty()) {
        wanted.port = route.next_hops.front().port;
    }

    const auto id = allocate();
    auto* head = index_.try_emplace(prefix, kEnd).first;

    // The same source's former route goes, the new one takes its place in the
    // order of distance; sources of equal distance keep the order of Source.
    for (CandidateId* at = head; *at != kEnd; at = &candidates_[*at].next) {
        if (candidates_[*at].source != route.source) continue;
        const auto gone = *at;
        *at = candidates_[gone].next;
        release(candidates_[gone]);
        free_.push_back(gone);
        --counts_[static_cast<std::size_t>(route.source)];
        break;
    }
    CandidateId* at = head;
    while (*at != kEnd && std::pair{candidates_[*at].distance, candidates_[*at].source} <
                              std::pair{wanted.distance, wanted.source})
        at = &candidates_[*at].next;
    wanted.next = *at;
    *at = id;
    candidates_[id] = wanted;
    ++counts_[static_cast<std::size_t>(route.source)];
    changed(prefix);
}

void Table::remove(const Prefix& prefix, Source source) {
    auto* head = index_.find(prefix);
    if (head == nullptr) return;
    for (CandidateId* at = head; *at != kEnd; at = &candidates_[*at].next) {
        if (candidates_[*at].source != source) continue;
        const auto gone = *at;
        *at = candidates_[gone].next;
        release(candidates_[gone]);
        free_.push_back(gone);
        --counts_[static_cast<std::size_t>(source)];
        if (*head == kEnd) index_.erase(prefix);
        changed(prefix);
        return;
    }
}

void Table::changed(const Prefix& prefix) {
    dirty_.push_back(prefix);
    resolver_.route_changed(prefix);
    if (wake_ && !std::exchange(awake_, true)) wake_();
}

void Table::set_dead(const IpAddress& neighbor, PortIndex port, bool dead) {
    resolver_.set_dead(neighbor, port, dead);
    if (wake_ && !std::exchange(awake_, true)) wake_();
}

void Table::repeat(const Prefix& within) {
    index_.walk_within(within, [this](const Prefix& prefix, CandidateId) {
        dirty_.push_back(prefix);
        return true;
    });
    if (wake_ && !std::exchange(awake_, true)) wake_();
}

bool Table::settle(std::size_t budget) {
    auto outcome = resolver_.settle();
    dirty_groups_.insert(dirty_groups_.end(), outcome.changed_sets.begin(),
                         outcome.changed_sets.end());
    if (!outcome.flipped_sets.empty()) {
        flipped_.insert(flipped_.end(), outcome.flipped_sets.begin(), outcome.flipped_sets.end());
        std::ranges::sort(flipped_);
        flipped_.erase(std::ranges::unique(flipped_).begin(), flipped_.end());
        rescan_from_ = Prefix{};
    }
    if (rescan_from_) rescan(budget);
    if (listener_)
        for (const auto& [address, reachability] : outcome.tracked)
            listener_(address, reachability);
    return rescan_from_.has_value() || !resolver_.settled();
}

// Prefixes that have a route over a set that flipped may choose another one.
void Table::rescan(std::size_t budget) {
    std::vector<Prefix> touched;
    std::optional<Prefix> stopped_at;
    index_.walk_from(*rescan_from_, [&](const Prefix& prefix, CandidateId head) {
        if (budget-- == 0) {
            stopped_at = prefix;
            return false;
        }
        for (auto at = head; at != kEnd; at = candidates_[at].next) {
            if (!std::ranges::binary_search(flipped_, candidates_[at].set)) continue;
            touched.push_back(prefix);
            break;
        }
        return true;
    });
    for (const auto& prefix : touched) changed(prefix);
    rescan_from_ = stopped_at;
    if (!rescan_from_) flipped_.clear();
}

bool Table::has_delta() const {
    return !dirty_.empty() || !dirty_groups_.empty() || !removed_groups_.empty();
}

std::optional<FibAction> Table::action(CandidateId head) const {
    const auto id = in_use(head);
    if (id == kEnd) return std::nullopt;
    const auto& candidate = candidates_[id];
    switch (candidate.kind) {
        case RouteKind::Forward:
            return FibAction{candidate.kind, 0, candidate.set};
        case RouteKind::Attached:
            return FibAction{candidate.kind, candidate.port, 0};
        case RouteKind::Local:
        case RouteKind::Discard:
        case RouteKind::Unreachable:
            break;
    }
    return FibAction{candidate.kind, 0, 0};
}

FibDelta Table::take_delta() {
    awake_ = false;
    FibDelta delta;
    std::ranges::sort(dirty_groups_);
    dirty_groups_.erase(std::ranges::unique(dirty_groups_).begin(), dirty_groups_.end());
    for (const auto id : dirty_groups_) {
        if (sets_[id].routes == 0) continue;
        delta.groups.push_back({id, sets_[id].resolved});
        sets_[id].announced = true;
    }

    std::ranges::sort(dirty_);
    dirty_.erase(std::ranges::unique(dirty_).begin(), dirty_.end());
    delta.prefixes.reserve(dirty_.size());
    for (const auto& prefix : dirty_) {
        const auto* head = index_.find(prefix);
        delta.prefixes.push_back({prefix, head != nullptr ? action(*head) : std::nullopt});
    }

    for (const auto id : removed_groups_)
        if (sets_[id].announced) delta.removed_groups.push_back(id);
    removed_groups_.clear();
    dirty_groups_.clear();
    dirty_.clear();
    // What still waits to be resolved may point to a released set.
    if (resolver_.settled()) sets_.recycle();
    return delta;
}

std::optional<Resolver::Via> Table::lookup(
    const IpAddress& address, const std::function<bool(NextHopSets::Id)>& excluded) const {
    std::optional<Resolver::Via> found;
    index_.walk_covering(Prefix::host(address), [&](const Prefix& prefix, CandidateId head) {
        if (prefix.is_default()) return true;
        for (auto id = head; id != kEnd; id = candidates_[id].next) {
            const auto& candidate = candidates_[id];
            if (!usable(candidate)) continue;
            if (candidate.set != NextHopSets::kNone && excluded(candidate.set)) continue;
            found = Resolver::Via{candidate.kind, candidate.port, candidate.set};
            break;
        }
        return true;
    });
    return found;
}

std::optional<Prefix> Table::longest_match(const IpAddress& address) const {
    std::optional<Prefix> best;
    index_.walk_covering(Prefix::host(address), [&](const Prefix& prefix, CandidateId head) {
        if (in_use(head) != kEnd) best = prefix;
        return true;
    });
    return best;
}

std::vector<RouteRow> Table::candidates(const Prefix& prefix) const {
    const auto* head = index_.find(prefix);
    return head != nullptr ? rows(prefix, *head) : std::vector<RouteRow>{};
}

std::vector<RouteRow> Table::rows(const Prefix& prefix, CandidateId head) const {
    std::vector<RouteRow> out;
    const auto chosen = in_use(head);
    for (auto id = head; id != kEnd; id = candidates_[id].next) {
        const auto& c = candidates_[id];
        RouteRow row{prefix, c.source, c.distance, c.kind, id == chosen, usable(c), {}, {}};
        if (c.set != NextHopSets::kNone) {
            row.next_hops = sets_[c.set].members;
            row.resolved = sets_[c.set].resolved;
        } else if (c.kind == RouteKind::Attached) {
            row.next_hops = {{prefix.address(), c.port, 1}};
        }
        out.push_back(std::move(row));
    }
    return out;
}

}  // namespace torii::rib
