#pragma once

#include <boost/unordered/unordered_flat_map.hpp>
#include <cstdint>
#include <vector>

#include "base/address.hpp"
#include "base/prefix.hpp"
#include "dataplane/packet/exits.hpp"

namespace torii::dataplane {

// Where BGP sessions may come from (RFC 6192 §3): a port number alone is no evidence of a peer.
// Immutable once published.
struct BgpSources {
    struct Peer {
        std::uint8_t least_ttl = 0;  // RFC 5082 §3; 0: any
        bool established = false;
    };
    boost::unordered_flat_map<IpAddress, Peer, IpAddressHash> peers;
    std::vector<std::pair<Prefix, std::uint8_t>> ranges;  // with the least TTL

    // The class of a segment from there. `opens`: it asks for a connection.
    PuntClass class_of(const IpAddress& source, std::uint8_t ttl, bool opens) const {
        if (const auto peer = peers.find(source); peer != peers.end()) {
            if (ttl < peer->second.least_ttl) return PuntClass::BgpStranger;
            return peer->second.established && !opens ? PuntClass::Bgp : PuntClass::BgpOpen;
        }
        for (const auto& [range, least_ttl] : ranges)
            if (range.contains(source))
                return ttl < least_ttl ? PuntClass::BgpStranger : PuntClass::BgpOpen;
        return PuntClass::BgpStranger;
    }
};

}  // namespace torii::dataplane
