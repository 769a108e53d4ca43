#include <algorithm>

#include "base/byte_writer.hpp"
#include "base/event_list.hpp"
#include "bgp/session/peer.hpp"

// Graceful restart (RFC 4724, RFC 8538), long-lived (RFC 9494), and hold-down
// for peers that have neither: the routes of a peer stay in use, marked stale,
// while it comes back. Liveness is stronger: a path whose next hop is down does
// not count, stale or not, and of a peer with verdict down nothing is kept.
namespace torii::bgp {

namespace {

using namespace std::chrono_literals;

// RFC 8538 §4: with the N bit on both sides all but a hard reset is survived.
bool survives(const CloseReason& reason, bool notifications) {
    switch (reason.kind) {
        case CloseReason::Kind::TcpClosed:
        case CloseReason::Kind::Replaced:
            return true;
        case CloseReason::Kind::Received:
        case CloseReason::Kind::Sent:  // "MUST also follow the rules for the Receiving Speaker"
            return notifications && !(reason.notification.code == ErrorCode::Cease &&
                                      reason.notification.subcode == cease::kHardReset);
        case CloseReason::Kind::ConnectFailed:
            break;
    }
    return false;
}

const GracefulRestartFamily* find(const OpenMessage& open, Family family) {
    if (!open.capabilities.graceful_restart) return nullptr;
    const auto& families = open.capabilities.graceful_restart->families;
    const auto at = std::ranges::find(families, family, &GracefulRestartFamily::family);
    return at != families.end() ? &*at : nullptr;
}

// RFC 4724 §4.2 and RFC 9494 §4.2: one capability or the other contains the flag.
bool forwards(const OpenMessage& open, Family family) {
    const auto* restart = find(open, family);
    if (restart == nullptr) return false;
    const auto& lasting = open.capabilities.long_lived;
    const auto at = std::ranges::find(lasting, family, &LongLivedFamily::family);
    return restart->forwarding || (at != lasting.end() && at->forwarding);
}

}  // namespace

void Peer::offer_restart(Capabilities& c) const {
    const auto mode = settings_->graceful_restart;
    if (mode == GracefulRestart::Off) return;
    GracefulRestartCapability restart;
    restart.notification = true;
    restart.time =
        static_cast<std::uint16_t>(std::min<std::int64_t>(settings_->restart_time.count(), 4095));
    // RFC 4724 §4: only where forwarding is the same before and after. A peer that kept its
    // routes to one that starts cold would send packets to none.
    if (mode == GracefulRestart::Full && host_.speaker().forwarding_survives)
        for (const Family family : kEachFamily)
            if (c.families[index(family)])
                restart.families.push_back({family, host_.speaker().forwarding_survived});
    restart.restarting = mode == GracefulRestart::Full && host_.restarting();
    c.graceful_restart = std::move(restart);
    if (!settings_->long_lived_stale_time) return;
    const auto time = static_cast<std::uint32_t>(
        std::min<std::int64_t>(settings_->long_lived_stale_time->count(), 0xffffff));
    for (const Family family : kEachFamily)
        if (c.families[index(family)]) c.long_lived.push_back({family, false, time});
}

// RFC 8538 §5.1: with the N bit on both sides a plain NOTIFICATION asks the peer to keep our
// routes; what is meant for good is a Hard Reset with the NOTIFICATION inside.
Notification Peer::farewell(Notification n) const {
    const bool notifications = up_ != nullptr && ours_.capabilities.graceful_restart &&
                               ours_.capabilities.graceful_restart->notification &&
                               theirs_.capabilities.graceful_restart &&
                               theirs_.capabilities.graceful_restart->notification;
    const bool for_good = n.code == ErrorCode::Cease &&
                          (n.subcode == cease::kMaxPrefixes || n.subcode == cease::kAdminShutdown ||
                           n.subcode == cease::kPeerDeconfigured ||
                           n.subcode == cease::kOutOfResources || n.subcode == cease::kBfdDown);
    if (!notifications || !for_good) return n;
    Notification hard = cease_notification(cease::kHardReset);
    hard.data = {static_cast<std::uint8_t>(n.code), n.subcode};
    hard.data.insert(hard.data.end(), n.data.begin(), n.data.end());
    return hard;
}

bool Peer::delays_initial_updates() const {
    return !dynamic_ && !shut() && settings_->graceful_restart == GracefulRestart::Full;
}

bool Peer::sent_all_end_of_rib() const {
    if (up_ == nullptr) return false;
    const auto& theirs = theirs_.capabilities.graceful_restart;
    // A peer without the capability sends no End-of-RIB; one that restarts waits for us.
    if (!theirs || theirs->restarting) return true;
    for (const Family family : kEachFamily)
        if (negotiated_.families[index(family)] && !out_[index(family)].end_of_rib_received)
            return false;
    return true;
}

void Peer::end_restart_deferral() {
    if (up_ != nullptr && out_[0].group == nullptr && out_[1].group == nullptr) join_groups(true);
}

bool Peer::restarts_gracefully() const {
    return settings_->graceful_restart != GracefulRestart::Off &&
           ours_.capabilities.graceful_restart && theirs_.capabilities.graceful_restart &&
           !theirs_.capabilities.graceful_restart->families.empty();
}

// What is there now is of a session that is over; what comes next has the next
// generation.
void Peer::begin_stale(Family family, seconds time) {
    auto& generation = generation_[index(family)];
    ++generation;
    host_.rib().mark_stale(family, id_, generation & 15);
    out_[index(family)].stale = true;
    stale_at(family, host_.sessions().timers.now() + time);
}

void Peer::stale_at(Family family, Clock::TimePoint when) {
    stale_until_[index(family)] = when;
    host_.sessions().timers.schedule(shared_from_this(), when);
}

bool Peer::keep_stale(const CloseReason& reason) {
    // RFC 5882 §4.3: a stale path is used while its next hop is alive, no longer.
    if (!started_ || shut() || !alive_) return false;
    held_down_ = false;
    if (!restarts_gracefully()) return hold_down(reason);
    const auto& theirs = *theirs_.capabilities.graceful_restart;
    if (!survives(reason, theirs.notification)) return false;
    auto& rib = host_.rib();
    bool any = false;
    // RFC 8538 §4.1: our own limit counts from now on, whatever the peer asks for.
    const auto time = std::min(seconds{theirs.time}, settings_->stale_time);
    const auto now = host_.sessions().timers.now();
    const bool forwards_still = settings_->stale_while_alive && watched_ && alive_;
    if (!forwards_still || !(out_[0].stale || out_[1].stale)) lost_at_ = now;
    stale_end_ = now + settings_->stale_time;
    for (const Family family : kEachFamily) {
        auto& state = out_[index(family)];
        const bool again = forwards_still && state.stale;
        oldest_until_[index(family)].reset();
        const bool keeps = negotiated_.families[index(family)] && find(theirs_, family) != nullptr;
        state.stale = state.long_lived = false;
        // RFC 4724 §4.2: what was stale before, from an earlier restart, goes.
        if (!keeps || !again) rib.sweep(family, id_, keeps ? path_flag::kStale : path_flag::kAny);
        if (!keeps || rib.routes(family, id_).received == 0) continue;
        lost_generation_[index(family)] = generation_[index(family)] & 15;
        begin_stale(family, time);
        if (again) {
            oldest_until_[index(family)] = lost_at_ + time;
            host_.sessions().timers.schedule(shared_from_this(), lost_at_ + time);
        }
        any = true;
    }
    if (!any) return false;
    say("BGP-GR-HELPER", "session lost; routes kept as stale while the neighbor restarts",
        {{"seconds", std::to_string(time.count())}});
    return true;
}

// For a peer without graceful restart whose session is lost without a NOTIFICATION of
// its own, while liveness reports that it forwards.
bool Peer::hold_down(const CloseReason& reason) {
    if (settings_->hold_down.count() == 0 || !watched_ || !alive_) return false;
    const bool lost = reason.kind == CloseReason::Kind::TcpClosed ||
                      reason.kind == CloseReason::Kind::Replaced ||
                      (reason.kind == CloseReason::Kind::Sent &&
                       reason.notification.code == ErrorCode::HoldTimerExpired);
    if (!lost) return false;
    auto& rib = host_.rib();
    stale_end_ = host_.sessions().timers.now() + settings_->hold_down;
    for (const Family family : kEachFamily) {
        if (rib.routes(family, id_).received == 0) continue;
        rib.sweep(family, id_, path_flag::kStale);
        begin_stale(family, settings_->hold_down);
        held_down_ = true;
    }
    if (!held_down_) return false;
    say("BGP-HOLD-DOWN", "session lost; routes kept: the neighbor passes the liveness check",
        {{"seconds", std::to_string(settings_->hold_down.count())}});
    return true;
}

// The peer is back; `id_` still names its routes of before.
void Peer::resume_stale() {
    for (const Family family : kEachFamily) {
        stale_until_[index(family)].reset();
        if (!out_[index(family)].stale) continue;
        // No longer in the capability, or forwarding state lost: remove all stale paths.
        if (!negotiated_.families[index(family)] || !(held_down_ || forwards(theirs_, family)))
            end_stale(family);
        else
            stale_at(family, held_down_ ? host_.sessions().timers.now() + settings_->hold_down
                                        : std::max(stale_end_, host_.sessions().timers.now() + 1s));
    }
}

void Peer::end_stale(Family family) {
    auto& state = out_[index(family)];
    if (!std::exchange(state.stale, false)) return;
    state.long_lived = false;
    host_.rib().sweep(family, id_, path_flag::kStale);
    stale_until_[index(family)].reset();
    oldest_until_[index(family)].reset();
}

// What the peer has not announced since it was lost for the first time.
void Peer::end_oldest(Family family) {
    oldest_until_[index(family)].reset();
    if (id_ == 0 || !out_[index(family)].stale) return;
    lost_at_ = host_.sessions().timers.now();
    host_.rib().walk(
        id_, WalkKind::Sweep,
        [last = lost_generation_[index(family)]](Family, EntryId, Path& path) {
            return path.flags & path_flag::kStale && path_flag::generation(path.flags) != last;
        },
        family);
}

// RFC 9494 §4.2: how long the peer asks for, and no longer than we like.
seconds Peer::long_lived_time(Family family) const {
    const auto& theirs = theirs_.capabilities.long_lived;
    const auto at = std::ranges::find(theirs, family, &LongLivedFamily::family);
    if (at == theirs.end() || !settings_->long_lived_stale_time) return seconds{0};
    return std::min(seconds{at->time}, *settings_->long_lived_stale_time);
}

// RFC 9494 §4.2: stale paths become the last choice, with LLGR_STALE for other speakers;
// paths with NO_LLGR are removed.
void Peer::begin_long_lived(Family family) {
    auto& rib = host_.rib();
    out_[index(family)].long_lived = true;
    rib.walk(
        id_, WalkKind::LongLived,
        [this, &rib](Family of, EntryId entry, Path& path) {
            if (!(path.flags & path_flag::kStale)) return false;
            if (rib.pool()[path.received].flags & attributes_flag::kNoLongLived) return true;
            path.flags = path.flags | path_flag::kLongLivedStale;
            if (path.attributes == 0)
                rib.touch(of, entry);
            else
                mark_long_lived(of, entry, path, path.attributes);
            return false;
        },
        family);
}

// Gives the path these attributes and LLGR_STALE.
void Peer::mark_long_lived(Family family, EntryId entry, Path& path, AttributesId attributes) {
    auto& rib = host_.rib();
    auto& pool = rib.pool();
    if (pool[attributes].flags & attributes_flag::kLongLivedStale) return;
    auto a = pool[attributes].view();
    std::vector<std::uint8_t> communities(a.communities.begin(), a.communities.end());
    ByteWriter{communities}.u32(community::kLlgrStale);
    a.communities = communities;
    a.set(Attribute::Communities);
    const auto next_hop = pool[attributes].next_hop;
    rib.next_hops().retain(next_hop);
    const auto marked = pool.intern(a, next_hop, account_);
    rib.set_attributes(family, entry, path, marked);
    pool.release(marked);
}

// Each family has its own time (RFC 9494 §4.2).
void Peer::stale_expired(Family family) {
    auto& state = out_[index(family)];
    stale_until_[index(family)].reset();
    const auto more = up_ == nullptr && !held_down_ && state.stale && !state.long_lived
                          ? long_lived_time(family)
                          : seconds{0};
    if (more.count() != 0) {
        begin_long_lived(family);
        stale_at(family, host_.sessions().timers.now() + more);
        return say("BGP-LLGR-BEGINS",
                   "restart timer expired; routes kept as long-lived stale (LLGR)",
                   {{"family", std::string{to_string(family)}},
                    {"seconds", std::to_string(more.count())}});
    }
    say("BGP-GR-EXPIRED",
        up_ != nullptr ? "stale timer expired; routes that were not announced again are deleted"
                       : "restart timer expired; stale routes are deleted",
        {{"family", std::string{to_string(family)}}});
    end_stale(family);
    if (up_ == nullptr && !out_[0].stale && !out_[1].stale) forget_kept();
}

// Ends all retention for a peer that has no session.
void Peer::forget_kept() {
    held_down_ = false;
    for (const Family family : kEachFamily) end_stale(family);
    oldest_until_ = {};
    const bool any = id_ != 0;
    forget_routes();
    if (any && started_) tell(PeerStage::Down);
}

void Peer::set_liveness(bool alive, const std::string& reason) {
    watched_ = true;
    if (std::exchange(alive_, alive) == alive || alive) return;
    if (up_ != nullptr) {
        if (settings_->on_death != OnDeath::Teardown) return;
        say("BGP-LIVENESS-DOWN", "session closed: liveness check failed: " + reason);
        return end_sessions(cease_notification(cease::kBfdDown));  // RFC 9384
    }
    if (!out_[0].stale && !out_[1].stale) return;
    say("BGP-GR-DEAD", "stale routes deleted: liveness check failed: " + reason);
    forget_kept();
}

void Peer::tell(PeerStage stage) {
    std::optional<IpAddress> local;
    if (up_ != nullptr) local = up_->local().address;
    host_.peer_changed({address_, port_, group_, stage, local});
}

}  // namespace torii::bgp
