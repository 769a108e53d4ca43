#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>

#include "app/route_journal.hpp"
#include "base/event.hpp"
#include "base/loop.hpp"
#include "rib/table.hpp"

namespace torii::bgp {
class Speaker;
}

namespace torii::app {

// Between BGP and the table: what BGP puts is kept in a journal, and what an earlier process
// left there is forwarded by until the peers have announced it again. A restored route counts as a
// stale path of the peer that is its next hop:
//   - of one next hop: the first announcement of the prefix by any peer takes its place;
//   - of several (a shared address): they stay beside the announced ones, each until its peer
//     is back and has sent End-of-RIB;
//   - at the bound everything that no peer announced goes.
// Liveness takes out what is dead meanwhile, as from any route. Control thread.
class RestoredRoutes final : public rib::RouteSink {
public:
    RestoredRoutes(Loop& loop, rib::Table& table, EventSink& events);
    ~RestoredRoutes() override;

    // Takes over what is found in `file`, if it is of `identity` and no older than `bound`, and
    // keeps what is learnt there from now on. "" keeps nothing.
    void start(const std::string& file, const std::string& identity, std::chrono::seconds bound);
    // The configuration became another one.
    void set_identity(const std::string& identity) {
        if (journal_) journal_->set_identity(identity);
    }
    // Peers that are back; asked once a second while there are restored routes.
    void ask_peers(std::function<std::set<IpAddress>()> returned) {
        returned_ = std::move(returned);
    }

    void put(const Prefix& prefix, const rib::RouteSpec& route) override;
    void remove(const Prefix& prefix, rib::Source source) override;

    bool is_restored(const Prefix& prefix) const { return restored_.contains(prefix); }
    std::size_t count() const { return restored_.size(); }
    const std::string& refused() const { return refused_; }  // why nothing was; "": it was
    bool took_over() const { return took_over_; }

private:
    void sweep();
    void install(const Prefix& prefix, const KeptRoute& kept);
    KeptRoute merged(const Prefix& prefix) const;

    rib::Table& table_;
    EventSink& events_;
    Loop& loop_;
    std::unique_ptr<RouteJournal> journal_;
    KeptRoutes restored_;   // what is left of the former process's
    KeptRoutes announced_;  // of shared prefixes among these: what BGP announces by now
    std::function<std::set<IpAddress>()> returned_;
    Timer timer_;
    std::chrono::steady_clock::time_point until_{};
    std::string refused_;
    bool took_over_ = false;
};

}  // namespace torii::app
