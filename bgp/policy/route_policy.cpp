#include "bgp/policy/route_policy.hpp"

#include <algorithm>

#include "base/byte_reader.hpp"
#include "base/byte_writer.hpp"
#include "bgp/policy/route_edits.hpp"

namespace torii::bgp {

namespace {

AsPathPattern::Path path_of(AsPathView path) {
    const auto facts = inspect(path);
    return {ases(path), facts.first, origin_as(path), facts.length, to_string(path)};
}

std::span<const std::uint8_t> communities_of(const Attributes& a, CommunityKind kind) {
    switch (kind) {
        case CommunityKind::Standard:
            return a.has(Attribute::Communities) ? a.communities : std::span<const std::uint8_t>{};
        case CommunityKind::Extended:
            return a.has(Attribute::ExtendedCommunities) ? a.extended_communities
                                                         : std::span<const std::uint8_t>{};
        case CommunityKind::Large:
            return a.has(Attribute::LargeCommunities) ? a.large_communities
                                                      : std::span<const std::uint8_t>{};
    }
    return {};
}

bool has(const Attributes& a, const CommunityPattern& pattern) {
    const auto size = community_size(pattern.kind);
    for (auto left = communities_of(a, pattern.kind); left.size() >= size;
         left = left.subspan(size))
        if (pattern.matches(left.first(size))) return true;
    return false;
}

// Of rules the first that fits decides.
template <class Rule, class Fits>
bool permitted(const std::vector<Rule>& rules, Fits&& fits) {
    const auto at = std::ranges::find_if(rules, fits);
    return at != rules.end() && at->permit;
}

}  // namespace

std::shared_ptr<const RoutePolicy> RoutePolicy::of(const std::vector<std::string>& names,
                                                   const std::vector<PolicySettings>& known,
                                                   const std::vector<PrefixList>& lists) {
    if (names.empty()) return nullptr;
    auto out = std::make_shared<RoutePolicy>();
    out->names_ = names;
    for (std::size_t i = 0; i < names.size(); ++i) {
        const auto at = std::ranges::find(known, names[i], &PolicySettings::name);
        if (at == known.end()) continue;
        for (std::size_t n = 0; n < at->terms.size(); ++n) {
            Step step{at->terms[n], i, n + 1, std::nullopt};
            if (step.term.match.prefix_lists) {
                auto filter = PrefixFilter::of(*step.term.match.prefix_lists, lists);
                const auto same = std::ranges::find_if(
                    out->filters_, [&](const auto& f) { return *f == *filter; });
                step.filter = static_cast<std::size_t>(same - out->filters_.begin());
                if (same == out->filters_.end()) out->filters_.push_back(std::move(filter));
            }
            out->steps_.push_back(std::move(step));
        }
    }
    return out;
}

bool operator==(const RoutePolicy& a, const RoutePolicy& b) {
    const auto same = [&](const RoutePolicy::Step& x, const RoutePolicy::Step& y) {
        if (x.term.edits != y.term.edits || x.term.action != y.term.action) return false;
        auto left = x.term.match, right = y.term.match;
        left.prefix_lists.reset();
        right.prefix_lists.reset();
        if (left != right || x.filter.has_value() != y.filter.has_value()) return false;
        return !x.filter || *a.filters_[*x.filter] == *b.filters_[*y.filter];
    };
    return std::ranges::equal(a.steps_, b.steps_, same);
}

RoutePolicy::Class RoutePolicy::classify(const Prefix& prefix) const {
    if (filters_.empty()) {
        if (classes_.empty()) classes_.emplace_back();
        return 0;
    }
    std::vector<bool> bits(filters_.size());
    for (std::size_t i = 0; i < filters_.size(); ++i) bits[i] = filters_[i]->permits(prefix);
    const auto [at, fresh] = class_of_.try_emplace(bits, static_cast<Class>(classes_.size()));
    if (fresh) classes_.push_back(std::move(bits));
    return at->second;
}

bool RoutePolicy::matches(const Step& step, Class prefix, const PolicyRoute& route,
                          std::optional<AsPathPattern::Path>& path) const {
    const auto& match = step.term.match;
    const auto& a = route.attributes;
    if (step.filter && !classes_[prefix][*step.filter]) return false;
    if (match.family && *match.family != route.family) return false;
    if (match.from && *match.from != route.from) return false;
    if (match.med && (!a.has(Attribute::Med) || a.med != *match.med)) return false;
    if (match.local_pref && route.local_pref != *match.local_pref) return false;
    if (match.origin && static_cast<std::uint8_t>(a.origin) != *match.origin) return false;
    if (!match.next_hops.empty() && std::ranges::none_of(match.next_hops, [&](const Prefix& p) {
            return p.contains(route.next_hop);
        }))
        return false;
    if (!match.communities.empty() && !permitted(match.communities, [&](const CommunityRule& rule) {
            return std::ranges::all_of(rule.all, [&](const auto& c) { return has(a, c); });
        }))
        return false;
    if (match.as_path.empty()) return true;
    if (!path) path = path_of(a.as_path);
    return permitted(match.as_path,
                     [&](const AsPathRule& rule) { return rule.pattern.matches(*path); });
}

RoutePolicy::Verdict RoutePolicy::run(Class prefix, PolicyRoute& route,
                                      PolicyStorage& storage) const {
    std::optional<AsPathPattern::Path> path;
    for (const auto& step : steps_) {
        if (!matches(step, prefix, route, path)) continue;
        if (step.term.action == TermAction::Reject) return {false, &step.term};
        if (edit(step.term.edits, route, storage)) path.reset();
        if (step.term.action == TermAction::Accept) return {true, &step.term};
    }
    return {};
}

std::string RoutePolicy::explain(Class prefix, PolicyRoute route, PolicyStorage& storage) const {
    const auto verdict = run(prefix, route, storage);
    if (verdict.accept) return {};
    if (verdict.term == nullptr) {
        std::string all;
        for (const auto& name : names_) all += (all.empty() ? "" : ", ") + name;
        return "policy " + all + ": no term accepts it";
    }
    const auto step =
        std::ranges::find_if(steps_, [&](const Step& s) { return &s.term == verdict.term; });
    return "policy " + names_[step->policy] + ", term " + std::to_string(step->number) +
           (step->term.name.empty() ? "" : " (" + step->term.name + ")") + ": rejected";
}

}  // namespace torii::bgp
