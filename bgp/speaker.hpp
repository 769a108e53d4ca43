#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "base/event.hpp"
#include "base/prefix.hpp"
#include "base/result.hpp"
#include "base/system_error.hpp"
#include "bgp/peer_actions.hpp"
#include "bgp/peer_watch.hpp"
#include "bgp/settings.hpp"
#include "bgp/views.hpp"
#include "rib/next_hop_tracking.hpp"
#include "rib/route.hpp"

namespace torii {
class Loop;
}

namespace torii::bgp {

// Where a prefix of our own comes from.
enum class Origination : std::uint8_t { Network, Connected, Static };

// The BGP speaker: owns listeners, peers and RIBs. Puts its best routes into
// the sink and asks the tracker about next hops. Runs on one thread, the one
// that runs the loop, and never blocks it. All given references must
// outlive it.
class Speaker {
public:
    Speaker(Loop& loop, rib::RouteSink& routes, rib::NextHopTracker& next_hops, EventSink& events,
            const Clock& clock);
    ~Speaker();
    Speaker(const Speaker&) = delete;
    Speaker& operator=(const Speaker&) = delete;

    // Moves to the wanted settings by difference. Before start() it only
    // remembers them.
    std::vector<AppliedChange> apply(SpeakerSettings wanted);
    const SpeakerSettings& settings() const;

    // Opens the listeners and starts to dial. On failure nothing is open.
    Result<void, SystemError> start();

    // Ends all sessions: Cease with this subcode (2 administrative shutdown, 3
    // de-configured), drained before they are closed; `done` is called once,
    // at the latest after two seconds.
    void stop(std::uint8_t cease_subcode, std::function<void()> done);

    // Prefixes of our own. Those of Connected and Static are announced while
    // the settings redistribute them; they may be reported at any time.
    void originate(const Prefix& prefix, Origination origin);
    void withdraw(const Prefix& prefix, Origination origin);

    // False when there is no such neighbor. Dynamic ones can be named too.
    bool act_on_neighbor(const IpAddress& address, PeerAction action, std::string reason);
    bool act_on_group(std::string_view name, PeerAction action, std::string reason);

    // Which address of ours a connection to `remote` is to begin at: the one of the port that
    // our routes choose. Set before start(); without it the kernel chooses.
    void set_source_finder(std::function<std::optional<IpAddress>(const IpAddress& remote)> find);

    // The listener to peers' states; set before start(), not owned.
    void watch(PeerListener* listener);
    // A verdict of liveness: the session of a dead peer ends or not by its settings, its stale
    // routes are removed at once, and none are kept until it is alive again. Addresses of no
    // peer are ignored.
    // A link-local address without a port is the first peer that has it.
    void set_liveness(const PeerKey& peer, bool alive, const std::string& reason);

    // What the guard's table gives a node; nothing takes the entry out.
    void assign_prefixes(const IpAddress& node, std::vector<Prefix> prefixes);

    // MRT (RFC 6396) files in the directory of the settings; `done` is called
    // once, on this thread, when the file is whole.
    using MrtDone = std::function<void(Result<MrtFile, SystemError>)>;
    void dump_table(MrtDone done);
    // Answers the file's name at once.
    Result<std::string, SystemError> record_updates(seconds time, MrtDone done);

    std::vector<NeighborView> neighbors() const;
    std::optional<NeighborView> neighbor(const IpAddress& address) const;
    std::vector<GroupView> groups() const;
    PathPage paths(const PathQuery& query) const;
    std::optional<PathRow> best_path(const Prefix& prefix) const;  // of exactly this prefix
    SpeakerCounters counters() const;
    // When the UPDATEs were read whose routes went to the sink since the last call.
    std::vector<Clock::TimePoint> drain_read_timestamps();

    // A connected stream socket, taken over as if a listener had accepted it
    // from `remote`. Tests join speakers by socket pairs with it.
    // `interface` is the one that it came in by, for link-local addresses.
    void adopt(int socket, const IpAddress& local, const IpAddress& remote,
               std::string_view interface = {});
    // Runs what is due by the clock; also done by a timer of its own.
    void run_timers();

private:
    class Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace torii::bgp
