#include "bgp/rib/loc_rib.hpp"

#include <algorithm>
#include <cmath>

#include "base/loop.hpp"

namespace torii::bgp {

namespace {

// Prefixes decided before others have their turn: well under a millisecond or
// two, so that no keepalive waits.
constexpr std::size_t kSlice = 4096;

constexpr Family kBoth[] = {Family::Ip4, Family::Ip6};

}  // namespace

LocRib::LocRib(Loop& loop, rib::RouteSink& sink, rib::NextHopTracker& tracker)
    : loop_(loop),
      sink_(sink),
      next_hops_(tracker, [this](NextHopId id) { next_hop_changed(id); }),
      pool_(next_hops_) {
    for (const Family family : kBoth)
        tables_[index(family)] = std::make_unique<RibTable>(family, pool_);
    peers_[0].alive = true;
}

LocRib::~LocRib() {
    groups_.clear();  // they hold attributes
    *alive_ = false;
}

void LocRib::configure(const DecisionSettings& decision, const Multipath& multipath) {
    if (decision == decision_ && multipath == multipath_) return;
    decision_ = decision;
    multipath_ = multipath;
    // What comes behind the end is decided so from the beginning.
    for (const Family family : kBoth) undecided_[index(family)] = {0, table(family).entries_end()};
    wake();
}

void LocRib::aggregate(const std::vector<Prefix>& wanted, std::uint32_t as,
                       std::uint32_t router_id) {
    // RFC 9774: no AS_SET of the contributing routes, but ATOMIC_AGGREGATE.
    Attributes a;
    a.origin = Origin::Igp;
    a.aggregator_as = as;
    a.aggregator_id = router_id;
    for (const auto code :
         {Attribute::Origin, Attribute::AsPath, Attribute::AtomicAggregate, Attribute::Aggregator})
        a.set(code);
    const auto before =
        std::exchange(aggregate_attributes_, wanted.empty() ? 0 : pool_.intern(a, 0));
    if (before != 0) pool_.release(before);
    aggregates_.configure(wanted);
    for (const auto& prefix : wanted)
        table(prefix.family()).walk_from(prefix, [&](const Prefix& inside, EntryId id) {
            if (!prefix.contains(inside)) return false;
            if (table(prefix.family())[id].best != 0) aggregates_.changed(inside, true);
            return true;
        });
    settle_aggregates();
}

void LocRib::settle_aggregates() {
    for (const auto& [prefix, active] : aggregates_.take_changes())
        active ? originate(prefix, aggregate_attributes_) : retract(prefix);
}

PeerId LocRib::add_peer(const PeerFacts& facts) {
    if (free_peers_.empty()) {
        peers_.push_back(facts);
        routes_.emplace_back();
        return static_cast<PeerId>(peers_.size() - 1);
    }
    const auto id = free_peers_.back();
    free_peers_.pop_back();
    peers_[id] = facts;
    return id;
}

void LocRib::retire_peer(PeerId peer) {
    cancel_walks(peer);
    flipped_.erase(peer);
    peers_[peer].alive = false;
    retired_.push_back(peer);
    wake();
}

void LocRib::announce(Family family, EntryId entry, const Path& path) {
    auto& routes = routes_[path.peer][index(family)];
    const auto previous = table(family).put(entry, path);
    if (!previous.existed) {
        ++routes.received;
        routes.entries.push_back(entry);
        if (routes.entries.size() > 2 * std::size_t{routes.received} + 1024 && routes.walks == 0)
            compact(family, path.peer);
    }
    routes.accepted += (path.attributes != 0 ? 1u : 0u) - (previous.was_used ? 1u : 0u);
    if (!(path.flags & path_flag::kClaims))
        claim_left(path.peer, previous.flags, table(family), entry);
    // A path that was and is refused changes nothing.
    if (path.attributes != 0 || previous.was_used || !previous.existed) touch(family, entry);
}

void LocRib::withdraw(Family family, const Prefix& prefix, PeerId peer, std::uint32_t path_id) {
    auto& routes = routes_[peer][index(family)];
    auto& table = this->table(family);
    const auto entry = table.find(prefix);
    if (!entry) return;
    const auto previous = table.remove(*entry, peer, path_id);
    if (!previous.existed) return;
    --routes.received;
    if (previous.was_used) --routes.accepted;
    claim_left(peer, previous.flags, table, *entry);
    touch(family, *entry);
}

void LocRib::originate(const Prefix& prefix, AttributesId attributes) {
    auto& table = this->table(prefix.family());
    const auto entry = table.find_or_add(prefix);
    Path path;
    path.attributes = path.received = attributes;
    table.put(entry, path);
    touch(prefix.family(), entry);
}

void LocRib::retract(const Prefix& prefix) {
    auto& table = this->table(prefix.family());
    const auto entry = table.find(prefix);
    if (!entry) return;
    table.remove(*entry, 0, 0);
    touch(prefix.family(), *entry);
}

void LocRib::set_attributes(Family family, EntryId entry, Path& path, AttributesId attributes) {
    if (path.attributes == attributes) return;
    routes_[path.peer][index(family)].accepted +=
        (attributes != 0 ? 1u : 0u) - (path.attributes != 0 ? 1u : 0u);
    table(family).replace_attributes(path, attributes);
    touch(family, entry);
}

void LocRib::compact(Family family, PeerId peer) {
    auto& routes = routes_[peer][index(family)];
    auto& table = this->table(family);
    std::ranges::sort(routes.entries);
    routes.entries.erase(std::unique(routes.entries.begin(), routes.entries.end()),
                         routes.entries.end());
    std::erase_if(routes.entries, [&](EntryId id) { return table.paths(id, peer).empty(); });
}

void LocRib::wake() {
    if (awake_) return;
    awake_ = true;
    loop_.post([this, alive = alive_] {
        if (*alive) run();
    });
}

void LocRib::run() {
    awake_ = false;
    const auto sent = sent_;
    bool more = clear_retired();
    more |= step_walks();
    more |= touch_slice();
    for (const Family family : kBoth) more |= settle_slice(family);
    // What is not done yet is not applied; what changed nothing never is.
    if (!more) {
        if (sent != sent_) applied_.insert(applied_.end(), reads_.begin(), reads_.end());
        if (applied_.size() > 4096) applied_.clear();  // no reader drains it
        reads_.clear();
    }
    advance_lagging();
    if (more || !lagging_.empty()) {
        wake();
    } else {
        // Nothing speaks of these any more.
        free_peers_.insert(free_peers_.end(), leaving_peers_.begin(), leaving_peers_.end());
        leaving_peers_.clear();
    }
}

void LocRib::settle() {
    while (clear_retired()) {
    }
    while (step_walks()) {
    }
    while (touch_slice()) {
    }
    for (const Family family : kBoth)
        while (settle_slice(family)) {
        }
    advance_lagging();
}

bool LocRib::settle_slice(Family family) {
    auto& table = this->table(family);
    auto& dirty = table.dirty();
    auto& from = settled_[index(family)];
    const std::size_t first = from, most = std::min(dirty.size(), from + kSlice);
    changes_.clear();
    for (Slice slice; from < most && !slice.over(); ++from) decide_entry(table, dirty[from]);
    const std::size_t to = from;
    for (const auto& group : groups_) {
        if (group->settings().family != family) continue;
        if (group->settings().add_path)
            group->publish_paths(std::span{dirty}.subspan(first, to - first));
        else if (!changes_.empty())
            group->publish(changes_);
        if (group->settings().interval.count() != 0 && !group->held() && to != first) hold(*group);
    }
    for (const auto& change : changes_)
        if (change.before != 0) pool_.release(change.before);
    if (from == dirty.size()) {
        dirty.clear();
        if (dirty.capacity() > 64 * kSlice) std::vector<EntryId>{}.swap(dirty);
        from = 0;
    }
    bury(table);
    if (!aggregates_.empty()) settle_aggregates();
    return !dirty.empty();
}

Candidate LocRib::candidate(const Path& path, const RibTable::Entry& entry) const {
    Candidate c;
    if (path.attributes == 0) return c;
    const PeerFacts& peer = peers_[path.peer];
    const StoredAttributes& a = pool_[path.attributes];
    const auto& hop = next_hops_[a.next_hop];
    c.usable = peer.alive && hop.state.reachable;
    c.local = path.peer == 0;
    c.long_lived_stale =
        path.flags & path_flag::kLongLivedStale || a.flags & attributes_flag::kLongLivedStale;
    c.ebgp = peer.ebgp;
    c.current = entry.best != 0 && path.peer == entry.best_peer;
    c.has_med = a.flags & attributes_flag::kHasMed;
    c.origin = a.origin;
    c.cluster_length = a.cluster_length;
    c.path_length = a.path_length;
    c.local_pref = a.local_pref;
    c.med = a.med;
    c.neighbor_as = a.neighbor_as;
    c.metric = hop.state.metric;
    c.identifier = a.originator_id != 0 ? a.originator_id : peer.identifier;
    c.path_id = path.path_id;
    c.address = path.peer == 0 ? nullptr : &peer.address;
    return c;
}

void LocRib::decide_entry(RibTable& table, EntryId id) {
    auto& entry = table[id];
    const bool asked = entry.flags & RibTable::kAsk;
    entry.flags = static_cast<std::uint8_t>(entry.flags & ~(RibTable::kDirty | RibTable::kAsk));
    const auto paths = table.paths(id);
    backup_ = 0;
    if (!(entry.flags & RibTable::kMany)) {
        // By far the most: one path, or none.
        const Path& path = entry.one;
        const bool usable = path.attributes != 0 && peers_[path.peer].alive &&
                            next_hops_[pool_[path.attributes].next_hop].state.reachable;
        outcome_.best = usable ? 0 : Decision::kNone;
        outcome_.why = usable ? Step::OnlyPath : Step::None;
        outcome_.multipath.assign(usable ? 1 : 0, 0);
    } else {
        candidates_.clear();
        for (const Path& path : paths) candidates_.push_back(candidate(path, entry));
        decide(candidates_, decision_, multipath_, outcome_);
        if (outcome_.multipath.size() == 1) find_backup(paths);
    }

    const bool any = outcome_.best != Decision::kNone;
    const AttributesId best = any ? paths[outcome_.best].attributes : 0;
    const PeerId from = any ? static_cast<PeerId>(paths[outcome_.best].peer) : 0;
    entry.why = static_cast<std::uint8_t>(outcome_.why);
    const bool aggregate = any && from == 0 && pool_[best].flags & attributes_flag::kAggregate;
    install(table, id, any && (from != 0 || aggregate) ? best : 0);

    if (best != entry.best || from != entry.best_peer) {
        const auto before = entry.best;
        // Kept until the groups have compared it with the new one.
        if (before != 0) pool_.retain(before);
        if (!aggregates_.empty() && (before == 0) != (best == 0))
            aggregates_.changed(table.prefix(id), best != 0);
        changes_.push_back({id, before, best, entry.best_peer, from});
        table.set_best(id, best, from);
    } else if (asked && best != 0) {
        pool_.retain(best);
        changes_.push_back({id, best, best, from, from});
    }
    if (best == 0 && paths.empty()) empty_[index(table.family())].push_back(id);
}

// RFC 7999 §3.3: what a peer that may ask so wants discarded, is.
bool LocRib::discards(const Path& path) const {
    return path.peer == 0 || (pool_[path.attributes].flags & attributes_flag::kBlackhole &&
                              peers_[path.peer].accept_blackhole);
}

// What would be best without the next hop of the only best path.
void LocRib::find_backup(std::span<const Path> paths) {
    const auto next_hop = [&](std::size_t i) { return pool_[paths[i].attributes].next_hop; };
    const auto lost = next_hop(outcome_.best);
    std::size_t others = 0, last = 0;
    for (std::size_t i = 0; i < candidates_.size(); ++i) {
        auto& c = candidates_[i];
        c.usable = c.usable && next_hop(i) != lost && !discards(paths[i]);
        if (c.usable) ++others, last = i;
    }
    if (others == 0) return;
    if (others > 1) {
        decide(candidates_, decision_, multipath_, second_);
        last = second_.best;
    }
    backup_ = next_hop(last);
}

// Updates the router's table. `best` 0: no BGP route.
void LocRib::install(RibTable& table, EntryId id, AttributesId best) {
    auto& entry = table[id];
    const bool installed = entry.flags & RibTable::kInstalled;
    if (best == 0) {
        if (!installed) return;
        entry.flags =
            static_cast<std::uint8_t>(entry.flags & ~(RibTable::kInstalled | RibTable::kMultipath |
                                                      RibTable::kDiscard | RibTable::kBacked));
        ++sent_;
        sink_.remove(table.prefix(id), rib::Source::Bgp);
        return;
    }
    const auto paths = table.paths(id);
    const Path& winner = paths[outcome_.best];
    const bool multi = outcome_.multipath.size() > 1;
    const bool discard = discards(winner);
    constexpr auto kNotPlain = RibTable::kMultipath | RibTable::kDiscard | RibTable::kBacked;
    if (installed && !multi && !discard && backup_ == 0 && !(entry.flags & kNotPlain) &&
        entry.best_peer == winner.peer && entry.best != 0 &&
        pool_[entry.best].next_hop == pool_[best].next_hop)
        return;
    hops_.clear();
    if (!discard)
        for (const auto i : outcome_.multipath) {
            const auto& key = next_hops_[pool_[paths[i].attributes].next_hop].key;
            hops_.push_back({key.address, key.port, 1});
        }
    if (multi && !discard) weigh(paths);
    if (multi) {
        std::ranges::sort(hops_);
        hops_.erase(std::unique(hops_.begin(), hops_.end(),
                                [](const auto& a, const auto& b) {
                                    return a.address == b.address && a.port == b.port;
                                }),
                    hops_.end());
    }
    unsigned flags = (entry.flags & ~kNotPlain) | RibTable::kInstalled;
    if (multi) flags |= RibTable::kMultipath;
    if (discard) flags |= RibTable::kDiscard;
    rib::NextHop backup;
    const bool backed = backup_ != 0 && !discard;
    if (backed) {
        backup = {next_hops_[backup_].key.address, next_hops_[backup_].key.port, 1};
        flags |= RibTable::kBacked;
    }
    entry.flags = static_cast<std::uint8_t>(flags);
    ++sent_;
    sink_.put(table.prefix(id),
              {rib::Source::Bgp, peers_[winner.peer].ebgp ? rib::kDistanceEbgp : rib::kDistanceIbgp,
               discard ? rib::RouteKind::Discard : rib::RouteKind::Forward, hops_,
               std::span{&backup, backed ? 1u : 0u}});
}

// Weights of an ECMP group: by bandwidth where every path carries one, else by
// policy or the peer's settings.
void LocRib::weigh(std::span<const Path> paths) {
    constexpr float kMost = 64;  // buckets are many, but not without end
    float widest = 0;
    bool all = true;
    for (const auto i : outcome_.multipath) {
        const float bandwidth = pool_[paths[i].attributes].bandwidth;
        all &= bandwidth > 0;
        widest = std::max(widest, bandwidth);
    }
    for (std::size_t n = 0; n < hops_.size(); ++n) {
        const Path& path = paths[outcome_.multipath[n]];
        const auto& a = pool_[path.attributes];
        if (all)
            hops_[n].weight = static_cast<std::uint16_t>(
                std::max(1.0f, std::round(a.bandwidth / widest * kMost)));
        else
            hops_[n].weight = a.weight != 0 ? a.weight : peers_[path.peer].weight;
    }
}

// Removes empty entries, unless a member has still to be sent their withdrawal.
void LocRib::bury(RibTable& table) {
    auto& empty = empty_[index(table.family())];
    if (empty.empty()) return;
    for (const auto& group : groups_)
        if (group->settings().family == table.family() && group->has_lagging()) return;
    for (const auto id : empty) table.erase_if_empty(id);
    empty.clear();
}

UpdateGroup& LocRib::group(const ExportSettings& settings) {
    for (const auto& group : groups_)
        if (group->settings() == settings) return *group;
    groups_.push_back(
        std::make_unique<UpdateGroup>(settings, table(settings.family), pool_, next_hops_, peers_));
    return *groups_.back();
}

void LocRib::join(UpdateGroup& group, PeerId peer, UpdateSink& sink, bool end_of_rib) {
    group.add(peer, sink, end_of_rib);
    if (group.advance(peer)) {
        lagging_.push_back({&group, peer});
        wake();
    }
}

void LocRib::leave(UpdateGroup& group, PeerId peer) {
    group.remove(peer);
    std::erase_if(lagging_, [&](const auto& l) { return l.group == &group && l.peer == peer; });
    if (group.empty()) std::erase_if(groups_, [&](const auto& g) { return g.get() == &group; });
}

void LocRib::move(UpdateGroup& from, UpdateGroup& to, PeerId peer, UpdateSink& sink) {
    to.move_in(peer, sink, from);
    leave(from, peer);
    advance(to, peer);
}

void LocRib::resend(UpdateGroup& group, PeerId peer, bool marked) {
    group.resend(peer, marked);
    advance(group, peer);
}

void LocRib::advance(UpdateGroup& group, PeerId peer) {
    const bool known = std::ranges::any_of(
        lagging_, [&](const auto& l) { return l.group == &group && l.peer == peer; });
    if (known) return;
    lagging_.push_back({&group, peer});
    wake();
}

// RFC 4271 §9.2.1.1: changes in the meantime are advertised together at its end.
void LocRib::hold(UpdateGroup& group) {
    group.hold(true);
    loop_.post_after(group.settings().interval, [this, which = &group, alive = alive_] {
        if (!*alive) return;
        const auto at = std::ranges::find(groups_, which, [](const auto& g) { return g.get(); });
        if (at == groups_.end() || !which->held()) return;
        which->hold(false);
        std::vector<PeerId> waiting;
        which->each_lagging([&](PeerId peer) { waiting.push_back(peer); });
        for (const auto peer : waiting) advance(*which, peer);
        if (!waiting.empty()) hold(*which);
    });
}

void LocRib::advance_lagging() {
    Slice slice;
    for (std::size_t n = std::min<std::size_t>(lagging_.size(), 64);
         n > 0 && !lagging_.empty() && !slice.passed(); --n) {
        const auto next = lagging_.front();
        lagging_.pop_front();
        if (next.group->advance(next.peer)) lagging_.push_back(next);
    }
}

}  // namespace torii::bgp
