#include <algorithm>

#include "bgp/session/peer.hpp"

// Graceful restart, as the one who waits (RFC 4724 §4.2, RFC 8538): what a
// peer taught stays in use, marked stale, while it comes back. Liveness is the
// next hop's: a path whose next hop is gone does not count, stale or not.
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

}  // namespace

void Peer::offer_restart(Capabilities& c) const {
    const auto mode = settings_->graceful_restart;
    if (mode == GracefulRestart::Off) return;
    GracefulRestartCapability restart;
    restart.notification = true;
    restart.time =
        static_cast<std::uint16_t>(std::min<std::int64_t>(settings_->restart_time.count(), 4095));
    // Our forwarding state dies with the process, and we say so: no family is
    // claimed to be preserved.
    if (mode == GracefulRestart::Full)
        for (const Family family : kEachFamily)
            if (c.families[index(family)]) restart.families.push_back({family, false});
    c.graceful_restart = std::move(restart);
}

bool Peer::restarts_gracefully() const {
    return settings_->graceful_restart != GracefulRestart::Off &&
           ours_.capabilities.graceful_restart && theirs_.capabilities.graceful_restart &&
           !theirs_.capabilities.graceful_restart->families.empty();
}

bool Peer::keep_stale(const CloseReason& reason) {
    // RFC 5882 §4.3: what is stale is used while its next hop lives, no longer.
    if (!restarts_gracefully() || !started_ || shut() || !alive_) return false;
    const auto& theirs = *theirs_.capabilities.graceful_restart;
    if (!survives(reason, theirs.notification)) return false;
    auto& rib = host_.rib();
    bool any = false;
    for (const Family family : kEachFamily) {
        auto& state = out_[index(family)];
        const bool keeps = negotiated_.families[index(family)] && find(theirs_, family) != nullptr;
        state.stale = false;
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
    say(Severity::Notice, "BGP-GR-HELPER", "routes are kept while the neighbor restarts",
        {{"seconds", std::to_string(theirs.time)}});
    return true;
}

// The peer is back; `id_` still names its routes of before.
void Peer::resume_stale() {
    auto& rib = host_.rib();
    bool any = false;
    for (const Family family : kEachFamily) {
        auto& state = out_[index(family)];
        if (!state.stale) continue;
        const auto* restart = find(theirs_, family);
        // Gone from the capability, or forwarding state lost: all of it goes.
        if (!negotiated_.families[index(family)] || restart == nullptr || !restart->forwarding) {
            end_stale(family);
        } else {
            any = true;
        }
    }
    stale_until_.reset();
    if (!any) return;
    stale_until_ = host_.sessions().timers.now() + settings_->stale_time;
    host_.sessions().timers.schedule(shared_from_this(), *stale_until_);
    (void)rib;
}

void Peer::end_stale(Family family) {
    auto& state = out_[index(family)];
    if (!std::exchange(state.stale, false)) return;
    host_.rib().sweep(family, id_, path_flag::kStale);
    if (!out_[0].stale && !out_[1].stale) stale_until_.reset();
}

void Peer::stale_expired() {
    stale_until_.reset();
    say(Severity::Warning, "BGP-GR-EXPIRED",
        up_ != nullptr ? "the neighbor did not announce all its routes again in time"
                       : "the neighbor did not come back in time");
    for (const Family family : kEachFamily) end_stale(family);
    if (up_ != nullptr) return;
    forget_routes();
    tell(PeerStage::Down);
}

void Peer::set_alive(bool alive, const std::string& reason) {
    if (std::exchange(alive_, alive) == alive || alive) return;
    if (up_ != nullptr) {
        if (settings_->on_death != OnDeath::Teardown) return;
        say(Severity::Warning, "BGP-LIVENESS-DOWN",
            "the session ends because the neighbor is dead: " + reason);
        return end_sessions(cease_notification(cease::kBfdDown));  // RFC 9384
    }
    if (!out_[0].stale && !out_[1].stale) return;
    say(Severity::Warning, "BGP-GR-DEAD",
        "the neighbor died while its routes waited for it: " + reason);
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
