#include <algorithm>

#include "app/gateway.hpp"
#include "app/views.hpp"
#include "bgp/speaker.hpp"

namespace torii::app {
namespace {

using mgmt::Problem;
using mgmt::RoutePage;
using mgmt::RouteQuery;

std::string_view kind_name(rib::RouteKind kind) {
    constexpr std::string_view kNames[] = {"forward", "attached", "local", "discard",
                                           "unreachable"};
    return kNames[static_cast<std::size_t>(kind)];
}

mgmt::BgpPathRow path_row(bgp::PathRow&& from) {
    return {std::move(from.neighbor), from.neighbor_as, std::move(from.as_path),     from.origin,
            from.local_pref,          from.med,         std::move(from.communities), from.stale};
}

void add_route_row(bgp::PathRow&& from, std::vector<mgmt::RouteRow>& rows) {
    auto& to = rows.emplace_back();
    to.prefix = from.prefix;
    to.source = "bgp";
    to.kind = "forward";
    to.best = from.best;
    to.because = from.because;
    to.filtered_by = std::move(from.filtered_by);
    for (auto& hop : from.next_hops)
        to.next_hops.push_back({std::move(hop), "", 1, from.reachable, ""});
    to.bgp = path_row(std::move(from));
}

bgp::RouteTable bgp_table(mgmt::RouteTable table) {
    switch (table) {
        case mgmt::RouteTable::AdjIn:
            return bgp::RouteTable::AdjIn;
        case mgmt::RouteTable::AdjOut:
            return bgp::RouteTable::AdjOut;
        case mgmt::RouteTable::Filtered:
            return bgp::RouteTable::Filtered;
        case mgmt::RouteTable::Rib:
        case mgmt::RouteTable::Fib:
            break;
    }
    return bgp::RouteTable::LocRib;
}

// Where a walk in prefix order starts for a query, and where it must end.
Prefix first_of(const RouteQuery& query) {
    if (query.after) return *query.after;
    if (query.match == RouteQuery::Match::Longer) return query.prefix;
    return query.family == Family::Ip6 ? Prefix::default_route(Family::Ip6) : Prefix{};
}
bool beyond(const RouteQuery& query, const Prefix& prefix) {
    if (query.match == RouteQuery::Match::Longer && !query.prefix.contains(prefix)) return true;
    return query.family && prefix.family() > *query.family;
}

}  // namespace

void Routes::routes(RouteQuery query, mgmt::Done<RoutePage> done) {
    gateway_.ask([this, query = std::move(query), done = std::move(done)] {
        const bool table =
            query.table == mgmt::RouteTable::Rib || query.table == mgmt::RouteTable::Fib;
        // Without ports BGP's own table is the only one there is.
        const bool learnt = !query.neighbor.empty() || gateway_.dataplane() == nullptr;
        if (table && !learnt)
            done(of_table(query));
        else
            done(of_bgp(query));
    });
}

RoutePage Routes::of_table(const RouteQuery& query) const {
    RoutePage page;
    auto& table = gateway_.table();
    page.total = table.prefixes();
    if (query.match == RouteQuery::Match::Exact) {
        append(page.rows, table.candidates(query.prefix), query);
        return page;
    }
    if (query.match == RouteQuery::Match::Longest) {
        if (const auto prefix = table.longest_match(query.prefix.address()))
            append(page.rows, table.candidates(*prefix), query);
        return page;
    }

    // A filter may find little in a large table: the work of one question is
    // bounded by what it looks at, and the cursor marks where to go on.
    constexpr std::size_t kLookedAt = 4000;
    std::size_t found = 0, looked_at = 0;
    table.walk_from(first_of(query),
                    [&](const Prefix& prefix, const std::vector<rib::RouteRow>& candidates) {
                        if (query.after && prefix == *query.after) return true;
                        if (beyond(query, prefix)) return false;
                        if (found == query.limit || looked_at == kLookedAt) return false;
                        ++looked_at;
                        const auto before = page.rows.size();
                        append(page.rows, candidates, query);
                        if (page.rows.size() > before) ++found;
                        page.next = prefix;
                        return true;
                    });
    if (found < query.limit && looked_at < kLookedAt) page.next.reset();
    return page;
}

void Routes::append(std::vector<mgmt::RouteRow>& rows, const std::vector<rib::RouteRow>& candidates,
                    const RouteQuery& query) const {
    for (const auto& from : candidates) {
        const auto source = rib::to_string(from.source);
        if (!query.source.empty() && query.source != source) continue;
        if (query.table == mgmt::RouteTable::Fib && !from.in_use) continue;

        mgmt::RouteRow to;
        to.prefix = from.prefix;
        to.source = source;
        to.kind = kind_name(from.kind);
        to.distance = from.distance;
        to.best = from.in_use;
        to.installed = from.in_use;
        to.age = from.age;
        to.restored =
            from.source == rib::Source::Bgp && gateway_.restored().is_restored(from.prefix);
        if (!from.usable)
            to.because = "no next hop is reachable";
        else if (!from.in_use)
            to.because = "a source of lower distance wins";
        if (query.table == mgmt::RouteTable::Fib) {
            for (const auto& hop : from.resolved)
                to.next_hops.push_back(
                    {hop.neighbor.to_string(), gateway_.port_name(hop.port), hop.weight, true, ""});
        } else {
            for (const auto& hop : from.next_hops) {
                const auto at =
                    std::ranges::find(from.resolved, hop.address, &rib::FibNextHop::neighbor);
                const auto port = at != from.resolved.end() ? at->port : hop.port;
                const bool attached = from.kind == rib::RouteKind::Attached;
                to.next_hops.push_back({attached ? "" : hop.address.to_string(),
                                        gateway_.port_name(port), hop.weight, from.usable, ""});
            }
        }
        for (const auto& hop : from.backup)
            to.backup.push_back(
                {hop.neighbor.to_string(), gateway_.port_name(hop.port), hop.weight, false, ""});
        if (from.source == rib::Source::Bgp && gateway_.speaker() != nullptr) {
            if (auto path = gateway_.speaker()->best_path(from.prefix)) {
                if (to.because.empty()) to.because = path->because;
                to.bgp = path_row(std::move(*path));
            }
        }
        rows.push_back(std::move(to));
    }
}

Result<RoutePage, Problem> Routes::of_bgp(const RouteQuery& query) const {
    auto* speaker = gateway_.speaker();
    if (speaker == nullptr)
        return Failure{mgmt::conflict("BGP is not configured: there is no `bgp` section")};

    bgp::PathQuery asked;
    asked.table = bgp_table(query.table);
    asked.family = query.family;
    asked.after = query.after;
    asked.limit = query.limit;
    asked.best_only = query.table == mgmt::RouteTable::Fib;
    const bool longest = query.match == RouteQuery::Match::Longest;
    if (query.match != RouteQuery::Match::All) asked.within = query.prefix;
    if (asked.table != bgp::RouteTable::LocRib || !query.neighbor.empty()) {
        const auto address = IpAddress::parse(query.neighbor);
        if (!address || !speaker->neighbor(*address))
            return Failure{mgmt::not_found("no BGP neighbor " + query.neighbor)};
        asked.neighbor = *address;
        if (asked.table == bgp::RouteTable::LocRib) asked.table = bgp::RouteTable::AdjIn;
    }

    auto answer = speaker->paths(asked);
    // There is no trie to ask: each length from the longest on, one look each.
    for (int length = query.prefix.length(); longest && length >= 0; --length) {
        asked.within = Prefix{query.prefix.address(), static_cast<std::uint8_t>(length)};
        asked.limit = 1;
        answer = speaker->paths(asked);
        std::erase_if(answer.rows, [&](const auto& row) { return row.prefix != asked.within; });
        answer.next.reset();
        if (!answer.rows.empty()) break;
    }
    RoutePage page;
    page.total = answer.total;
    page.next = answer.next;
    page.rows.reserve(answer.rows.size());
    for (auto& row : answer.rows) {
        if (query.match == RouteQuery::Match::Exact && row.prefix != query.prefix) continue;
        add_route_row(std::move(row), page.rows);
    }
    if (query.match == RouteQuery::Match::Exact) page.next.reset();
    return page;
}

}  // namespace torii::app
