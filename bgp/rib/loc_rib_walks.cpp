#include <algorithm>

#include "bgp/rib/loc_rib.hpp"

// What visits many paths of a peer: in slices, so that no keepalive waits.
namespace torii::bgp {

namespace {

constexpr Family kBoth[] = {Family::Ip4, Family::Ip6};

}  // namespace

bool Slice::over() {
    if (++steps_ % 64 != 0) return over_;
    over_ = over_ || std::chrono::steady_clock::now() >= end_;
    return over_;
}

void LocRib::walk(PeerId peer, WalkKind kind, Visit visit, std::optional<Family> only) {
    Walk walk;
    walk.peer = peer;
    walk.kind = kind;
    walk.visit = std::move(visit);
    for (const Family family : kBoth)
        if (!only || *only == family)
            walk.end[index(family)] = routes_[peer][index(family)].entries.size();
    if (walk.end[0] == 0 && walk.end[1] == 0) return;
    for (auto& routes : routes_[peer]) ++routes.walks;
    walks_.push_back(std::move(walk));
    wake();
}

void LocRib::end_walk(std::deque<Walk>::iterator at) {
    for (auto& routes : routes_[at->peer]) --routes.walks;
    walks_.erase(at);
}

void LocRib::cancel_walks(PeerId peer, std::optional<WalkKind> kind) {
    for (auto at = walks_.begin(); at != walks_.end();) {
        if (at->peer != peer || (kind && at->kind != *kind)) {
            ++at;
            continue;
        }
        const auto offset = at - walks_.begin();
        end_walk(at);
        at = walks_.begin() + offset;
    }
}

bool LocRib::has_walk(PeerId peer, WalkKind kind) const {
    return std::ranges::any_of(
        walks_, [&](const Walk& walk) { return walk.peer == peer && walk.kind == kind; });
}

void LocRib::drop_path(RibTable& table, EntryId id, const Path& path) {
    const auto family = table.family();
    auto& routes = routes_[path.peer][index(family)];
    const Path gone = path;
    table.remove(id, gone.peer, gone.path_id);
    --routes.received;
    if (gone.attributes != 0) --routes.accepted;
    claim_left(gone.peer, gone.flags, table, id);
    touch(family, id);
}

// One slice of the oldest walk. True: there is more to do.
bool LocRib::step_walks() {
    Slice slice;
    while (!walks_.empty()) {
        Walk& walk = walks_.front();
        for (const Family family : kBoth) {
            auto& table = this->table(family);
            const auto& entries = routes_[walk.peer][index(family)].entries;
            auto& at = walk.at[index(family)];
            // New entries are behind the end; what they bring is of now.
            for (; at < walk.end[index(family)] && at < entries.size(); ++at) {
                if (slice.over()) return true;
                const EntryId id = entries[at];
                for (std::size_t i = table.paths(id, walk.peer).size(); i-- > 0;) {
                    Path& path = table.paths(id, walk.peer)[i];
                    if (walk.visit(family, id, path)) drop_path(table, id, path);
                    slice.over();
                }
            }
        }
        end_walk(walks_.begin());
    }
    return false;
}

void LocRib::touch_all(PeerId peer) {
    walk(peer, WalkKind::Touch, [this](Family family, EntryId entry, Path&) {
        table(family).ask(entry);
        wake();
        return false;
    });
}

void LocRib::sweep(Family family, PeerId peer, std::uint8_t flag) {
    walk(
        peer, WalkKind::Sweep,
        [flag](Family, EntryId, Path& path) {
            return flag == path_flag::kAny || (path.flags & flag) != 0;
        },
        family);
}

void LocRib::sweep_older(Family family, PeerId peer, std::uint8_t generation) {
    walk(
        peer, WalkKind::Sweep,
        [generation](Family, EntryId, Path& path) {
            return path_flag::generation(path.flags) != generation;
        },
        family);
}

void LocRib::mark_stale(Family family, PeerId peer, std::uint8_t generation) {
    walk(
        peer, WalkKind::Mark,
        [generation](Family, EntryId, Path& path) {
            if (path_flag::generation(path.flags) != generation)
                path.flags = path.flags | path_flag::kStale;
            return false;
        },
        family);
}

// Only peers that ever announced the next hop can have paths with it. What flips while a walk
// waits for its turn is looked for by that walk too.
void LocRib::next_hop_changed(NextHopId id) {
    for (const PeerId peer : next_hops_[id].peers) {
        if (!peers_[peer].alive) continue;
        auto& waiting = flipped_[peer];
        waiting.push_back(id);
        if (waiting.size() > 1 && has_walk(peer, WalkKind::NextHop)) continue;
        walk(peer, WalkKind::NextHop,
             [this, peer, looked_for = std::vector<NextHopId>{}](Family family, EntryId entry,
                                                                 Path& path) mutable {
                 if (looked_for.empty()) {
                     looked_for = std::move(flipped_[peer]);
                     flipped_.erase(peer);
                     std::ranges::sort(looked_for);
                 }
                 if (path.attributes != 0 &&
                     std::ranges::binary_search(looked_for, pool_[path.attributes].next_hop))
                     touch(family, entry);
                 return false;
             });
        // A peer without a path has no walk either.
        if (!has_walk(peer, WalkKind::NextHop)) flipped_.erase(peer);
    }
}

// Entries that are decided anew by other settings of the decision.
bool LocRib::touch_slice() {
    Slice slice;
    for (const Family family : kBoth) {
        auto& table = this->table(family);
        auto& [at, end] = undecided_[index(family)];
        for (; at < end; ++at) {
            if (slice.over()) return true;
            if (table[at].flags & RibTable::kLive) table.touch(at);
        }
    }
    return false;
}

bool LocRib::clear_retired() {
    Slice slice;
    while (!retired_.empty()) {
        const PeerId peer = retired_.front();
        for (const Family family : kBoth) {
            auto& entries = routes_[peer][index(family)].entries;
            auto& table = this->table(family);
            while (!entries.empty()) {
                const auto id = entries.back();
                // From the back of the block, so that nothing moves up.
                for (auto paths = table.paths(id, peer); !paths.empty();
                     paths = table.paths(id, peer)) {
                    if (slice.over()) return true;
                    drop_path(table, id, paths.back());
                }
                entries.pop_back();
                if (slice.over()) return true;
            }
        }
        for (auto& routes : routes_[peer]) routes = {};
        leaving_peers_.push_back(peer);
        retired_.pop_front();
    }
    return false;
}

}  // namespace torii::bgp
