#pragma once

#include <array>
#include <chrono>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "bgp/rib/aggregates.hpp"
#include "bgp/rib/attribute_pool.hpp"
#include "bgp/rib/decision.hpp"
#include "bgp/rib/next_hops.hpp"
#include "bgp/rib/peers.hpp"
#include "bgp/rib/table.hpp"
#include "bgp/rib/update_group.hpp"
#include "rib/next_hop_tracking.hpp"
#include "rib/route.hpp"

namespace torii {
class Loop;
}

namespace torii::bgp {

// The entries with present or past paths of one peer: the end of a session visits only these.
struct PeerRoutes {
    std::vector<EntryId> entries;  // may name some twice, or some left already
    std::uint32_t received = 0;    // paths
    std::uint32_t accepted = 0;
    std::uint32_t walks = 0;  // while there are any, entries only grow
};

// A millisecond of work; the clock is asked for it now and then.
class Slice {
public:
    bool over();
    bool passed() const { return std::chrono::steady_clock::now() >= end_; }

private:
    std::chrono::steady_clock::time_point end_ =
        std::chrono::steady_clock::now() + std::chrono::milliseconds{1};
    unsigned steps_ = 0;
    bool over_ = false;
};

// What a walk over the paths of a peer is for; those of one kind can be cancelled.
enum class WalkKind : std::uint8_t { Judge, Touch, Sweep, Mark, LongLived, NextHop };

// All routes of the speaker: takes what peers announce, decides what changed in
// slices of a posted task, updates the router's table and the update groups.
class LocRib {
public:
    LocRib(Loop& loop, rib::RouteSink& sink, rib::NextHopTracker& tracker);
    ~LocRib();
    LocRib(const LocRib&) = delete;
    LocRib& operator=(const LocRib&) = delete;

    void configure(const DecisionSettings& decision, const Multipath& multipath);

    // Aggregates exist, with a route that discards, while there is something
    // inside them (RFC 4271 §9.2.2.2); `as` and `router_id` go into AGGREGATOR.
    void aggregate(const std::vector<Prefix>& wanted, std::uint32_t as, std::uint32_t router_id);

    AttributePool& pool() { return pool_; }
    NextHops& next_hops() { return next_hops_; }
    const NextHops& next_hops() const { return next_hops_; }
    RibTable& table(Family family) { return *tables_[index(family)]; }
    const RibTable& table(Family family) const { return *tables_[index(family)]; }
    const PeerTable& peers() const { return peers_; }

    PeerId add_peer(const PeerFacts& facts);
    void change_peer(PeerId peer, const PeerFacts& facts) { peers_[peer] = facts; }
    // The peer's paths count no more from now on; they are cleared in slices,
    // and the number is given away again when nothing speaks of it.
    void retire_peer(PeerId peer);
    const PeerRoutes& routes(Family family, PeerId peer) const {
        return routes_[peer][index(family)];
    }

    // Puts or replaces a path.
    void announce(Family family, EntryId entry, const Path& path);
    void withdraw(Family family, const Prefix& prefix, PeerId peer, std::uint32_t path_id);
    // A prefix of our own.
    void originate(const Prefix& prefix, AttributesId attributes);
    void retract(const Prefix& prefix);

    // Visits all paths that the peer has now, one slice of a posted task after the other; a
    // path that is not there any more when its turn comes is not visited, some are visited
    // twice. Walks follow one another in the order of these calls and end with the peer's
    // number. `visit` may change path.flags, and path.attributes through set_attributes();
    // true removes the path.
    using Visit = std::function<bool(Family, EntryId, Path&)>;
    void walk(PeerId peer, WalkKind kind, Visit visit, std::optional<Family> only = {});
    void cancel_walks(PeerId peer, std::optional<WalkKind> kind = {});
    bool has_walk(PeerId peer, WalkKind kind) const;
    void set_attributes(Family family, EntryId entry, Path& path, AttributesId attributes);
    void touch(Family family, EntryId entry) {
        table(family).touch(entry);
        wake();
    }
    // Decides anew about everything the peer has a path to.
    void touch_all(PeerId peer);
    // Removes the paths that carry the flag.
    void sweep(Family family, PeerId peer, std::uint8_t flag);
    // The same, and a mark, for those that were announced before this generation.
    void sweep_older(Family family, PeerId peer, std::uint8_t generation);
    void mark_stale(Family family, PeerId peer, std::uint8_t generation);
    // Called when a path with path_flag::kClaims is removed or loses the flag.
    using ClaimLeft = std::function<void(const PeerFacts&, const Prefix&)>;
    void on_claim_left(ClaimLeft call) { claim_left_ = std::move(call); }

    // The group for these settings, made when there is none.
    UpdateGroup& group(const ExportSettings& settings);
    void join(UpdateGroup& group, PeerId peer, UpdateSink& sink, bool end_of_rib);
    void leave(UpdateGroup& group, PeerId peer);
    // From one group to another, without a gap.
    void move(UpdateGroup& from, UpdateGroup& to, PeerId peer, UpdateSink& sink);
    void resend(UpdateGroup& group, PeerId peer, bool marked);
    void advance(UpdateGroup& group, PeerId peer);
    std::size_t groups() const { return groups_.size(); }

    Candidate candidate(const Path& path, const RibTable::Entry& entry) const;
    const DecisionSettings& decision_settings() const { return decision_; }
    const Multipath& multipath() const { return multipath_; }
    // When bytes were read that may have changed something, and when those were
    // read whose changes have reached the sink since the last call.
    void note_read(Clock::TimePoint when) {
        if (reads_.size() < 4096) reads_.push_back(when);
    }
    std::vector<Clock::TimePoint> drain_read_timestamps() { return std::exchange(applied_, {}); }

    // Decides what is dirty at once; for tests and for the last breath.
    void settle();

private:
    struct Lagging {
        UpdateGroup* group;
        PeerId peer;
    };

    void wake();
    void run();
    struct Walk {
        PeerId peer = 0;
        WalkKind kind = WalkKind::Judge;
        Visit visit;
        std::array<std::size_t, kFamilies> at{}, end{};  // of the peer's entries
    };
    void end_walk(std::deque<Walk>::iterator at);
    bool step_walks();
    void drop_path(RibTable& table, EntryId id, const Path& path);
    void claim_left(PeerId peer, std::uint32_t flags, const RibTable& table, EntryId id) {
        if (flags & path_flag::kClaims && claim_left_) claim_left_(peers_[peer], table.prefix(id));
    }
    bool clear_retired();
    bool touch_slice();
    bool settle_slice(Family family);
    void decide_entry(RibTable& table, EntryId id);
    void install(RibTable& table, EntryId id, AttributesId best);
    void find_backup(std::span<const Path> paths);
    bool discards(const Path& path) const;
    void weigh(std::span<const Path> paths);
    void bury(RibTable& table);
    void next_hop_changed(NextHopId id);
    void compact(Family family, PeerId peer);
    void advance_lagging();
    void hold(UpdateGroup& group);
    void settle_aggregates();

    Loop& loop_;
    rib::RouteSink& sink_;
    NextHops next_hops_;
    AttributePool pool_;
    std::array<std::unique_ptr<RibTable>, kFamilies> tables_;
    PeerTable peers_{1};                                        // 0: ourselves
    std::vector<std::array<PeerRoutes, kFamilies>> routes_{1};  // by PeerId
    std::vector<PeerId> free_peers_, leaving_peers_;
    std::deque<PeerId> retired_;
    std::deque<Walk> walks_;
    std::map<PeerId, std::vector<NextHopId>> flipped_;  // looked for by the next walk
    ClaimLeft claim_left_;
    std::vector<std::unique_ptr<UpdateGroup>> groups_;
    std::deque<Lagging> lagging_;
    Aggregates aggregates_;
    AttributesId aggregate_attributes_ = 0;
    std::array<std::pair<EntryId, std::size_t>, kFamilies> undecided_{};  // from and to
    DecisionSettings decision_;
    Multipath multipath_;
    bool awake_ = false;
    std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);

    std::vector<Clock::TimePoint> reads_, applied_;
    std::uint64_t sent_ = 0;  // to the sink

    // Of one slice.
    std::array<std::size_t, kFamilies> settled_{};  // of dirty()
    std::vector<Candidate> candidates_;
    Decision outcome_, second_;
    NextHopId backup_ = 0;
    std::vector<BestChange> changes_;
    std::vector<rib::NextHop> hops_;
    std::array<std::vector<EntryId>, kFamilies> empty_;
};

}  // namespace torii::bgp
