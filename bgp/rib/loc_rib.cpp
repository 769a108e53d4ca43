#include "bgp/rib/loc_rib.hpp"

#include <algorithm>
#include <boost/asio/post.hpp>

namespace torii::bgp {

namespace {

// Prefixes decided before others have their turn: well under a millisecond or
// two, so that no keepalive waits.
constexpr std::size_t kSlice = 4096;

constexpr Family kBoth[] = {Family::Ip4, Family::Ip6};

}  // namespace

LocRib::LocRib(boost::asio::io_context& io, rib::RouteSink& sink, rib::NextHopTracker& tracker)
    : io_(io),
      sink_(sink),
      next_hops_(tracker, [this](NextHopId id) { next_hop_changed(id); }),
      pool_(next_hops_) {
    for (const Family family : kBoth)
        tables_[index(family)] = std::make_unique<RibTable>(family, pool_);
    peers_[0].alive = true;
}

LocRib::~LocRib() {
    *alive_ = false;
}

void LocRib::configure(const DecisionSettings& decision, const Multipath& multipath) {
    if (decision == decision_ && multipath == multipath_) return;
    decision_ = decision;
    multipath_ = multipath;
    for (const Family family : kBoth)
        table(family).walk_from(Prefix::default_route(family), [&](const Prefix&, EntryId id) {
            touch(family, id);
            return true;
        });
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
        if (routes.entries.size() > 2 * std::size_t{routes.received} + 1024)
            compact(family, path.peer);
    }
    routes.accepted += (path.attributes != 0 ? 1u : 0u) - (previous.was_used ? 1u : 0u);
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

void LocRib::sweep(Family family, PeerId peer, std::uint8_t flag) {
    auto& table = this->table(family);
    auto& routes = routes_[peer][index(family)];
    compact(family, peer);
    for (const EntryId id : routes.entries) {
        const auto paths = table.paths(id, peer);
        for (std::size_t i = paths.size(); i-- > 0;) {
            const Path path = table.paths(id, peer)[i];
            if (flag != path_flag::kAny && !(path.flags & flag)) continue;
            table.remove(id, peer, path.path_id);
            --routes.received;
            if (path.attributes != 0) --routes.accepted;
            touch(family, id);
        }
    }
}

void LocRib::wake() {
    if (awake_) return;
    awake_ = true;
    boost::asio::post(io_, [this, alive = alive_] {
        if (*alive) run();
    });
}

void LocRib::run() {
    awake_ = false;
    bool more = clear_retired();
    for (const Family family : kBoth) more |= settle_slice(family);
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
    for (const Family family : kBoth)
        while (settle_slice(family)) {
        }
    advance_lagging();
}

bool LocRib::clear_retired() {
    std::size_t budget = 4 * kSlice;
    while (!retired_.empty() && budget > 0) {
        const PeerId peer = retired_.front();
        for (const Family family : kBoth) {
            auto& entries = routes_[peer][index(family)].entries;
            auto& table = this->table(family);
            while (!entries.empty() && budget > 0) {
                const auto id = entries.back();
                entries.pop_back();
                --budget;
                bool any = false;
                for (auto paths = table.paths(id, peer); !paths.empty();
                     paths = table.paths(id, peer)) {
                    table.remove(id, peer, paths.front().path_id);
                    any = true;
                }
                if (any) table.touch(id);
            }
        }
        if (budget == 0) return true;
        for (auto& routes : routes_[peer]) routes = {};
        leaving_peers_.push_back(peer);
        retired_.pop_front();
    }
    return !retired_.empty();
}

bool LocRib::settle_slice(Family family) {
    auto& table = this->table(family);
    auto& dirty = table.dirty();
    auto& from = settled_[index(family)];
    const std::size_t to = std::min(dirty.size(), from + kSlice);
    changes_.clear();
    for (; from < to; ++from) decide_entry(table, dirty[from]);
    const bool more = from < dirty.size();
    if (!more) {
        dirty.clear();
        if (dirty.capacity() > 64 * kSlice) std::vector<EntryId>{}.swap(dirty);
        from = 0;
    }
    if (!changes_.empty()) {
        for (const auto& group : groups_)
            if (group->settings().family == family) {
                const bool lagged = group->has_lagging();
                group->publish(changes_);
                if (!lagged && group->has_lagging()) continue;  // woken when writable
            }
        for (const auto& change : changes_)
            if (change.before != 0) pool_.release(change.before);
    }
    bury(table);
    return more;
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
    entry.flags = static_cast<std::uint8_t>(entry.flags & ~RibTable::kDirty);
    const auto paths = table.paths(id);
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
    }

    const bool any = outcome_.best != Decision::kNone;
    const AttributesId best = any ? paths[outcome_.best].attributes : 0;
    const PeerId from = any ? static_cast<PeerId>(paths[outcome_.best].peer) : 0;
    entry.why = static_cast<std::uint8_t>(outcome_.why);
    install(table, id, any && from != 0 ? best : 0);

    if (best != entry.best || from != entry.best_peer) {
        const auto before = entry.best;
        // Kept until the groups have compared it with the new one.
        if (before != 0) pool_.retain(before);
        changes_.push_back({id, before, best, entry.best_peer, from});
        table.set_best(id, best, from);
    }
    if (best == 0 && paths.empty()) empty_[index(table.family())].push_back(id);
}

// Tells the router's own table. `best` 0: nothing of ours goes there.
void LocRib::install(RibTable& table, EntryId id, AttributesId best) {
    auto& entry = table[id];
    const bool installed = entry.flags & RibTable::kInstalled;
    if (best == 0) {
        if (!installed) return;
        entry.flags =
            static_cast<std::uint8_t>(entry.flags & ~(RibTable::kInstalled | RibTable::kMultipath));
        sink_.remove(table.prefix(id), rib::Source::Bgp);
        return;
    }
    const auto paths = table.paths(id);
    const Path& winner = paths[outcome_.best];
    const bool multi = outcome_.multipath.size() > 1;
    if (installed && !multi && !(entry.flags & RibTable::kMultipath) &&
        entry.best_peer == winner.peer && entry.best != 0 &&
        pool_[entry.best].next_hop == pool_[best].next_hop)
        return;
    hops_.clear();
    for (const auto i : outcome_.multipath) {
        const auto& key = next_hops_[pool_[paths[i].attributes].next_hop].key;
        hops_.push_back({key.address, key.port, peers_[paths[i].peer].weight});
    }
    if (multi) {
        std::ranges::sort(hops_);
        hops_.erase(std::unique(hops_.begin(), hops_.end(),
                                [](const auto& a, const auto& b) {
                                    return a.address == b.address && a.port == b.port;
                                }),
                    hops_.end());
    }
    unsigned flags = (entry.flags & ~RibTable::kMultipath) | RibTable::kInstalled;
    if (multi) flags |= RibTable::kMultipath;
    entry.flags = static_cast<std::uint8_t>(flags);
    sink_.put(table.prefix(id),
              {rib::Source::Bgp, peers_[winner.peer].ebgp ? rib::kDistanceEbgp : rib::kDistanceIbgp,
               rib::RouteKind::Forward, hops_});
}

// Empty entries go, unless a member still has to be told of them by number.
void LocRib::bury(RibTable& table) {
    auto& empty = empty_[index(table.family())];
    if (empty.empty()) return;
    for (const auto& group : groups_)
        if (group->settings().family == table.family() && group->has_lagging()) return;
    for (const auto id : empty) table.erase_if_empty(id);
    empty.clear();
}

void LocRib::next_hop_changed(NextHopId id) {
    // Only those who ever announced with it can have paths that use it; what is
    // reached by their lists is re-decided.
    const auto peers = next_hops_[id].peers;
    for (const PeerId peer : peers)
        for (const Family family : kBoth)
            each_path(family, peer, [&](EntryId entry, const Path& path) {
                if (path.attributes != 0 && pool_[path.attributes].next_hop == id)
                    touch(family, entry);
            });
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

void LocRib::resend(UpdateGroup& group, PeerId peer) {
    group.resend(peer);
    advance(group, peer);
}

void LocRib::advance(UpdateGroup& group, PeerId peer) {
    const bool known = std::ranges::any_of(
        lagging_, [&](const auto& l) { return l.group == &group && l.peer == peer; });
    if (known) return;
    lagging_.push_back({&group, peer});
    wake();
}

void LocRib::advance_lagging() {
    for (std::size_t n = std::min<std::size_t>(lagging_.size(), 64); n > 0 && !lagging_.empty();
         --n) {
        const auto next = lagging_.front();
        lagging_.pop_front();
        if (next.group->advance(next.peer)) lagging_.push_back(next);
    }
}

}  // namespace torii::bgp
