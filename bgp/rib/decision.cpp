#include "bgp/rib/decision.hpp"

#include <algorithm>
#include <array>

namespace torii::bgp {

namespace {

using Order = std::strong_ordering;  // greater: the first wins
using Compare = Order (*)(const Candidate&, const Candidate&);

template <auto Field>
constexpr Order higher(const Candidate& a, const Candidate& b) {
    return a.*Field <=> b.*Field;
}
template <auto Field>
constexpr Order lower(const Candidate& a, const Candidate& b) {
    return b.*Field <=> a.*Field;
}

struct Rule {
    Step step;
    Compare compare;
};

// MED compares only within one neighbor AS, hence is no order of all paths; it
// stands between these two tables as a pass of its own.
constexpr std::array kBeforeMed{
    Rule{Step::Reachable, higher<&Candidate::usable>},
    Rule{Step::NotLongLivedStale, lower<&Candidate::long_lived_stale>},
    Rule{Step::LocalPref, higher<&Candidate::local_pref>},
    Rule{Step::LocalOrigin, higher<&Candidate::local>},
    Rule{Step::PathLength, lower<&Candidate::path_length>},
    Rule{Step::Origin, lower<&Candidate::origin>},
};
constexpr std::array kAfterMed{
    Rule{Step::Ebgp, higher<&Candidate::ebgp>},
    Rule{Step::Metric, lower<&Candidate::metric>},
};

// Deployed practice before RFC 4271 §9.1.2.2 (f): between external paths that
// are equal so far, the one in use stays, for the sake of quiet.
constexpr Order oldest(const Candidate& a, const Candidate& b) {
    return a.ebgp && b.ebgp ? a.current <=> b.current : Order::equal;
}
constexpr Order address(const Candidate& a, const Candidate& b) {
    if (a.address == nullptr || b.address == nullptr)
        return (a.address == nullptr) <=> (b.address == nullptr);
    return *b.address <=> *a.address;
}
constexpr std::array kTieBreaks{
    Rule{Step::Oldest, oldest},
    Rule{Step::Identifier, lower<&Candidate::identifier>},
    Rule{Step::ClusterLength, lower<&Candidate::cluster_length>},
    Rule{Step::PeerAddress, address},
    Rule{Step::PathId, lower<&Candidate::path_id>},
};

struct Verdict {
    Order order = Order::equal;
    Step step = Step::None;
};

template <std::size_t N>
Verdict compare(const std::array<Rule, N>& rules, const Candidate& a, const Candidate& b,
                bool skip_oldest = false) {
    for (const auto& rule : rules) {
        if (skip_oldest && rule.step == Step::Oldest) continue;
        if (const auto order = rule.compare(a, b); order != 0) return {order, rule.step};
    }
    return {};
}

std::uint32_t med_of(const Candidate& c, const DecisionSettings& settings) {
    return c.has_med ? c.med : settings.missing_med_as_worst ? 0xffffffff : 0;
}

bool med_comparable(const Candidate& a, const Candidate& b, const DecisionSettings& settings) {
    return settings.always_compare_med || a.neighbor_as == b.neighbor_as;
}

// Leaves in `tier` what no other of the same neighbor AS beats by its MED.
bool drop_by_med(std::span<const Candidate> all, const DecisionSettings& settings,
                 std::vector<std::uint32_t>& tier) {
    const auto first = med_of(all[tier[0]], settings);
    if (std::ranges::all_of(tier, [&](auto i) { return med_of(all[i], settings) == first; }))
        return false;
    std::vector<std::pair<std::uint32_t, std::uint32_t>> least;  // neighbor AS, MED
    for (const auto i : tier) {
        const auto as = settings.always_compare_med ? 0 : all[i].neighbor_as;
        least.emplace_back(as, med_of(all[i], settings));
    }
    std::ranges::sort(least);
    return std::erase_if(tier, [&](auto i) {
               const auto as = settings.always_compare_med ? 0 : all[i].neighbor_as;
               const auto at = std::ranges::lower_bound(least, std::pair{as, 0u});
               return med_of(all[i], settings) > at->second;
           }) != 0;
}

}  // namespace

std::string_view to_string(Step step) {
    static constexpr std::array<std::string_view, static_cast<std::size_t>(Step::Count)> kNames{
        "no usable path",
        "only path",
        "reachable next hop",
        "not long-lived stale",
        "higher LOCAL_PREF",
        "locally originated",
        "shorter AS_PATH",
        "lower ORIGIN",
        "lower MED",
        "eBGP over iBGP",
        "lower IGP metric",
        "oldest external path",
        "lower BGP identifier",
        "shorter CLUSTER_LIST",
        "lower peer address",
        "lower path identifier"};
    return kNames[static_cast<std::size_t>(step)];
}

void decide(std::span<const Candidate> all, const DecisionSettings& settings,
            const Multipath& limits, Decision& out) {
    out.best = Decision::kNone;
    out.why = Step::None;
    auto& tier = out.multipath;
    tier.clear();
    if (all.size() == 1) {
        if (!all[0].usable) return;
        out.best = 0;
        out.why = Step::OnlyPath;
        tier.push_back(0);
        return;
    }

    const auto note = [&](Step step) { out.why = std::max(out.why, step); };
    for (std::uint32_t i = 0; i < all.size(); ++i) {
        if (!all[i].usable) continue;
        if (tier.empty()) {
            tier.push_back(i);
            continue;
        }
        const auto [order, step] = compare(kBeforeMed, all[i], all[tier[0]]);
        if (order < 0) {
            note(step);
            continue;
        }
        if (order > 0) {
            tier.clear();
            out.why = step;
        }
        tier.push_back(i);
    }
    if (tier.empty()) return;
    if (out.why == Step::None && tier.size() == 1)
        out.why = all.size() > 1 ? Step::Reachable : Step::OnlyPath;

    if (tier.size() > 1 && drop_by_med(all, settings, tier)) note(Step::Med);
    if (tier.size() > 1) {
        std::uint32_t best = tier[0];
        for (const auto i : tier)
            if (compare(kAfterMed, all[i], all[best]).order > 0) best = i;
        std::erase_if(tier, [&](auto i) {
            const auto [order, step] = compare(kAfterMed, all[best], all[i]);
            if (order > 0) note(step);
            return order != 0;
        });
    }
    out.best = tier[0];
    for (const auto i : tier) {
        if (i == out.best) continue;
        const auto [order, step] =
            compare(kTieBreaks, all[i], all[out.best], settings.compare_router_id);
        note(step);
        if (order > 0) out.best = i;
    }

    const Candidate& best = all[out.best];
    const std::size_t most = best.ebgp ? limits.ebgp : limits.ibgp;
    if (!limits.relax)
        std::erase_if(tier, [&](auto i) { return all[i].neighbor_as != best.neighbor_as; });
    if (tier.size() > most) {
        std::erase(tier, static_cast<std::uint32_t>(out.best));
        tier.resize(std::max<std::size_t>(most, 1) - 1);
        tier.push_back(static_cast<std::uint32_t>(out.best));
    }
}

Step distinguish(const Candidate& a, const Candidate& b, const DecisionSettings& settings) {
    if (const auto v = compare(kBeforeMed, a, b); v.order != 0) return v.step;
    if (med_comparable(a, b, settings) && med_of(a, settings) != med_of(b, settings))
        return Step::Med;
    if (const auto v = compare(kAfterMed, a, b); v.order != 0) return v.step;
    return compare(kTieBreaks, a, b, settings.compare_router_id).step;
}

}  // namespace torii::bgp
