#include <algorithm>

#include "base/byte_writer.hpp"
#include "base/event_list.hpp"
#include "bgp/session/peer.hpp"

// What becomes of the paths that a peer announces.
namespace torii::bgp {

namespace {

using namespace std::chrono_literals;

// RFC 7911 does not bound the paths of one prefix; each insertion moves those behind it.
constexpr std::size_t kPathsOfPrefix = 1024;
// A peer that used up its budget may come back after this time.
constexpr auto kBudgetPause = 60s;

}  // namespace

// Asked for what all other policy lets pass; the answer is also the claim.
bool Peer::guard_allows(const Prefix& prefix) {
    auto& guard = host_.guard();
    const auto verdict = guard.check(key(), prefix);
    if (verdict.allowed()) {
        guard.claim(key(), prefix);
        return true;
    }
    if (!guard.active()) return true;
    if (verdict.why == Guard::Verdict::Why::OverQuota) guard.wait(key(), prefix);
    ++guard_refused_;
    const auto now = host_.sessions().timers.now();
    if (guard_reported_at_ == Clock::TimePoint{} || now - guard_reported_at_ >= 1s) {
        guard_reported_at_ = now;
        say(guard.enforces() ? EventId{"BGP-GUARD-REFUSED"} : EventId{"BGP-GUARD-ALERT"},
            verdict.to_string(prefix),
            {{"prefix", prefix.to_string()}, {"count", std::to_string(guard_refused_)}});
    }
    return !guard.enforces();
}

Refusal Peer::refusal_of(const Attributes& attributes, const NextHopKey& next_hop) const {
    if (const auto why = import_.check(attributes); why != Refusal::None) return why;
    // RFC 4271 §5.1.3: our own address as next hop leads nowhere.
    if (host_.is_own(next_hop.address)) return Refusal::OwnNextHop;
    if (up_ != nullptr && next_hop.address == up_->local().address) return Refusal::OwnNextHop;
    return on_link(next_hop.address) ? Refusal::None : Refusal::FarNextHop;
}

// RFC 4271 §6.3: of an external peer one hop away the next hop is itself, or shares its link.
bool Peer::on_link(const IpAddress& next_hop) const {
    const bool one_hop =
        import_.ebgp && !settings_->multihop && settings_->ttl_security.value_or(1) == 1;
    if (!one_hop || next_hop == address_ || next_hop.is_link_local()) return true;
    const auto* link = host_.link_towards(key());
    if (link == nullptr) return true;
    bool any = false;
    for (const auto& own : link->addresses) {
        if (own.address.family() != next_hop.family() || own.address.is_link_local()) continue;
        any = true;
        if (Prefix{own.address, own.length}.contains(next_hop)) return true;
    }
    return !any;  // else the route to it decides
}

// The link of the session: where its link-local addresses are (RFC 4007 §6).
rib::PortIndex Peer::link_port() const {
    if (port_ != rib::kAnyPort) return port_;
    const auto* link = host_.link_towards(key());
    return link != nullptr ? link->port : rib::kAnyPort;
}

// The limit and the guard, asked for what the policies permit. `path.attributes` is what they
// made of it, `was` the path in its place.
bool Peer::admit(Family family, const Prefix& prefix, Path& path, const Path* was) {
    const auto& limit = settings_->max_prefix;
    const bool counted = was != nullptr && was->flags & path_flag::kClaims;
    const bool used_before = was != nullptr && was->attributes != 0;
    path.flags = path.flags & (0xffu ^ (path_flag::kClaims | path_flag::kOverLimit)) & 0xff;
    if (path.attributes == 0) return true;
    const bool over =
        limit.limit != 0 && !used_before && host_.rib().routes(family, id_).accepted >= limit.limit;
    if (over && limit.action != MaxPrefixAction::Warn &&
        (!settings_->guarded || host_.guard().check(key(), prefix).allowed() ||
         !host_.guard().enforces())) {
        // Before the guard: what is dropped claims nothing.
        over_limit(family);
        out_[index(family)].dropped = true;
        path.attributes = 0;
        path.flags = path.flags | path_flag::kOverLimit;
        return limit.action != MaxPrefixAction::Close;
    }
    if (over) over_limit(family);
    if (!settings_->guarded) return true;
    path.flags = path.flags | path_flag::kClaims;
    if (!counted) host_.guard().arrive(key(), prefix);
    if (!guard_allows(prefix)) path.attributes = 0;
    return true;
}

// A path that is in the table already, by the settings of now.
void Peer::judge(Family family, EntryId entry, Path& path, std::optional<ImportRun>& run) {
    auto& rib = host_.rib();
    const auto& stored = rib.pool()[path.received];
    const auto prefix = rib.table(family).prefix(entry);
    auto why = refusal_of(stored.view(), rib.next_hops()[stored.next_hop].key);
    if (why == Refusal::None) why = import_.check(prefix);
    Path wanted = path;
    wanted.attributes = 0;
    if (why == Refusal::None) {
        // Neighbors in the table tend to share their attributes.
        if (!run || run->received() != path.received)
            run.emplace(import_, rib, family, id_, NextHopKey{address_, port_}, path.received,
                        account_);
        wanted.attributes = run->of(prefix);
    }
    admit(family, prefix, wanted, &path);
    const auto before = static_cast<std::uint8_t>(path.flags);
    path.flags = wanted.flags;
    if (before & path_flag::kClaims && !(path.flags & path_flag::kClaims))
        host_.leave_guard(key(), prefix);
    if (path.flags & path_flag::kLongLivedStale && wanted.attributes != 0)
        return mark_long_lived(family, entry, path, wanted.attributes);
    rib.set_attributes(family, entry, path, wanted.attributes);
}

void Peer::reconsider() {
    if (id_ == 0) return;
    auto& rib = host_.rib();
    // A walk that goes on is of settings that are no more.
    rib.cancel_walks(id_, WalkKind::Judge);
    rib.walk(id_, WalkKind::Judge,
             [this, run = std::make_shared<std::optional<ImportRun>>()](Family family,
                                                                        EntryId entry, Path& path) {
                 judge(family, entry, path, *run);
                 return false;
             });
}

void Peer::judge(const Prefix& prefix) {
    if (id_ == 0) return;
    auto& table = host_.rib().table(prefix.family());
    const auto entry = table.find(prefix);
    if (!entry) return;
    std::optional<ImportRun> run;
    for (Path& path : table.paths(*entry, id_)) judge(prefix.family(), *entry, path, run);
}

std::string Peer::filtered_by(const Path& path, const Prefix& prefix) const {
    if (path.attributes != 0) return {};
    if (path.flags & path_flag::kOverLimit) return import_.explain(Refusal::OverLimit, prefix);
    const auto& rib = host_.rib();
    const auto& stored = host_.rib().pool()[path.received];
    auto why = refusal_of(stored.view(), rib.next_hops()[stored.next_hop].key);
    if (why == Refusal::None) why = import_.check(prefix);
    if (why == Refusal::None)
        if (auto text = import_run(prefix.family(), path.received).explain(prefix); !text.empty())
            return text;
    if (why == Refusal::None && settings_->guarded)
        if (const auto verdict = host_.guard().check(key(), prefix); !verdict.allowed())
            return verdict.to_string(prefix);
    return import_.explain(why == Refusal::None ? Refusal::OwnNextHop : why, prefix);
}

NextHopKey Peer::next_hop_key(const IpAddress& next_hop, const IpAddress& link_local) const {
    // A node without an IPv6 address of its own sends ::ffff:a.b.c.d over IPv4;
    // the next hop is the node itself.
    if (settings_->mapped_next_hop)
        if (const auto mapped = next_hop.mapped_v4()) return {*mapped, rib::kAnyPort};
    if (next_hop.is_v6() && next_hop.is_link_local()) return {next_hop, link_port()};
    if (address_.is_link_local() && link_local.is_link_local() && port_ != rib::kAnyPort)
        return {link_local, port_};
    return {next_hop, rib::kAnyPort};
}

void Peer::withdraw(const NlriList& list) {
    if (list.empty()) return;
    auto& rib = host_.rib();
    for_each_nlri(list, [&](const Prefix& prefix, std::uint32_t path_id) {
        rib.withdraw(list.family, prefix, id_, path_id);
    });
    readmit(list.family);
}

// What was over the limit may have room now.
void Peer::readmit(Family family) {
    auto& state = out_[index(family)];
    const auto& limit = settings_->max_prefix;
    if (!state.dropped || id_ == 0) return;
    if (limit.limit != 0 && limit.action == MaxPrefixAction::Drop &&
        host_.rib().routes(family, id_).accepted >= limit.limit)
        return;
    state.dropped = false;
    if (!host_.rib().has_walk(id_, WalkKind::Judge)) reconsider();
}

// Nothing is stored beyond the budget of the peer.
std::optional<Notification> Peer::out_of_budget(Family family, std::uint8_t subcode,
                                                const std::string& text) {
    idle_until_ = host_.sessions().timers.now() +
                  std::max<seconds>(kBudgetPause, settings_->max_prefix.restart);
    say("BGP-RECEIVE-LIMIT", text, {{"family", std::string{to_string(family)}}});
    Notification n = cease_notification(subcode);
    if (subcode != cease::kMaxPrefixes) return farewell(n);
    ByteWriter data{n.data};  // RFC 4486 §4
    data.u16(afi(family));
    data.u8(kSafiUnicast);
    data.u32(settings_->receive_limit);
    return farewell(n);
}

std::optional<Notification> Peer::announce(const NlriList& list, const Attributes& attributes,
                                           const NextHopKey& key) {
    auto& rib = host_.rib();
    const auto octets = settings_->receive_octets;
    if (octets != 0 && rib.pool().charged(account_) >= octets)
        return out_of_budget(list.family, cease::kOutOfResources,
                             "session closed: more than " + std::to_string(octets) +
                                 " octets of attributes received");
    const auto next_hop = rib.next_hops().acquire(key);
    rib.next_hops().used_by(next_hop, id_);
    const auto received = rib.pool().intern(attributes, next_hop, account_);
    const auto refusal = refusal_of(attributes, key);

    auto& table = rib.table(list.family);
    const auto& limit = settings_->max_prefix;
    const auto& routes = rib.routes(list.family, id_);
    const bool add_path = decode_.add_path[index(list.family)];
    auto run = import_run(list.family, received);
    bool enough = false, out = false;
    for_each_nlri(list, [&](const Prefix& prefix, std::uint32_t path_id) {
        if (enough || out) return;
        const auto known = table.find(prefix);
        const Path* was = known ? table.find_path(*known, id_, path_id) : nullptr;
        if (was == nullptr) {
            if (settings_->receive_limit != 0 && routes.received >= settings_->receive_limit) {
                out = true;
                return;
            }
            if (add_path && known && table.paths(*known, id_).size() >= kPathsOfPrefix)
                return too_many_paths(prefix);
        }
        const auto why = refusal != Refusal::None ? refusal : import_.check(prefix);
        Path path;
        path.peer = id_ & 0xffffff;
        path.path_id = path_id;
        path.received = received;
        path.attributes = why == Refusal::None ? run.of(prefix) : 0;
        path.flags = path_flag::of_generation(generation_[index(list.family)]);
        enough = !admit(list.family, prefix, path, was);
        if (!enough) rib.announce(list.family, known ? *known : table.find_or_add(prefix), path);
    });
    rib.pool().release(received);
    if (out)
        return out_of_budget(list.family, cease::kMaxPrefixes,
                             "session closed: more than " +
                                 std::to_string(settings_->receive_limit) + " paths received");
    auto& state = out_[index(list.family)];
    if (limit.limit != 0 && !state.warned &&
        std::uint64_t{routes.accepted} * 100 >= std::uint64_t{limit.limit} * limit.warn_percent) {
        state.warned = true;
        say("BGP-MAX-PREFIX-NEAR", std::to_string(routes.accepted) + " of " +
                                       std::to_string(limit.limit) + " allowed prefixes announced");
    }
    if (!enough) return std::nullopt;
    idle_until_ = limit.restart.count() > 0 ? host_.sessions().timers.now() + limit.restart
                                            : Clock::TimePoint::max();
    idle_for_limit_ = true;
    Notification n = cease_notification(cease::kMaxPrefixes);
    // RFC 4486 §4: the family and the limit.
    ByteWriter data{n.data};
    data.u16(afi(list.family));
    data.u8(kSafiUnicast);
    data.u32(limit.limit);
    return farewell(n);
}

void Peer::over_limit(Family family) {
    if (out_[index(family)].over_limit++ == 0)
        say("BGP-MAX-PREFIX",
            "more than " + std::to_string(settings_->max_prefix.limit) + " prefixes announced",
            {{"family", std::string{to_string(family)}}});
}

void Peer::too_many_paths(const Prefix& prefix) {
    if (std::exchange(paths_reported_, true)) return;
    say("BGP-PATHS-LIMIT",
        "more than " + std::to_string(kPathsOfPrefix) + " paths of a prefix; the rest is ignored",
        {{"prefix", prefix.to_string()}});
}

}  // namespace torii::bgp
