#include "config/frr_route_map.hpp"

#include <algorithm>

#include "config/value_text.hpp"

namespace torii::config {
namespace {

constexpr const char* kNoNumber = "a number is wanted there";

template <class List>
List& list_of(std::vector<List>& lists, const std::string& name) {
    const auto at = std::ranges::find(lists, name, &List::name);
    if (at != lists.end()) return *at;
    lists.push_back({name, {}});
    return lists.back();
}

std::optional<RouteOrigin> origin_of(std::string_view word) {
    if (word == "igp") return RouteOrigin::Igp;
    if (word == "egp") return RouteOrigin::Egp;
    if (word == "incomplete") return RouteOrigin::Incomplete;
    return std::nullopt;
}

// FRR writes some well-known communities in its own way.
std::optional<CommunityPattern> community_of(std::string_view word) {
    if (word == "local-AS") word = "no-export-subconfed";
    return CommunityPattern::parse(word);
}

}  // namespace

bool FrrRouteMaps::Clause::plain() const {
    auto rest = term.match;
    rest.prefix.reset();
    return rest == TermMatch{} && term.set == TermEdits{} && term.action != TermAction::Next &&
           next_hop_lists.empty() && (!term.match.prefix || term.match.prefix->size() == 1);
}

void FrrRouteMaps::begin(const FrrWords& words, unsigned line) {
    inside_ = frr_name(words[1]);
    Clause clause;
    clause.line = line;
    clause.term.action = words[2] == "deny" ? TermAction::Reject : TermAction::Accept;
    if (!words[3].empty()) clause.term.name = std::string{words[3]};
    maps_[inside_].push_back(std::move(clause));
}

std::string FrrRouteMaps::take(const FrrWords& words) {
    auto& clause = maps_[inside_].back();
    if (words.begins("description")) return "";
    if (words.begins("match")) return match(clause, words);
    if (words.begins("set")) return set(clause, words);
    if (words.begins("on-match", "next") || (words.begins("continue") && words.size() == 1)) {
        if (clause.term.action == TermAction::Accept) clause.term.action = TermAction::Next;
        return "goes on with the next clause here too; but where none matches then, torii rejects";
    }
    return "torii has nothing like it";
}

std::string FrrRouteMaps::match(Clause& clause, const FrrWords& w) const {
    auto& m = clause.term.match;
    const auto number = [&](std::optional<std::uint32_t>& out) -> std::string {
        out = w.number<std::uint32_t>(2);
        return out ? "" : kNoNumber;
    };
    if (w.begins("match", "ip", "address", "prefix-list") ||
        w.begins("match", "ipv6", "address", "prefix-list")) {
        if (m.prefix) return "a second list of prefixes";
        m.prefix = std::vector<std::string>{frr_name(w[4])};
        return "";
    }
    if (w.begins("match", "ip", "next-hop", "prefix-list") ||
        w.begins("match", "ipv6", "next-hop", "prefix-list")) {
        clause.next_hop_lists.push_back(frr_name(w[4]));
        return "";
    }
    if (w.begins("match", "ip", "next-hop", "address")) {
        const auto address = IpAddress::parse(w[4]);
        if (!address) return "no address";
        m.next_hop.push_back(Prefix::host(*address));
        return "";
    }
    if (w.begins("match", "as-path")) {
        AsPathRule rule;
        rule.list = frr_name(w[2]);
        m.as_path.push_back(rule);
        return "";
    }
    if (w[1] == "community" || w[1] == "large-community" || w[1] == "extcommunity") {
        CommunityRule rule;
        rule.list = frr_name(w[2]);
        m.community.push_back(rule);
        return w.size() > 3 ? "exact-match: the list itself is taken" : "";
    }
    if (w.begins("match", "metric")) return number(m.med);
    if (w.begins("match", "local-preference")) return number(m.local_pref);
    if (w.begins("match", "origin")) {
        m.origin = origin_of(w[2]);
        return m.origin ? "" : "no origin";
    }
    return "torii has no such match";
}

std::string FrrRouteMaps::set_communities(TermEdits& set, const FrrWords& w) const {
    const bool extended = w[1] == "extcommunity";
    if (w[2] == "none") {
        set.community.emplace();
        return "";
    }
    std::vector<CommunityPattern> all;
    bool additive = extended;
    for (std::size_t i = extended ? 3 : 2; i < w.size(); ++i) {
        if (w[i] == "additive") {
            additive = true;
            continue;
        }
        const auto text =
            extended ? std::string{w[2]} + ':' + std::string{w[i]} : std::string{w[i]};
        const auto community = community_of(text);
        if (!community || !community->exact()) return "no community that torii understands";
        all.push_back(*community);
    }
    auto& to = additive ? set.add_community : set.community.emplace();
    to.insert(to.end(), all.begin(), all.end());
    return "";
}

std::string FrrRouteMaps::set(Clause& clause, const FrrWords& w) const {
    auto& set = clause.term.set;
    if (w.begins("set", "local-preference")) {
        set.local_pref = w.number<std::uint32_t>(2);
        return set.local_pref ? "" : kNoNumber;
    }
    if (w.begins("set", "metric")) {
        set.med = MedEdit::parse(w[2]);
        return set.med ? "" : kNoNumber;
    }
    if (w.begins("set", "origin")) {
        set.origin = origin_of(w[2]);
        return set.origin ? "" : "no origin";
    }
    if (w[1] == "community" || w[1] == "large-community" || w[1] == "extcommunity")
        return set_communities(set, w);
    if ((w[1] == "comm-list" || w[1] == "large-comm-list") && w[3] == "delete") {
        const auto list = std::ranges::find(communities_, frr_name(w[2]), &CommunityList::name);
        if (list == communities_.end()) return "the list stands behind this line, or nowhere";
        for (const auto& rule : list->rules)
            if (rule.permit && rule.all.size() == 1) set.remove_community.push_back(rule.all[0]);
        return "";
    }
    if (w.begins("set", "as-path", "prepend") && w[3] != "last-as") {
        for (std::size_t i = 3; i < w.size(); ++i) {
            const auto as = parse_asn(w[i]);
            if (!as) return "no AS number";
            set.prepend_as.push_back(*as);
        }
        return "";
    }
    if (w.begins("set", "ip", "next-hop") || w.begins("set", "ipv6", "next-hop")) {
        const auto word = w[3] == "global" ? w[4] : w[3];
        if (word == "prefer-global") return "";
        set.next_hop = NextHopEdit::parse(word == "peer-address" ? "peer" : word);
        return set.next_hop ? "" : "no next hop";
    }
    if (w.begins("set", "weight"))
        return "FRR's weight is compared before LOCAL_PREF; set local_pref instead";
    return "torii has no such edit";
}

bool FrrRouteMaps::is_list(const FrrWords& w) {
    return (w[0] == "bgp" || w[0] == "ip") &&
           (w.begins(w[0], "as-path", "access-list") || w[1] == "community-list" ||
            w[1] == "large-community-list" || w[1] == "extcommunity-list");
}

// ... [standard|expanded] NAME [seq N] permit|deny WHAT
std::string FrrRouteMaps::take_list(FrrWords w) {
    const bool paths = w[1] == "as-path", extended = w[1] == "extcommunity-list";
    w.drop(paths ? 3 : 2);
    if (w[0] == "expanded") return "a regular expression over communities; name them instead";
    if (w[0] == "standard") w.drop(1);
    const auto name = frr_name(w[0]);
    w.drop(w[1] == "seq" ? 3 : 1);
    if (w[0] != "permit" && w[0] != "deny") return "neither permit nor deny";
    const bool permit = w[0] == "permit";
    if (paths) {
        const auto pattern = AsPathPattern::parse(w.from(1));
        if (!pattern) return "no expression that torii understands";
        list_of(as_paths_, name).rules.push_back({permit, "", *pattern});
        return "";
    }
    CommunityRule rule;
    rule.permit = permit;
    for (std::size_t i = 1; i < w.size(); ++i) {
        if (w[i] == "internet") continue;
        const auto text = extended && (w[i] == "rt" || w[i] == "soo") && i + 1 < w.size()
                              ? std::string{w[i]} + ':' + std::string{w[i + 1]}
                              : std::string{w[i]};
        if (extended) ++i;
        const auto community = community_of(text);
        if (!community) return "no community that torii understands";
        rule.all.push_back(*community);
    }
    if (rule.all.empty()) return "\"internet\" means all routes: leave the match out";
    list_of(communities_, name).rules.push_back(std::move(rule));
    return "";
}

const std::vector<FrrRouteMaps::Clause>* FrrRouteMaps::find(const std::string& name) const {
    const auto at = maps_.find(name);
    return at != maps_.end() ? &at->second : nullptr;
}

bool FrrRouteMaps::plain(const std::string& name) const {
    const auto* clauses = find(name);
    return clauses == nullptr || std::ranges::all_of(*clauses, &Clause::plain);
}

Policy FrrRouteMaps::policy(const std::string& name, const PrefixLists& lists) const {
    Policy out{name, {}};
    const auto* clauses = find(name);
    if (clauses == nullptr) return out;
    for (const auto& clause : *clauses) {
        auto term = clause.term;
        for (const auto& list : clause.next_hop_lists)
            if (const auto at = lists.find(list); at != lists.end())
                for (const auto& [_, rule] : at->second)
                    if (rule.permit) term.match.next_hop.push_back(rule.prefix);
        if (term.action == TermAction::Reject) term.set = {};
        out.terms.push_back(std::move(term));
    }
    return out;
}

void FrrRouteMaps::put_lists(Model& model) const {
    model.as_path_lists = as_paths_;
    model.community_lists = communities_;
    // A list that a map names and the file lacks matches nothing, as in FRR.
    for (const auto& policy : model.policies)
        for (const auto& term : policy.terms) {
            for (const auto& rule : term.match.as_path)
                if (!rule.list.empty()) list_of(model.as_path_lists, rule.list);
            for (const auto& rule : term.match.community)
                if (!rule.list.empty()) list_of(model.community_lists, rule.list);
        }
}

}  // namespace torii::config
