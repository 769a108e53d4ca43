#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "dataplane/fib/publisher.hpp"

// A publisher with its tables, and what control does with it.
namespace torii::dataplane {

struct Silent : EventSink {
    void emit(Event event) override {
        ids.insert(std::string(event.id.name()));
        ++emitted;
    }
    std::set<std::string> ids;
    unsigned emitted = 0;
};

inline IpAddress ip(const char* text) {
    return *IpAddress::parse(text);
}

struct PublisherWorld {
    explicit PublisherWorld(std::uint32_t prefixes = 1000, std::uint32_t blocks = 100,
                            std::uint32_t free_hops = 900)
        : fib4{prefixes, blocks, workers},
          hops{static_cast<std::uint32_t>(HopTable::kFirstPort + kMaxPorts + free_hops), workers} {}
    Silent events;
    Quiescence workers{1};
    Fib4 fib4;
    Fib6 fib6{1000, 100, workers};
    HopTable hops;
    Neighbors neighbors{hops, 500};
    Publisher publisher{fib4, fib6, hops, neighbors, workers, events, 512};

    void group(rib::GroupId id, std::vector<const char*> members,
               std::vector<const char*> backup = {}) {
        rib::FibDelta delta;
        rib::GroupChange change{id, {}};
        for (const auto* m : members) change.members.push_back({ip(m), 1, 1});
        for (const auto* m : backup) change.backup.push_back({ip(m), 1, 1});
        delta.groups.push_back(change);
        publisher.apply(delta);
    }
    void route(const char* prefix, rib::GroupId id) {
        rib::FibDelta delta;
        delta.prefixes.push_back(
            {*Prefix::parse(prefix), rib::FibAction{rib::RouteKind::Forward, 0, id}});
        publisher.apply(delta);
    }
    void withdraw(const char* prefix) {
        rib::FibDelta delta;
        delta.prefixes.push_back({*Prefix::parse(prefix), std::nullopt});
        publisher.apply(delta);
    }
    void reachable(const char* address, std::uint8_t mac) {
        auto* n = neighbors.get(1, ip(address));
        n->state = NeighborState::Reachable;
        publisher.neighbor_changed(*n, Hop::forward({{2, 0, 0, 0, 0, mac}}, {}, 1, 1500));
        publisher.refill(1000);
    }
    void dies(const char* address) {
        auto* n = neighbors.get(1, ip(address));
        n->state = NeighborState::Failed;
        publisher.neighbor_changed(*n, Hop::of(HopKind::Unreachable));
    }
    void failed(const char* address) {
        dies(address);
        publisher.refill(1000);
    }
    Hop hop(const char* destination) { return hops.read(fib4.lookup(ip(destination).v4())); }
    // Of all buckets, to the next five percent.
    std::map<int, int> percent(const char* destination) {
        std::map<int, int> out;
        const auto all = hop(destination).buckets()->size();
        for (const auto& [member, n] : shares(destination))
            out[member] = static_cast<int>((n * 20 + all / 2) / all) * 5;
        return out;
    }
    std::map<int, unsigned> shares(const char* destination) {
        std::map<int, unsigned> out;
        const auto h = hop(destination);
        for (std::uint32_t b = 0; b < h.buckets()->size(); ++b)
            ++out[hops.read(h.buckets()->buckets[b].hop).macs[5]];
        return out;
    }
};

}  // namespace torii::dataplane
