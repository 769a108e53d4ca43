#include <algorithm>

#include "base/suggest.hpp"
#include "config/validate.hpp"
#include "config/value_text.hpp"

namespace torii::config {
namespace {

constexpr std::size_t kMostTerms = 1000;

// "did you mean" among the names of `known`, or how to add the missing one.
template <class T>
std::string hint(std::string_view name, const std::vector<T>& known, std::string_view section,
                 std::string_view example) {
    std::vector<std::string_view> names;
    for (const auto& item : known) names.push_back(item.name);
    const auto near = suggest(name, names);
    return near.empty() ? "add it: " + std::string{section} + " = { " + std::string{name} + " = " +
                              std::string{example} + "; }"
                        : "did you mean " + in_quotes(near) + "?";
}

template <class T>
bool has(const std::vector<T>& known, std::string_view name) {
    return std::ranges::find(known, name, &T::name) != known.end();
}

template <class Rule, class List>
void check_names(const std::string& path, const std::vector<Rule>& rules,
                 const std::vector<List>& known, std::string_view section, std::string_view what,
                 Findings& find) {
    for (const auto& rule : rules)
        if (!rule.list.empty() && !has(known, rule.list))
            find.error(path, "there is no " + std::string{what} + " list " + in_quotes(rule.list),
                       hint(rule.list, known, section, "[ ... ]"));
}

template <class List>
void check_lists(const std::vector<List>& lists, std::string_view section, Findings& find) {
    for (const auto& list : lists)
        for (const auto& rule : list.rules)
            if (!rule.list.empty())
                find.error(std::string{section} + '.' + list.name,
                           in_quotes(rule.list) + " is no pattern",
                           "lists do not name each other; a term may name several");
}

void exact(const std::string& path, const std::vector<CommunityPattern>& communities,
           Findings& find) {
    for (const auto& community : communities)
        if (!community.exact())
            find.error(path, community.to_string() + " stands for many communities",
                       "name the one to set; \"*\" is for matching and removing");
}

void check_term(const Model& model, const std::string& path, const PolicyTerm& term,
                Findings& find) {
    const auto match = path + ".match", set = path + ".set";
    validate_prefix_list_names(model, match + ".prefix", term.match.prefix, find);
    check_names(match + ".as_path", term.match.as_path, model.as_path_lists, "as_path_lists",
                "AS-path", find);
    check_names(match + ".community", term.match.community, model.community_lists,
                "community_lists", "community", find);
    exact(set + ".add_community", term.set.add_community, find);
    if (term.set.community) exact(set + ".community", *term.set.community, find);
    if (term.action == TermAction::Reject && term.set != TermEdits{})
        find.warning(set, "a route that is rejected is not edited");
    if (term.action == TermAction::Next && term.set == TermEdits{})
        find.warning(path, "the term does nothing: it edits nothing and goes on");
}

}  // namespace

void validate_policies(const Model& model, Findings& find) {
    check_lists(model.as_path_lists, "as_path_lists", find);
    check_lists(model.community_lists, "community_lists", find);
    for (const auto& policy : model.policies) {
        const auto path = "policies." + policy.name;
        if (policy.terms.size() > kMostTerms)
            find.error(path, "more than " + std::to_string(kMostTerms) + " terms",
                       "match lists of prefixes instead of one prefix a term");
        for (std::size_t i = 0; i < policy.terms.size(); ++i)
            check_term(model, path + '[' + std::to_string(i) + ']', policy.terms[i], find);
    }
}

void validate_policy_names(const Model& model, const std::string& path,
                           const std::optional<std::vector<std::string>>& names, Findings& find) {
    if (!names) return;
    for (const auto& name : *names)
        if (!has(model.policies, name))
            find.error(path, "there is no policy " + in_quotes(name),
                       hint(name, model.policies, "policies", "( { ... } )"));
}

void validate_prefix_list_names(const Model& model, const std::string& path,
                                const std::optional<std::vector<std::string>>& names,
                                Findings& find) {
    if (!names) return;
    for (const auto& name : *names) {
        if (name == "any" || name == "none" || model.find_prefix_list(name)) continue;
        std::vector<std::string_view> known{"any", "none"};
        for (const auto& list : model.prefix_lists) known.push_back(list.name);
        const auto near = suggest(name, known);
        find.error(path, "there is no prefix list " + in_quotes(name),
                   near.empty() ? "add it: prefix_lists = { " + name + " = [ ... ]; }"
                                : "did you mean " + in_quotes(near) + "?");
    }
}

}  // namespace torii::config
