#pragma once

#include <boost/unordered/unordered_flat_map.hpp>
#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "dataplane/fib/retired.hpp"
#include "dataplane/liveness/frames.hpp"
#include "dataplane/liveness/verdict.hpp"
#include "dataplane/liveness/views.hpp"

struct rte_ring;

namespace torii::dataplane::liveness {

// One neighbor under watch, as control sees it.
struct Watched {
    std::shared_ptr<Session> session;
    std::vector<std::shared_ptr<const Plan>> plans;  // the last one is in force
    LivenessProfile profile;
    std::optional<Wire> wire;  // nothing yet: where it is has not been found out
    Evidence evidence;
    Judgement judgement;
    Damper damper;
    std::chrono::steady_clock::time_point since;  // of the verdict
    std::chrono::steady_clock::time_point bfd_fell;
    std::uint8_t deaths_seen = 0;
    std::uint8_t least_ttl = 255;
    bool ending = false;
    bool queued = false;  // an order that found no room

    bool dead() const { return judgement.verdict == NeighborVerdict::Down; }
};

// All neighbors under watch: gives sessions to workers, reads what they report, and comes
// to one verdict for each. Control thread only; orders to workers and their reports go by
// rings.
class Monitor {
public:
    using Clock = std::chrono::steady_clock;
    using Wake = std::function<void(Watched&, NeighborVerdict before)>;
    using Retire = std::function<void(std::shared_ptr<const void>)>;

    struct Lane {  // to and from one worker
        rte_ring* orders = nullptr;
        rte_ring* reports = nullptr;
        std::uint32_t sessions = 0;
    };

    Monitor(std::uint32_t limit, Retire retire, Wake verdict_changed);
    ~Monitor();

    Roster& roster() { return roster_; }
    void add_lane(rte_ring* orders, rte_ring* reports) { lanes_.push_back({orders, reports, 0}); }

    Watched* find(PortIndex port, const IpAddress& address);
    // Starts to watch, by the least loaded of `owners`; nullptr when there are too many.
    Watched* open(PortIndex port, const IpAddress& address, const LivenessProfile& profile,
                  const std::vector<unsigned>& owners);
    void close(Watched& watched);
    // The neighbor is there: frames are made for it, and sent.
    void locate(Watched& watched, const Wire& wire);
    void change(Watched& watched, const LivenessProfile& profile);
    void set_least_ttl(Watched& watched, std::uint8_t ttl);

    // Evidence of others.
    void link(PortIndex port, bool up);
    void resolved(Watched& watched, bool known);
    void routing(PortIndex port, const IpAddress& address, RoutingSession session);

    void poll();  // what workers have reported
    void tick();  // once in a while: orders that wait, neighbors that may come back

    std::vector<LivenessView> views() const;
    LivenessCounters counters() const;
    template <class F>
    void each(F&& f) {
        for (auto& [key, watched] : watched_) f(*watched);
    }
    std::size_t size() const { return watched_.size(); }
    std::uint32_t limit() const { return roster_.size; }

private:
    using Key = std::pair<PortIndex, IpAddress>;
    struct KeyHash {
        using is_avalanching = void;
        std::size_t operator()(const Key& key) const {
            return IpAddressHash{}(key.second) ^ key.first * 0x9e3779b97f4a7c15ULL;
        }
    };

    void order(Watched& watched);
    void send_order(Watched& watched);
    void take(Session& session);
    void finish(Watched& watched);
    void judge_again(Watched& watched);
    void publish_directory();

    Roster roster_;
    Retire retire_;
    Wake wake_;
    std::vector<Lane> lanes_;
    boost::unordered_flat_map<Key, std::unique_ptr<Watched>, KeyHash> watched_;
    boost::unordered_flat_map<Key, RoutingSession, KeyHash> routing_;  // of any neighbor
    std::vector<Watched*> by_slot_;
    std::vector<std::unique_ptr<Watched>> ending_;  // until their worker lets go
    std::vector<std::uint32_t> free_slots_;
    std::shared_ptr<const Directory> directory_;
    bool directory_dirty_ = false;
    std::uint64_t random_;
    std::uint64_t deaths_ = 0, returns_ = 0, damped_ = 0;
};

}  // namespace torii::dataplane::liveness
