#include "dataplane/fib/publisher.hpp"
#include "base/event_list.hpp"

#include <algorithm>

namespace torii::dataplane {
namespace {

// Prefixes that waited and are tried again: with each delta, and each second.
constexpr std::size_t kTries = 1024, kTriesASecond = 16'384;

}  // namespace

Publisher::Publisher(Fib4& fib4, Fib6& fib6, HopTable& hops, Neighbors& neighbors,
                     Quiescence& workers, EventSink& events, std::uint32_t max_members)
    : fib4_(fib4),
      fib6_(fib6),
      hops_(hops),
      neighbors_(neighbors),
      events_(events),
      max_members_(max_members),
      retired_(workers) {}

void Publisher::apply(const rib::FibDelta& delta) {
    find_predecessors(delta);
    for (const auto& change : delta.groups) change_group(change);
    for (const auto& change : delta.prefixes) change_prefix(change);
    for (const auto id : delta.removed_groups) remove_group(id);
    retry(kTries);
}

// A prefix whose next hops change moves to another group, and its flows are to stay
// with the members that both have: a new group begins with the buckets of the old one.
void Publisher::find_predecessors(const rib::FibDelta& delta) {
    predecessors_.clear();
    if (delta.groups.empty() || group_count_ == 0) return;
    for (const auto& [prefix, action] : delta.prefixes) {
        if (!action || action->kind != rib::RouteKind::Forward) continue;
        const auto id = action->group;
        if ((id < groups_.size() && groups_[id] != nullptr) || predecessors_.contains(id)) continue;
        const auto& a = prefix.address();
        const auto hop = a.is_v4() ? fib4_.lookup(a.v4()) : fib6_.lookup(Ip6::of(a));
        if (const auto at = by_hop_.find(hop); at != by_hop_.end())
            predecessors_.emplace(id, at->second);
    }
}

void Publisher::inherit_flows(Group& group) {
    const auto at = predecessors_.find(group.id);
    if (at == predecessors_.end() || group.members.size() < 2) return;
    const auto& old = *at->second;
    if (old.buckets != nullptr) {
        group.buckets = BucketPlan::resized(*old.buckets, old.buckets->size());
    } else if (old.members.size() == 1 && used_ &&
               (used_(old.hop) || (old.guarded != 0 && used_(old.guarded))) &&
               std::ranges::find(group.members, old.members.front()) != group.members.end()) {
        group.buckets = make_buckets(BucketPlan::kBucketsPerMember);
        for (std::uint32_t b = 0; b < group.buckets->size(); ++b)
            group.buckets->buckets[b] = {{old.members.front()->hop}, {epoch_}};
    }
}

void Publisher::change_group(const rib::GroupChange& change) {
    short_groups_.erase(change.id);
    if (change.id >= groups_.size()) groups_.resize(change.id + 1);
    auto& slot = groups_[change.id];
    if (slot == nullptr) {
        const auto hop = hops_.take();
        if (hop == HopTable::kNone) {
            if (waiting_groups_.empty())
                events_.emit({"FIB-GROUPS-FULL",
                              "next-hop table full; raise dataplane.next_hop_groups",
                              {{"limit", std::to_string(hops_.pool().limit())}}});
            waiting_groups_.insert_or_assign(change.id, change);
            return;
        }
        slot = std::make_unique<Group>();
        slot->id = change.id;
        slot->hop = hop;
        ++group_count_;
        by_hop_[hop] = slot.get();
    }
    Group& group = *slot;
    const bool fresh = group.wanted.empty() && group.buckets == nullptr;
    const auto before = std::exchange(group.members, {});
    const auto backup_before = std::exchange(group.backup, {});
    bool all = enlist(group, change.members, group.wanted, group.members);
    all &= enlist(group, change.backup, group.wanted_backup, group.backup);
    if (!all) short_groups_.insert_or_assign(change.id, change);
    if (fresh) inherit_flows(group);
    publish(group);
    release(group, before);
    release(group, backup_before);
}

// Puts the group on the list of every neighbor it may send to; false when one found no place.
bool Publisher::enlist(Group& group, const std::vector<rib::FibNextHop>& from,
                       std::vector<rib::FibNextHop>& wanted, std::vector<Neighbor*>& members) {
    wanted.clear();
    bool all = true;
    for (const auto& member : from) {
        if (members.size() >= max_members_) {
            if (const auto left_out = truncations_.admit())
                events_.emit({"FIB-GROUP-TRUNCATED",
                              "next-hop group truncated: more members than a group holds",
                              {{"members", std::to_string(from.size())},
                               {"used", std::to_string(max_members_)},
                               {"left_out", std::to_string(*left_out)}}});
            break;
        }
        auto* neighbor = neighbors_.get(member.port, member.neighbor);
        if (neighbor == nullptr) {
            all = false;
            if (const auto left_out = without_neighbor_.admit())
                events_.emit({"FIB-NEIGHBORS-FULL",
                              "neighbor table full; raise dataplane.next_hop_groups",
                              {{"neighbor", member.neighbor.to_string()},
                               {"left_out", std::to_string(*left_out)}}});
            continue;
        }
        neighbors_.use(*neighbor);
        holders_[neighbor].push_back(&group);
        wanted.push_back(member);
        members.push_back(neighbor);
    }
    return all;
}

// Takes the group off the lists of neighbors it had, once for each time.
void Publisher::release(Group& group, const std::vector<Neighbor*>& members) {
    for (auto* neighbor : members) {
        neighbors_.release(*neighbor);
        const auto holders = holders_.find(neighbor);
        auto& list = holders->second;
        list.erase(std::ranges::find(list, &group));
        if (list.empty()) holders_.erase(holders);
    }
}

void Publisher::remove_group(rib::GroupId id) {
    waiting_groups_.erase(id);
    short_groups_.erase(id);
    if (id >= groups_.size() || groups_[id] == nullptr) return;
    auto& group = *groups_[id];
    by_hop_.erase(group.hop);
    by_hop_.erase(group.guarded);
    hops_.write(group.hop, Hop::of(HopKind::Unreachable));
    hops_.retire(group.hop);
    if (group.guarded != 0) {
        hops_.write(group.guarded, Hop::of(HopKind::Unreachable));
        hops_.retire(group.guarded);
    }
    if (group.buckets != nullptr) retired_.retire(std::move(group.buckets));
    if (group.lone != nullptr) retired_.retire(std::move(group.lone));
    release(group, group.members);
    release(group, group.backup);
    groups_[id].reset();
    --group_count_;
}

void Publisher::publish(Group& group, bool hurry) {
    auto outgrown = deal(group, hurry);
    if (group.guarded != 0) publish_guarded(group);
    // Before both were written a worker could still begin to read it.
    if (outgrown != nullptr) retired_.retire(std::move(outgrown));
}

void Publisher::publish_guarded(Group& group) {
    const auto plain = hops_.read(group.hop);
    if (plain.kind() == HopKind::Group) {
        hops_.write(group.guarded, Hop::group(plain.buckets(), true));
    } else if (plain.kind() == HopKind::Forward) {
        // The one member that there is, behind a bucket that has the guard look at it.
        const auto& members = group.lives() ? group.members : group.backup;
        const auto lone = std::ranges::find_if(
            members, [](const Neighbor* n) { return n->state != NeighborState::Failed; });
        const auto suspect = std::ranges::find_if(group.members, &Neighbor::suspect);
        HopId hop = HopTable::kUnreachable;
        if (lone != members.end())
            hop = (*lone)->hop;
        else if (suspect != group.members.end())
            hop = (*suspect)->last_resort;
        auto made = make_buckets(1);
        made->buckets[0].hop = hop;
        made->ports = std::uint64_t{1} << plain.port;
        std::swap(group.lone, made);
        hops_.write(group.guarded, Hop::group(group.lone.get(), true));
        if (made != nullptr) retired_.retire(std::move(made));
    } else {
        hops_.write(group.guarded, plain);
    }
}

bool Publisher::is_guarded(const Prefix& prefix, const Group& group) const {
    return (prefix.is_host() || group.members.size() > 1) &&
           std::ranges::any_of(pools_, [&](const Prefix& pool) { return pool.contains(prefix); });
}

BucketTablePtr Publisher::deal(Group& group, bool hurry) {
    group.has_pending_moves = group.waits = group.moves_due = false;
    // Members known dead take no traffic while another is left, or a backup.
    const bool lives = group.lives();
    const auto& members = lives ? group.members : group.backup;
    const auto& wanted = lives ? group.wanted : group.wanted_backup;
    std::vector<BucketPlan::Member> alive;
    std::vector<const Neighbor*> alive_neighbors;
    bool slow = false;
    for (std::size_t i = 0; i < members.size(); ++i)
        if (members[i]->state != NeighborState::Failed) {
            alive.push_back(
                {members[i]->hop, wanted[i].weight, Assignment::identity_of(members[i]->address)});
            alive_neighbors.push_back(members[i]);
            slow |= members[i]->share != Neighbor::kFullShare;
        }
    // Nothing else is left: those that may be back in a moment.
    if (alive.empty())
        for (std::size_t i = 0; i < group.members.size(); ++i)
            if (const auto* n = group.members[i]; n->suspect) {
                alive.push_back(
                    {n->last_resort, group.wanted[i].weight, Assignment::identity_of(n->address)});
                alive_neighbors.push_back(n);
            }
    if (alive.empty() && !group.members.empty()) {
        alive.push_back({group.members.front()->hop, 1, 0});
        alive_neighbors.push_back(group.members.front());
    }
    if (alive.size() <= 1 && group.buckets == nullptr) {
        hops_.write(group.hop,
                    alive.empty() ? Hop::of(HopKind::Unreachable) : hops_.read(alive.front().hop));
        return nullptr;
    }
    if (alive.empty()) {
        hops_.write(group.hop, Hop::of(HopKind::Unreachable));
        return nullptr;
    }
    const auto size = BucketPlan::wanted_size(alive);
    if (slow)
        for (std::size_t i = 0; i < alive.size(); ++i)
            alive[i].weight = static_cast<std::uint16_t>(
                std::min<std::uint32_t>(std::uint32_t{std::max<std::uint16_t>(alive[i].weight, 1)} *
                                            alive_neighbors[i]->share,
                                        0xffff));
    const auto idle_before = epoch_ > kIdleTicks ? epoch_ - kIdleTicks : 0;
    BucketTablePtr outgrown;
    if (group.buckets == nullptr) {
        // The member that had all the traffic until now keeps the flows it may have.
        const auto before = hops_.read(group.hop);
        group.buckets = make_buckets(size);
        if (used_ && used_(group.hop) && before.kind() == HopKind::Forward)
            for (const auto& member : alive) {
                if (std::memcmp(hops_.read(member.hop).macs, before.macs, 12) != 0) continue;
                for (std::uint32_t b = 0; b < size; ++b)
                    group.buckets->buckets[b] = {{member.hop}, {epoch_}};
            }
    } else if (group.buckets->size() < size) {
        auto larger = BucketPlan::resized(*group.buckets, size);
        outgrown = std::exchange(group.buckets, std::move(larger));
    }
    note_backup(group);
    std::uint64_t ports = 0;
    for (const auto* n : alive_neighbors) ports |= std::uint64_t{1} << n->port;
    group.buckets->ports = ports;
    if (!group.plan || group.plan->members() != alive) group.plan = plan_for(alive, size);
    // A few a second, so that a scale-out under load is over in a minute or two.
    const auto some = hurry ? std::max(2u, group.buckets->size() / 64) : 0;
    group.has_pending_moves = group.plan->settle(*group.buckets, idle_before, some) != 0;
    if (!group.has_pending_moves) {
        group.plan.reset();
        group.pending_since = 0;
    }
    hops_.write(group.hop, Hop::group(group.buckets.get()));
    return outgrown;
}

std::shared_ptr<const BucketPlan> Publisher::plan_for(
    const std::vector<BucketPlan::Member>& members, std::uint32_t size) {
    const auto known = std::ranges::find_if(plans_, [&](const auto& plan) {
        return plan->size() == size && plan->members() == members;
    });
    if (known != plans_.end()) return *known;
    if (plans_.size() >= kPlans) plans_.pop_front();
    return plans_.emplace_back(std::make_shared<const BucketPlan>(members, size));
}

// Where workers send what finds no member alive, until the buckets are dealt out again.
void Publisher::note_backup(const Group& group) {
    const HopId hop = group.backup.empty() ? 0 : group.backup.front()->hop;
    group.buckets->backup = hop;
}

void Publisher::neighbor_changed(Neighbor& neighbor, const std::optional<Hop>& forward) {
    hops_.write(neighbor.hop,
                forward ? *forward : Hop::of(HopKind::Hold, neighbor.number, neighbor.port));
    const auto holders = holders_.find(&neighbor);
    if (holders == holders_.end()) return;
    for (auto* group : holders->second) {
        // A backup that is not wanted now is only a name.
        if (!group->backup.empty() && group->lives() && !group->has(neighbor)) continue;
        if (group->buckets == nullptr)
            publish(*group);
        else if (!std::exchange(group->waits, true))
            refill_.push_back(group->id);
    }
}

void Publisher::suspect(Neighbor& neighbor) {
    const auto where = hops_.read(neighbor.hop);
    if (where.kind() != HopKind::Forward) return;
    if (neighbor.last_resort == 0) neighbor.last_resort = hops_.take();
    neighbor.suspect = neighbor.last_resort != HopTable::kNone;
    if (neighbor.suspect) hops_.write(neighbor.last_resort, where);
}

// Buckets may name that hop until their group has its turn: it leads where the neighbor's does.
void Publisher::clear_suspicion(Neighbor& neighbor) {
    neighbor.suspect = false;
    if (neighbor.last_resort != 0) hops_.write(neighbor.last_resort, hops_.read(neighbor.hop));
}

bool Publisher::refill(std::size_t groups) {
    for (; groups > 0 && refilling(); --groups) {
        auto& queue = refill_.empty() ? moves_ : refill_;
        const auto id = queue.front();
        queue.pop_front();
        // It may have been changed, or replaced, meanwhile.
        if (id >= groups_.size() || groups_[id] == nullptr) continue;
        auto& group = *groups_[id];
        if (&queue == &refill_ ? !group.waits : !group.moves_due) continue;
        const bool hurry = group.moves_due && unbalanced_ticks_ != 0 &&
                           epoch_ - group.pending_since >= unbalanced_ticks_;
        publish(group, hurry);
    }
    return refilling();
}

void Publisher::share_changed(Neighbor& neighbor) {
    const auto holders = holders_.find(&neighbor);
    if (holders == holders_.end()) return;
    for (auto* group : holders->second)
        if (group->buckets != nullptr && !std::exchange(group->waits, true))
            refill_.push_back(group->id);
}

void Publisher::settle(std::uint32_t epoch) {
    epoch_ = epoch;
    for (auto& group : groups_)
        if (group != nullptr && group->has_pending_moves &&
            !std::exchange(group->moves_due, true)) {
            if (group->pending_since == 0) group->pending_since = epoch_;
            moves_.push_back(group->id);
        }
    retry(kTriesASecond);
}

void Publisher::reclaim() {
    hops_.reclaim();
    fib4_.reclaim();
    fib6_.reclaim();
    retired_.reclaim();
}

std::optional<HopId> Publisher::hop_of(const Prefix& prefix, const rib::FibAction& action) {
    switch (action.kind) {
        case rib::RouteKind::Forward:
            if (action.group >= groups_.size() || groups_[action.group] == nullptr)
                return std::nullopt;
            if (auto& group = *groups_[action.group]; is_guarded(prefix, group)) {
                if (group.guarded == 0 && (group.guarded = hops_.take()) != HopTable::kNone) {
                    by_hop_[group.guarded] = &group;
                    publish_guarded(group);
                }
                // Without room for a hop of its own it goes unguarded.
                if (group.guarded != 0) return group.guarded;
            }
            return groups_[action.group]->hop;
        case rib::RouteKind::Attached:
            if (action.port >= kMaxPorts) return std::nullopt;
            return HopTable::attached(action.port);
        case rib::RouteKind::Local:
            return HopTable::kLocal;
        case rib::RouteKind::Discard:
            return HopTable::kDiscard;
        case rib::RouteKind::Unreachable:
            return HopTable::kUnreachable;
    }
    return std::nullopt;
}

bool Publisher::set(const Prefix& prefix, HopId hop) {
    const auto& a = prefix.address();
    return a.is_v4() ? fib4_.set(a.v4(), prefix.length(), hop)
                     : fib6_.set(Ip6::of(a), prefix.length(), hop);
}

void Publisher::erase(const Prefix& prefix) {
    const auto& a = prefix.address();
    if (a.is_v4())
        fib4_.erase(a.v4(), prefix.length());
    else
        fib6_.erase(Ip6::of(a), prefix.length());
}

void Publisher::change_prefix(const rib::PrefixChange& change) {
    const auto& prefix = change.prefix;
    if (!waiting_.empty()) waiting_.remove(prefix);
    const auto hop =
        change.action ? hop_of(change.prefix, *change.action) : std::optional<HopId>{0};
    if (prefix.is_host()) {
        if (auto* ours = hosts_.find(prefix); ours != nullptr) {
            ours->route = hop.value_or(0);
            if (ours->route == 0) {
                if (ours->host != 0) {
                    set(prefix, ours->host);
                } else {
                    erase(prefix);
                    hosts_.erase(prefix);
                }
                return;
            }
        } else if (hop.value_or(0) != 0) {
            hosts_.try_emplace(prefix, Host{*hop, 0});
        }
    }
    if (!change.action) return erase(prefix);
    if (hop && set(prefix, *hop)) return;

    // What was there before points to a group that may go now.
    erase(prefix);
    if (waiting_.empty())
        events_.emit({"FIB-FULL",
                      "forwarding table full; refused routes are retried when room is free",
                      {{"first", prefix.to_string()},
                       {"ip4", std::to_string(fib4_.prefixes())},
                       {"ip6", std::to_string(fib6_.prefixes())}}});
    if (const auto left_out = refusals_.admit())
        events_.emit({"FIB-REFUSED",
                      "route not installed: table full",
                      {{"prefix", prefix.to_string()}, {"left_out", std::to_string(*left_out)}}});
    waiting_.add(prefix, change.action, hop ? Waiting::lack_of(prefix) : Waiting::Lack::Group);
}

bool Publisher::fit(const Prefix& prefix, const std::optional<rib::FibAction>& action) {
    if (action) {
        const auto hop = hop_of(prefix, *action);
        if (!hop || !set(prefix, *hop)) return false;
        if (prefix.is_host()) hosts_.try_emplace(prefix, Host{}).first->route = *hop;
        return true;
    }
    const auto* host = hosts_.find(prefix);
    return host == nullptr || host->host == 0 || host->route != 0 || set(prefix, host->host);
}

void Publisher::retry(std::size_t most) {
    if (refused() == 0) return;
    retry_groups();
    waiting_.retry(most, [this](const Prefix& prefix, const std::optional<rib::FibAction>& action) {
        return fit(prefix, action);
    });
}

// The groups that wait for a hop, as long as there are any, then those that lack members.
void Publisher::retry_groups() {
    while (!waiting_groups_.empty() && hops_.has_room()) {
        const auto change = std::move(waiting_groups_.begin()->second);
        waiting_groups_.erase(waiting_groups_.begin());
        change_group(change);
    }
    if (!hops_.has_room()) return;
    for (auto& [id, change] : std::exchange(short_groups_, {})) change_group(change);
}

void Publisher::set_host(const IpAddress& address, HopId hop) {
    const auto prefix = Prefix::host(address);
    auto& host = *hosts_.try_emplace(prefix, Host{}).first;
    const auto ours = [](HopId id) { return id == HopTable::kLocal || id == HopTable::kBroadcast; };
    if (host.host == hop || (ours(host.host) && !ours(hop))) return;
    host.host = hop;
    if (host.route == 0 && !set(prefix, hop))
        waiting_.add(prefix, std::nullopt, Waiting::lack_of(prefix));
}

void Publisher::erase_host(const IpAddress& address, HopId hop) {
    const auto prefix = Prefix::host(address);
    auto* found = hosts_.find(prefix);
    if (found == nullptr || found->host != hop || hop == 0) return;
    found->host = 0;
    if (found->route != 0) return;
    hosts_.erase(prefix);
    // A route for it may wait for room.
    if (!waiting_.is_route(prefix)) waiting_.remove(prefix);
    erase(prefix);
}

}  // namespace torii::dataplane
