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
    if (settings_.pods.empty()) return {};
    const bool pod = std::ranges::any_of(
        settings_.pods, [&](const Prefix& range) { return range.contains(prefix); });
    return pod ? Verdict{} : Verdict{Why::NotShared, {}, {}};
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
    if (entry->owner != node) return erase_if_unused(prefix);
    entry->until = clock_.now() + settings_.lease;
    if (entry->queued && *entry->queued <= *entry->until) return;
    entry->queued = entry->until;
    leases_.push({*entry->until, prefix});
}

void Guard::claim(const PeerKey& node, const Prefix& prefix) {
    if (shared(prefix)) return;
    if (Entry* entry = find(prefix); entry != nullptr && !entry->owner) entry->owner = node;
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
        entry->owner.reset();
        entry->until.reset();
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
