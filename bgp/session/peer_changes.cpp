#include <algorithm>
#include <array>
#include <string_view>

#include "base/event_list.hpp"
#include "bgp/session/peer.hpp"

// What a changed setting costs a peer that is up.
namespace torii::bgp {

namespace {

using S = PeerSettings;

enum class Effect : std::uint8_t {
    None,         // used when it is needed next
    NextSession,  // shown as pending until then
    Policy,       // routes are looked at again, in or out
    AskAgain,     // the peer is asked to send its routes again
    Reset,
};

struct Field {
    std::string_view name;
    Effect effect;
    bool (*same)(const S&, const S&);
};

template <auto Member>
bool same(const S& a, const S& b) {
    return a.*Member == b.*Member;
}

constexpr std::array kFields{
    Field{"description", Effect::None, same<&S::description>},
    Field{"shutdown_message", Effect::None, same<&S::shutdown_message>},
    Field{"connect_retry", Effect::None, same<&S::connect_retry>},
    Field{"max_prefix", Effect::None, same<&S::max_prefix>},
    Field{"receive_limit", Effect::None, same<&S::receive_limit>},
    Field{"receive_octets", Effect::None, same<&S::receive_octets>},
    Field{"minimum_hold_time", Effect::None, same<&S::minimum_hold_time>},
    Field{"passive", Effect::NextSession, same<&S::passive>},
    Field{"port", Effect::NextSession, same<&S::port>},
    Field{"restart_time", Effect::NextSession, same<&S::restart_time>},
    Field{"stale_time", Effect::None, same<&S::stale_time>},
    Field{"stale_while_alive", Effect::None, same<&S::stale_while_alive>},
    Field{"long_lived_stale_time", Effect::NextSession, same<&S::long_lived_stale_time>},
    Field{"on_death", Effect::None, same<&S::on_death>},
    Field{"hold_time", Effect::NextSession, same<&S::hold_time>},
    Field{"keepalive", Effect::NextSession, same<&S::keepalive>},
    Field{"send_hold_time", Effect::NextSession, same<&S::send_hold_time>},
    Field{"graceful_restart", Effect::NextSession, same<&S::graceful_restart>},
    // The old key stays valid for sessions that use it; a roll-over resets
    // no peer that follows.
    Field{"password", Effect::NextSession,
          [](const S& a, const S& b) {
              return a.passwords.empty() == b.passwords.empty() &&
                     (a.passwords.empty() || a.passwords[0] == b.passwords[0]);
          }},
    Field{"extended_messages", Effect::NextSession, same<&S::extended_messages>},
    Field{"import_lists", Effect::Policy, same<&S::import_lists>},
    Field{"export_lists", Effect::Policy, same<&S::export_lists>},
    Field{"import_policies", Effect::Policy, same<&S::import_policies>},
    Field{"export_policies", Effect::Policy, same<&S::export_policies>},
    Field{"advertisement_interval", Effect::Policy, same<&S::advertisement_interval>},
    Field{"default_originate", Effect::Policy, same<&S::default_originate>},
    Field{"next_hop_self", Effect::Policy, same<&S::next_hop_self>},
    Field{"next_hop_unchanged", Effect::Policy, same<&S::next_hop_unchanged>},
    Field{"send_community", Effect::Policy, same<&S::send_communities>},
    Field{"route_reflector_client", Effect::Policy, same<&S::route_reflector_client>},
    Field{"allowas_in", Effect::Policy, same<&S::allowas_in>},
    Field{"as_override", Effect::Policy, same<&S::as_override>},
    Field{"remove_private_as", Effect::Policy, same<&S::remove_private_as>},
    Field{"graceful_shutdown", Effect::Policy, same<&S::graceful_shutdown>},
    Field{"weight", Effect::Policy, same<&S::weight>},
    Field{"hold_down", Effect::None, same<&S::hold_down>},
    Field{"guarded", Effect::Policy, same<&S::guarded>},
    Field{"accept_blackhole", Effect::Policy, same<&S::accept_blackhole>},
    Field{"mapped_next_hop", Effect::AskAgain, same<&S::mapped_next_hop>},
    Field{"enforce_first_as", Effect::AskAgain, same<&S::enforce_first_as>},
    Field{"allow_as_set", Effect::AskAgain, same<&S::allow_as_set>},
    Field{"ttl_security", Effect::Reset, same<&S::ttl_security>},
    Field{"multihop", Effect::Reset, same<&S::multihop>},
    Field{"update_source", Effect::Reset, same<&S::update_source>},
    Field{"local_as", Effect::Reset, same<&S::local_as>},
    Field{"families", Effect::Reset,
          [](const S& a, const S& b) { return a.ipv4 == b.ipv4 && a.ipv6 == b.ipv6; }},
    Field{"extended_next_hop", Effect::Reset, same<&S::extended_next_hop>},
    Field{"add_path", Effect::Reset, same<&S::add_path>},
    Field{
        "role", Effect::Reset,
        [](const S& a, const S& b) { return a.role == b.role && a.strict_role == b.strict_role; }},
    Field{"route_server_client", Effect::Reset, same<&S::route_server_client>},
};

// The same peer may stay when only the way it is described has changed:
// "65001" and "external" both fit the AS it has.
bool admits(const RemoteAs& wanted, std::uint32_t peer_as, std::uint32_t local_as) {
    switch (wanted.kind) {
        case RemoteAs::Kind::Number:
            return wanted.number == peer_as;
        case RemoteAs::Kind::External:
            return peer_as != local_as;
        case RemoteAs::Kind::Internal:
            return peer_as == local_as;
        case RemoteAs::Kind::Unset:
            break;
    }
    return false;
}

}  // namespace

// The kernel signs a connection with the key that it began with.
void Peer::password_changed() {
    const bool same = signed_with_ == configured_key();
    const auto at = std::ranges::find(pending_, "password");
    if (same == (at == pending_.end())) return;
    if (same) {
        pending_.erase(at);
        return;
    }
    pending_.emplace_back("password");
    say("BGP-PASSWORD-PENDING",
        "the session is not signed with the configured password; the next one will be");
}

void Peer::judge_anew(const PeerSettings& before) {
    host_.rib().change_peer(id_, facts());
    policies_changed();
    reconsider();
    // What becomes of its paths although they are the same.
    if (before.weight != settings_->weight ||
        before.accept_blackhole != settings_->accept_blackhole ||
        before.route_reflector_client != settings_->route_reflector_client)
        host_.rib().touch_all(id_);
}

ChangeCost Peer::change(const NeighborSettings& wanted) {
    const auto before = settings_;
    const bool group_moved = group_ != wanted.group;
    group_ = wanted.group;
    const bool link_moved = interface_ != wanted.interface || port_ != wanted.port;
    interface_ = wanted.interface;
    port_ = wanted.port;
    if (*before == wanted.peer && !link_moved) {
        return group_moved ? ChangeCost::Refresh : ChangeCost::None;
    }
    settings_ = std::make_shared<PeerSettings>(wanted.peer);

    auto effect = link_moved ? Effect::Reset : Effect::None;
    for (const auto& field : kFields) {
        // What the session began with counts no matter how often it was changed since.
        if (field.name == "password" && has_connection()) {
            password_changed();
            if (!field.same(*before, *settings_)) effect = std::max(effect, field.effect);
            continue;
        }
        if (field.same(*before, *settings_)) continue;
        // Members of a range are never dialled.
        if (dynamic_ && (field.name == "passive" || field.name == "port")) continue;
        if (field.effect == Effect::NextSession && has_connection() &&
            std::ranges::find(pending_, field.name) == pending_.end())
            pending_.emplace_back(field.name);
        effect = std::max(effect, field.effect);
    }
    if (before->remote_as != settings_->remote_as &&
        !(up_ != nullptr && admits(settings_->remote_as, negotiated_.peer_as, local_as())))
        effect = Effect::Reset;

    if (before->shutdown != settings_->shutdown) {
        if (settings_->shutdown) {
            dial_at_.reset();
            end_sessions(cease_notification(cease::kAdminShutdown, settings_->shutdown_message));
            forget_kept();  // RFC 4271 §8.2.2, ManualStop: all routes go
        } else if (started_) {
            start();
        }
        return ChangeCost::Reset;
    }
    // What is kept of a peer that is away is used by the policies of now.
    const bool kept = up_ == nullptr && id_ != 0 && effect >= Effect::Policy;
    if (kept) judge_anew(*before);
    if (effect == Effect::Reset) {
        if (has_connection())
            end_sessions(cease_notification(cease::kOtherConfigChange));
        else if (started_)
            start();
        return ChangeCost::Reset;
    }
    if (before->max_prefix != settings_->max_prefix) {
        // Room for what was dropped, and for a peer that waits because of it.
        for (const Family family : kEachFamily) readmit(family);
        if (std::exchange(idle_for_limit_, false)) {
            idle_until_ = {};
            if (started_ && !has_connection()) start();
        }
    }
    if (up_ == nullptr) {
        const bool dials_otherwise =
            before->passive != settings_->passive || before->port != settings_->port;
        if (dials_otherwise && !dynamic_ && !has_connection() && started_) start();
        return kept ? ChangeCost::Refresh : ChangeCost::None;
    }
    // A peer that cannot be asked sends all of it in a new session.
    if (effect == Effect::AskAgain && !negotiated_.route_refresh) {
        end_sessions(cease_notification(cease::kOtherConfigChange));
        return ChangeCost::Reset;
    }
    if (effect >= Effect::Policy) {
        judge_anew(*before);
        if (effect == Effect::AskAgain) act(PeerAction::SoftIn, {});
        return ChangeCost::Refresh;
    }
    return effect == Effect::NextSession ? ChangeCost::NextSession : ChangeCost::None;
}

}  // namespace torii::bgp
