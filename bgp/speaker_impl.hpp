#pragma once

#include <boost/unordered/unordered_flat_map.hpp>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/prefix_map.hpp"
#include "bgp/monitor/monitor.hpp"
#include "bgp/rib/loc_rib.hpp"
#include "bgp/session/listener.hpp"
#include "bgp/session/md5_watch.hpp"
#include "bgp/session/peer.hpp"
#include "bgp/session/session.hpp"
#include "bgp/speaker.hpp"

namespace torii::bgp {

class Speaker::Impl final : public PeerHost {
public:
    Impl(Loop& loop, rib::RouteSink& routes, rib::NextHopTracker& next_hops, EventSink& events,
         const Clock& clock);
    ~Impl() override;

    std::vector<AppliedChange> apply(SpeakerSettings wanted);
    Result<void, SystemError> start();
    void stop(std::uint8_t subcode, std::function<void()> done);
    void originate(const Prefix& prefix, Origination origin);
    void withdraw(const Prefix& prefix, Origination origin);
    bool act_on_neighbor(const IpAddress& address, PeerAction action, const std::string& reason);
    bool act_on_group(std::string_view name, PeerAction action, const std::string& reason);
    void adopt(int socket, const IpAddress& local, const IpAddress& remote);
    void run_timers();

    std::vector<NeighborView> neighbors() const;
    std::optional<NeighborView> neighbor(const IpAddress& address) const;
    std::vector<GroupView> groups() const;
    PathPage paths(const PathQuery& query) const;
    std::optional<PathRow> best_path(const Prefix& prefix) const;
    SpeakerCounters counters() const;

    // PeerHost
    const SpeakerSettings& speaker() const override { return settings_; }
    SessionContext& sessions() override { return sessions_; }
    LocRib& rib() override { return rib_; }
    Monitor& monitor() override { return monitor_; }
    EventSink& events() override { return events_; }
    Guard& guard() override { return guard_; }
    void guard_released() override;
    const Companions& companions(const IpAddress& local) override;
    bool restarting() const override { return restart_timer_ != nullptr; }
    void restart_progress() override;
    void forget(Peer& peer) override;
    void peer_changed(const PeerNews& news) override {
        if (listener_ != nullptr) listener_->peer_changed(news);
    }

private:
    friend class Speaker;
    struct Own {  // a prefix of ours and its origin
        std::set<Origination> by;
        bool announced = false;
    };

    Result<void, SystemError> listen();
    void update_keys();
    void on_accept(const Accepted& connection);
    const ListenRange* range_of(const IpAddress& address) const;
    std::shared_ptr<Peer> make_dynamic(const IpAddress& address, const ListenRange& range);
    std::optional<Notification> over_limit(const ListenRange& range);
    void apply_neighbors(std::vector<AppliedChange>& out);
    void apply_dynamic(std::vector<AppliedChange>& out);
    void drop(const IpAddress& address, std::uint8_t subcode);
    void refresh_own(const Prefix& prefix);
    void refresh_all_own();
    void reconsider_guarded();
    void begin_restart();
    void end_restart();
    Peer* find(const IpAddress& address) const;
    // What deciding for a view needs, kept from one prefix to the next.
    struct PathScratch {
        std::vector<Candidate> candidates;
        Decision decision;
    };
    void rows_of(const PathQuery& query, Family family, const Prefix& prefix, EntryId entry,
                 PathScratch& scratch, std::vector<PathRow>& out) const;
    void advertised_row(const UpdateGroup& group, const Prefix& prefix, EntryId id,
                        const AdvertisedPath& path, std::vector<PathRow>& out) const;
    void fill_row(const Prefix& prefix, const Path& path, PathRow& out) const;

    Loop& loop_;
    EventSink& events_;
    Timers timers_;
    SessionContext sessions_;
    LocRib rib_;
    Monitor monitor_;
    Guard guard_;
    std::shared_ptr<Timed> lease_timer_;
    std::shared_ptr<Timed> restart_timer_;  // while peers are waited for after a start
    SpeakerSettings settings_;
    bool started_ = false, stopping_ = false;
    PeerListener* listener_ = nullptr;
    std::vector<std::shared_ptr<Listener>> listeners_;
    std::map<Prefix, std::string> keys_;   // as the listeners have them
    std::shared_ptr<Md5Watch> md5_watch_;  // while there are keys
    std::map<IpAddress, std::shared_ptr<Peer>> peers_;
    boost::unordered_flat_map<IpAddress, Peer*, IpAddressHash> by_address_;
    std::size_t dynamic_ = 0;  // peers come by a range, remembered ones too
    bool limit_warned_ = false;
    std::map<IpAddress, Companions> companions_;
    std::map<Prefix, Own> own_;
    std::uint64_t accepted_ = 0, refused_ = 0;
};

}  // namespace torii::bgp
