// Counters and tables as others see them: sums over the workers.
#include <rte_mempool.h>

#include "dataplane/offload/rte_flow.hpp"
#include "dataplane/parts.hpp"

namespace torii::dataplane {
namespace {

template <class T>
Tally& operator+=(Tally& tally, const T& count) {
    tally.packets += count.packets;
    tally.bytes += count.bytes;
    return tally;
}

}  // namespace

Tally Dataplane::Parts::sum_hop(HopId hop) const {
    Tally sum;
    for (const auto& w : workers) sum += w->counters.hops[hop];
    if (const auto before = hop_pasts.find(hop); before != hop_pasts.end()) {
        sum.packets -= before->second.packets;
        sum.bytes -= before->second.bytes;
    }
    return sum;
}

std::vector<PortView> Dataplane::ports() const {
    std::vector<PortView> out;
    for (PortIndex i = 0; i < parts_->places.size(); ++i) {
        auto& view = out.emplace_back();
        view.index = i;
        view.up = parts_->places[i].up;
        parts_->places[i].port->fill(view);
        const auto& shared = parts_->places[i].shared;
        view.addresses.insert(view.addresses.end(), shared.begin(), shared.end());
        for (const auto& w : parts_->workers) {
            view.rx += w->counters.rx[i];
            view.tx += w->counters.tx[i];
            view.slow += w->counters.slow[i];
        }
        if (const auto root = parts_->places[i].root; root != i) {
            out[root].rx += view.rx;
            out[root].tx += view.tx;
        }
    }
    return out;
}

std::vector<ExitView> Dataplane::exits() const {
    std::vector<ExitView> out;
    for (std::size_t port = 0; port < kIngresses; ++port)
        for (std::size_t e = 0; e < kExits; ++e) {
            std::uint64_t n = parts_->counted.exits[port][e];
            for (const auto& w : parts_->workers) n += w->counters.exits[port][e];
            if (n == 0) continue;
            const auto exit = static_cast<Exit>(e);
            out.push_back({to_string(exit), is_punt(exit) ? "punt" : "drop",
                           port < parts_->places.size() ? parts_->places[port].port->settings().name
                                                        : "kernel",
                           n});
        }
    return out;
}

std::vector<NeighborView> Dataplane::neighbors() const {
    std::vector<NeighborView> out;
    parts_->neighbors.each([&](const Neighbor& n) {
        auto& view = out.emplace_back();
        view.port = n.port;
        view.address = n.address;
        view.mac = n.mac;
        view.state = n.state;
        view.groups = n.users;
        parts_->publisher.each_hop_of(n, [&](HopId hop) {
            const auto sent = parts_->sum_hop(hop);
            view.sent.packets += sent.packets;
            view.sent.bytes += sent.bytes;
        });
    });
    return out;
}

std::vector<GroupView> Dataplane::groups() const {
    std::vector<GroupView> out;
    parts_->publisher.each_group([&](const Group& group) {
        auto& view = out.emplace_back();
        view.id = group.id;
        view.sent = parts_->sum_hop(group.hop);
        if (group.guarded != 0) {
            const auto guarded = parts_->sum_hop(group.guarded);
            view.sent.packets += guarded.packets;
            view.sent.bytes += guarded.bytes;
        }
        boost::unordered_flat_map<HopId, std::uint32_t> owned;
        if (group.buckets != nullptr) {
            view.buckets = group.buckets->size();
            for (std::uint32_t b = 0; b < view.buckets; ++b) ++owned[group.buckets->buckets[b].hop];
        }
        for (std::size_t i = 0; i < group.wanted.size(); ++i) {
            const auto& wanted = group.wanted[i];
            view.members.push_back(
                {wanted.port, wanted.neighbor, wanted.weight, owned[group.members[i]->hop]});
        }
    });
    return out;
}

std::vector<WorkerView> Dataplane::workers() const {
    std::vector<WorkerView> out;
    for (std::size_t i = 0; i < parts_->workers.size(); ++i) {
        const auto& w = *parts_->workers[i];
        auto& view = out.emplace_back();
        view.lcore = w.lcore;
        view.cpu = w.cpu;
        view.loops = w.loops.load(std::memory_order_relaxed);
        const auto busy = w.busy_cycles.load(std::memory_order_relaxed);
        const auto total = w.total_cycles.load(std::memory_order_relaxed);
        auto& [busy_before, total_before] = parts_->seen_cycles[i];
        if (total > total_before)
            view.busy_ratio =
                static_cast<double>(busy - busy_before) / static_cast<double>(total - total_before);
        busy_before = busy;
        total_before = total;
        for (const auto& rx : w.counters.rx) view.packets += rx.packets;
    }
    return out;
}

std::vector<ResourceView> Dataplane::resources() const {
    const auto& p = *parts_;
    return {{"fib_ip4_prefixes", p.fib4.prefixes(), p.fib4.prefix_limit()},
            {"fib_ip4_extensions", p.fib4.blocks().used(), p.fib4.blocks().limit()},
            {"fib_ip6_prefixes", p.fib6.prefixes(), p.fib6.prefix_limit()},
            {"fib_ip6_nodes", p.fib6.nodes().used(), p.fib6.nodes().limit()},
            {"next_hops", p.hops.pool().used(), p.hops.pool().limit()},
            {"next_hop_groups", p.publisher.groups(), p.hops.pool().limit()},
            {"neighbors", p.neighbors.strangers(), p.neighbors.limit()},
            {"liveness_sessions", p.monitor ? p.monitor->size() : 0,
             p.monitor ? p.monitor->limit() : 0},
            {"held_packets", p.held, p.settings.capacity.held_packets},
            {"routes_refused", p.publisher.refused(), 0},
            {"packet_buffers", p.pool == nullptr ? 0 : rte_mempool_in_use_count(p.pool),
             p.pool == nullptr ? 0 : p.pool->size}};
}

std::size_t Dataplane::routes_refused() const {
    return parts_->publisher.refused();
}

LedgerView Dataplane::ledger() const {
    LedgerView out;
    std::uint64_t handed_over = 0, came_back = parts_->let_go;
    const auto add_exits = [&](const Counters& counters) {
        for (const auto& port : counters.exits)
            for (std::size_t e = 0; e < kExits; ++e)
                (is_punt(static_cast<Exit>(e)) ? out.punted : out.dropped) += port[e];
    };
    add_exits(parts_->counted);
    for (const auto& w : parts_->workers) {
        add_exits(w->counters);
        for (const auto& rx : w->counters.rx) out.received += rx.packets;
        for (const auto& tx : w->counters.tx) out.transmitted += tx.packets;
        out.injected += w->counters.injected;
        out.generated += w->counters.generated;
        handed_over += w->counters.held;
        came_back += w->counters.resumed;
    }
    out.held = handed_over - came_back;
    return out;
}

LookupView Dataplane::lookup(const IpAddress& destination) const {
    const auto id = destination.is_v4() ? parts_->fib4.lookup(destination.v4())
                                        : parts_->fib6.lookup(Ip6::of(destination));
    auto hop = parts_->hops.read(id);
    constexpr std::string_view kNames[] = {"no_route", "discard",   "unreachable",
                                           "local",    "broadcast", "attached",
                                           "hold",     "group",     "forward"};
    LookupView out;
    out.kind = kNames[static_cast<std::size_t>(hop.kind())];
    if (hop.kind() == HopKind::Group) {
        out.buckets = hop.buckets()->size();
        hop = parts_->hops.read(hop.buckets()->buckets[0].hop);
    }
    out.port = hop.port;
    if (hop.kind() == HopKind::Forward) std::memcpy(out.mac.bytes.data(), hop.macs, 6);
    return out;
}

bool Dataplane::link_up(PortIndex port) const {
    return port < parts_->places.size() && parts_->places[port].up;
}

std::string_view Dataplane::lookup_kind() const {
    return parts_->isa == nullptr ? "" : parts_->isa->name;
}

bool Dataplane::workers_alive() {
    bool alive = true;
    for (std::size_t i = 0; i < parts_->workers.size(); ++i) {
        const auto loops = parts_->workers[i]->loops.load(std::memory_order_relaxed);
        alive &= loops != parts_->seen_loops[i];
        parts_->seen_loops[i] = loops;
    }
    return alive;
}

}  // namespace torii::dataplane
