#include "bgp/policy/guard.hpp"

#include <algorithm>

namespace torii::bgp {

std::string Guard::Verdict::to_string(const Prefix& prefix) const {
    switch (why) {
        case Why::Allowed:
            return {};
        case Why::NotAssigned:
            return "guard: " + prefix.to_string() + " is not assigned to this node";
        case Why::TooShort:
            return "guard: " + prefix.to_string() + " is too short for one node (min_length)";
        case Why::OverQuota:
            return "guard: " + prefix.to_string() +
                   " is one too many for this node (prefixes_per_node)";
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

void Guard::assign(const PeerKey& node, std::vector<Prefix> prefixes) {
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

Guard::Verdict Guard::check(const PeerKey& node, const Prefix& prefix) const {
    if (shared(prefix)) return {};
    Verdict verdict;
    using Why = Verdict::Why;

    const auto foreign = [&](const PrefixMap<std::uint32_t>& map, auto&& owner_of) {
        const auto look = [&](const Prefix& at, std::uint32_t index) {
            const PeerKey* owner = owner_of(index);
            if (owner == nullptr || *owner == node) return true;
            verdict = {Why::Owned, owner->address, at};
            return false;
        };
        map.walk_covering(prefix, look);
        if (verdict.allowed()) map.walk_within(prefix, look);
        return !verdict.allowed();
    };
    if (foreign(assigned_, [&](auto i) { return &assigned_to_[i]; })) return verdict;
    if (const auto own = table_.find(node); own != table_.end()) {
        const bool assigned = std::ranges::any_of(
            own->second, [&](const Prefix& mine) { return mine.contains(prefix); });
        return assigned ? Verdict{} : Verdict{Why::NotAssigned, {}, {}};
    }
    if (foreign(known_, [&](auto i) {
            const auto& owner = entries_[i].owner;
            return owner ? &*owner : nullptr;
        }))
        return verdict;
    const bool pod =
        settings_.pods.empty() || std::ranges::any_of(settings_.pods, [&](const Prefix& range) {
            return range.contains(prefix);
        });
    if (!pod) return {Why::NotShared, {}, {}};
    if (too_short(prefix)) return {Why::TooShort, {}, {}};
    if (const auto quota = settings_.prefixes_per_node; quota != 0) {
        const auto owned = owned_.find(node);
        if (owned == owned_.end() || owned->second < quota) return {};
        const auto* at = known_.find(prefix);
        if (at == nullptr || entries_[*at].owner != node) return {Why::OverQuota, {}, {}};
    }
    return {};
}

// One prefix over all would keep every other node from having any.
bool Guard::too_short(const Prefix& prefix) const {
    const bool v4 = prefix.family() == Family::Ip4;
    if (const auto& least = v4 ? settings_.min_length_ipv4 : settings_.min_length_ipv6)
        return prefix.length() < *least;
    if (settings_.pods.empty()) return prefix.length() < (v4 ? 8 : 16);
    // Of the ranges that contain it the longest, which may be what one node has.
    std::uint8_t range = 0;
    for (const auto& pods : settings_.pods)
        if (pods.contains(prefix)) range = std::max(range, pods.length());
    return range < (v4 ? 24 : 64) && prefix.length() <= range;
}

Guard::Entry* Guard::find(const Prefix& prefix) {
    const auto* at = known_.find(prefix);
    return at != nullptr ? &entries_[*at] : nullptr;
}

void Guard::arrive(const PeerKey& node, const Prefix& prefix) {
    const auto next = free_.empty() ? static_cast<std::uint32_t>(entries_.size()) : free_.back();
    const auto [at, fresh] = known_.try_emplace(prefix, next);
    if (fresh) {
        if (free_.empty())
            entries_.emplace_back();
        else
            free_.pop_back();
        entries_[next].prefix = prefix;
    }
    Entry& entry = entries_[*at];
    const auto known = std::ranges::find(entry.present, node, &Presence::node);
    if (known != entry.present.end()) {
        ++known->paths;
        return;
    }
    entry.present.push_back({node, 1, ++arrivals_});
    if (entry.owner == node) entry.until.reset();
}

void Guard::leave(const PeerKey& node, const Prefix& prefix) {
    Entry* entry = find(prefix);
    if (entry == nullptr) return;
    const auto known = std::ranges::find(entry->present, node, &Presence::node);
    if (known == entry->present.end() || --known->paths != 0) return;
    entry->present.erase(known);
    if (const auto over = over_quota_.find(node); over != over_quota_.end()) {
        over->second.erase(prefix);
        if (over->second.empty()) over_quota_.erase(over);
    }
    if (entry->owner != node) return erase_if_unused(prefix);
    entry->until = clock_.now() + settings_.lease;
    if (entry->queued && *entry->queued <= *entry->until) return;
    entry->queued = entry->until;
    leases_.push({*entry->until, prefix});
}

void Guard::claim(const PeerKey& node, const Prefix& prefix) {
    if (shared(prefix)) return;
    if (Entry* entry = find(prefix); entry != nullptr && !entry->owner) {
        entry->owner = node;
        ++owned_[node];
    }
}

// One place more for what the node has in excess.
void Guard::disown(Entry& entry, std::vector<Waiting>& out) {
    const auto node = *entry.owner;
    entry.owner.reset();
    entry.until.reset();
    if (const auto owned = owned_.find(node); --owned->second == 0) owned_.erase(owned);
    const auto over = over_quota_.find(node);
    if (over == over_quota_.end()) return;
    const auto next = over->second.begin();
    if (const auto* at = known_.find(*next))
        for (const auto& one : entries_[*at].present)
            if (one.node == node) out.push_back({node, *next, one.arrived});
    over->second.erase(next);
    if (over->second.empty()) over_quota_.erase(over);
}

void Guard::erase_if_unused(const Prefix& prefix) {
    const auto* at = known_.find(prefix);
    if (at == nullptr || entries_[*at].owner || !entries_[*at].present.empty()) return;
    const auto index = *at;
    entries_[index] = {};
    known_.erase(prefix);
    free_.push_back(index);
}

std::vector<Guard::Waiting> Guard::expire(std::size_t most) {
    const auto now = clock_.now();
    std::vector<Waiting> out;
    for (; most > 0 && !leases_.empty() && leases_.top().until <= now; --most) {
        const auto lease = leases_.top();
        leases_.pop();
        Entry* entry = find(lease.prefix);
        if (entry == nullptr || entry->queued != lease.until) continue;
        entry->queued.reset();
        if (!entry->until) continue;  // the owner came back
        if (*entry->until > now) {    // and went again
            entry->queued = entry->until;
            leases_.push({*entry->until, lease.prefix});
            continue;
        }
        disown(*entry, out);
        const auto collect = [&](const Prefix& prefix, std::uint32_t index) {
            for (const auto& one : entries_[index].present)
                out.push_back({one.node, prefix, one.arrived});
            return true;
        };
        known_.walk_covering(lease.prefix, collect);
        known_.walk_within(lease.prefix, [&](const Prefix& prefix, std::uint32_t index) {
            return prefix == lease.prefix || collect(prefix, index);
        });
        erase_if_unused(lease.prefix);
    }
    std::ranges::sort(out, {}, &Waiting::arrived);
    const auto repeated = std::ranges::unique(out, {}, &Waiting::arrived);
    out.erase(repeated.begin(), repeated.end());
    return out;
}

std::optional<Clock::TimePoint> Guard::next_expiry() const {
    return leases_.empty() ? std::nullopt : std::optional{leases_.top().until};
}

}  // namespace torii::bgp
