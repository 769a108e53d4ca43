#include "config/peer_settings.hpp"

#include <set>

#include "config/keys.hpp"
#include "config/model.hpp"

namespace torii::config {
namespace {

void fill(EffectivePeer& peer, const PeerSettings& from, const Provenance& who) {
    for (const KeyEntry& entry : keys_of<PeerSettings>().entries) {
        if (entry.is_set(&peer.settings) || !entry.is_set(&from)) continue;
        entry.copy(&peer.settings, &from);
        peer.why[entry.key] = who;
    }
}

void fill_from_groups(EffectivePeer& peer, const Bgp& bgp, const PeerGroup* group) {
    // validate() refuses circles; a model that has one anyway ends here.
    std::set<const PeerGroup*> seen;
    while (group && seen.insert(group).second) {
        fill(peer, group->settings, {Origin::Group, group->name});
        group = group->inherits ? bgp.find_group(*group->inherits) : nullptr;
    }
    fill(peer, bgp.defaults, {Origin::Defaults, ""});
    fill(peer, built_in_peer_settings(), {Origin::BuiltIn, ""});
}

}  // namespace

PeerSettings inherit(PeerSettings own, const PeerSettings& from) {
    for (const KeyEntry& entry : keys_of<PeerSettings>().entries)
        if (!entry.is_set(&own)) entry.copy(&own, &from);
    return own;
}

const PeerSettings& built_in_peer_settings() {
    static const PeerSettings settings = [] {
        PeerSettings s;
        s.shutdown = false;
        s.passive = false;
        s.families = {Family::Ip4, Family::Ip6};
        s.port = std::uint16_t{179};
        s.hold_time = seconds{90};
        s.connect_retry = seconds{30};
        s.advertisement_interval = seconds{0};
        s.default_originate = false;
        s.next_hop_self = false;
        s.extended_next_hop = true;
        s.mapped_next_hop = true;
        s.route_reflector_client = false;
        s.send_community = SendCommunity::All;
        s.add_path = AddPath::Off;
        s.allowas_in = std::uint8_t{0};
        s.as_override = false;
        s.remove_private_as = RemovePrivateAs::Off;
        s.enforce_first_as = true;
        s.graceful_restart = GracefulRestart::Helper;
        s.restart_time = seconds{120};
        s.stale_time = seconds{360};
        s.stale_while_alive = true;
        s.hold_down = seconds{0};
        s.graceful_shutdown = false;
        s.weight = 1u;
        s.guarded = false;
        s.accept_blackhole = false;
        s.next_hop_unchanged = false;
        s.route_server_client = false;
        s.extended_messages = true;
        s.allow_as_set = false;
        s.strict_role = false;
        return s;
    }();
    return settings;
}

EffectivePeer effective(const Bgp& bgp, const Neighbor& neighbor) {
    EffectivePeer peer;
    fill(peer, neighbor.settings, {Origin::Neighbor, ""});
    fill_from_groups(peer, bgp, neighbor.group ? bgp.find_group(*neighbor.group) : nullptr);
    return peer;
}

EffectivePeer effective(const Bgp& bgp, const PeerGroup& group) {
    EffectivePeer peer;
    fill_from_groups(peer, bgp, &group);
    return peer;
}

FoldedPeers::FoldedPeers(const Bgp& bgp) : none_(inherit(bgp.defaults, built_in_peer_settings())) {
    for (const PeerGroup& group : bgp.groups)
        groups_.emplace(group.name, effective(bgp, group).settings);
}

const PeerSettings& FoldedPeers::above(const Neighbor& neighbor) const {
    const auto group = neighbor.group ? groups_.find(*neighbor.group) : groups_.end();
    return group == groups_.end() ? none_ : group->second;
}

std::optional<bool> is_internal(const Bgp& bgp, const PeerSettings& settings) {
    if (!settings.remote_as) return std::nullopt;
    switch (settings.remote_as->kind) {
        case RemoteAs::Kind::External:
            return false;
        case RemoteAs::Kind::Internal:
            return true;
        case RemoteAs::Kind::Number:
            break;
    }
    return settings.remote_as->asn == settings.local_as.value_or(bgp.asn);
}

}  // namespace torii::config
