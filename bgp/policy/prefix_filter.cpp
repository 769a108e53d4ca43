#include "bgp/policy/prefix_filter.hpp"

#include <algorithm>

namespace torii::bgp {

namespace {
constexpr std::size_t kRead = 32;  // rules that are read one after the other
}

std::shared_ptr<const PrefixFilter> PrefixFilter::everything() {
    static const auto filter = [] {
        auto f = std::make_shared<PrefixFilter>();
        f->all_ = true;
        return std::shared_ptr<const PrefixFilter>{f};
    }();
    return filter;
}

std::shared_ptr<const PrefixFilter> PrefixFilter::unspoken() {
    static const auto filter = [] {
        auto f = std::make_shared<PrefixFilter>();
        f->none_ = f->unspoken_ = true;
        return std::shared_ptr<const PrefixFilter>{f};
    }();
    return filter;
}

std::shared_ptr<const PrefixFilter> PrefixFilter::of(const std::vector<std::string>& names,
                                                     const std::vector<PrefixList>& known) {
    auto filter = std::make_shared<PrefixFilter>();
    for (const auto& name : names) {
        if (name == "any") {
            PrefixRule rule;
            rule.any = true;
            rule.text = "permit any";
            filter->lists_.push_back({name, {rule}});
            continue;
        }
        const auto at = std::ranges::find(known, name, &PrefixList::name);
        filter->lists_.push_back(at != known.end() ? *at : PrefixList{name, {}});
    }
    std::size_t rules = 0;
    for (const auto& list : filter->lists_) rules += list.rules.size();
    filter->none_ = rules == 0;
    const auto first =
        std::ranges::find_if(filter->lists_, [](const auto& list) { return !list.rules.empty(); });
    filter->all_ = first != filter->lists_.end() && first->rules[0].any && first->rules[0].permit;
    filter->make_index();
    return filter;
}

void PrefixFilter::make_index() {
    // Each peer has filters of its own: short lists take no room for an index.
    std::size_t rules = 0;
    for (const auto& list : lists_) rules += list.rules.size();
    if (rules <= kRead) return;
    for (std::uint32_t list = 0; list < lists_.size(); ++list)
        for (std::uint32_t rule = 0; rule < lists_[list].rules.size(); ++rule) {
            const Place place{list, rule};
            if (at(place).any) {
                any_ = place;
                return;
            }
            const auto [which, fresh] =
                index_.try_emplace(at(place).prefix, static_cast<std::uint32_t>(places_.size()));
            if (fresh) places_.emplace_back();
            places_[*which].push_back(place);
        }
}

PrefixFilter::Verdict PrefixFilter::match(const Prefix& prefix) const {
    if (places_.empty() && !any_) {
        for (const auto& list : lists_)
            for (const auto& rule : list.rules)
                if (rule.matches(prefix)) return {rule.permit, &list, &rule};
        return {all_, nullptr, nullptr};
    }
    auto first = any_;
    index_.walk_covering(prefix, [&](const Prefix&, std::uint32_t which) {
        for (const auto& place : places_[which]) {
            if (first && place >= *first) break;
            if (!at(place).matches(prefix)) continue;
            first = place;
            break;
        }
        return true;
    });
    if (!first) return {all_, nullptr, nullptr};
    return {at(*first).permit, &lists_[first->list], &at(*first)};
}

std::string PrefixFilter::explain(const Prefix& prefix, std::string_view direction) const {
    if (unspoken_) return "no " + std::string{direction} + " list for an external peer (RFC 8212)";
    const auto verdict = match(prefix);
    if (verdict.rule != nullptr)
        return verdict.list->name + ": " +
               (verdict.rule->text.empty() ? (verdict.rule->permit ? "permit " : "deny ") +
                                                 verdict.rule->prefix.to_string()
                                           : verdict.rule->text);
    std::string text;
    for (const auto& list : lists_) text += (text.empty() ? "" : ", ") + list.name;
    return (text.empty() ? std::string{"none"} : text) + ": no rule permits " + prefix.to_string();
}

bool is_martian(const Prefix& prefix) {
    const auto& a = prefix.address();
    if (prefix.length() == 0) return false;
    if (a.is_v4()) {
        const auto first = a.byte(0);
        // 240.0.0.0/4 is reserved, 0.0.0.0/8 is "this network".
        return first == 127 || first >= 224 || (first == 0 && prefix.length() >= 8);
    }
    // RFC 4291 §2.4: nothing of ::/8 is assigned to hosts below the first 64 bits.
    if (prefix.length() >= 64 && Prefix{IpAddress::v6({}), 64}.contains(a)) return true;
    return a.is_multicast() || a.is_link_local() || a.is_loopback() ||
           (a.is_unspecified() && prefix.length() > 8) || (a.mapped_v4() && prefix.length() >= 96);
}

}  // namespace torii::bgp
