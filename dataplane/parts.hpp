#pragma once

#include <boost/unordered/unordered_flat_map.hpp>
#include <boost/unordered/unordered_flat_set.hpp>
#include <chrono>
#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "base/event.hpp"
#include "base/event_budget.hpp"
#include "dataplane/dataplane.hpp"
#include "dataplane/fast/isa.hpp"
#include "dataplane/fib/neighbors.hpp"
#include "dataplane/fib/prover.hpp"
#include "dataplane/fib/publisher.hpp"
#include "dataplane/kernel_path/exception_thread.hpp"
#include "dataplane/kernel_path/netlink.hpp"
#include "dataplane/kernel_path/tap.hpp"
#include "dataplane/liveness/detector.hpp"
#include "dataplane/liveness/monitor.hpp"
#include "dataplane/port/eal.hpp"
#include "dataplane/port/port.hpp"
#include "dataplane/tracer.hpp"
#include "dataplane/worker/capture.hpp"
#include "dataplane/worker/worker.hpp"

namespace torii::dataplane {

// Addresses that mean another interface on each link. Those of 169.254/16 do as well, but
// have one link alone here.
inline bool has_scope(const IpAddress& a) {
    return a.is_v6() && a.is_link_local();
}

// What a running data plane is made of, in the order it is made; stop() takes it
// apart backwards. Split over dataplane.cpp (start, stop, configuration), ports.cpp,
// resolution.cpp (neighbors, held packets, links), watching.cpp (liveness) and views.cpp.
struct Dataplane::Parts {
    Parts(Settings wanted, EventSink& sink);
    ~Parts();

    using Clock = std::chrono::steady_clock;
    struct Place {  // a port and what is part of it
        std::unique_ptr<Port> port;
        PortIndex root = 0;  // itself; of a sub-port its parent, whose queues bring its packets
        std::optional<Tap> twin;
        bool up = false;
        bool carrier = true;  // of the netdev below, where there is one
        unsigned netdev = 0;
        std::vector<PortAddress> own;  // configured ones, the link-local one, shared ones
        // What others added to the twin: addresses that a pair of gates shares.
        std::vector<PortAddress> shared;
        struct Reported {
            std::uint64_t seen = 0;
            Clock::time_point at{};
        };
        Reported loops, conflicts;  // drops that were reported
    };

    // dataplane.cpp, ports.cpp
    Result<void, SystemError> start();
    void stop();
    Result<void, SystemError> make_pool();
    Result<void, SystemError> make_workers();
    Result<PortIndex, SystemError> open_port(const PortSettings& port);
    void launch();
    void share_queues();
    void limit_naps();
    Result<PortIndex, SystemError> parent_of(const PortSettings& sub_port) const;
    void publish_port(PortIndex index);
    void publish_own();
    void publish_bgp();
    void shut(PortIndex index, bool shutdown);
    void set_twin(PortIndex index);
    void watch_twin(PortIndex index, const KernelLink& link);
    void restored(PortIndex index, const char* what);
    void set_tun_mtu();
    void announce(PortIndex index);
    void kernel_addresses(PortIndex index, const std::vector<PortAddress>& before);
    void claim(PortIndex index, const std::vector<PortAddress>& before);
    void warn(EventId id, const SystemError& error);

    // resolution.cpp
    void poll();
    void take_held();
    void hold(rte_mbuf* m);
    void resume(Neighbor& neighbor);
    void reinject(rte_mbuf* m, const Neighbor* there);
    void let_go_of(rte_mbuf* m);
    void resolve(Neighbor& neighbor);
    void resolved(Neighbor& neighbor, const MacAddress& mac, NeighborState state);
    void failed(Neighbor& neighbor, std::string_view why);
    void unresolved(Neighbor& neighbor);
    void forget(Neighbor& neighbor);
    void place_host(Neighbor& neighbor);
    void gone(Neighbor& neighbor);
    void verify(unsigned tick);
    bool dump_neighbors();
    void resynchronize();
    Place* place_of(unsigned netdev);
    void on_kernel_change(const KernelNeighbor& kernel);
    void on_link_state(const KernelLink& link);
    void check_links();
    static bool is_up(const Place& place);
    void set_link(PortIndex index, bool up);
    void tick();
    void ask_for_fresh();
    void apply_static(const StaticNeighbor& wanted);
    bool on_link(const Place& place, const IpAddress& address) const;

    // watching.cpp
    Result<void, SystemError> make_detectors();
    void update_watch(Neighbor& neighbor);
    void locate(liveness::Watched& watched, const Neighbor& neighbor);
    void watch_tick();
    void start_slowly();
    void report_drops();
    void report_drop(PortIndex port, Place::Reported& last, std::initializer_list<Exit> exits,
                     EventId id, const char* text);
    void prune();
    void verdict_changed(liveness::Watched& watched, NeighborVerdict before);
    void confirm_death(Neighbor& neighbor);
    bool lives(const Neighbor& neighbor);
    NeighborState live_state(const Neighbor& neighbor) const;

    // shared_addresses.cpp
    void on_kernel_change(const KernelAddress& kernel);
    bool dump_shared();
    void take_shared(PortIndex index, const PortAddress& shared);
    void give_up_shared(PortIndex index, const IpAddress& address);

    // offloading.cpp
    void offload(const Place& place, PortState& state);

    // proof.cpp
    std::optional<Hop> wanted_hop(const Neighbor& neighbor) const;
    void report_fault(const FibFault& fault);

    // views.cpp
    Tally sum_hop(HopId hop) const;  // since it was taken

    Settings settings;
    EventSink& events;
    LivenessListener* listener = nullptr;
    std::optional<Eal> eal;
    rte_mempool* pool = nullptr;
    Quiescence quiescence{kMaxWorkers};
    Fib4 fib4;
    Fib6 fib6;
    HopTable hops;
    Neighbors neighbors;
    Publisher publisher;
    Prover prover{publisher, [this](const Neighbor& n) { return wanted_hop(n); },
                  [this](const FibFault& fault) { report_fault(fault); }};
    EventBudget fault_events;
    std::vector<FibFault> faults;          // of the pass that runs, some of them
    std::shared_ptr<const SoftFlow> soft;  // never null
    std::shared_ptr<const std::vector<std::uint16_t>> udp_services;
    std::optional<std::vector<BgpSource>> bgp_wanted;  // nothing: not configured yet
    boost::unordered_flat_set<IpAddress, IpAddressHash> bgp_up;
    std::shared_ptr<const BgpSources> bgp;
    bool bgp_dirty = false;
    Tables tables;
    const Isa* isa = nullptr;
    Retired<std::shared_ptr<const void>> retired{quiescence};
    std::map<PortIndex, std::shared_ptr<const PortState>> port_states;
    std::shared_ptr<const OwnFilter> own;
    std::unique_ptr<Policing> policing = std::make_unique<Policing>();
    std::vector<std::unique_ptr<Worker>> workers;
    std::vector<std::shared_ptr<const std::vector<ReceiveQueue>>> queues;
    std::vector<rte_ring*> rings;
    std::vector<rte_ring*> sessions_rings;                       // of liveness: no packets in them
    std::vector<std::unique_ptr<liveness::Detector>> detectors;  // by worker
    std::unique_ptr<Tracer> tracer;                              // made when first asked
    std::vector<std::shared_ptr<CaptureRing>> captures;          // by worker, while one runs
    std::optional<liveness::Monitor> monitor;
    std::vector<MultihopSettings> multihop;
    std::optional<Clock::time_point> prune_began;
    std::uint64_t last_prune_us = 0, worst_prune_us = 0;
    boost::unordered_flat_map<HopId, Tally> hop_pasts;  // what they counted for others before
    Counters counted{1};                                // by the control thread
    std::vector<Place> places;
    std::optional<Netlink> netlink;
    std::optional<Tap> tun;
    std::unique_ptr<ExceptionThread> exception;
    Doorbell bell;
    int epoll = -1;
    int timer = -1;
    bool kernel_is_unclear = false;  // some dump was cut short
    EventBudget restorations;
    bool look_at_links = false;  // without waiting for the next tick
    std::size_t held = 0;
    std::size_t held_for_strangers = 0;
    std::uint64_t let_go = 0;  // held packets that control dropped
    Clock::time_point last_second{};
    unsigned ticks = 0;
    mutable std::vector<std::pair<std::uint64_t, std::uint64_t>> seen_cycles;
    std::vector<std::uint64_t> seen_loops;
    bool running = false;
};

}  // namespace torii::dataplane
