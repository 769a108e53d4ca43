#include "bgp/policy/import.hpp"

#include "base/byte_reader.hpp"

namespace torii::bgp {

Refusal ImportPolicy::check(const Attributes& a) const {
    // RFC 4271 §9.1.2: our own AS in the path is a loop.
    if (count(a.as_path, router_as) > allowas_in) return Refusal::AsLoop;
    if (local_as != router_as && count(a.as_path, local_as) > allowas_in) return Refusal::AsLoop;
    // RFC 4456 §8
    if (!ebgp) {
        if (a.has(Attribute::OriginatorId) && a.originator_id == router_id)
            return Refusal::OriginatorLoop;
        if (a.has(Attribute::ClusterList))
            for (ByteReader in{a.cluster_list}; !in.empty();)
                if (in.u32() == cluster_id) return Refusal::ClusterLoop;
    }
    // RFC 9234 §5: what a customer or a peer may not pass on.
    if (role && ebgp && a.has(Attribute::OnlyToCustomer)) {
        if (*role == Role::Provider || *role == Role::RouteServer) return Refusal::RouteLeak;
        if (*role == Role::Peer && a.only_to_customer != peer_as) return Refusal::RouteLeak;
    }
    return Refusal::None;
}

std::string ImportPolicy::explain(Refusal why, const Prefix& prefix) const {
    switch (why) {
        case Refusal::None:
            return {};
        case Refusal::PrefixList:
            return filter->explain(prefix, "import");
        case Refusal::Martian:
            return "martian prefix";
        case Refusal::AsLoop:
            return "AS loop: own AS " + std::to_string(router_as) + " in AS_PATH";
        case Refusal::OriginatorLoop:
            return "own ORIGINATOR_ID";
        case Refusal::ClusterLoop:
            return "own cluster in CLUSTER_LIST";
        case Refusal::OverLimit:
            return "beyond the maximum of prefixes";
        case Refusal::RouteLeak:
            return "route leak (RFC 9234)";
        case Refusal::OwnNextHop:
            return "next hop is our own address";
        case Refusal::FarNextHop:
            return "next hop is not on the link of the neighbor (RFC 4271 section 6.3)";
    }
    return {};
}

}  // namespace torii::bgp
