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

// RFC 8538 §4: with the N bit on both sides all but a hard reset is survived.
bool survives(const CloseReason& reason, bool notifications) {
    switch (reason.kind) {
        case CloseReason::Kind::TcpClosed:
            return true;
        case CloseReason::Kind::Received:
            return notifications && !(reason.notification.code == ErrorCode::Cease &&
                                      reason.notification.subcode == cease::kHardReset);
        case CloseReason::Kind::Sent:
            return notifications && reason.notification.code == ErrorCode::HoldTimerExpired;
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
    // Our forwarding state is lost with the process: no family is advertised as
    // preserved.
    if (mode == GracefulRestart::Full)
        for (const Family family : kEachFamily)
            if (c.families[index(family)]) restart.families.push_back({family, false});
    restart.restarting = mode == GracefulRestart::Full && host_.restarting();
    c.graceful_restart = std::move(restart);
    if (!settings_->long_lived_stale_time) return;
    const auto time = static_cast<std::uint32_t>(
        std::min<std::int64_t>(settings_->long_lived_stale_time->count(), 0xffffff));
    for (const Family family : kEachFamily)
        if (c.families[index(family)]) c.long_lived.push_back({family, false, time});
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

bool Peer::keep_stale(const CloseReason& reason) {
    // RFC 5882 §4.3: a stale path is used while its next hop is alive, no longer.
    if (!started_ || shut() || !alive_) return false;
    held_down_ = false;
    if (!restarts_gracefully()) return hold_down(reason);
    const auto& theirs = *theirs_.capabilities.graceful_restart;
    if (!survives(reason, theirs.notification)) return false;
    auto& rib = host_.rib();
    bool any = false;
    for (const Family family : kEachFamily) {
        auto& state = out_[index(family)];
        const bool keeps = negotiated_.families[index(family)] && find(theirs_, family) != nullptr;
        state.stale = state.long_lived = false;
        // RFC 4724 §4.2: what was stale before, from an earlier restart, goes.
        rib.sweep(family, id_, keeps ? path_flag::kStale : path_flag::kAny);
        if (!keeps || rib.routes(family, id_).received == 0) continue;
        rib.each_path(family, id_,
                      [](EntryId, Path& path) { path.flags = path.flags | path_flag::kStale; });
        state.stale = any = true;
    }
    if (!any) return false;
    stale_until_ = host_.sessions().timers.now() + std::chrono::seconds{theirs.time};
    host_.sessions().timers.schedule(shared_from_this(), *stale_until_);
    say("BGP-GR-HELPER", "session lost; routes kept as stale while the neighbor restarts",
        {{"seconds", std::to_string(theirs.time)}});
    return true;
}

// For a peer without graceful restart whose session is lost without a NOTIFICATION of
// its own, while liveness reports that it forwards.
bool Peer::hold_down(const CloseReason& reason) {
    if (settings_->hold_down.count() == 0 || !watched_ || !alive_) return false;
    const bool lost = reason.kind == CloseReason::Kind::TcpClosed ||
                      (reason.kind == CloseReason::Kind::Sent &&
                       reason.notification.code == ErrorCode::HoldTimerExpired);
    if (!lost) return false;
    auto& rib = host_.rib();
    for (const Family family : kEachFamily) {
        if (rib.routes(family, id_).received == 0) continue;
        rib.each_path(family, id_,
                      [](EntryId, Path& path) { path.flags = path.flags | path_flag::kStale; });
        out_[index(family)].stale = held_down_ = true;
    }
    if (!held_down_) return false;
    stale_until_ = host_.sessions().timers.now() + settings_->hold_down;
    host_.sessions().timers.schedule(shared_from_this(), *stale_until_);
    say("BGP-HOLD-DOWN", "session lost; routes kept: the neighbor passes the liveness check",
        {{"seconds", std::to_string(settings_->hold_down.count())}});
    return true;
}

// The peer is back; `id_` still names its routes of before.
void Peer::resume_stale() {
    bool any = false;
    for (const Family family : kEachFamily) {
        auto& state = out_[index(family)];
        if (!state.stale) continue;
        // No longer in the capability, or forwarding state lost: remove all stale paths.
        if (!negotiated_.families[index(family)] || !(held_down_ || forwards(theirs_, family))) {
            end_stale(family);
        } else {
            any = true;
        }
    }
    stale_until_.reset();
    if (!any) return;
    stale_until_ =
        host_.sessions().timers.now() + (held_down_ ? settings_->hold_down : settings_->stale_time);
    host_.sessions().timers.schedule(shared_from_this(), *stale_until_);
}

void Peer::end_stale(Family family) {
    auto& state = out_[index(family)];
    if (!std::exchange(state.stale, false)) return;
    state.long_lived = false;
    host_.rib().sweep(family, id_, path_flag::kStale);
    if (!out_[0].stale && !out_[1].stale) stale_until_.reset();
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
    auto& pool = rib.pool();
    out_[index(family)].long_lived = true;
    std::vector<std::uint8_t> communities;
    rib.each_path(family, id_, [&](EntryId entry, Path& path) {
        if (!(path.flags & path_flag::kStale)) return;
        if (pool[path.received].flags & attributes_flag::kNoLongLived) {
            path.flags = path.flags | path_flag::kRefreshing;
            return;
        }
        path.flags = path.flags | path_flag::kLongLivedStale;
        if (path.attributes == 0) return rib.touch(family, entry);
        auto a = pool[path.attributes].view();
        communities.assign(a.communities.begin(), a.communities.end());
        ByteWriter{communities}.u32(community::kLlgrStale);
        a.communities = communities;
        a.set(Attribute::Communities);
        const auto next_hop = pool[path.attributes].next_hop;
        rib.next_hops().retain(next_hop);
        const auto marked = pool.intern(a, next_hop);
        rib.set_attributes(family, entry, path, marked);
        pool.release(marked);
    });
    rib.sweep(family, id_, path_flag::kRefreshing);
}

void Peer::stale_expired() {
    stale_until_.reset();
    if (up_ == nullptr && !held_down_) {
        auto longest = seconds{0};
        for (const Family family : kEachFamily) {
            const auto& state = out_[index(family)];
            const auto time =
                state.stale && !state.long_lived ? long_lived_time(family) : seconds{0};
            if (time.count() == 0) {
                end_stale(family);
            } else {
                begin_long_lived(family);
                longest = std::max(longest, time);
            }
        }
        if (longest.count() != 0) {
            stale_until_ = host_.sessions().timers.now() + longest;
            host_.sessions().timers.schedule(shared_from_this(), *stale_until_);
            return say("BGP-LLGR-BEGINS",
                       "restart timer expired; routes kept as long-lived stale (LLGR)",
                       {{"seconds", std::to_string(longest.count())}});
        }
    }
    say("BGP-GR-EXPIRED",
        up_ != nullptr ? "stale timer expired; routes that were not announced again are deleted"
                       : "restart timer expired; stale routes are deleted");
    held_down_ = false;
    for (const Family family : kEachFamily) end_stale(family);
    if (up_ != nullptr) return;
    forget_routes();
    tell(PeerStage::Down);
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
    for (const Family family : kEachFamily) end_stale(family);
    forget_routes();
    tell(PeerStage::Down);
}

void Peer::tell(PeerStage stage) {
    std::optional<IpAddress> local;
    if (up_ != nullptr) local = up_->local().address;
    host_.peer_changed({address_, port_, group_, stage, local});
}

}  // namespace torii::bgp
