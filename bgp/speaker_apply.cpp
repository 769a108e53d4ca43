#include <algorithm>
#include <unordered_set>

#include "base/event_list.hpp"
#include "bgp/speaker_impl.hpp"

// The wanted settings as a difference to the running ones.
namespace torii::bgp {

std::vector<AppliedChange> Speaker::Impl::apply(SpeakerSettings wanted) {
    std::vector<AppliedChange> out;
    // Settings that every session has sent in its OPEN.
    const bool identity = wanted.asn != settings_.asn || wanted.router_id != settings_.router_id;
    const bool lists =
        wanted.prefix_lists != settings_.prefix_lists || wanted.policies != settings_.policies ||
        wanted.aggregates != settings_.aggregates || wanted.cluster_id != settings_.cluster_id;
    const auto before = std::exchange(settings_, std::move(wanted));
    limit_warned_ = false;
    companions_.clear();
    rib_.configure(settings_.decision, settings_.multipath);
    const bool guard = settings_.guard != before.guard;
    guard_.configure(settings_.guard);
    monitor_.configure(settings_.mrt, settings_.router_id, settings_.asn);
    if (started_) {
        if (auto listening = listen(); !listening)
            events_.emit(
                {"BGP-LISTEN-FAILED", "listener not opened: " + listening.error().message(), {}});
    }
    apply_neighbors(out);
    apply_dynamic(out);
    if (started_) update_keys();
    if (identity && before.asn != 0)
        for (const auto& [address, peer] : peers_) {
            peer->act(PeerAction::Clear, {});
            out.push_back({"neighbor " + address.to_string(), ChangeCost::Reset});
        }
    else if (lists)
        for (const auto& [address, peer] : peers_)
            if (peer->established()) peer->policies_changed();
    if (guard) reconsider_guarded();
    refresh_all_own();
    if (identity || settings_.aggregates != before.aggregates) {
        std::vector<Prefix> wanted_aggregates;
        for (const auto& aggregate : settings_.aggregates)
            wanted_aggregates.push_back(aggregate.prefix);
        rib_.aggregate(wanted_aggregates, settings_.asn, settings_.router_id);
    }
    return out;
}

void Speaker::Impl::apply_neighbors(std::vector<AppliedChange>& out) {
    const auto name = [](const IpAddress& address) { return "neighbor " + address.to_string(); };
    std::unordered_set<IpAddress, IpAddressHash> named;
    for (const auto& neighbor : settings_.neighbors) named.insert(neighbor.address);
    std::vector<IpAddress> gone;
    // A dynamic neighbor that gets a line of its own begins anew with it.
    for (const auto& [address, peer] : peers_)
        if (peer->dynamic() == named.contains(address)) gone.push_back(address);
    for (const auto& address : gone) {
        drop(address, cease::kPeerDeconfigured);
        out.push_back({name(address), ChangeCost::Reset});
    }
    for (const auto& neighbor : settings_.neighbors) {
        const auto at = peers_.find(neighbor.address);
        if (at != peers_.end()) {
            const auto peer = at->second;
            const auto cost = peer->change(neighbor);
            if (cost != ChangeCost::None) out.push_back({name(neighbor.address), cost});
            continue;
        }
        auto peer = std::make_shared<Peer>(*this, neighbor, false);
        peers_[neighbor.address] = peer;
        by_address_[neighbor.address] = peer.get();
        if (started_ && !stopping_) peer->start();
        out.push_back({name(neighbor.address), ChangeCost::None});
    }
}

void Speaker::Impl::apply_dynamic(std::vector<AppliedChange>& out) {
    std::vector<std::shared_ptr<Peer>> members;
    for (const auto& [address, peer] : peers_)
        if (peer->dynamic()) members.push_back(peer);
    for (const auto& peer : members) {
        const auto name = "neighbor " + peer->address().to_string();
        const auto* range = range_of(peer->address());
        const auto group = range == nullptr ? settings_.groups.end()
                                            : std::ranges::find(settings_.groups, range->group,
                                                                &GroupSettings::name);
        if (group == settings_.groups.end()) {
            drop(peer->address(), cease::kPeerDeconfigured);
            out.push_back({name, ChangeCost::Reset});
            continue;
        }
        NeighborSettings wanted;
        wanted.address = peer->address();
        wanted.group = group->name;
        wanted.peer = group->peer;
        if (const auto cost = peer->change(wanted); cost != ChangeCost::None)
            out.push_back({name, cost});
    }
}

}  // namespace torii::bgp
