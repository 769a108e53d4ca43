#include "config/frr_policy.hpp"

#include <functional>

namespace torii::config {
namespace {

constexpr std::size_t kMostTerms = 900;
constexpr unsigned kDeepest = 10;  // FRR's own limit of calls

// Routes on their way through a map: those that `condition` holds for, with `edits` that
// are still to be made to them.
struct Flow {
    FrrCondition condition;
    TermEdits edits;
};

template <class Rule>
std::vector<Rule> inverted(std::vector<Rule> rules) {
    for (auto& rule : rules) rule.permit = !rule.permit;
    return rules;
}

}  // namespace

// FRR's route_map_apply() over all routes at once. Terms come in an order in which each
// stands for the routes that none before it matched.
class FrrPolicies::Compiler {
public:
    using Continue = std::function<void(const Flow&)>;

    Compiler(FrrPolicies& owner, Family family, FrrDirection direction)
        : owner_(owner), family_(family), direction_(direction) {}

    // A list that must permit, in front of what follows.
    void require(std::string_view name, const FrrList<PrefixRule>* list, bool empty_permits) {
        if (list == nullptr || !list->odd.empty()) return refuse_all(name, list);
        if (empty_permits && list->rules.empty()) return;
        auto rules = inverted(list->all());
        const std::uint8_t most = address_bits(family_);
        rules.push_back({true, false, Prefix::default_route(family_), 0, most});
        Flow flow;
        flow.condition.prefix = {"not-" + std::string{name}, std::move(rules)};
        emit(flow, TermAction::Reject, std::string{name});
    }
    void require_as_path(std::string_view name, const FrrList<AsPathRule>* list) {
        if (list == nullptr || !list->odd.empty()) return refuse_all(name, list);
        auto rules = inverted(list->all());
        rules.push_back({true, "", *AsPathPattern::parse("length ge 0")});
        Flow flow;
        flow.condition.as_path = {"not-" + std::string{name}, std::move(rules)};
        emit(flow, TermAction::Reject, std::string{name});
    }
    // A list that alone decides.
    void accept(std::string_view name, const FrrList<PrefixRule>* list, bool empty_permits) {
        if (list == nullptr || !list->odd.empty()) return refuse_all(name, list);
        Flow flow;
        if (!empty_permits || !list->rules.empty())
            flow.condition.prefix = {std::string{name}, list->all()};
        emit(flow, TermAction::Accept, "");
    }
    void accept_rest() { emit({}, TermAction::Accept, ""); }

    void map(std::string_view name) {
        const auto* found = owner_.maps_.find(name);
        if (found == nullptr) {
            emit({}, TermAction::Reject, "no route-map " + std::string{name});
            return;
        }
        walk(*found, found->clauses.begin(), {}, 0,
             [&](const Flow& flow) { emit(flow, TermAction::Accept, now_); });
    }

    // Nothing of what the line filters is understood.
    void refuse_all(std::string_view name, const auto* list) {
        if (list != nullptr) {
            out.refused = true;
            owner_.report_.add({list->line, list->odd,
                                "no rule that torii understands: the list " + std::string{name} +
                                    " permits nothing",
                                FrrEffect::Narrower});
        }
        emit({}, TermAction::Reject, std::string{name});
    }
    void refuse_all(const std::string& name) {
        out.refused = true;
        emit({}, TermAction::Reject, name);
    }

    FrrTerms out;

private:
    using Clauses = std::map<std::uint32_t, FrrClause>;
    using At = Clauses::const_iterator;

    void emit(const Flow& flow, TermAction action, const std::string& name) {
        if (closed_ || flow.condition.never) return;
        if (out.terms.size() >= kMostTerms) {
            closed_ = out.refused = true;
            out.terms.back() = {};
            out.terms.back().action = TermAction::Reject;
            owner_.report_.add({0,
                                "route-map of more than " + std::to_string(kMostTerms) + " terms",
                                "what the last ones match is rejected", FrrEffect::Narrower});
            return;
        }
        PolicyTerm term;
        if (!name.empty()) term.name = name;
        term.match = flow.condition.to_match(owner_.names_, family_);
        term.action = action;
        if (action != TermAction::Reject) term.set = flow.edits;
        if (action == TermAction::Accept) out.accepts = true;
        closed_ = flow.condition.always() && action != TermAction::Next;
        out.terms.push_back(std::move(term));
    }

    void refuse(const Flow& flow, const FrrClause& clause, const FrrLine& line,
                const std::string& why) {
        if (closed_) return;
        out.refused = out.refused || clause.permit;
        owner_.report_.add({line.number,
                            FrrReport::shown(clause.head.text) + ": " + FrrReport::shown(line.text),
                            why + ": the clause rejects what it may match", FrrEffect::Narrower});
        emit(flow, TermAction::Reject, now_ + ", not understood");
    }

    void walk(const FrrRouteMap& map, At at, const Flow& flow, unsigned depth,
              const Continue& accepted) {
        if (closed_ || flow.condition.never) return;
        if (at == map.clauses.end()) {
            // What no term decides is rejected without a term that would do it.
            if (flow.condition.always())
                closed_ = true;
            else
                emit(flow, TermAction::Reject, "the end");
            return;
        }
        const auto& clause = at->second;
        now_ = std::to_string(clause.seq);
        const auto matches = frr_matches(clause, owner_.lists_, family_, direction_);
        const auto wanted = frr_before(matches.condition, flow.edits);
        auto taken = flow;
        if (!wanted || !taken.condition.and_also(*wanted)) {
            refuse(flow, clause, clause.matches.empty() ? clause.head : clause.matches[0].second,
                   "it asks for more at once than torii has words for");
            return;
        }
        if (!taken.condition.never) clause_of(map, at, taken, flow, matches, depth, accepted);
        if (!matches.condition.always()) walk(map, std::next(at), flow, depth, accepted);
    }

    // What happens to the routes that the clause matches.
    void clause_of(const FrrRouteMap& map, At at, Flow taken, const Flow& before,
                   const FrrMatches& matches, unsigned depth, const Continue& accepted) {
        const auto& clause = at->second;
        auto edits = frr_edits(clause, owner_.lists_, family_);
        for (const auto& [line, why] : edits.lost) owner_.report_.add(line, why, FrrEffect::Lost);
        if (!matches.odd.empty())
            return refuse(taken, clause, matches.odd[0].first, matches.odd[0].second);
        if (!edits.odd.empty())
            return refuse(taken, clause, edits.odd[0].first, edits.odd[0].second);
        if (!clause.permit) return emit(taken, TermAction::Reject, now_);
        if (auto& med = edits.edits.med;
            med && direction_ == FrrDirection::ToExternal && !taken.edits.med &&
            (med->kind == MedEdit::Kind::Add || med->kind == MedEdit::Kind::Subtract)) {
            if (med_is_open_)
                return refuse(taken, clause, clause.head, "the MED that it counts from is open");
            med = MedEdit{MedEdit::Kind::Set, med->kind == MedEdit::Kind::Add ? med->number : 0};
        }
        const auto all = frr_both(taken.edits, edits.edits);
        if (!all) return refuse(taken, clause, clause.head, "it edits what is edited already");
        // torii's own "next" does while nothing is pending.
        const bool goes_on = clause.then == FrrClause::Then::Next && clause.call.empty() &&
                             std::next(at) != map.clauses.end();
        if (goes_on && before.condition.always() && before.edits == TermEdits{}) {
            taken.edits = *all;
            med_is_open_ = med_is_open_ || taken.edits.med;
            if (taken.edits != TermEdits{}) emit(taken, TermAction::Next, now_);
            if (taken.condition.always()) walk(map, std::next(at), before, depth, accepted);
            return;
        }
        taken.edits = *all;
        // FRR denies what no later clause matches, and permits where there is no later clause.
        const auto go_on = [&](const Flow& flow) {
            const auto next = clause.then == FrrClause::Then::Exit ? map.clauses.end()
                              : clause.then == FrrClause::Then::Next
                                  ? std::next(at)
                                  : map.clauses.lower_bound(clause.goto_seq);
            next == map.clauses.end() ? accepted(flow) : walk(map, next, flow, depth, accepted);
        };
        if (clause.call.empty()) return go_on(taken);
        const auto* called = owner_.maps_.find(clause.call);
        if (called == nullptr) return go_on(taken);  // as if the line were not there
        if (depth >= kDeepest) return refuse(taken, clause, clause.head, "maps call each other");
        walk(*called, called->clauses.begin(), taken, depth + 1, go_on);
    }

    FrrPolicies& owner_;
    Family family_;
    FrrDirection direction_;
    bool closed_ = false;       // a term decided about all that is left
    bool med_is_open_ = false;  // some routes have had theirs set by a term that goes on
    std::string now_;           // the clause that is being read
};

FrrTerms FrrPolicies::terms(const FrrFilter& filter, Family family, FrrDirection direction) {
    Compiler compile{*this, family, direction};
    auto& base = compile.out.base;
    const auto join = [&](const std::string& name) { base += (base.empty() ? "" : "-") + name; };
    if (!filter.odd.empty()) {
        compile.out.base = "refused";
        compile.refuse_all(filter.odd);
        return std::move(compile.out);
    }
    const bool more = !filter.route_map.empty() || !filter.as_path_list.empty();
    const bool two = !filter.prefix_list.empty() && !filter.access_list.empty();
    if (!filter.as_path_list.empty()) {
        join("paths-" + filter.as_path_list);
        compile.require_as_path(filter.as_path_list, lists_.as_path_list(filter.as_path_list));
    }
    if (!filter.access_list.empty()) {
        join("access-" + filter.access_list);
        const auto* list = lists_.access_list(family, filter.access_list);
        if (more || two)
            compile.require("access-" + filter.access_list, list, false);
        else
            compile.accept("access-" + filter.access_list, list, false);
    }
    if (!filter.prefix_list.empty()) {
        join(filter.prefix_list);
        const auto* list = lists_.prefix_list(family, filter.prefix_list);
        if (more)
            compile.require(filter.prefix_list, list, true);
        else
            compile.accept(filter.prefix_list, list, true);
    }
    if (!filter.route_map.empty()) {
        join(filter.route_map);
        compile.map(filter.route_map);
    } else if (more) {
        compile.accept_rest();
    }
    return std::move(compile.out);
}

}  // namespace torii::config
