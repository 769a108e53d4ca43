#include "bgp/policy/guard.hpp"

#include <algorithm>

namespace torii::bgp {

std::string Guard::Verdict::to_string(const Prefix& prefix) const {
    switch (why) {
        case Why::Allowed:
            return {};
        case Why::NotAssigned:
            return "guard: " + prefix.to_string() + " is not assigned to this node";
        case Why::NotShared:
            return "guard: " + prefix.to_string() + " is no pod prefix and in no shared range";
        case Why::Owned:
            break;
    }
    return "guard: " + prefix.to_string() +
           (prefix == owned          ? ""
            : prefix.contains(owned) ? " covers " + owned.to_string() + ", which"
                                     : " is inside " + owned.to_string() + ", which") +
           " is owned by " + owner.to_string();
}

bool Guard::shared(const Prefix& prefix) const {
    return std::ranges::any_of(settings_.shared,
                               [&](const Prefix& range) { return range.contains(prefix); });
}

void Guard::assign(const IpAddress& node, std::vector<Prefix> prefixes) {
    if (prefixes.empty())
        table_.erase(node);
    else
        table_[node] = std::move(prefixes);
    assigned_.clear();
    assigned_to_.clear();
    for (const auto& [owner, list] : table_) {
        for (const auto& prefix : list)
            assigned_.try_emplace(prefix, static_cast<std::uint32_t>(assigned_to_.size()));
        assigned_to_.push_back(owner);
    }
}

Guard::Verdict Guard::check(const IpAddress& node, const Prefix& prefix) const {
    if (shared(prefix)) return {};
    Verdict verdict;
    using Why = Verdict::Why;

    const auto foreign = [&](const PrefixMap<std::uint32_t>& map, auto&& owner_of) {
        const auto look = [&](const Prefix& at, std::uint32_t index) {
            const IpAddress& owner = owner_of(index);
            if (owner == node) return true;
            verdict = {Why::Owned, owner, at};
            return false;
        };
        map.walk_covering(prefix, look);
        if (verdict.allowed()) map.walk_within(prefix, look);
        return !verdict.allowed();
    };
    if (foreign(assigned_, [&](auto i) -> const IpAddress& { return assigned_to_[i]; }))
        return verdict;
    if (const auto own = table_.find(node); own != table_.end()) {
        const bool assigned = std::ranges::any_of(
            own->second, [&](const Prefix& mine) { return mine.contains(prefix); });
        return assigned ? Verdict{} : Verdict{Why::NotAssigned, {}, {}};
    }
    if (foreign(owned_, [&](auto i) -> const IpAddress& { return claims_[i].node; }))
        return verdict;
    if (settings_.pods.empty()) return {};
    const bool pod = std::ranges::any_of(
        settings_.pods, [&](const Prefix& range) { return range.contains(prefix); });
    return pod ? Verdict{} : Verdict{Why::NotShared, {}, {}};
}

void Guard::claim(const IpAddress& node, const Prefix& prefix) {
    if (shared(prefix)) return;
    if (const auto* at = owned_.find(prefix)) {
        Claim& claim = claims_[*at];
        if (claim.node == node) claim.until.reset();
        return;
    }
    std::uint32_t at = static_cast<std::uint32_t>(claims_.size());
    if (free_.empty()) {
        claims_.push_back({node, prefix, std::nullopt});
    } else {
        at = free_.back();
        free_.pop_back();
        claims_[at] = {node, prefix, std::nullopt};
    }
    owned_.try_emplace(prefix, at);
    by_node_[node].push_back(at);
}

void Guard::release(const IpAddress& node, const Prefix& prefix) {
    const auto* at = owned_.find(prefix);
    if (at == nullptr || claims_[*at].node != node || claims_[*at].until) return;
    claims_[*at].until = clock_.now() + settings_.lease;
}

void Guard::release_all(const IpAddress& node) {
    const auto at = by_node_.find(node);
    if (at == by_node_.end()) return;
    for (const auto index : at->second)
        if (!claims_[index].until) claims_[index].until = clock_.now() + settings_.lease;
}

void Guard::erase(std::uint32_t at) {
    Claim& claim = claims_[at];
    owned_.erase(claim.prefix);
    auto& indexes = by_node_[claim.node];
    std::erase(indexes, at);
    if (indexes.empty()) by_node_.erase(claim.node);
    claim = {};
    free_.push_back(at);
}

bool Guard::expire() {
    const auto now = clock_.now();
    bool any = false;
    for (std::uint32_t at = 0; at < claims_.size(); ++at)
        if (claims_[at].until && *claims_[at].until <= now) {
            erase(at);
            any = true;
        }
    return any;
}

std::optional<Clock::TimePoint> Guard::next_expiry() const {
    std::optional<Clock::TimePoint> next;
    for (const auto& claim : claims_)
        if (claim.until && (!next || *claim.until < *next)) next = claim.until;
    return next;
}

}  // namespace torii::bgp
