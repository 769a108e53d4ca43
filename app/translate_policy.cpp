#include "app/translate_policy.hpp"

#include <algorithm>

namespace torii::app {
namespace {

template <class To, class From>
std::optional<To> by_position(const std::optional<From>& value) {
    if (!value) return std::nullopt;
    return static_cast<To>(static_cast<std::uint8_t>(*value));
}

bgp::AsPathRule rule(const config::AsPathRule& from) {
    return {from.permit, from.pattern};
}
bgp::CommunityRule rule(const config::CommunityRule& from) {
    return {from.permit, from.all};
}

// The rules with those of the lists they name among them.
template <class To, class Rule, class List>
std::vector<To> expanded(const std::vector<Rule>& rules, const std::vector<List>& lists) {
    std::vector<To> out;
    for (const auto& from : rules) {
        if (from.list.empty()) {
            out.push_back(rule(from));
            continue;
        }
        const auto list = std::ranges::find(lists, from.list, &List::name);
        if (list == lists.end()) continue;
        for (const auto& inner : list->rules) out.push_back(rule(inner));
    }
    // Lists without a rule match nothing, unlike no list at all.
    if (out.empty() && !rules.empty()) out.push_back(To{false, {}});
    return out;
}

bgp::TermMatch match(const config::Model& model, const config::TermMatch& from) {
    bgp::TermMatch to;
    to.family = from.family;
    to.prefix_lists = from.prefix;
    to.as_path = expanded<bgp::AsPathRule>(from.as_path, model.as_path_lists);
    to.communities = expanded<bgp::CommunityRule>(from.community, model.community_lists);
    to.next_hops = from.next_hop;
    to.med = from.med;
    to.local_pref = from.local_pref;
    to.origin = by_position<std::uint8_t>(from.origin);
    to.from = by_position<bgp::RouteFrom>(from.from);
    return to;
}

bgp::TermEdits edits(const config::TermEdits& from) {
    bgp::TermEdits to;
    to.local_pref = from.local_pref;
    if (from.med)
        to.med = bgp::MedEdit{static_cast<bgp::MedEdit::Kind>(from.med->kind), from.med->number};
    to.origin = by_position<std::uint8_t>(from.origin);
    to.communities = from.community;
    to.add_communities = from.add_community;
    to.remove_communities = from.remove_community;
    to.prepend = from.prepend;
    for (const auto as : from.prepend_as) to.prepend_ases.push_back(as.number);
    if (from.next_hop)
        to.next_hop = bgp::NextHopEdit{static_cast<bgp::NextHopEdit::Kind>(from.next_hop->kind),
                                       from.next_hop->address};
    to.weight = from.weight;
    return to;
}

}  // namespace

bgp::PolicySettings route_policy(const config::Model& model, const config::Policy& from) {
    bgp::PolicySettings to{from.name, {}};
    for (const auto& term : from.terms)
        to.terms.push_back({term.name.value_or(""), match(model, term.match), edits(term.set),
                            static_cast<bgp::TermAction>(term.action)});
    return to;
}

}  // namespace torii::app
