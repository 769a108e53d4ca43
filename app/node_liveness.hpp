#pragma once

#include <map>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "bgp/peer_watch.hpp"
#include "dataplane/dataplane.hpp"

namespace torii::app {

class Gateway;

// The path of a failure: BGP reports to the data plane which neighbors to watch and the
// state of sessions, the data plane's verdicts reach the table and BGP. Control thread.
class NodeLiveness final : public dataplane::LivenessListener, public bgp::PeerListener {
public:
    explicit NodeLiveness(Gateway& gateway) : gateway_(gateway) {}

    // The running configuration is another one.
    void configured();

    void link_changed(rib::PortIndex port, bool up) override;
    // The workers skip an unresolved neighbor by themselves; BGP decides on its own.
    void neighbor_changed(rib::PortIndex, const IpAddress&, dataplane::NeighborState) override {}
    std::optional<dataplane::LivenessProfile> liveness_of(rib::PortIndex port,
                                                          const IpAddress& neighbor,
                                                          bool in_use) override;
    void verdict_changed(rib::PortIndex port, const IpAddress& neighbor,
                         dataplane::NeighborVerdict verdict, const std::string& reason) override;
    void peer_changed(const bgp::PeerNews& news) override;

private:
    struct Peer {
        std::string group;
        std::optional<IpAddress> local;  // of the last session
    };

    void follow(const bgp::PeerNews& news);
    void watch_far_peers();
    const dataplane::LivenessProfile& of_group(const std::string& name);

    Gateway& gateway_;
    std::map<IpAddress, Peer> peers_;
    std::map<std::string, dataplane::LivenessProfile> groups_;  // members by range
    // Peers with a line of their own, and those of them that are on no link.
    struct Far {
        IpAddress address;
        std::optional<IpAddress> source;
        std::uint8_t least_ttl;
    };
    std::unordered_map<IpAddress, dataplane::LivenessProfile, IpAddressHash> own_;
    std::vector<Far> far_;
};

}  // namespace torii::app
