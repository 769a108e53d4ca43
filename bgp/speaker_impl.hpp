#pragma once

#include <boost/unordered/unordered_flat_map.hpp>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/keyed_hash.hpp"
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
    void adopt(int socket, const IpAddress& local, const IpAddress& remote,
               std::string_view interface);
    void run_timers();

    std::vector<NeighborView> neighbors() const;
    std::optional<NeighborView> neighbor(const IpAddress& address) const;
    std::vector<GroupView> groups() const;
    PathPage paths(const PathQuery& query) const;
    std::optional<PathRow> best_path(const Prefix& prefix) const;
    SpeakerCounters counters() const;

    std::function<std::optional<IpAddress>(const IpAddress&)> find_source_;

    // PeerHost
    const SpeakerSettings& speaker() const override { return settings_; }
    SessionContext& sessions() override { return sessions_; }
    LocRib& rib() override { return rib_; }
    Monitor& monitor() override { return monitor_; }
    EventSink& events() override { return events_; }
    Guard& guard() override { return guard_; }
    PolicyCache& policies() override { return policies_; }
    void leave_guard(const PeerKey& node, const Prefix& prefix) override;
    bool is_own(const IpAddress& address) const override {
        return own_addresses_.contains(address);
    }
    const Companions& companions(const IpAddress& local) override;
    bool restarting() const override { return restart_timer_ != nullptr; }
    void restart_progress() override;
    std::optional<IpAddress> source_towards(const IpAddress& address) const override {
        return find_source_ ? find_source_(address) : std::nullopt;
    }
    bool has_links() const override { return !settings_.links.empty(); }
    const Link* link_towards(const PeerKey& address) const override;
    void forget(Peer& peer) override;
    void connected(Peer& peer, bool on) override;
    std::optional<std::uint64_t> may_report(EventId id) override;
    void peer_changed(const PeerNews& news) override {
        if (listener_ != nullptr) listener_->peer_changed(news);
    }

private:
    friend class Speaker;
    struct Own {  // a prefix of ours and its origin
        std::set<Origination> by;
        bool announced = false;
        bool as_network = false;  // with ORIGIN IGP
    };

    Result<void, SystemError> listen();
    void update_keys();
    void on_accept(const Accepted& connection);
    const ListenRange* range_of(const IpAddress& address) const;
    std::shared_ptr<Peer> make_dynamic(const PeerKey& key, const ListenRange& range);
    // What a dynamic neighbor of the group has.
    NeighborSettings member_settings(const PeerKey& key, const GroupSettings& group) const;
    bool full(const ListenRange& range) const;
    bool end_half_open(const ListenRange& range);
    void forget_oldest();
    const Link* link_of(std::string_view interface) const;
    const Link* link_of(rib::PortIndex port) const;
    static PeerKey key_of(const NeighborSettings& neighbor) {
        return {neighbor.address, neighbor.address.is_link_local() ? neighbor.port : rib::kAnyPort};
    }
    void apply_neighbors(std::vector<AppliedChange>& out);
    void apply_dynamic(std::vector<AppliedChange>& out);
    void drop(const PeerKey& key, std::uint8_t subcode);
    void refresh_own(const Prefix& prefix);
    void refresh_all_own();
    void reconsider_guarded();
    void end_leases();
    void begin_restart();
    void end_restart();
    // A link-local address without a port is the first peer that has it.
    Peer* find(const PeerKey& key) const;
    std::shared_ptr<Peer> shared(const PeerKey& key) const;
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
    PolicyCache policies_;  // of settings_
    std::shared_ptr<Timed> lease_timer_;
    std::shared_ptr<Timed> restart_timer_;  // while peers are waited for after a start
    SpeakerSettings settings_;
    bool started_ = false, stopping_ = false;
    PeerListener* listener_ = nullptr;
    std::vector<std::shared_ptr<Listener>> listeners_;
    std::set<Prefix> unkeyed_;  // the kernel did not take their keys
    std::shared_ptr<Timed> key_timer_;
    std::shared_ptr<Md5Watch> md5_watch_;  // while there are keys
    struct KeyHash {
        using is_avalanching = void;
        KeyedHash hash;
        std::size_t operator()(const PeerKey& key) const {
            return hash(key.address.bytes(), key.port);
        }
    };
    // Peers that come by a range: how many are connected and of which range, and those that
    // are only remembered, in the order in which they went.
    struct Member {
        Prefix range;
        std::uint64_t remembered = 0;  // key of remembered_; 0: connected
    };
    std::map<PeerKey, std::shared_ptr<Peer>> peers_;
    boost::unordered_flat_map<PeerKey, Peer*, KeyHash> by_key_;
    boost::unordered_flat_map<Peer*, Member> members_;
    std::map<std::uint64_t, Peer*> remembered_;
    std::map<Prefix, std::size_t> live_;  // connected, by range
    std::size_t live_in_all_ = 0;
    std::uint64_t last_remembered_ = 0;
    std::deque<std::weak_ptr<Peer>> opening_;  // may be up, or gone, by now
    struct Reported {
        Clock::TimePoint since{};
        unsigned count = 0;
        std::uint64_t suppressed = 0;
    };
    std::map<std::string_view, Reported> reported_;
    std::set<IpAddress> own_addresses_;
    bool limit_warned_ = false;
    std::map<IpAddress, Companions> companions_;
    std::map<Prefix, Own> own_;
    std::uint64_t accepted_ = 0, refused_ = 0;
};

}  // namespace torii::bgp
