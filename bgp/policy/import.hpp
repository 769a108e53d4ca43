#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "bgp/policy/prefix_filter.hpp"
#include "bgp/policy/route_policy.hpp"
#include "bgp/wire/attributes.hpp"

namespace torii::bgp {

// Why a path that a peer announced is not used.
enum class Refusal : std::uint8_t {
    None,
    PrefixList,
    Martian,
    AsLoop,
    OriginatorLoop,
    ClusterLoop,
    OverLimit,
    RouteLeak,
    OwnNextHop,
    FarNextHop,
};

// What one peer may teach us. Immutable; made anew when settings change.
struct ImportPolicy {
    std::shared_ptr<const PrefixFilter> filter;
    std::shared_ptr<const RoutePolicy> policy;  // nothing: what the lists permit
    std::uint32_t local_as = 0;                 // towards this peer
    std::uint32_t router_as = 0;                // the speaker's
    std::uint32_t router_id = 0;
    std::uint32_t cluster_id = 0;
    std::uint32_t peer_as = 0;
    bool ebgp = true;
    std::uint8_t allowas_in = 0;
    bool accept_blackhole = false;  // RFC 7999
    std::optional<Role> role;       // ours

    // The checks of the attributes alone, once an UPDATE.
    Refusal check(const Attributes& attributes) const;
    Refusal check(const Prefix& prefix) const {
        if (is_martian(prefix)) return Refusal::Martian;
        return filter->permits(prefix) ? Refusal::None : Refusal::PrefixList;
    }
    // RFC 9234 §5: what an upstream or a peer sends is marked as theirs.
    bool marks_origin_of(const Attributes& attributes) const {
        return role && ebgp && !attributes.has(Attribute::OnlyToCustomer) &&
               (*role == Role::Customer || *role == Role::Peer || *role == Role::RouteServerClient);
    }
    std::string explain(Refusal why, const Prefix& prefix) const;
};

}  // namespace torii::bgp
