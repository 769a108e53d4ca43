#include "dataplane/fib/neighbors.hpp"

namespace torii::dataplane {

Neighbor* Neighbors::find(PortIndex port, const IpAddress& address) {
    const auto found = by_key_.find(Key{port, address});
    return found == by_key_.end() ? nullptr : by_number_[found->second].get();
}

Neighbor* Neighbors::by_number(std::uint32_t number) {
    return number < by_number_.size() ? by_number_[number].get() : nullptr;
}

Neighbor* Neighbors::get(PortIndex port, const IpAddress& address, Claim claim) {
    if (auto* known = find(port, address)) return known;
    if (port >= kMaxPorts) return nullptr;
    // Half of the places are for those that we look for ourselves.
    if (claim == Claim::Learned && strangers_ >= limit_ / 2) return nullptr;
    if (claim == Claim::Asked && (strangers_ >= limit_ || silent_[port] >= quota_)) return nullptr;
    const auto hop = hops_.take();
    if (hop == HopTable::kNone) return nullptr;
    std::uint32_t number = 0;
    if (free_.empty()) {
        number = static_cast<std::uint32_t>(by_number_.size());
        by_number_.emplace_back();
    } else {
        number = free_.back();
        free_.pop_back();
    }
    auto& n = by_number_[number];
    n = std::make_unique<Neighbor>();
    n->number = number;
    n->port = port;
    n->address = address;
    n->hop = hop;
    by_key_.emplace(Key{port, address}, number);
    ++strangers_;
    if (claim == Claim::Asked) ++silent_[port];
    fresh_.push_back(number);
    hops_.write(hop, Hop::of(HopKind::Hold, number, port));
    return n.get();
}

void Neighbors::recount() {
    silent_.fill(0);
    each([this](const Neighbor& n) {
        if (n.users == 0 && !n.usable()) ++silent_[n.port];
    });
}

void Neighbors::erase(Neighbor& neighbor) {
    const auto number = neighbor.number;
    // A worker that still reads the hop finds one that leads nowhere.
    hops_.write(neighbor.hop, Hop::of(HopKind::NoRoute));
    hops_.retire(neighbor.hop);
    if (neighbor.last_resort != 0) {
        hops_.write(neighbor.last_resort, Hop::of(HopKind::NoRoute));
        hops_.retire(neighbor.last_resort);
    }
    by_key_.erase(Key{neighbor.port, neighbor.address});
    if (neighbor.users == 0) --strangers_;
    by_number_[number].reset();
    free_.push_back(number);
}

}  // namespace torii::dataplane
