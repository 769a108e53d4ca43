#include "app/node_liveness.hpp"

#include <algorithm>

#include "app/gateway.hpp"
#include "bgp/speaker.hpp"
#include "config/config.hpp"

namespace torii::app {
namespace {

dataplane::RoutingSession session_of(bgp::PeerStage stage) {
    using dataplane::RoutingSession;
    switch (stage) {
        case bgp::PeerStage::Down:
            return RoutingSession::Down;
        case bgp::PeerStage::Up:
            return RoutingSession::Up;
        case bgp::PeerStage::Restarting:
            return RoutingSession::Restarting;
        case bgp::PeerStage::Gone:
            break;
    }
    return RoutingSession::None;
}

const config::ListenRange* range_of(const config::Bgp& bgp, const IpAddress& address) {
    const config::ListenRange* best = nullptr;
    for (const auto& range : bgp.listen)
        if (range.range.contains(address) &&
            (best == nullptr || range.range.length() > best->range.length()))
            best = &range;
    return best;
}

// RFC 5883 §5 asks for keys, not for a TTL, of which peers make what they like.
std::uint8_t least_ttl(const config::PeerSettings& far) {
    const auto unsaid = far.bfd->key ? 1 : 256 - *far.multihop;
    return far.bfd->minimum_ttl.value_or(static_cast<std::uint8_t>(unsaid));
}

}  // namespace

// Peers come and go one by one, and there may be thousands: what each of them asks of the
// configuration is laid out once.
void NodeLiveness::configured() {
    groups_.clear();
    own_.clear();
    far_.clear();
    if (const auto& bgp = gateway_.running().bgp) {
        const config::FoldedPeers folded{*bgp};
        for (const auto& neighbor : bgp->neighbors) {
            const auto& above = folded.above(neighbor);
            const auto& said = neighbor.settings;
            const bool watched = said.liveness || said.bfd || above.liveness || above.bfd;
            if (!watched) {
                own_.emplace(neighbor.address, liveness_profile({}, Joined::ByName));
                continue;
            }
            const auto settings = inherit(said, above);
            const auto& profile =
                own_.emplace(neighbor.address, liveness_profile(settings, Joined::ByName))
                    .first->second;
            if (settings.multihop && profile.bfd)
                far_.push_back({neighbor.address, settings.update_source, least_ttl(settings)});
        }
    }
    if (auto* dataplane = gateway_.dataplane()) {
        dataplane->reconsider_liveness();
        dataplane->set_bgp_sources(bgp_sources(gateway_.running()));
    }
    watch_far_peers();
}

void NodeLiveness::link_changed(rib::PortIndex port, bool up) {
    gateway_.link_changed(port, up);
}

const dataplane::LivenessProfile& NodeLiveness::of_group(const std::string& name) {
    const auto [at, fresh] = groups_.try_emplace(name);
    if (!fresh) return at->second;
    const auto& bgp = *gateway_.running().bgp;
    if (const auto* group = bgp.find_group(name))
        at->second = liveness_profile(config::effective(bgp, *group).settings, Joined::ByRange);
    return at->second;
}

// A peer's own line, else what its group defines for members that dial in; an address that
// nodes have beside the one they peer with counts as a node's. Other next hops have a
// block of their own.
std::optional<dataplane::LivenessProfile> NodeLiveness::liveness_of(rib::PortIndex,
                                                                    const IpAddress& neighbor,
                                                                    bool in_use) {
    const auto& model = gateway_.running();
    const bool wanted = in_use || gateway_.table().wants(neighbor);
    if (model.bgp) {
        const auto& bgp = *model.bgp;
        if (const auto own = own_.find(neighbor); own != own_.end()) return own->second;
        if (const auto peer = peers_.find(neighbor); peer != peers_.end())
            return of_group(peer->second.group);
        if (const auto* range = wanted ? range_of(bgp, neighbor) : nullptr) {
            auto profile = of_group(range->group);
            profile.bfd.reset();  // the node has its session where it peers
            return profile;
        }
    }
    if (!wanted || !model.liveness) return std::nullopt;
    return liveness_profile(*model.liveness);
}

void NodeLiveness::verdict_changed(rib::PortIndex port, const IpAddress& neighbor,
                                   dataplane::NeighborVerdict verdict, const std::string& reason) {
    const bool alive = verdict != dataplane::NeighborVerdict::Down;
    if (port != rib::kAnyPort) gateway_.table().set_liveness(neighbor, port, alive);
    if (auto* speaker = gateway_.speaker()) speaker->set_liveness({neighbor, port}, alive, reason);
}

void NodeLiveness::peer_changed(const bgp::PeerNews& news) {
    gateway_.ask([this, news] { follow(news); });
}

void NodeLiveness::follow(const bgp::PeerNews& news) {
    auto* dataplane = gateway_.dataplane();
    if (dataplane == nullptr) return;
    if (news.stage == bgp::PeerStage::Gone) {
        peers_.erase(news.address);
    } else {
        auto& peer = peers_[news.address];
        peer.group = news.group;
        if (news.local) peer.local = news.local;
    }
    // A new peer does not have the earlier verdict yet.
    auto* speaker = gateway_.speaker();
    if (const auto verdict = dataplane->verdict(news.address);
        speaker != nullptr && verdict && news.stage == bgp::PeerStage::Down)
        speaker->set_liveness({news.address, news.port},
                              *verdict != dataplane::NeighborVerdict::Down, "");
    dataplane->set_routing_session(news.port, news.address, session_of(news.stage));
    dataplane->reconsider_liveness(news.address);
    if (news.stage == bgp::PeerStage::Up || news.stage == bgp::PeerStage::Gone) watch_far_peers();
}

// BFD with peers that are on no link (RFC 5883): from our end of the session.
void NodeLiveness::watch_far_peers() {
    auto* dataplane = gateway_.dataplane();
    if (dataplane == nullptr) return;
    std::vector<dataplane::MultihopSettings> far;
    for (const auto& [address, source, least_ttl] : far_) {
        const auto peer = peers_.find(address);
        const auto local = source                 ? source
                           : peer != peers_.end() ? peer->second.local
                                                  : std::nullopt;
        if (!local) continue;  // not before the first session has shown it
        const auto& profile = own_.at(address);
        dataplane::MultihopSettings one;
        one.address = address;
        one.local = *local;
        one.least_ttl = least_ttl;
        one.bfd = *profile.bfd;
        one.shutdown = profile.bfd_shutdown;
        far.push_back(one);
    }
    dataplane->set_multihop(far);
}

}  // namespace torii::app
