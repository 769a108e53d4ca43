#include "rib/table.hpp"

#include <algorithm>
#include <ctime>
#include <utility>

namespace torii::rib {
namespace {

// A read of the vDSO that costs nanoseconds: a table of a million routes asks a million times.
std::uint32_t monotonic_seconds() {
    timespec now{};
    clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
    return static_cast<std::uint32_t>(now.tv_sec);
}

}  // namespace

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

Table::SetId Table::acquire(std::span<const NextHop> next_hops) {
    if (next_hops.empty()) return kNoSet;
    const auto [id, fresh] = sets_.acquire(next_hops);
    if (fresh) resolver_.add_set(id);
    return id;
}

void Table::release(SetId set) {
    if (set != kNoSet && sets_.release(set)) resolver_.remove_set(set);
}

// Takes a candidate out of its prefix's.
void Table::drop(CandidateId* at) {
    const auto gone = *at;
    const auto& candidate = candidates_[gone];
    *at = candidate.next;
    release(candidate.set);
    release(candidate.backup);
    --counts_[static_cast<std::size_t>(candidate.source)];
    free_.push_back(gone);
}

bool Table::usable(const Candidate& candidate) const {
    return candidate.kind != RouteKind::Forward || leads_on(candidate.set) ||
           leads_on(candidate.backup);
}

Table::CandidateId Table::in_use(CandidateId head) const {
    while (head != kEnd && !usable(candidates_[head])) head = candidates_[head].next;
    return head;
}

Table::Choice Table::choose(CandidateId head) const {
    Choice out;
    for (auto id = in_use(head); id != kEnd; id = candidates_[id].next) {
        const auto& c = candidates_[id];
        if (out.candidate == kEnd) out.candidate = id;
        // What leads nowhere stands for whatever comes behind it.
        if (c.kind != RouteKind::Forward) return out;
        for (const auto set : {c.set, c.backup}) {
            if (!leads_on(set) || set == out.set) continue;
            if (out.set != kNoSet) {
                out.backup = set;
                return out;
            }
            out.set = set;
        }
    }
    return out;
}

void Table::put(const Prefix& prefix, const RouteSpec& route) {
    Candidate wanted;
    wanted.source = route.source;
    wanted.distance = route.distance;
    wanted.kind = route.kind;
    if (route.kind == RouteKind::Forward) {
        wanted.set = acquire(route.next_hops);
        wanted.backup = acquire(route.backup);
    } else if (route.kind == RouteKind::Attached && !route.next_hops.empty()) {
        wanted.port = route.next_hops.front().port;
    }
    auto* head = &index_.try_emplace(prefix, Entry{}).first->head;

    // The same source's former route goes, the new one takes its place in the
    // order of distance; sources of equal distance keep the order of Source.
    for (CandidateId* at = head; *at != kEnd; at = &candidates_[*at].next) {
        if (candidates_[*at].source != route.source) continue;
        if (candidates_[*at].same_output(wanted)) {
            release(wanted.set);
            release(wanted.backup);
            return;
        }
        drop(at);
        break;
    }
    const auto id = allocate();
    CandidateId* at = head;
    while (*at != kEnd && std::pair{candidates_[*at].distance, candidates_[*at].source} <
                              std::pair{wanted.distance, wanted.source})
        at = &candidates_[*at].next;
    wanted.next = *at;
    wanted.since = monotonic_seconds();
    *at = id;
    candidates_[id] = wanted;
    ++counts_[static_cast<std::size_t>(route.source)];
    changed(prefix);
}

void Table::remove(const Prefix& prefix, Source source) {
    auto* entry = index_.find(prefix);
    if (entry == nullptr) return;
    for (CandidateId* at = &entry->head; *at != kEnd; at = &candidates_[*at].next) {
        if (candidates_[*at].source != source) continue;
        drop(at);
        auto left = Groups::kNone;
        if (entry->head == kEnd) {
            left = entry->group;
            index_.erase(prefix);
        }
        changed(prefix, left);
        return;
    }
}

void Table::changed(const Prefix& prefix, GroupId left) {
    dirty_.push_back({prefix, left});
    resolver_.route_changed(prefix);
    if (wake_ && !std::exchange(awake_, true)) wake_();
}

void Table::set_liveness(const IpAddress& neighbor, PortIndex port, bool alive) {
    resolver_.set_liveness(neighbor, port, alive);
    changed_ports_.push_back(port);
    if (wake_ && !std::exchange(awake_, true)) wake_();
}

void Table::set_port(PortIndex port, bool up) {
    if (!resolver_.set_port(port, up)) return;
    changed_ports_.push_back(port);
    if (wake_ && !std::exchange(awake_, true)) wake_();
}

void Table::repeat(const Prefix& within) {
    index_.walk_within(within, [this](const Prefix& prefix, const Entry&) {
        dirty_.push_back({prefix, Groups::kNone});
        return true;
    });
    if (wake_ && !std::exchange(awake_, true)) wake_();
}

bool Table::settle(std::size_t budget) {
    auto outcome = resolver_.settle();
    changed_sets_.insert(changed_sets_.end(), outcome.changed_sets.begin(),
                         outcome.changed_sets.end());
    if (!outcome.flipped_sets.empty()) {
        const auto add = [&](std::vector<SetId>& to) {
            to.insert(to.end(), outcome.flipped_sets.begin(), outcome.flipped_sets.end());
            std::ranges::sort(to);
            to.erase(std::ranges::unique(to).begin(), to.end());
        };
        add(flipped_);
        // What a set that flaps begins anew would never come to its end.
        if (rescan_from_)
            add(flipped_again_);
        else
            rescan_from_ = Prefix{};
    }
    if (rescan_from_) rescan(budget);
    if (listener_)
        for (const auto& [address, reachability] : outcome.tracked)
            listener_(address, reachability);
    for (const auto port : std::exchange(changed_ports_, {}))
        if (port_listener_) port_listener_(port);
    return rescan_from_.has_value() || !resolver_.settled();
}

// Prefixes that have a route over a set that flipped may choose another one.
void Table::rescan(std::size_t budget) {
    std::vector<Prefix> touched;
    std::optional<Prefix> stopped_at;
    const auto flipped = [this](SetId set) { return std::ranges::binary_search(flipped_, set); };
    index_.walk_from(*rescan_from_, [&](const Prefix& prefix, const Entry& entry) {
        if (budget-- == 0) {
            stopped_at = prefix;
            return false;
        }
        for (auto at = entry.head; at != kEnd; at = candidates_[at].next) {
            if (!flipped(candidates_[at].set) && !flipped(candidates_[at].backup)) continue;
            touched.push_back(prefix);
            break;
        }
        return true;
    });
    for (const auto& prefix : touched) changed(prefix);
    rescan_from_ = stopped_at;
    if (rescan_from_) return;
    flipped_ = std::exchange(flipped_again_, {});
    if (!flipped_.empty()) rescan_from_ = Prefix{};
}

bool Table::has_delta() const {
    return !dirty_.empty() || !changed_sets_.empty() || !groups_again_.empty();
}

// The prefix gives up what it had in the data plane.
void Table::leave(const Prefix& prefix, GroupId group) {
    if (group == Groups::kNone) return;
    --published_[static_cast<std::size_t>(prefix.family())];
    if (group != kNoGroup) groups_.release(group);
}

FibAction Table::action_of(const Candidate& candidate, GroupId group) {
    return {candidate.kind, candidate.kind == RouteKind::Attached ? candidate.port : PortIndex{0},
            candidate.kind == RouteKind::Forward ? group : GroupId{0}};
}

std::optional<FibAction> Table::decide(const Prefix& prefix, Entry& entry) {
    const auto choice = choose(entry.head);
    const auto before = entry.group;
    if (choice.set != kNoSet)
        entry.group = groups_.acquire(choice.set, choice.backup);
    else
        entry.group = choice.candidate != kEnd ? kNoGroup : Groups::kNone;
    if (entry.group != Groups::kNone) ++published_[static_cast<std::size_t>(prefix.family())];
    leave(prefix, before);
    if (choice.candidate == kEnd) return std::nullopt;
    return action_of(candidates_[choice.candidate], entry.group);
}

std::optional<FibAction> Table::published(const Entry& entry) const {
    const auto choice = choose(entry.head);
    if (choice.candidate == kEnd) {
        // It should have been taken back.
        if (entry.group == Groups::kNone) return std::nullopt;
        return FibAction{RouteKind::Forward, 0, Groups::kNone};
    }
    const bool right =
        choice.set == kNoSet
            ? entry.group == kNoGroup
            : entry.group < kNoGroup && groups_.holds(entry.group, choice.set, choice.backup);
    if (!right) return FibAction{RouteKind::Forward, 0, Groups::kNone};
    return action_of(candidates_[choice.candidate], entry.group);
}

GroupChange Table::change_of(GroupId id) const {
    const auto& group = groups_[id];
    GroupChange change{id, sets_[group.set].resolved, {}};
    if (group.backup != kNoSet) change.backup = sets_[group.backup].resolved;
    return change;
}

std::optional<GroupChange> Table::published_group(GroupId id) const {
    if (id >= groups_.limit() || groups_[id].prefixes == 0) return std::nullopt;
    return change_of(id);
}

void Table::send_again(const Prefix& prefix) {
    dirty_.push_back({prefix, Groups::kNone});
    if (wake_ && !std::exchange(awake_, true)) wake_();
}

void Table::send_again(GroupId id) {
    groups_again_.push_back(id);
    if (wake_ && !std::exchange(awake_, true)) wake_();
}

FibDelta Table::take_delta(std::size_t most) {
    awake_ = false;
    FibDelta delta;
    const auto first = dirty_.begin();
    const auto end = first + static_cast<std::ptrdiff_t>(std::min(most, dirty_.size()));
    for (auto at = first; at != end; ++at) leave(at->prefix, at->left);
    std::ranges::sort(first, end, {}, &Dirty::prefix);
    delta.prefixes.reserve(static_cast<std::size_t>(end - first));
    for (auto at = first; at != end; ++at) {
        if (at != first && at->prefix == (at - 1)->prefix) continue;
        auto* entry = index_.find(at->prefix);
        delta.prefixes.push_back(
            {at->prefix, entry != nullptr ? decide(at->prefix, *entry) : std::nullopt});
    }
    dirty_.erase(dirty_.begin(), end);

    delta.removed_groups = groups_.take_unused();
    auto told = groups_.take_fresh();
    if (!changed_sets_.empty()) {
        std::ranges::sort(changed_sets_);
        const auto changed = [this](SetId set) {
            return std::ranges::binary_search(changed_sets_, set);
        };
        groups_.each([&](GroupId id, const Groups::Group& group) {
            if (changed(group.set) || changed(group.backup)) told.push_back(id);
        });
        changed_sets_.clear();
    }
    for (const auto id : std::exchange(groups_again_, {}))
        if (id < groups_.limit() && groups_[id].prefixes != 0) told.push_back(id);
    std::ranges::sort(told);
    told.erase(std::ranges::unique(told).begin(), told.end());
    for (const auto id : told) delta.groups.push_back(change_of(id));
    // What still waits to be resolved may point to a released set.
    if (resolver_.settled()) sets_.recycle();
    return delta;
}

std::optional<Resolver::Via> Table::lookup(const IpAddress& address,
                                           const std::function<bool(SetId)>& excluded) const {
    std::optional<Resolver::Via> found;
    // What is on a link is reached there: no peer may draw the next hops of another to itself
    // by a route of its own inside the network of a port.
    bool attached = false;
    index_.walk_covering(Prefix::host(address), [&](const Prefix& prefix, const Entry& entry) {
        if (prefix.is_default()) return true;
        for (auto id = entry.head; id != kEnd; id = candidates_[id].next) {
            const auto& c = candidates_[id];
            auto set = kNoSet;
            if (attached && c.source == Source::Bgp) continue;
            if (c.kind == RouteKind::Forward) {
                for (const auto one : {c.backup, c.set})
                    if (leads_on(one) && !excluded(one)) set = one;
                if (set == kNoSet) continue;
            }
            found = Resolver::Via{c.kind, c.port, set};
            attached = attached || c.kind == RouteKind::Attached;
            break;
        }
        return true;
    });
    return found;
}

std::optional<Prefix> Table::longest_match(const IpAddress& address) const {
    std::optional<Prefix> best;
    index_.walk_covering(Prefix::host(address), [&](const Prefix& prefix, const Entry& entry) {
        if (in_use(entry.head) != kEnd) best = prefix;
        return true;
    });
    return best;
}

std::vector<RouteRow> Table::candidates(const Prefix& prefix) const {
    const auto* entry = index_.find(prefix);
    return entry != nullptr ? rows(prefix, entry->head) : std::vector<RouteRow>{};
}

std::vector<RouteRow> Table::rows(const Prefix& prefix, CandidateId head) const {
    std::vector<RouteRow> out;
    const auto choice = choose(head);
    for (auto id = head; id != kEnd; id = candidates_[id].next) {
        const auto& c = candidates_[id];
        const bool chosen = id == choice.candidate;
        RouteRow row{prefix, c.source, c.distance, c.kind, chosen, usable(c), {}, {}, {}, {}};
        if (const auto set = chosen ? choice.set : c.set; set != kNoSet) {
            row.next_hops = sets_[set].members;
            row.resolved = sets_[set].resolved;
            if (chosen && choice.backup != kNoSet) row.backup = sets_[choice.backup].resolved;
        } else if (c.kind == RouteKind::Attached) {
            row.next_hops = {{prefix.address(), c.port, 1}};
        }
        row.age = std::chrono::seconds{monotonic_seconds() - c.since};
        out.push_back(std::move(row));
    }
    return out;
}

}  // namespace torii::rib
