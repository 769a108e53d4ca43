#include "config/frr_names.hpp"

#include <algorithm>

#include "base/as_path_pattern.hpp"
#include "base/community.hpp"

namespace torii::config {

std::string frr_name(std::string_view name) {
    const auto is_letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); };
    std::string out;
    if (name.empty() || !is_letter(name.front())) out = "n";
    for (const char c : name) out += is_letter(c) || (c >= '0' && c <= '9') || c == '_' ? c : '-';
    return out;
}

namespace {

// Words that have a meaning where names stand.
bool is_reserved(const std::string& name) {
    return name == "any" || name == "none" || AsPathPattern::parse(name) ||
           CommunityPattern::parse(name);
}

// `base`, else `base-mark`, else numbered, until it is free.
template <class Free>
std::string choose(std::string_view base, std::string_view mark, Free&& is_free) {
    const auto plain = frr_name(base);
    if (is_free(plain)) return plain;
    const auto marked = mark.empty() ? plain : plain + '-' + std::string{mark};
    if (is_free(marked)) return marked;
    for (unsigned n = 2;; ++n)
        if (const auto numbered = marked + '-' + std::to_string(n); is_free(numbered))
            return numbered;
}

}  // namespace

template <class List, class Rules>
std::string FrrNames::put(std::vector<List>& lists, Rules List::*member, std::string_view base,
                          std::string_view mark, const Rules& rules) {
    std::string found;
    const auto name = choose(base, mark, [&](const std::string& wanted) {
        const auto at = std::ranges::find(lists, wanted, &List::name);
        if (at != lists.end() && (*at).*member == rules) {
            found = wanted;
            return true;
        }
        return at == lists.end() && !is_reserved(wanted);
    });
    if (found != name) {
        List fresh;
        fresh.name = name;
        fresh.*member = rules;
        lists.push_back(std::move(fresh));
    }
    return name;
}

std::string FrrNames::group(std::string_view name) {
    if (const auto at = groups_.find(name); at != groups_.end()) return at->second;
    const auto chosen =
        choose(name, "", [&](const std::string& wanted) { return !group_names_.contains(wanted); });
    group_names_.insert(chosen);
    return groups_[std::string{name}] = chosen;
}

std::string FrrNames::prefix_list(std::string_view base, std::string_view mark,
                                  const std::vector<PrefixRule>& rules) {
    return put(model_->prefix_lists, &PrefixList::rules, base, mark, rules);
}

std::string FrrNames::as_path_list(std::string_view base, const std::vector<AsPathRule>& rules) {
    return put(model_->as_path_lists, &AsPathList::rules, base, "", rules);
}

std::string FrrNames::community_list(std::string_view base, std::string_view mark,
                                     const std::vector<CommunityRule>& rules) {
    return put(model_->community_lists, &CommunityList::rules, base, mark, rules);
}

std::string FrrNames::policy(std::string_view base, std::string_view mark,
                             const std::vector<PolicyTerm>& terms) {
    return put(model_->policies, &Policy::terms, base, mark, terms);
}

}  // namespace torii::config
