#include <algorithm>
#include <set>

#include "base/event_list.hpp"
#include "bgp/speaker_impl.hpp"

// The wanted settings as a difference to the running ones.
namespace torii::bgp {

std::vector<AppliedChange> Speaker::Impl::apply(SpeakerSettings wanted) {
    std::vector<AppliedChange> out;
    const bool lists =
        wanted.prefix_lists != settings_.prefix_lists || wanted.policies != settings_.policies ||
        wanted.aggregates != settings_.aggregates || wanted.cluster_id != settings_.cluster_id;
    // Settings that every session has sent in its OPEN.
    if (wanted.router_id_derived && settings_.router_id != 0)
        wanted.router_id = settings_.router_id;
    const bool identity = wanted.asn != settings_.asn || wanted.router_id != settings_.router_id;
    const auto before = std::exchange(settings_, std::move(wanted));
    if (lists) policies_.configure(settings_.prefix_lists, settings_.policies);
    own_addresses_.clear();
    for (const auto& link : settings_.links)
        for (const auto& own : link.addresses) own_addresses_.insert(own.address);
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
        for (const auto& [key, peer] : peers_) {
            peer->act(PeerAction::Clear, {});
            out.push_back({"neighbor " + key.address.to_string(), ChangeCost::Reset});
        }
    else if (lists)
        for (const auto& [key, peer] : peers_) peer->policies_changed();
    if (guard) reconsider_guarded();
    // Next hops of ours, and those that are on a link.
    if (settings_.links != before.links)
        for (const auto& [key, peer] : peers_) {
            peer->policies_changed();
            peer->reconsider();
        }
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
    const auto name = [](const PeerKey& key) { return "neighbor " + key.address.to_string(); };
    std::set<PeerKey> named;
    for (const auto& neighbor : settings_.neighbors) named.insert(key_of(neighbor));
    std::vector<PeerKey> gone;
    // A dynamic neighbor that gets a line of its own begins anew with it.
    for (const auto& [key, peer] : peers_)
        if (peer->dynamic() == named.contains(key)) gone.push_back(key);
    for (const auto& key : gone) {
        drop(key, cease::kPeerDeconfigured);
        out.push_back({name(key), ChangeCost::Reset});
    }
    for (const auto& neighbor : settings_.neighbors) {
        const auto key = key_of(neighbor);
        const auto at = peers_.find(key);
        if (at != peers_.end()) {
            const auto peer = at->second;
            const auto cost = peer->change(neighbor);
            if (cost != ChangeCost::None) out.push_back({name(key), cost});
            continue;
        }
        auto peer = std::make_shared<Peer>(*this, neighbor, false);
        peers_[key] = peer;
        by_key_[key] = peer.get();
        if (started_ && !stopping_) peer->start();
        out.push_back({name(key), ChangeCost::None});
    }
}

void Speaker::Impl::apply_dynamic(std::vector<AppliedChange>& out) {
    std::vector<std::shared_ptr<Peer>> members;
    for (const auto& [key, peer] : peers_)
        if (peer->dynamic()) members.push_back(peer);
    for (const auto& peer : members) {
        const auto name = "neighbor " + peer->address().to_string();
        const auto* range = range_of(peer->address());
        const auto group = range == nullptr ? settings_.groups.end()
                                            : std::ranges::find(settings_.groups, range->group,
                                                                &GroupSettings::name);
        if (group == settings_.groups.end()) {
            drop(peer->key(), cease::kPeerDeconfigured);
            out.push_back({name, ChangeCost::Reset});
            continue;
        }
        if (const auto cost = peer->change(member_settings(peer->key(), *group));
            cost != ChangeCost::None)
            out.push_back({name, cost});
    }
}

}  // namespace torii::bgp
