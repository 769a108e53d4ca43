#pragma once

#include <array>
#include <memory>
#include <optional>
#include <string>

#include "base/event.hpp"
#include "bgp/monitor/monitor.hpp"
#include "bgp/peer_actions.hpp"
#include "bgp/peer_watch.hpp"
#include "bgp/policy/guard.hpp"
#include "bgp/policy/import.hpp"
#include "bgp/policy/policy_cache.hpp"
#include "bgp/rib/loc_rib.hpp"
#include "bgp/session/import_run.hpp"
#include "bgp/session/session.hpp"
#include "bgp/settings.hpp"
#include "bgp/views.hpp"

namespace torii::bgp {

class Peer;

// What peers need of the speaker that owns them.
class PeerHost {
public:
    virtual ~PeerHost() = default;
    virtual const SpeakerSettings& speaker() const = 0;
    virtual SessionContext& sessions() = 0;
    virtual LocRib& rib() = 0;
    virtual Monitor& monitor() = 0;
    virtual EventSink& events() = 0;
    virtual Guard& guard() = 0;
    virtual PolicyCache& policies() = 0;
    // One path less; begins the wait for the lease that this may start.
    virtual void leave_guard(const PeerKey& node, const Prefix& prefix) = 0;
    // Whether a port or the router has this address.
    virtual bool is_own(const IpAddress& address) const = 0;
    // The address of ours that a connection to there begins at; nothing: the kernel's choice.
    virtual std::optional<IpAddress> source_towards(const IpAddress& address) const = 0;
    // The port that has the address in one of its networks, or that a link-local one names.
    virtual bool has_links() const = 0;
    virtual const Link* link_towards(const PeerKey& address) const = 0;
    virtual const Companions& companions(const IpAddress& local) = 0;
    // RFC 4724 §4.1: after a start, initial updates wait for End-of-RIB of the peers.
    virtual bool restarting() const = 0;
    virtual void restart_progress() = 0;
    // A dynamic peer has been down for long enough to be forgotten.
    virtual void forget(Peer& peer) = 0;
    // A dynamic peer has its first connection, or lost its last.
    virtual void connected(Peer& peer, bool on) = 0;
    // One more event of this kind about peers that come and go; nothing: too many in this
    // second. The number of those before that were not reported goes with the next one.
    virtual std::optional<std::uint64_t> may_report(EventId id) = 0;
    virtual void peer_changed(const PeerNews& news) = 0;
};

// One neighbor, configured or come by a listen range: its up to two connections
// (RFC 4271 §6.8), when to dial, and what it advertises and is advertised to it.
class Peer final : public SessionOwner,
                   public UpdateSink,
                   public Timed,
                   public std::enable_shared_from_this<Peer> {
public:
    Peer(PeerHost& host, const NeighborSettings& settings, bool dynamic);
    ~Peer() override;

    const IpAddress& address() const { return address_; }
    PeerKey key() const { return {address_, address_.is_link_local() ? port_ : rib::kAnyPort}; }
    const std::string& group() const { return group_; }
    const PeerSettings& settings() const { return *settings_; }
    bool dynamic() const { return dynamic_; }
    bool established() const { return up_ != nullptr; }
    bool has_connection() const { return incoming_ || outgoing_; }
    PeerId id() const { return id_; }
    State state() const;

    void start();
    // Ends what there is of connections; the peer may come again.
    void end_connections(const Notification& words) { end_sessions(words); }
    void stop(const Notification& farewell);
    // Why no connection of this peer is welcome now.
    std::optional<Notification> refusal_reason() const;
    void accept(int socket, const Endpoint& local, const Endpoint& remote);
    // Moves to new settings and returns what that cost.
    ChangeCost change(const NeighborSettings& wanted);
    // The same where only the lists behind the names have changed.
    void policies_changed();
    void reconsider();                 // all that was received, by the policy of now, in slices
    void judge(const Prefix& prefix);  // the same for one prefix, at once
    // An operator or a limit wants it down; not to be forgotten before others.
    bool kept_down() const;
    bool idle() const { return host_.sessions().timers.now() < idle_until_; }
    void act(PeerAction action, const std::string& reason);
    // What liveness found out about the node.
    void set_liveness(bool alive, const std::string& reason);

    // After a start of ours: whether initial updates wait for this peer, whether it has
    // sent all of its End-of-RIBs, and the end of the wait for all peers.
    bool delays_initial_updates() const;
    bool sent_all_end_of_rib() const;
    void end_restart_deferral();

    NeighborView view() const;
    std::string filtered_by(const Path& path, const Prefix& prefix) const;
    const UpdateGroup* update_group(Family family) const { return out_[index(family)].group; }

    // SessionOwner
    OpenMessage our_open(Session& session) override;
    Decoded<std::uint16_t> on_open(Session& session, const OpenMessage& open) override;
    void on_up(Session& session) override;
    void on_down(Session& session, const CloseReason& reason) override;
    void on_closed(Session& session, const CloseReason& reason) override;
    std::optional<Notification> on_update(Session& session,
                                          std::span<const std::uint8_t> body) override;
    std::optional<Notification> on_refresh(Session& session,
                                           std::span<const std::uint8_t> body) override;
    void on_read_done(Session& session) override;
    void on_writable(Session& session) override;
    // UpdateSink
    void send(std::shared_ptr<const std::vector<std::uint8_t>> messages,
              std::uint64_t updates) override;
    std::size_t queued() const override;
    void end_of_rib_sent(Family family) override;
    // Timed
    std::optional<Clock::TimePoint> on_time(Clock::TimePoint now) override;

private:
    struct FamilyState {
        UpdateGroup* group = nullptr;
        bool end_of_rib_received = false;
        bool end_of_rib_sent = false;
        bool stale = false;       // routes of before a restart are in use
        bool long_lived = false;  // of these, as a last resort (RFC 9494)
        bool warned = false;      // of the maximum
        bool dropped = false;     // there are paths beyond the maximum
        bool refreshing = false;  // between BoRR and EoRR of the peer
        std::uint32_t over_limit = 0;
    };

    std::uint32_t local_as() const { return settings_->local_as.value_or(host_.speaker().asn); }
    PeerFacts facts() const;
    mrt::Ends ends() const;
    bool external() const;  // as far as the settings name it
    bool shut() const { return settings_->shutdown || held_; }
    void dial();
    void dial_at(Clock::TimePoint when);
    void end_sessions(const Notification& farewell);
    std::string configured_key() const {
        return settings_->passwords.empty() ? std::string{} : settings_->passwords[0];
    }
    void password_changed();                      // peer_changes.cpp
    void judge_anew(const PeerSettings& before);  // the same
    std::optional<Notification> resolve_collision(Session& session, const OpenMessage& open);
    void say(EventId id, std::string text,
             std::vector<std::pair<std::string_view, std::string>> fields = {});

    // peer_restart.cpp
    void offer_restart(Capabilities& capabilities) const;
    bool restarts_gracefully() const;
    bool keep_stale(const CloseReason& reason);
    void resume_stale();
    void begin_stale(Family family, seconds time);
    void stale_at(Family family, Clock::TimePoint when);
    void end_stale(Family family);
    void end_oldest(Family family);
    void stale_expired(Family family);
    void forget_kept();
    Notification farewell(Notification notification) const;
    void tell(PeerStage stage);
    bool hold_down(const CloseReason& reason);
    seconds long_lived_time(Family family) const;
    void begin_long_lived(Family family);
    void mark_long_lived(Family family, EntryId entry, Path& path, AttributesId attributes);

    // peer_routes.cpp
    void make_policies();
    ExportSettings export_settings(Family family) const;
    void join_groups(bool end_of_rib);
    void leave_groups();
    void forget_routes();

    // peer_import.cpp
    ImportRun import_run(Family family, AttributesId received) const {
        return {import_, host_.rib(), family, id_, {address_, port_}, received, account_};
    }
    bool guard_allows(const Prefix& prefix);
    Refusal refusal_of(const Attributes& attributes, const NextHopKey& next_hop) const;
    bool on_link(const IpAddress& next_hop) const;
    rib::PortIndex link_port() const;
    bool admit(Family family, const Prefix& prefix, Path& path, const Path* was);
    void judge(Family family, EntryId entry, Path& path, std::optional<ImportRun>& run);
    void readmit(Family family);
    std::optional<Notification> out_of_budget(Family family, std::uint8_t subcode,
                                              const std::string& text);
    void too_many_paths(const Prefix& prefix);
    NextHopKey next_hop_key(const IpAddress& next_hop, const IpAddress& link_local) const;
    std::optional<Notification> announce(const NlriList& list, const Attributes& attributes,
                                         const NextHopKey& key);
    void withdraw(const NlriList& list);
    void over_limit(Family family);
    void complain(const Update& update);

    PeerHost& host_;
    const IpAddress address_;
    const bool dynamic_;
    std::string group_, interface_;
    rib::PortIndex port_;
    std::shared_ptr<const PeerSettings> settings_;
    std::vector<std::string> pending_;

    std::shared_ptr<Session> incoming_, outgoing_;
    Session* up_ = nullptr;
    bool started_ = false;
    bool held_ = false;     // shut by an operator at run time
    bool alive_ = true;     // as far as liveness reports
    bool watched_ = false;  // liveness has reported a verdict
    bool draining_ = false;
    bool held_down_ = false;  // what is stale is so by hold_down, not by graceful restart
    unsigned failures_ = 0;   // dials in a row
    int connect_error_ = 0;   // of the last dial that was reported
    std::optional<Clock::TimePoint> dial_at_, forget_at_;
    std::array<std::optional<Clock::TimePoint>, kFamilies> stale_until_;
    // Of a peer that is lost again and again: since when, and what the last session did not
    // announce goes at that time.
    Clock::TimePoint lost_at_{};
    std::array<std::optional<Clock::TimePoint>, kFamilies> oldest_until_;
    std::array<std::uint8_t, kFamilies> lost_generation_{};
    Clock::TimePoint stale_end_{};  // nothing stale is kept beyond it, but long-lived
    Clock::TimePoint idle_until_{};
    bool idle_for_limit_ = false;  // until then because of max_prefix

    PeerId id_ = 0;
    std::uint32_t account_ = 0;                         // of the attribute pool, with id_
    std::array<std::uint8_t, kFamilies> generation_{};  // of what is announced now
    OpenMessage ours_, theirs_;
    Negotiated negotiated_;
    DecodeContext decode_;
    AttributeStorage* storage_;
    ImportPolicy import_;
    std::shared_ptr<const PrefixFilter> export_filter_;
    std::shared_ptr<const RoutePolicy> export_policy_;
    std::array<FamilyState, kFamilies> out_{};
    MessageCounters received_before_, sent_before_;  // of earlier sessions
    std::uint32_t times_established_ = 0;
    Clock::TimePoint since_;
    Clock::TimePoint complained_{};
    Clock::TimePoint guard_reported_at_{};
    std::uint64_t guard_refused_ = 0;
    std::uint64_t malformed_updates_ = 0;
    bool paths_reported_ = false;
    bool updated_ = false;     // by what is being read
    std::string signed_with_;  // the password of the connections that there are
    std::string last_reason_;
};

constexpr Family kEachFamily[] = {Family::Ip4, Family::Ip6};

}  // namespace torii::bgp
