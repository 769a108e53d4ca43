#pragma once

#include <rte_cycles.h>
#include <rte_ring.h>

#include <cstring>
#include <memory>
#include <vector>

#include "dataplane/fast/isa.hpp"
#include "dataplane/fib/bucket_table.hpp"
#include "dataplane/fib/fib4.hpp"
#include "dataplane/fib/fib6.hpp"
#include "dataplane/fib/next_hop_group.hpp"
#include "dataplane/loop.hpp"
#include "tests/bench/forwarding_case.hpp"
#include "tests/bench/frames.hpp"

namespace torii::bench {

inline constexpr std::uint16_t kTaggedVlan = 100;

// A worker of torii and its tables on the emulated ports, filled by hand.
struct Router {
    Quiescence quiescence{1};
    Fib4 fib4{2'000'000, 65'536, quiescence};
    Fib6 fib6{1'000'000, 65'536, quiescence};
    HopTable hops{65'536, quiescence};
    Tables tables;
    OwnFilter own;
    Doorbell bell;
    std::unique_ptr<Worker> worker;
    std::vector<PortState> states;
    std::vector<ReceiveQueue> queues{{0, 0, 0}};
    std::vector<HopId> adjacencies;
    std::vector<BucketTablePtr> groups;

    Router(rte_mempool* pool, unsigned out, LookupKind kind) {
        tables.fib4 = fib4.view();
        tables.fib6 = fib6.view();
        tables.hops = hops.data();
        own.add(0x0a636301);
        tables.own = &own;
        states.resize(kOutPorts + 3);
        for (unsigned p = 0; p <= kOutPorts; ++p) {
            states[p].mac = port_mac(p);
            std::memcpy(&states[p].mac_bits, states[p].mac.bytes.data(), 6);
            states[p].device = static_cast<std::uint16_t>(p);
            states[p].software_checksum = false;
            tables.ports[p] = &states[p];
        }
        worker = std::make_unique<Worker>(0, 65'536);
        worker->tables = &tables;
        worker->forward = choose_isa(kind).forward;
        worker->pool = pool;
        worker->port_count = kOutPorts + 1;
        worker->control = worker->exception = &bell;
        worker->inject = rte_ring_create("inject", 64, 0, RING_F_SC_DEQ);
        for (unsigned i = 0; i < kAdjacencies; ++i) {
            const auto id = hops.take();
            const auto port = static_cast<PortIndex>(1 + i % out);
            hops.write(id, Hop::forward(neighbor_mac(i), port_mac(port), port, 1500));
            adjacencies.push_back(id);
        }
    }
    ~Router() { rte_ring_free(worker->inject); }

    static MacAddress neighbor_mac(unsigned i) {
        return {{2, 0xaa, 0, 0, static_cast<std::uint8_t>(i >> 8), static_cast<std::uint8_t>(i)}};
    }
    // From here on packets come in by a sub-port of port 0 and leave by one of port 1.
    void tag(bool by_device) {
        static constexpr PortIndex kIn = kOutPorts + 1, kOut = kOutPorts + 2;
        for (const auto& [index, device] : {std::pair{kIn, 0}, std::pair{kOut, 1}}) {
            states[index] = states[static_cast<std::size_t>(device)];
            states[index].vlan = kTaggedVlan;
            states[index].inserts_tags = by_device;
            tables.ports[index] = &states[index];
        }
        auto sub_ports = std::make_shared<SubPorts>();
        sub_ports->of[kTaggedVlan] = kIn;
        states[0].sub_ports = std::move(sub_ports);
        worker->port_count = kOut + 1u;
        for (const auto id : adjacencies) {
            auto hop = hops.read(id);
            hop.port = kOut;
            hops.write(id, hop);
        }
    }
    HopId any() { return adjacencies[random_below(adjacencies.size())]; }
    HopId group(unsigned members, std::uint32_t first) {
        std::vector<BucketPlan::Member> m;
        for (unsigned i = 0; i < members; ++i) {
            const auto id = hops.take();
            const auto port = static_cast<PortIndex>(1 + (first + i) % 1);
            hops.write(id, Hop::forward(neighbor_mac(i), port_mac(port), port, 1500));
            m.push_back({id, 1});
        }
        groups.push_back(make_buckets(BucketPlan::wanted_size(m)));
        BucketPlan::settle(*groups.back(), m, 1);
        const auto id = hops.take();
        hops.write(id, Hop::group(groups.back().get()));
        return id;
    }
    unsigned turn() {
        const auto n = dataplane::turn(*worker, queues);
        worker->now = rte_rdtsc();
        return n;
    }
};

}  // namespace torii::bench
