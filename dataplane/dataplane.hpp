#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/event.hpp"
#include "base/result.hpp"
#include "base/system_error.hpp"
#include "dataplane/fib/fib_fault.hpp"
#include "dataplane/liveness/views.hpp"
#include "dataplane/settings.hpp"
#include "dataplane/tracer.hpp"
#include "dataplane/views.hpp"
#include "dataplane/worker/capture_filter.hpp"
#include "rib/fib_delta.hpp"

namespace torii::rib {
class Table;
}

namespace torii::dataplane {

// Called on the control thread, from inside poll() alone, once per change.
class LivenessListener {
public:
    virtual ~LivenessListener() = default;
    virtual void link_changed(PortIndex port, bool up) = 0;
    virtual void neighbor_changed(PortIndex port, const IpAddress& neighbor,
                                  NeighborState state) = 0;
    // How to watch a neighbor; nothing: not at all. `in_use`: next-hop groups name it.
    // Asked when it is found, when that changes, and after reconsider_liveness().
    virtual std::optional<LivenessProfile> liveness_of(PortIndex port, const IpAddress& neighbor,
                                                       bool in_use) = 0;
    // Neighbors with verdict down are out of every group by now. `port` is kAnyPort for sessions
    // over many hops.
    virtual void verdict_changed(PortIndex port, const IpAddress& neighbor, NeighborVerdict verdict,
                                 const std::string& reason) = 0;
};

// The packets of the gateway. DPDK workers forward between the ports by tables
// that the control thread writes through apply(); what is addressed to the
// gateway goes to the kernel by a TAP twin of each port (same name, MAC and
// addresses), and what the kernel sends leaves by the ports. The kernel resolves
// neighbors; this mirrors them into adjacencies.
//
// Connected and local routes are routes like others: the owner of the RIB puts
// them there and they come by apply() (Attached, Local). The broadcast addresses
// of the ports' networks are added here.
//
// EAL exists once in a process and cannot be started again after stop(). With no
// ports in the settings do not start a data plane at all. All calls on the
// control thread; none blocks beyond a system call on the host's netdevs.
class Dataplane {
public:
    static Result<std::unique_ptr<Dataplane>, SystemError> start(Settings settings,
                                                                 EventSink& events);
    ~Dataplane();  // stops

    Dataplane(const Dataplane&) = delete;
    Dataplane& operator=(const Dataplane&) = delete;

    void stop();
    void listen(LivenessListener* listener);  // not owned

    // Changes of the wanted forwarding state. What does not fit is refused route
    // by route with an event (FIB-FULL) and retried when room is made.
    void apply(const rib::FibDelta& delta);

    // Compares what packets meet with what the RIB wants, a step of about `budget` entries at a
    // time, heals what differs with an event (FIB-FAULT). True: a pass over everything ended
    // with this step, and the next one begins another.
    bool prove(rib::Table& rib, std::size_t budget);
    void restart_proof();  // the next step begins a pass
    // Of all passes; and what the last one, or the one that runs, found, up to a limit.
    const ProverCounters& proof() const;
    std::vector<FibFault> take_faults();

    // Configuration at run time. A port that is added gets the next index; a sub-port
    // has its parent opened before.
    Result<PortIndex, SystemError> add_port(const PortSettings& port);
    Result<void, SystemError> set_addresses(PortIndex port, std::vector<PortAddress> addresses);
    Result<void, SystemError> set_mtu(PortIndex port, std::uint16_t mtu);
    // A port that is shut down passes nothing in or out; its twin is down, its neighbors fail.
    void set_shutdown(PortIndex port, bool shutdown);
    // Which frames a port's device lets through, and whether sources are checked (RFC 3704 §2.2).
    void set_filters(PortIndex port, bool promiscuous, bool strict_rpf);
    // What the kernel gets to see, and what errors are sent.
    void set_admission(const ControlPlanePolicing& policing,
                       const std::vector<std::uint16_t>& udp_services);
    // How long flows in use keep a member that is not theirs by the group's members; 0: for ever.
    void set_unbalanced_after(std::chrono::seconds after);
    // Neighbors and listen ranges; of those with a session that is up segments go first.
    void set_bgp_sources(std::vector<BgpSource> sources);
    void set_static_neighbors(std::vector<StaticNeighbor> neighbors);

    // Address pools of the cluster: where the loop guard holds.
    void set_pools(std::vector<Prefix> pools);

    // Sources whose packets are dropped before anything else, by the ports themselves
    // where they can. False: nothing changed.
    bool set_drop_sources(std::vector<Prefix> sources);

    // Liveness: asks the listener about every neighbor again; what a routing protocol
    // thinks of one (kAnyPort: wherever it is); sessions to routers behind others.
    void reconsider_liveness();
    void reconsider_liveness(const IpAddress& neighbor);
    void set_routing_session(PortIndex port, const IpAddress& neighbor, RoutingSession session);
    void set_multihop(const std::vector<MultihopSettings>& wanted);

    // Readable whenever poll() has something to do (neighbors, links, timers,
    // requests of workers): one descriptor for the control loop to wait on.
    int descriptor() const;
    void poll();

    std::vector<PortView> ports() const;
    std::vector<ExitView> exits() const;  // those that ever counted
    std::vector<NeighborView> neighbors() const;
    std::vector<LivenessView> liveness() const;
    // Nothing: it is not watched.
    std::optional<NeighborVerdict> verdict(const IpAddress& neighbor) const;
    LivenessCounters liveness_counters() const;
    std::vector<GroupView> groups() const;
    std::vector<WorkerView> workers() const;
    std::vector<ResourceView> resources() const;
    std::size_t routes_refused() const;  // that did not fit and wait for room
    LedgerView ledger() const;
    std::vector<OffloadView> offload() const;
    LookupView lookup(const IpAddress& destination) const;
    // Packets as they leave the workers, one capture at a time: false while another
    // runs. Without one the workers pay a load for each exit.
    bool start_capture(const CaptureFilter& filter);
    std::vector<CapturedFrame> take_captured(std::size_t most);
    std::uint64_t captures_lost() const;
    void stop_capture();
    struct CycleClock {
        std::uint64_t now, hz;
    };
    static CycleClock cycle_clock();  // what CapturedFrame::tsc counts
    // Nothing: the port is not there, or there is no memory.
    std::optional<TraceView> trace(const TracePacket& packet);
    bool link_up(PortIndex port) const;
    std::string_view lookup_kind() const;  // "scalar", "avx2", "avx512"
    // True when every worker made a loop since the last call.
    bool workers_alive();

private:
    struct Parts;
    explicit Dataplane(std::unique_ptr<Parts> parts);
    std::unique_ptr<Parts> parts_;
};

}  // namespace torii::dataplane
