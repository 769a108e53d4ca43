#include <rte_cycles.h>
#include <rte_mbuf.h>

#include <algorithm>

#include "dataplane/fib/publisher.hpp"
#include "tests/bench/liveness_node.hpp"

namespace torii::bench {
namespace {

using dataplane::Publisher;

constexpr std::uint32_t kAddresses = 10'000, kNodes = 100;
constexpr std::uint32_t kFirstAddress = 0xc6120000;
constexpr double kMostMicros = 5000;

struct Silent final : EventSink {
    void emit(Event) override {}
};

MacAddress mac_of(std::uint32_t node) {
    return {{2, 9, 0, 0, 0, static_cast<std::uint8_t>(node)}};
}

double micros(std::uint64_t cycles) {
    return double(cycles) * 1e6 / double(rte_get_tsc_hz());
}

// How many groups the addresses share.
std::uint32_t groups_of(Spread spread) {
    return spread == Spread::OneGroup ? 1 : spread == Spread::Backups ? kNodes - 1 : kAddresses;
}

rib::FibDelta addresses(std::uint32_t members, Spread spread) {
    rib::FibDelta delta;
    const auto groups = groups_of(spread);
    for (std::uint32_t v = 0; v < kAddresses; ++v) {
        const auto group = v % groups + 1;
        if (v < groups) {
            rib::GroupChange change{group, {}};
            // Node 0 is in all of them.
            for (std::uint32_t k = 0; k < members; ++k)
                change.members.push_back(
                    {neighbor_of(k == 0 ? 0 : 1 + (v + (k - 1) * 7) % (kNodes - 1)), 1, 1});
            if (spread == Spread::Backups) change.backup = {{neighbor_of(group), 1, 1}};
            std::ranges::sort(change.members);
            change.members.erase(std::ranges::unique(change.members).begin(), change.members.end());
            delta.groups.push_back(change);
        }
        delta.prefixes.push_back({Prefix::host(IpAddress::v4(kFirstAddress + v)),
                                  rib::FibAction{rib::RouteKind::Forward, 0, group}});
    }
    return delta;
}

// Packets to all addresses, some of each, and where they went.
class Traffic {
public:
    Traffic(Node& node, rte_mempool* pool) : node_(node), in_(0, pool), out_(1, pool) {
        for (std::uint32_t v = 0; v < kAddresses; ++v)
            for (int flow = 0; flow < 4; ++flow) flows_.push_back(ip4_frame(kFirstAddress + v));
        out_.sample(1, [this](rte_mbuf* m) {
            ++sent_;
            to_the_first_ +=
                std::memcmp(rte_pktmbuf_mtod(m, void*), mac_of(0).bytes.data(), 6) == 0;
        });
    }

    struct Seen {
        std::uint64_t received = 0, sent = 0, to_the_first = 0;
    };
    Seen pass() {
        sent_ = to_the_first_ = 0;
        in_.source(flows_);
        const auto before = in_.received();
        while (in_.received() < before + flows_.size() + EmulatedPort::kRing) node_.loop();
        in_.source({});
        while (node_.loop() != 0) {
        }
        return {in_.received() - before, sent_, to_the_first_};
    }

private:
    Node& node_;
    EmulatedPort in_, out_;
    std::vector<EmulatedPort::Template> flows_;
    std::uint64_t sent_ = 0, to_the_first_ = 0;
};

}  // namespace

bool prune(rte_mempool* pool, std::uint32_t members, Spread spread) {
    Node node{pool};
    Neighbors neighbors{node.hops, 1000};
    Silent events;
    Publisher publisher{node.fib4, node.fib6, node.hops, neighbors, node.quiescence, events, 512};
    for (std::uint32_t n = 0; n < kNodes; ++n) {
        auto* neighbor = neighbors.get(1, neighbor_of(n));
        neighbor->state = NeighborState::Reachable;
        publisher.neighbor_changed(*neighbor, Hop::forward(mac_of(n), port_mac(1), 1, 1500));
    }
    publisher.apply(addresses(members, spread));
    Traffic traffic{node, pool};
    const auto before = traffic.pass();

    auto* victim = neighbors.get(1, neighbor_of(0));
    const auto begin = rte_rdtsc();
    victim->state = NeighborState::Failed;
    publisher.neighbor_changed(*victim, Hop::of(HopKind::Unreachable));
    const auto stored = rte_rdtsc();  // from here on no packet goes there
    const auto undealt = traffic.pass();
    const auto again = rte_rdtsc();
    while (publisher.refill(16)) {
    }
    const auto dealt = rte_rdtsc();
    const auto after = traffic.pass();

    std::uint32_t left = 0;
    publisher.each_group([&](const Group& group) {
        if (group.buckets == nullptr) return;
        for (std::uint32_t b = 0; b < group.buckets->size(); ++b)
            left += group.buckets->buckets[b].hop == victim->hop;
    });
    const auto stop = micros(stored - begin);
    const auto stray = undealt.to_the_first + after.to_the_first;
    const auto lost = undealt.received + after.received - undealt.sent - after.sent;
    std::printf(
        "{\"name\":\"liveness-prune\",\"addresses\":%u,\"nodes\":%u,\"groups\":%u,\"members\":%u,"
        "\"backup\":%s,"
        "\"no_packet_goes_there_after_us\":%.1f,\"every_group_dealt_out_after_us\":%.0f,"
        "\"packets_a_pass\":%lu,\"to_the_node_before\":%lu,\"to_the_dead\":%lu,"
        "\"packets_lost\":%lu,\"buckets_left\":%u",
        kAddresses, kNodes, groups_of(spread), members,
        spread == Spread::Backups ? "true" : "false", stop, stop + micros(dealt - again),
        before.received, before.to_the_first, stray, lost, left);
    return end_line(
        "liveness-prune",
        {at_most("no_packet_goes_there_after_us", stop, kMostMicros),
         at_least("to_the_node_before", before.to_the_first, 1), at_most("to_the_dead", stray, 0),
         at_most("packets_lost", lost, 0), at_most("buckets_left", left, 0)});
}

}  // namespace torii::bench
