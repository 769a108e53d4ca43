#include "config/plan.hpp"

#include <algorithm>
#include <map>
#include <set>

#include "base/stable_sort.hpp"
#include "config/keys.hpp"

namespace torii::config {
namespace {

struct Difference {
    std::vector<std::string> keys;
    Cost cost = Cost::None;
    void add(std::string_view key, Cost price) {
        keys.emplace_back(key);
        cost = std::max(cost, price);
    }
};

// Compares key by key, by the table.
template <class T>
Difference compare(const T& had, const T& wanted) {
    Difference out;
    for (const KeyEntry& entry : keys_of<T>().entries)
        if (!entry.same(&had, &wanted)) out.add(entry.key, entry.facts.cost);
    return out;
}

// Values outside of named blocks.
template <class T>
void compare_values(const T& had, const T& wanted, const std::string& path, Plan& out) {
    for (const KeyEntry& entry : keys_of<T>().entries)
        if (entry.value && !entry.same(&had, &wanted))
            out.push_back(ChangeValue{path + '.' + std::string{entry.key}, entry.facts.cost});
}

template <class T, class KeyOf>
auto by_key(const std::vector<T>& items, KeyOf key_of) {
    std::map<decltype(key_of(items.front())), const T*> out;
    for (const T& item : items) out.emplace(key_of(item), &item);
    return out;
}

// Calls gone, added and kept for each thing that is in one or both.
template <class T, class KeyOf, class Gone, class Added, class Kept>
void pair_up(const std::vector<T>& had, const std::vector<T>& wanted, KeyOf key_of, Gone gone,
             Added added, Kept kept) {
    const auto before = by_key(had, key_of), after = by_key(wanted, key_of);
    for (const auto& [key, item] : before)
        if (!after.contains(key)) gone(*item);
    for (const auto& [key, item] : after) {
        const auto old = before.find(key);
        if (old == before.end())
            added(*item);
        else
            kept(*old->second, *item);
    }
}

// What peers refer to by name: they read or send their routes again.
template <class T>
void named_values(const std::vector<T>& had, const std::vector<T>& wanted, const std::string& path,
                  Plan& out) {
    const auto changed = [&](const T& item) {
        out.push_back(ChangeValue{path + '.' + item.name, Cost::Refresh});
    };
    pair_up(
        had, wanted, [](const T& item) { return item.name; }, changed, changed,
        [&](const T& old, const T& now) {
            if (old != now) changed(now);
        });
}

std::string group_key(const Neighbor& n) {
    return n.group.value_or("");
}

void plan_bgp(const Bgp& had, const Bgp& wanted, Plan& out) {
    compare_values(had, wanted, "bgp", out);
    compare_values(had.guard, wanted.guard, "bgp.guard", out);
    compare_values(had.mrt, wanted.mrt, "bgp.mrt", out);
    if (had.aggregates != wanted.aggregates)
        out.push_back(ChangeValue{"bgp.aggregates", Cost::Refresh});
    const auto name = [](const auto& item) { return item.name; };

    const FoldedPeers before{had}, after{wanted};
    // The effective settings decide, so that a group's edit shows at its members.
    pair_up(
        had.groups, wanted.groups, name,
        [&](const PeerGroup& gone) { out.push_back(RemoveGroup{gone.name}); },
        [&](const PeerGroup& fresh) { out.push_back(AddGroup{fresh}); },
        [&](const PeerGroup& old, const PeerGroup& now) {
            auto difference = compare(before.of(old), after.of(now));
            if (!difference.keys.empty() || old != now)
                out.push_back(ChangeGroup{now, difference.keys, difference.cost});
        });
    pair_up(
        had.listen, wanted.listen, [](const ListenRange& r) { return r.range; },
        [&](const ListenRange& gone) { out.push_back(RemoveListenRange{gone}); },
        [&](const ListenRange& fresh) { out.push_back(AddListenRange{fresh}); },
        [&](const ListenRange& old, const ListenRange& now) {
            if (old == now) return;
            out.push_back(RemoveListenRange{old});
            out.push_back(AddListenRange{now});
        });
    pair_up(
        had.neighbors, wanted.neighbors,
        [](const Neighbor& n) {
            return std::pair{n.address, n.port};
        },
        [&](const Neighbor& gone) { out.push_back(RemoveNeighbor{gone}); },
        [&](const Neighbor& fresh) { out.push_back(AddNeighbor{fresh}); },
        [&](const Neighbor& old, const Neighbor& now) {
            auto difference = compare(before.of(old), after.of(now));
            if (group_key(old) != group_key(now)) difference.add("group", Cost::None);
            if (!difference.keys.empty() || old != now)
                out.push_back(ChangeNeighbor{now, difference.keys, difference.cost});
        });
}

// The place of a kind of change in a plan is that of its type in Change.
void sort_plan(Plan& plan) {
    stable_sort(plan, [](const Change& a, const Change& b) { return a.index() < b.index(); });
}

template <class... F>
struct Overload : F... {
    using F::operator()...;
};

std::string joined(const std::vector<std::string>& keys) {
    std::string out;
    for (const auto& key : keys) out += (out.empty() ? "" : ", ") + key;
    return out.empty() ? "written differently" : out;
}

std::string address_of(const Neighbor& neighbor) {
    return neighbor.address.to_string() + (neighbor.port ? '@' + *neighbor.port : "");
}

std::string text_of(const Change& change) {
    return std::visit(
        Overload{
            [](const AddNeighbor& c) { return "neighbor " + address_of(c.wanted) + ": added"; },
            [](const RemoveNeighbor& c) { return "neighbor " + address_of(c.had) + ": removed"; },
            [](const ChangeNeighbor& c) {
                return "neighbor " + address_of(c.wanted) + ": " + joined(c.keys);
            },
            [](const AddGroup& c) { return "group " + c.wanted.name + ": added"; },
            [](const RemoveGroup& c) { return "group " + c.name + ": removed"; },
            [](const ChangeGroup& c) { return "group " + c.wanted.name + ": " + joined(c.keys); },
            [](const AddListenRange& c) {
                return "listen range " + c.wanted.range.to_string() + ": added";
            },
            [](const RemoveListenRange& c) {
                return "listen range " + c.had.range.to_string() + ": removed";
            },
            [](const AddRoute& c) { return "route " + c.wanted.prefix.to_string() + ": added"; },
            [](const RemoveRoute& c) { return "route " + c.had.prefix.to_string() + ": removed"; },
            [](const ChangeRoute& c) {
                return "route " + c.wanted.prefix.to_string() + ": changed";
            },
            [](const AddStaticNeighbor& c) {
                return "static neighbor " + c.wanted.address.to_string() + ": added";
            },
            [](const RemoveStaticNeighbor& c) {
                return "static neighbor " + c.had.address.to_string() + ": removed";
            },
            [](const AddPrefixList& c) { return "prefix list " + c.wanted.name + ": added"; },
            [](const RemovePrefixList& c) { return "prefix list " + c.name + ": removed"; },
            [](const ChangePrefixList& c) { return "prefix list " + c.wanted.name + ": changed"; },
            [](const AddPort& c) { return "port " + c.wanted.name + ": added"; },
            [](const RemovePort& c) { return "port " + c.name + ": removed"; },
            [](const ChangePort& c) { return "port " + c.wanted.name + ": " + joined(c.keys); },
            [](const ChangeValue& c) { return c.path + ": changed"; },
        },
        change);
}

}  // namespace

Plan plan(const Model& running, const Model& wanted) {
    Plan out;
    const auto name = [](const auto& item) { return item.name; };
    compare_values(running.router, wanted.router, "router", out);
    compare_values(running.dataplane, wanted.dataplane, "dataplane", out);
    compare_values(running.readiness, wanted.readiness, "readiness", out);
    compare_values(running.management, wanted.management, "management", out);
    if (running.management.tls != wanted.management.tls)
        out.push_back(ChangeValue{"management.tls", Cost::None});
    if (running.management.tokens != wanted.management.tokens)
        out.push_back(ChangeValue{"management.tokens", Cost::None});
    compare_values(running.log, wanted.log, "log", out);
    if (running.liveness != wanted.liveness) out.push_back(ChangeValue{"liveness", Cost::None});
    if (running.pools != wanted.pools) out.push_back(ChangeValue{"pools", Cost::None});
    if (running.drop_sources != wanted.drop_sources)
        out.push_back(ChangeValue{"drop_sources", Cost::None});

    pair_up(
        running.ports, wanted.ports, name,
        [&](const Port& gone) { out.push_back(RemovePort{gone.name}); },
        [&](const Port& fresh) {
            out.push_back(AddPort{fresh, running.ports.empty() ? Cost::Restart : Cost::None});
        },
        [&](const Port& old, const Port& now) {
            auto difference = compare(old, now);
            if (!difference.keys.empty())
                out.push_back(ChangePort{now, difference.keys, difference.cost});
        });
    pair_up(
        running.routes, wanted.routes, [](const StaticRoute& r) { return r.prefix; },
        [&](const StaticRoute& gone) { out.push_back(RemoveRoute{gone}); },
        [&](const StaticRoute& fresh) { out.push_back(AddRoute{fresh}); },
        [&](const StaticRoute& old, const StaticRoute& now) {
            if (old != now) out.push_back(ChangeRoute{now});
        });
    pair_up(
        running.neighbors, wanted.neighbors,
        [](const StaticNeighbor& n) {
            return std::pair{n.port, n.address};
        },
        [&](const StaticNeighbor& gone) { out.push_back(RemoveStaticNeighbor{gone}); },
        [&](const StaticNeighbor& fresh) { out.push_back(AddStaticNeighbor{fresh}); },
        [&](const StaticNeighbor& old, const StaticNeighbor& now) {
            if (old == now) return;
            out.push_back(RemoveStaticNeighbor{old});
            out.push_back(AddStaticNeighbor{now});
        });
    pair_up(
        running.prefix_lists, wanted.prefix_lists, name,
        [&](const PrefixList& gone) { out.push_back(RemovePrefixList{gone.name}); },
        [&](const PrefixList& fresh) { out.push_back(AddPrefixList{fresh}); },
        [&](const PrefixList& old, const PrefixList& now) {
            if (old != now) out.push_back(ChangePrefixList{now});
        });
    named_values(running.as_path_lists, wanted.as_path_lists, "as_path_lists", out);
    named_values(running.community_lists, wanted.community_lists, "community_lists", out);
    named_values(running.policies, wanted.policies, "policies", out);
    if (running.bgp.has_value() != wanted.bgp.has_value())
        out.push_back(ChangeValue{"bgp", wanted.bgp ? Cost::None : Cost::Reset});
    if (running.bgp || wanted.bgp)
        plan_bgp(running.bgp.value_or(Bgp{}), wanted.bgp.value_or(Bgp{}), out);
    sort_plan(out);
    return out;
}

Cost cost_of(const Change& change) {
    return std::visit(Overload{[](const RemoveNeighbor&) { return Cost::Reset; },
                               [](const RemoveListenRange&) { return Cost::Reset; },
                               [](const RemovePort&) { return Cost::Restart; },
                               [](const ChangePrefixList&) { return Cost::Refresh; },
                               [](const auto& c) {
                                   if constexpr (requires { c.cost; })
                                       return c.cost;
                                   else
                                       return Cost::None;
                               }},
                      change);
}

std::string describe(const Change& change) {
    const auto cost = cost_of(change);
    return text_of(change) + (cost == Cost::None ? "" : " (" + std::string{to_string(cost)} + ')');
}

std::string summary(const Plan& plan) {
    struct Count {
        std::size_t number = 0;
        std::string_view one, many, what;
    };
    Count counts[] = {
        {0, "neighbor", "neighbors", "reset"},   {0, "neighbor", "neighbors", "added"},
        {0, "neighbor", "neighbors", "removed"}, {0, "neighbor", "neighbors", "changed"},
        {0, "group", "groups", "changed"},       {0, "route", "routes", "added"},
        {0, "route", "routes", "removed"},       {0, "route", "routes", "changed"},
        {0, "port", "ports", "changed"},         {0, "port", "ports", "added"},
        {0, "port", "ports", "removed"},         {0, "prefix list", "prefix lists", "changed"},
        {0, "other change", "other changes", ""}};
    std::size_t restarts = 0;
    for (const Change& change : plan) {
        const auto cost = cost_of(change);
        if (cost == Cost::Restart) ++restarts;
        const int at = std::visit(
            Overload{[](const AddNeighbor&) { return 1; }, [](const RemoveNeighbor&) { return 2; },
                     [&](const ChangeNeighbor&) { return cost == Cost::Reset ? 0 : 3; },
                     [](const AddGroup&) { return 4; }, [](const RemoveGroup&) { return 4; },
                     [](const ChangeGroup&) { return 4; }, [](const AddRoute&) { return 5; },
                     [](const RemoveRoute&) { return 6; }, [](const ChangeRoute&) { return 7; },
                     [](const ChangePort&) { return 8; }, [](const AddPort&) { return 9; },
                     [](const RemovePort&) { return 10; }, [](const AddPrefixList&) { return 11; },
                     [](const RemovePrefixList&) { return 11; },
                     [](const ChangePrefixList&) { return 11; }, [](const auto&) { return 12; }},
            change);
        ++counts[static_cast<std::size_t>(at)].number;
    }
    std::string out;
    for (const auto& count : counts) {
        if (count.number == 0) continue;
        if (!out.empty()) out += ", ";
        out += std::to_string(count.number) + ' ' +
               std::string{count.number == 1 ? count.one : count.many};
        if (!count.what.empty()) out += ' ' + std::string{count.what};
    }
    if (restarts > 0) out += "; " + std::to_string(restarts) + " only by a restart of toriid";
    return out.empty() ? "nothing changes" : out;
}

}  // namespace torii::config
