#include "bgp/rib/next_hops.hpp"

#include <algorithm>

namespace torii::bgp {

NextHops::NextHops(rib::NextHopTracker& tracker, Changed changed)
    : tracker_(tracker), changed_(std::move(changed)) {
    entries_[0].state.reachable = true;
    tracker_.listen(
        [this](const IpAddress& address, rib::Reachability state) { moved(address, state); });
    tracker_.listen_ports([this](rib::PortIndex port) { port_changed(port); });
}

NextHops::~NextHops() {
    tracker_.listen({});
    tracker_.listen_ports({});
    for (const auto& [key, id] : index_)
        if (key.port == rib::kAnyPort) tracker_.untrack(key.address);
}

NextHopId NextHops::acquire(const NextHopKey& key) {
    const auto [at, fresh] = index_.try_emplace(key, 0);
    if (!fresh) {
        ++entries_[at->second].references;
        return at->second;
    }
    if (free_.empty()) {
        at->second = static_cast<NextHopId>(entries_.size());
        entries_.emplace_back();
    } else {
        at->second = free_.back();
        free_.pop_back();
    }
    Entry& entry = entries_[at->second];
    entry.key = key;
    entry.references = 1;
    entry.peers.clear();
    // An address on a named port is on that link by definition, while there is one.
    entry.state = key.port == rib::kAnyPort
                      ? tracker_.track(key.address)
                      : rib::Reachability{tracker_.reaches(key.address, key.port), 0};
    return at->second;
}

void NextHops::release(NextHopId id) {
    Entry& entry = entries_[id];
    if (id == 0 || --entry.references != 0) return;
    if (entry.key.port == rib::kAnyPort) tracker_.untrack(entry.key.address);
    index_.erase(entry.key);
    free_.push_back(id);
}

void NextHops::used_by(NextHopId id, PeerId peer) {
    auto& peers = entries_[id].peers;
    if (peers.empty() || peers.back() != peer)
        if (std::ranges::find(peers, peer) == peers.end()) peers.push_back(peer);
}

void NextHops::port_changed(rib::PortIndex port) {
    for (const auto& [key, id] : index_) {
        if (key.port != port) continue;
        const bool reachable = tracker_.reaches(key.address, port);
        if (std::exchange(entries_[id].state.reachable, reachable) != reachable) changed_(id);
    }
}

void NextHops::moved(const IpAddress& address, rib::Reachability state) {
    const auto at = index_.find({address, rib::kAnyPort});
    if (at == index_.end() || entries_[at->second].state == state) return;
    entries_[at->second].state = state;
    changed_(at->second);
}

}  // namespace torii::bgp
