#include "bgp/session/peer.hpp"
#include "base/byte_writer.hpp"
#include "base/event_list.hpp"

#include <unistd.h>

#include <algorithm>
#include <random>

namespace torii::bgp {

namespace {

using namespace std::chrono_literals;

// A dynamic neighbor that is down is shown with its last reason for this time.
constexpr auto kRemembered = 10min;
// Any host of a listen range may connect; those that mean it send their OPEN at once.
constexpr auto kOpenLimit = 10s;
constexpr int kInternalTtl = 64;

void add(MessageCounters& to, const MessageCounters& from) {
    to.open += from.open;
    to.update += from.update;
    to.notification += from.notification;
    to.keepalive += from.keepalive;
    to.refresh += from.refresh;
}

Failure<Notification> refuse(std::uint8_t subcode) {
    return Failure{Notification{ErrorCode::OpenMessage, subcode, {}}};
}

bool roles_match(Role ours, Role theirs) {  // RFC 9234 §4.2
    switch (ours) {
        case Role::Provider:
            return theirs == Role::Customer;
        case Role::Customer:
            return theirs == Role::Provider;
        case Role::RouteServer:
            return theirs == Role::RouteServerClient;
        case Role::RouteServerClient:
            return theirs == Role::RouteServer;
        case Role::Peer:
            return theirs == Role::Peer;
    }
    return false;
}

}  // namespace

Peer::Peer(PeerHost& host, const NeighborSettings& settings, bool dynamic)
    : host_(host),
      address_(settings.address),
      dynamic_(dynamic),
      group_(settings.group),
      interface_(settings.interface),
      port_(settings.port),
      settings_(std::make_shared<PeerSettings>(settings.peer)),
      since_(host.sessions().timers.now()) {
    static AttributeStorage storage;  // one thread, one message at a time
    storage_ = &storage;
}

Peer::~Peer() {
    // Nothing may follow: no dial, and no report of what ends now.
    started_ = false;
    end_sessions(cease_notification(cease::kPeerDeconfigured));
    forget_routes();
}

bool Peer::external() const {
    return settings_->remote_as.kind == RemoteAs::Kind::External ||
           (settings_->remote_as.kind == RemoteAs::Kind::Number &&
            settings_->remote_as.number != local_as());
}

bool Peer::kept_down() const {
    return held_ || idle();
}

State Peer::state() const {
    if (up_ != nullptr) return State::Established;
    auto state = State::Idle;
    if (started_ && !shut() && host_.sessions().timers.now() >= idle_until_ && !dynamic_)
        state = State::Active;
    for (const auto* session : {&incoming_, &outgoing_})
        if (*session) state = std::max(state, (*session)->state());
    return state;
}

void Peer::start() {
    if (!std::exchange(started_, true)) tell(PeerStage::Down);
    if (!dynamic_ && !settings_->passive && !shut()) dial();
}

void Peer::stop(const Notification& farewell) {
    const bool was_started = std::exchange(started_, false);
    dial_at_.reset();
    end_sessions(farewell);
    if (up_ == nullptr) forget_routes();
    if (was_started) tell(PeerStage::Gone);
}

void Peer::end_sessions(const Notification& words) {
    const auto hard = farewell(words);
    Session* const up = up_;
    for (auto session : {incoming_, outgoing_})
        if (session) session->stop(session.get() == up ? hard : words);
}

void Peer::dial_at(Clock::TimePoint when) {
    dial_at_ = when;
    host_.sessions().timers.schedule(shared_from_this(), when);
}

std::optional<Clock::TimePoint> Peer::on_time(Clock::TimePoint now) {
    if (dial_at_ && now >= *dial_at_) {
        dial_at_.reset();
        dial();
    }
    for (const Family family : kEachFamily)
        if (auto& until = stale_until_[index(family)]; until && now >= *until)
            stale_expired(family);
    for (const Family family : kEachFamily)
        if (auto& until = oldest_until_[index(family)]; until && now >= *until) end_oldest(family);
    // Not before what is kept for it.
    for (const auto& until : stale_until_)
        if (forget_at_ && until) forget_at_ = std::max(*forget_at_, *until);
    if (forget_at_ && now >= *forget_at_) {
        forget_at_.reset();
        // What keeps it down is kept with it.
        if (kept_down()) {
            forget_at_ = held_ ? now + kRemembered : std::max(now + kRemembered, idle_until_);
        } else {
            if (!has_connection()) host_.forget(*this);
            return std::nullopt;
        }
    }
    std::optional<Clock::TimePoint> next;
    for (const auto& when : {dial_at_, forget_at_, stale_until_[0], stale_until_[1],
                             oldest_until_[0], oldest_until_[1]})
        if (when && (!next || *when < *next)) next = when;
    return next;
}

void Peer::dial() {
    if (!started_ || shut() || settings_->passive || dynamic_ || up_ != nullptr || outgoing_)
        return;
    const auto now = host_.sessions().timers.now();
    if (now < idle_until_) return dial_at(idle_until_);
    DialOptions options;
    options.remote = {address_, settings_->port};
    options.source = settings_->update_source;
    // Behind a route of ours the kernel finds the way by the source alone.
    if (!options.source) options.source = host_.source_towards(address_);
    options.interface = interface_;
    if (!settings_->passwords.empty()) options.md5_key = settings_->passwords[0];
    if (settings_->ttl_security) {
        options.ttl = 255;
        options.least_ttl = 256 - *settings_->ttl_security;
    } else {
        options.ttl = settings_->multihop ? *settings_->multihop : external() ? 1 : 0;
    }
    signed_with_ = configured_key();
    outgoing_ = std::make_shared<Session>(host_.sessions(), this, true);
    outgoing_->set_connect_limit(std::max(settings_->connect_retry, seconds{1}));
    outgoing_->dial(options);
}

std::optional<Notification> Peer::refusal_reason() const {
    if (shut()) return cease_notification(cease::kAdminShutdown, settings_->shutdown_message);
    if (!started_ || host_.sessions().timers.now() < idle_until_)
        return cease_notification(cease::kConnectionRejected);
    return std::nullopt;
}

void Peer::accept(int socket, const Endpoint& local, const Endpoint& remote) {
    auto session = std::make_shared<Session>(host_.sessions(), this, false);
    forget_at_.reset();
    if (!has_connection()) signed_with_ = configured_key();
    if (dynamic_) {
        session->set_open_limit(kOpenLimit);
        if (!has_connection()) host_.connected(*this, true);
    }
    if (settings_->ttl_security)
        set_ttl(socket, address_.family(), 255, 256 - *settings_->ttl_security);
    else
        set_ttl(socket, address_.family(),
                settings_->multihop ? *settings_->multihop
                : external()        ? 1
                                    : kInternalTtl,
                0);
    if (incoming_) {
        if (incoming_->state() == State::Established) {
            // Two at once: the OPEN decides which of them stays.
            if (!outgoing_) {
                outgoing_ = std::move(session);
                outgoing_->adopt(socket, local, remote);
                return;
            }
        }
        // Dialled again before the first attempt came to anything: the peer has
        // given that one up.
        if (incoming_->state() != State::Established)
            incoming_->stop(cease_notification(cease::kCollision));
        else {
            ::close(socket);
            return;
        }
    }
    incoming_ = std::move(session);
    const auto keep = incoming_;
    keep->adopt(socket, local, remote);
}

OpenMessage Peer::our_open(Session&) {
    const auto& s = *settings_;
    const auto& speaker = host_.speaker();
    OpenMessage open;
    open.as = local_as();
    open.hold_time = static_cast<std::uint16_t>(s.hold_time.count());
    open.identifier = speaker.router_id;
    auto& c = open.capabilities;
    c.families = {s.ipv4, s.ipv6};
    c.route_refresh = c.enhanced_refresh = true;
    c.extended_message = s.extended_messages;
    c.extended_next_hop[index(Family::Ip4)] = s.extended_next_hop && s.ipv4;
    c.four_octet_as = open.as;
    const bool receive = s.add_path == AddPath::Receive || s.add_path == AddPath::Both;
    const bool send = s.add_path == AddPath::Send || s.add_path == AddPath::Both;
    c.add_path_receive = {receive && s.ipv4, receive && s.ipv6};
    c.add_path_send = {send && s.ipv4, send && s.ipv6};
    c.role = s.role;
    offer_restart(c);
    c.hostname = speaker.hostname;
    c.software = speaker.software;
    return open;
}

Decoded<std::uint16_t> Peer::on_open(Session& session, const OpenMessage& open) {
    const auto& wanted = settings_->remote_as;
    const bool internal = open.as == local_as();
    const bool right = wanted.kind == RemoteAs::Kind::External   ? !internal
                       : wanted.kind == RemoteAs::Kind::Internal ? internal
                       : wanted.kind == RemoteAs::Kind::Number   ? open.as == wanted.number
                                                                 : false;
    if (!right) {
        say("BGP-OPEN-BAD-AS",
            "OPEN refused: AS " + std::to_string(open.as) + " does not match remote_as",
            {{"as", std::to_string(open.as)}});
        return refuse(open_error::kBadPeerAs);
    }
    // RFC 6286 §2.2: only within an AS must identifiers differ.
    if (internal && open.identifier == host_.speaker().router_id) {
        say("BGP-OPEN-SAME-ID", "OPEN refused: its BGP identifier is our own");
        return refuse(open_error::kBadIdentifier);
    }
    const auto& role = open.capabilities.role;
    if (open.capabilities.conflicting_roles ||
        (settings_->role && !internal &&
         (role ? !roles_match(*settings_->role, *role) : settings_->strict_role)))
        return refuse(open_error::kRoleMismatch);
    if (const auto lost = resolve_collision(session, open)) return Failure{*lost};

    auto ours = session.open_sent();
    const auto agreed = negotiate(ours, open);
    if (!agreed.families[0] && !agreed.families[1]) {
        say("BGP-OPEN-NO-FAMILY", "OPEN refused: no address family in common");
        auto unsupported = refuse(open_error::kBadCapability);
        ByteWriter data{unsupported.error.data};  // RFC 5492 §3: what would have been needed
        for (const Family family : kEachFamily)
            if (ours.capabilities.families[index(family)]) {
                data.u8(1);
                data.u8(4);
                data.u16(afi(family));
                data.u16(kSafiUnicast);
            }
        return unsupported;
    }
    session.set_extended_messages(agreed.extended_messages);
    // RFC 4271 §4.2, §6.2: a hold time may be refused; one of 0 is never over.
    if (settings_->hold_time.count() != 0 &&
        seconds{agreed.hold_time} < settings_->minimum_hold_time) {
        say("BGP-OPEN-HOLD-TIME", "OPEN refused: hold time " + std::to_string(agreed.hold_time) +
                                      " is below minimum_hold_time");
        return refuse(open_error::kBadHoldTime);
    }
    const std::chrono::milliseconds hold{agreed.hold_time * 1000};
    auto keepalive = hold / 3;
    if (settings_->keepalive)
        keepalive = std::min(keepalive, std::chrono::milliseconds{*settings_->keepalive});
    session.set_keepalive(keepalive);
    session.set_send_hold(settings_->send_hold_time.value_or(
        std::max<std::chrono::seconds>(480s, 2 * std::chrono::seconds{agreed.hold_time})));
    return agreed.hold_time;
}

// RFC 4271 §6.8: of two connections the one stays that was opened by the side
// with the higher identifier.
std::optional<Notification> Peer::resolve_collision(Session& session, const OpenMessage& open) {
    const auto other = &session == incoming_.get() ? outgoing_ : incoming_;
    if (!other || other.get() == &session) return std::nullopt;
    const auto lost = cease_notification(cease::kCollision);
    if (other->state() == State::Established) {
        // RFC 4724 §4.2: a peer that restarts connects before we have detected
        // that the old connection is dead.
        if (!restarts_gracefully()) return lost;
        // RFC 6286 §2: another identifier, or another AS, is another speaker behind the same
        // address. The one that is up stays.
        if (open.identifier != theirs_.identifier || open.as != theirs_.as) {
            if (const auto more = host_.may_report("BGP-SECOND-SPEAKER"))
                say("BGP-SECOND-SPEAKER",
                    "connection refused: another speaker at the address of a neighbor that is up",
                    {{"as", std::to_string(open.as)},
                     {"router_id", IpAddress::v4(open.identifier).to_string()},
                     {"unreported", std::to_string(*more)}});
            return lost;
        }
        other->drop();
        return std::nullopt;
    }
    if (other->state() != State::OpenConfirm) return std::nullopt;
    const auto ours = host_.speaker().router_id;
    // RFC 6286 §2.3: with equal identifiers, the higher AS wins.
    const bool we_are_higher =
        ours != open.identifier ? ours > open.identifier : local_as() > open.as;
    if (session.outgoing() == we_are_higher) {
        other->stop(lost);
        return std::nullopt;
    }
    return lost;
}

PeerFacts Peer::facts() const {
    PeerFacts facts;
    facts.alive = true;
    facts.ebgp = negotiated_.ebgp();
    facts.reflector_client = settings_->route_reflector_client;
    facts.accept_blackhole = settings_->accept_blackhole;
    facts.identifier = negotiated_.peer_identifier;
    facts.as = negotiated_.peer_as;
    facts.weight = static_cast<std::uint16_t>(std::min<std::uint32_t>(settings_->weight, 65535));
    facts.address = address_;
    facts.port = key().port;
    return facts;
}

void Peer::on_up(Session& session) {
    up_ = &session;
    // The other attempt, if it still goes on, has lost.
    for (auto other : {incoming_, outgoing_})
        if (other && other.get() != &session) other->stop(cease_notification(cease::kCollision));
    failures_ = 0;
    dial_at_.reset();
    since_ = host_.sessions().timers.now();
    ++times_established_;
    ours_ = session.open_sent();
    theirs_ = *session.open_received();
    negotiated_ = negotiate(ours_, theirs_);
    pending_.clear();
    std::array<bool, kFamilies> stale{};
    for (const Family family : kEachFamily)
        stale[index(family)] = std::exchange(out_[index(family)], {}).stale;

    const auto facts = this->facts();
    // Routes kept over a restart stay only if the peer's AS is the same.
    if (id_ != 0 && host_.rib().peers()[id_].as != facts.as) forget_routes();
    if (id_ == 0) {
        id_ = host_.rib().add_peer(facts);
        account_ = host_.rib().pool().open_account();
    } else {
        host_.rib().change_peer(id_, facts);
        for (const Family family : kEachFamily) out_[index(family)].stale = stale[index(family)];
        resume_stale();
    }

    make_policies();
    host_.monitor().state_change(ends(), true);
    tell(PeerStage::Up);
    say("BGP-ADJCHANGE-UP", "session established",
        {{"as", std::to_string(negotiated_.peer_as)},
         {"hold_time", std::to_string(negotiated_.hold_time)}});
    if (host_.restarting() && delays_initial_updates())
        host_.restart_progress();
    else
        join_groups(true);
}

mrt::Ends Peer::ends() const {
    return {negotiated_.peer_as, negotiated_.local_as, address_, up_->local().address};
}

void Peer::on_down(Session&, const CloseReason& reason) {
    host_.monitor().state_change(ends(), false);
    up_ = nullptr;
    since_ = host_.sessions().timers.now();
    say("BGP-ADJCHANGE-DOWN", "session down: " + reason.to_string());
    leave_groups();
    const bool kept = keep_stale(reason);
    if (!kept) forget_routes();
    if (started_) tell(kept ? PeerStage::Restarting : PeerStage::Down);
}

void Peer::on_closed(Session& session, const CloseReason& reason) {
    const bool was_up =
        session.sent().update + session.received().update > 0 || session.received().keepalive > 0;
    add(received_before_, session.received());
    add(sent_before_, session.sent());
    const bool collided = reason.notification.code == ErrorCode::Cease &&
                          reason.notification.subcode == cease::kCollision &&
                          reason.kind != CloseReason::Kind::TcpClosed;
    if (!collided) last_reason_ = reason.to_string();
    if (reason.kind != CloseReason::Kind::ConnectFailed) {
        connect_error_ = 0;
    } else if (std::exchange(connect_error_, reason.error) != reason.error) {
        say("BGP-CONNECT-FAILED", reason.to_string());
    }
    if (!was_up && !collided && reason.kind != CloseReason::Kind::ConnectFailed)
        if (const auto more =
                dynamic_ ? host_.may_report("BGP-SESSION-FAILED") : std::optional<std::uint64_t>{0})
            say("BGP-SESSION-FAILED", "session not established: " + reason.to_string(),
                *more == 0 ? std::vector<std::pair<std::string_view, std::string>>{}
                           : std::vector<std::pair<std::string_view, std::string>>{
                                 {"unreported", std::to_string(*more)}});
    if (incoming_.get() == &session) incoming_.reset();
    if (outgoing_.get() == &session) outgoing_.reset();
    if (up_ != nullptr || has_connection()) return;

    const auto now = host_.sessions().timers.now();
    if (dynamic_) {
        host_.connected(*this, false);
        forget_at_ = now + kRemembered;
        // The last owner may be the caller.
        if (!weak_from_this().expired())
            host_.sessions().timers.schedule(shared_from_this(), *forget_at_);
        return;
    }
    if (!started_ || settings_->passive || shut()) return;
    // Soon at first, then ever slower, at the configured pace in the end.
    const auto wait = std::min<std::chrono::seconds>(
        settings_->connect_retry, std::chrono::seconds{1LL << std::min(failures_, 10u)});
    failures_ = was_up ? 0 : failures_ + 1;
    // RFC 4271 §10: three quarters to all of it, so that many do not come at once.
    static std::minstd_rand random{std::random_device{}()};
    const auto most = std::chrono::milliseconds{wait}.count();
    dial_at(now + std::chrono::milliseconds{
                      most - static_cast<std::int64_t>(random() %
                                                       static_cast<std::uint64_t>(most / 4 + 1))});
}

void Peer::act(PeerAction action, const std::string& reason) {
    switch (action) {
        case PeerAction::Clear:
            idle_until_ = {};
            idle_for_limit_ = false;
            if (!has_connection() && dial_at_) dial_at(host_.sessions().timers.now());
            return end_sessions(cease_notification(cease::kAdminReset, reason));
        case PeerAction::SoftIn:
            if (up_ == nullptr) return;
            for (const Family family : kEachFamily)
                if (negotiated_.families[index(family)] && negotiated_.route_refresh)
                    up_->send(RouteRefresh{afi(family), 0, kSafiUnicast});
            return reconsider();
        case PeerAction::SoftOut:
            for (const Family family : kEachFamily)
                if (auto* group = out_[index(family)].group)
                    host_.rib().resend(*group, id_, negotiated_.enhanced_refresh);
            return;
        case PeerAction::Shutdown:
            held_ = true;
            dial_at_.reset();
            end_sessions(cease_notification(cease::kAdminShutdown, reason));
            forget_kept();
            return;
        case PeerAction::Enable:
            held_ = false;
            idle_until_ = {};
            idle_for_limit_ = false;
            if (draining_) {
                draining_ = false;
                policies_changed();
            }
            if (!has_connection()) start();
            return;
        case PeerAction::Drain:
            if (draining_) return;
            draining_ = true;
            return policies_changed();
    }
}

void Peer::say(EventId id, std::string text,
               std::vector<std::pair<std::string_view, std::string>> fields) {
    fields.insert(fields.begin(), {"neighbor", address_.to_string()});
    if (!group_.empty()) fields.insert(fields.begin() + 1, {"group", group_});
    host_.events().emit({id, std::move(text), std::move(fields)});
}

void Peer::send(std::shared_ptr<const std::vector<std::uint8_t>> messages, std::uint64_t updates) {
    if (up_ != nullptr) up_->send(std::move(messages), updates);
}

std::size_t Peer::queued() const {
    return up_ != nullptr ? up_->queued() : 0;
}

void Peer::end_of_rib_sent(Family family) {
    out_[index(family)].end_of_rib_sent = true;
}

void Peer::on_read_done(Session& session) {
    if (std::exchange(updated_, false)) host_.rib().note_read(session.last_received());
}

void Peer::on_writable(Session&) {
    for (const Family family : kEachFamily)
        if (auto* group = out_[index(family)].group) host_.rib().advance(*group, id_);
}

NeighborView Peer::view() const {
    NeighborView v;
    v.address = address_;
    v.group = group_;
    v.description = settings_->description;
    v.dynamic = dynamic_;
    v.state = to_string(state());
    v.admin = shut() ? "shutdown" : draining_ ? "draining" : "up";
    v.local_as = local_as();
    v.wanted_as = settings_->remote_as;
    const auto now = host_.sessions().timers.now();
    v.uptime = std::chrono::duration_cast<seconds>(now - since_);
    v.received = received_before_;
    v.sent = sent_before_;
    for (const auto& session : {incoming_, outgoing_})
        if (session) {
            add(v.received, session->received());
            add(v.sent, session->sent());
        }
    v.times_established = times_established_;
    v.last_reason = last_reason_;
    v.pending = pending_;
    // While it is down: as configured, or what it had last.
    v.remote_as = up_ == nullptr && settings_->remote_as.kind == RemoteAs::Kind::Number
                      ? settings_->remote_as.number
                      : negotiated_.peer_as;
    if (up_ != nullptr) {
        v.router_id = negotiated_.peer_identifier;
        v.hostname = theirs_.capabilities.hostname;
        v.software = theirs_.capabilities.software;
        v.hold_time = seconds{negotiated_.hold_time};
        v.keepalive = std::min(settings_->keepalive.value_or(v.hold_time / 3), v.hold_time / 3);
        v.local_endpoint = up_->local().to_string();
        v.remote_endpoint = up_->remote().to_string();
        v.bytes_queued = up_->queued();
        v.capabilities = names(negotiated_, ours_, theirs_);
    }
    for (const Family family : kEachFamily) {
        if (!(family == Family::Ip4 ? settings_->ipv4 : settings_->ipv6)) continue;
        const auto& state = out_[index(family)];
        FamilyView f;
        f.family = family;
        f.max_prefixes = settings_->max_prefix.limit;
        if (id_ != 0) {
            const auto& routes = host_.rib().routes(family, id_);
            f.received = routes.received;
            f.accepted = routes.accepted;
            f.filtered = routes.received - routes.accepted;
        }
        f.negotiated = up_ != nullptr && negotiated_.families[index(family)];
        if (state.group != nullptr) f.advertised = state.group->advertised();
        f.end_of_rib_received = state.end_of_rib_received;
        f.end_of_rib_sent = state.end_of_rib_sent;
        f.stale = state.stale;
        v.families.push_back(f);
    }
    return v;
}

}  // namespace torii::bgp
