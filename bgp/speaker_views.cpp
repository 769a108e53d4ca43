#include <algorithm>

#include "base/byte_reader.hpp"
#include "bgp/speaker_impl.hpp"

namespace torii::bgp {

namespace {

constexpr std::size_t kLookedAt = 4096;  // prefixes a page may pass over

std::vector<std::string> communities_of(const Attributes& a) {
    std::vector<std::string> out;
    out.reserve(a.communities.size() / 4 + a.large_communities.size() / 12 +
                a.extended_communities.size() / 8);
    const auto number = [](auto n) { return std::to_string(n); };
    if (a.has(Attribute::Communities))
        for (ByteReader in{a.communities}; !in.empty();) {
            const auto high = in.u16();
            out.push_back(number(high) + ":" + number(in.u16()));
        }
    if (a.has(Attribute::LargeCommunities))
        for (ByteReader in{a.large_communities}; !in.empty();) {
            auto text = number(in.u32());
            text += ":" + number(in.u32());
            out.push_back(text + ":" + number(in.u32()));
        }
    if (a.has(Attribute::ExtendedCommunities))
        for (ByteReader in{a.extended_communities}; !in.empty();) {
            static constexpr char kDigits[] = "0123456789abcdef";
            std::string text = "0x";
            for (const auto byte : in.bytes(8)) {
                text += kDigits[byte >> 4];
                text += kDigits[byte & 15];
            }
            out.push_back(text);
        }
    return out;
}

constexpr std::string_view origin_name(Origin origin) {
    return origin == Origin::Igp ? "igp" : origin == Origin::Egp ? "egp" : "incomplete";
}

void describe(const Attributes& a, PathRow& row) {
    row.as_path = to_string(a.as_path);
    row.origin = origin_name(a.origin);
    if (a.has(Attribute::LocalPref)) row.local_pref = a.local_pref;
    if (a.has(Attribute::Med)) row.med = a.med;
    row.communities = communities_of(a);
}

}  // namespace

std::vector<NeighborView> Speaker::Impl::neighbors() const {
    std::vector<NeighborView> out;
    out.reserve(peers_.size());
    for (const auto& [key, peer] : peers_) out.push_back(peer->view());
    return out;
}

std::optional<NeighborView> Speaker::Impl::neighbor(const IpAddress& address) const {
    const auto* peer = find({address, rib::kAnyPort});
    return peer != nullptr ? std::optional{peer->view()} : std::nullopt;
}

std::vector<GroupView> Speaker::Impl::groups() const {
    std::vector<GroupView> out;
    for (const auto& group : settings_.groups) {
        GroupView v;
        v.name = group.name;
        v.remote_as = group.peer.remote_as;
        for (const auto& range : settings_.ranges)
            if (range.group == group.name) v.ranges.push_back(range.prefix);
        out.push_back(std::move(v));
    }
    std::map<std::string_view, std::set<const UpdateGroup*>> update_groups;
    for (const auto& [key, peer] : peers_) {
        const auto at = std::ranges::find(out, peer->group(), &GroupView::name);
        if (at == out.end()) continue;
        ++(peer->dynamic() ? at->dynamic : at->configured);
        at->established += peer->established();
        for (const Family family : kEachFamily)
            if (const auto* group = peer->update_group(family))
                update_groups[at->name].insert(group);
    }
    for (auto& v : out) v.update_groups = static_cast<std::uint32_t>(update_groups[v.name].size());
    return out;
}

SpeakerCounters Speaker::Impl::counters() const {
    SpeakerCounters c;
    c.neighbors = static_cast<std::uint32_t>(peers_.size());
    c.dynamic = static_cast<std::uint32_t>(members_.size());
    for (const auto& [key, peer] : peers_) {
        if (!peer->established()) continue;
        ++c.established;
        const auto accepted = [&](Family family) {
            return rib_.routes(family, peer->id()).accepted;
        };
        if (peer->dynamic() && accepted(Family::Ip4) + accepted(Family::Ip6) > 0)
            ++c.members_with_routes;
    }
    c.prefixes4 = rib_.table(Family::Ip4).size();
    c.prefixes6 = rib_.table(Family::Ip6).size();
    c.paths = rib_.table(Family::Ip4).paths_in_all() + rib_.table(Family::Ip6).paths_in_all();
    c.attribute_sets = const_cast<LocRib&>(rib_).pool().size();
    c.connections_accepted = accepted_;
    c.connections_refused = refused_;
    c.update_groups = rib_.groups();
    return c;
}

void Speaker::Impl::fill_row(const Prefix& prefix, const Path& path, PathRow& out) const {
    auto& rib = const_cast<LocRib&>(rib_);
    out.prefix = prefix;
    out.path_id = path.path_id;
    const auto& stored = rib.pool()[path.attributes != 0 ? path.attributes : path.received];
    describe(stored.view(), out);
    const auto& hop = rib.next_hops()[stored.next_hop];
    if (stored.next_hop != 0) out.next_hops.push_back(hop.key.address.to_string());
    out.reachable = hop.state.reachable;
    out.stale = path.flags & (path_flag::kStale | path_flag::kLongLivedStale);
    const auto& facts = rib.peers()[path.peer];
    if (path.peer != 0) {
        out.neighbor = facts.address.to_string();
        out.neighbor_as = facts.as;
    }
    if (path.attributes == 0)
        if (const auto* peer = find({facts.address, facts.port}))
            out.filtered_by = peer->filtered_by(path, prefix);
}

// One path as advertised to a peer.
void Speaker::Impl::advertised_row(const UpdateGroup& group, const Prefix& prefix, EntryId id,
                                   const AdvertisedPath& path, std::vector<PathRow>& out) const {
    const auto told = group.transform(path.attributes, path.peer, group.class_of(id));
    if (!told) return;
    PathRow row;
    row.prefix = prefix;
    row.path_id = path.id;
    describe(view_attributes(told->bytes), row);
    if (!group.settings().four_octet_as)
        row.as_path = to_string(const_cast<LocRib&>(rib_).pool()[path.attributes].view().as_path);
    row.next_hops.push_back(told->next_hop.to_string());
    row.best = path.attributes == rib_.table(prefix.family())[id].best;
    row.because = row.best ? "best path" : "one of several (ADD-PATH)";
    out.push_back(std::move(row));
}

void Speaker::Impl::rows_of(const PathQuery& query, Family family, const Prefix& prefix, EntryId id,
                            PathScratch& scratch, std::vector<PathRow>& out) const {
    const auto& table = rib_.table(family);
    const auto& entry = table[id];
    const auto paths = table.paths(id);
    const Peer* peer = query.neighbor ? find({*query.neighbor, rib::kAnyPort}) : nullptr;
    const PeerId only = peer != nullptr ? peer->id() : 0;

    if (query.table == RouteTable::AdjOut) {
        const auto* group = peer != nullptr ? peer->update_group(family) : nullptr;
        if (group == nullptr || !group->is_advertised(id)) return;
        if (group->settings().add_path) {
            for (const auto& path : group->told(id))
                if (path.peer != only) advertised_row(*group, prefix, id, path, out);
            return;
        }
        if (entry.best == 0 || entry.best_peer == only) return;
        advertised_row(*group, prefix, id, {0, entry.best_peer, 0, entry.best}, out);
        return;
    }

    auto& [candidates, decision] = scratch;
    candidates.clear();
    if (query.table == RouteTable::LocRib) {
        for (const Path& path : paths) candidates.push_back(rib_.candidate(path, entry));
        decide(candidates, rib_.decision_settings(), rib_.multipath(), decision);
    }
    for (std::size_t i = 0; i < paths.size(); ++i) {
        const Path& path = paths[i];
        if (query.neighbor && (only == 0 || path.peer != only)) continue;
        if (!rib_.peers()[path.peer].alive) continue;
        const bool refused = path.attributes == 0;
        if (query.table == RouteTable::Filtered && !refused) continue;
        if (query.table == RouteTable::LocRib && refused) continue;
        const bool best = query.table == RouteTable::LocRib
                              ? i == decision.best
                              : path.attributes != 0 && path.attributes == entry.best &&
                                    path.peer == entry.best_peer;
        if (query.best_only && !best) continue;
        auto& r = out.emplace_back();
        fill_row(prefix, path, r);
        r.best = best;
        if (query.table == RouteTable::LocRib) {
            r.multipath = decision.multipath.size() > 1 &&
                          std::ranges::find(decision.multipath, i) != decision.multipath.end();
            if (best)
                r.because = to_string(decision.why);
            else if (decision.best != Decision::kNone)
                r.because = candidates[i].usable
                                ? to_string(distinguish(candidates[decision.best], candidates[i],
                                                        rib_.decision_settings()))
                                : "next hop is not reachable";
            else
                r.because = "next hop is not reachable";
        }
    }
}

std::optional<PathRow> Speaker::Impl::best_path(const Prefix& prefix) const {
    const auto id = rib_.table(prefix.family()).find(prefix);
    if (!id) return std::nullopt;
    PathQuery query;
    query.best_only = true;
    std::vector<PathRow> rows;
    PathScratch scratch;
    rows_of(query, prefix.family(), prefix, *id, scratch, rows);
    if (rows.empty()) return std::nullopt;
    return std::move(rows.front());
}

PathPage Speaker::Impl::paths(const PathQuery& query) const {
    PathPage page;
    std::size_t looked_at = 0, found = 0;
    bool stopped = false;
    PathScratch scratch;
    page.rows.reserve(query.limit);
    for (const Family family : kEachFamily) {
        if (query.family && *query.family != family) continue;
        if (query.within && query.within->family() != family) continue;
        page.total += rib_.table(family).size();
        if (stopped || (query.after && query.after->family() > family)) continue;
        Prefix first = query.within.value_or(Prefix::default_route(family));
        const bool resumes = query.after && query.after->family() == family;
        if (resumes) first = std::max(first, *query.after);
        Prefix last = first;
        rib_.table(family).walk_from(first, [&](const Prefix& prefix, EntryId id) {
            if (query.within && !query.within->contains(prefix)) return false;
            if (resumes && prefix == *query.after) return true;
            if (found >= query.limit || looked_at >= kLookedAt) {
                page.next = last;
                stopped = true;
                return false;
            }
            const auto before = page.rows.size();
            rows_of(query, family, prefix, id, scratch, page.rows);
            found += page.rows.size() != before;
            ++looked_at;
            last = prefix;
            return true;
        });
    }
    return page;
}

}  // namespace torii::bgp
