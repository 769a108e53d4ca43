#include <algorithm>

#include "base/event_list.hpp"
#include "bgp/session/peer.hpp"

namespace torii::bgp {

namespace {

using namespace std::chrono_literals;

}  // namespace

void Peer::make_policies() {
    const auto& s = *settings_;
    const auto& speaker = host_.speaker();
    const auto filter = [&](const std::optional<std::vector<std::string>>& lists,
                            const std::vector<std::string>& policies) {
        if (lists) return PrefixFilter::of(*lists, speaker.prefix_lists);
        // RFC 8212: without a policy, no routes are accepted from or sent to an external peer.
        return negotiated_.ebgp() && policies.empty() ? PrefixFilter::unspoken()
                                                      : PrefixFilter::everything();
    };
    const auto policy = [&](const std::vector<std::string>& names) {
        return RoutePolicy::of(names, speaker.policies, speaker.prefix_lists);
    };
    import_.filter = filter(s.import_lists, s.import_policies);
    import_.policy = policy(s.import_policies);
    import_.local_as = local_as();
    import_.router_as = speaker.asn;
    import_.router_id = speaker.router_id;
    import_.cluster_id = speaker.cluster_id != 0 ? speaker.cluster_id : speaker.router_id;
    import_.peer_as = negotiated_.peer_as;
    import_.ebgp = negotiated_.ebgp();
    import_.allowas_in = s.allowas_in;
    import_.role = s.role;
    import_.accept_blackhole = s.accept_blackhole;
    export_filter_ = filter(s.export_lists, s.export_policies);
    export_policy_ = policy(s.export_policies);

    decode_.four_octet_as = negotiated_.four_octet_as;
    decode_.ebgp = negotiated_.ebgp();
    decode_.extended_next_hop = negotiated_.extended_next_hop;
    decode_.families = negotiated_.families;
    decode_.add_path = negotiated_.add_path_receive;
    decode_.peer_as = negotiated_.peer_as;
    decode_.enforce_first_as = s.enforce_first_as && !s.route_server_client;
    decode_.allow_as_set = s.allow_as_set;
}

ExportSettings Peer::export_settings(Family family) const {
    const auto& s = *settings_;
    const auto& speaker = host_.speaker();
    ExportSettings e;
    e.family = family;
    e.ebgp = negotiated_.ebgp();
    e.reflector_client = s.route_reflector_client;
    e.route_server_client = s.route_server_client;
    e.next_hop_self = s.next_hop_self;
    e.next_hop_unchanged = s.next_hop_unchanged;
    e.four_octet_as = negotiated_.four_octet_as;
    e.extended_next_hop = negotiated_.extended_next_hop;
    e.add_path = negotiated_.add_path_send[index(family)];
    e.long_lived =
        !ours_.capabilities.long_lived.empty() && !theirs_.capabilities.long_lived.empty();
    for (const auto& aggregate : speaker.aggregates)
        if (aggregate.summary_only && aggregate.prefix.family() == family)
            e.summaries.push_back(aggregate.prefix);
    e.as_override = s.as_override;
    e.graceful_shutdown = s.graceful_shutdown || draining_;
    e.remove_private_as = s.remove_private_as;
    e.communities = s.send_communities;
    e.role = s.role;
    e.local_as = local_as();
    e.router_as = speaker.asn;
    e.peer_as = s.as_override ? negotiated_.peer_as : 0;
    e.cluster_id = import_.cluster_id;
    e.max_message = negotiated_.max_message();
    e.interval = s.advertisement_interval;
    e.filter = export_filter_;
    e.policy = export_policy_;

    // Our own address of that family on the link of this session; an IPv4
    // address mapped into IPv6 where there is no other.
    const auto& local = up_->local().address;
    const auto& known = host_.companions(local);
    if (family == Family::Ip6) {
        e.self = known.ip6.value_or(known.link_local.value_or(local));
        if (local.is_v6() && known.link_local) e.link_local = *known.link_local;
    } else {
        e.self = local.is_v4()                   ? local
                 : negotiated_.extended_next_hop ? known.ip6.value_or(local)
                                                 : known.ip4.value_or(local);
    }
    return e;
}

void Peer::join_groups(bool end_of_rib) {
    auto& rib = host_.rib();
    for (const Family family : kEachFamily) {
        if (!negotiated_.families[index(family)]) continue;
        auto& group = rib.group(export_settings(family));
        out_[index(family)].group = &group;
        advertise_default(family);
        rib.join(group, id_, *this, end_of_rib);
    }
}

// A default route for this peer alone, regardless of the table and of the export
// lists.
void Peer::advertise_default(Family family) {
    auto& told = out_[index(family)].default_advertised;
    const auto e = export_settings(family);
    std::optional<bool> wanted;
    if (settings_->default_originate) wanted = e.graceful_shutdown;
    if (told == wanted) return;
    told = wanted;
    // Its number is none that a path of the table gets.
    const Announcement route{Prefix::default_route(family), 0xffffffff};
    const UpdateFormat format{negotiated_.max_message(), negotiated_.add_path_send[index(family)]};
    auto bytes = std::make_shared<std::vector<std::uint8_t>>();
    if (!told) {
        encode_withdrawals({&route, 1}, format, *bytes);
        return up_->send(std::move(bytes), 1);
    }
    std::vector<std::uint8_t> path, communities;
    if (e.ebgp) prepend({}, e.local_as, 1, path);
    Attributes a;
    for (const auto code : {Attribute::Origin, Attribute::AsPath}) a.set(code);
    a.origin = Origin::Igp;
    a.as_path = path;
    a.next_hop = e.self;
    if (!e.ebgp) {
        a.set(Attribute::LocalPref);
        a.local_pref = kDefaultLocalPref;
    }
    if (e.graceful_shutdown) {
        ByteWriter{communities}.u32(community::kGracefulShutdown);
        a.set(Attribute::Communities);
        a.communities = communities;
    }
    OutgoingAttributes out;
    out.next_hop = e.self;
    out.link_local = e.link_local;
    encode_attributes(a, e.four_octet_as, family == Family::Ip4 && e.self.is_v4(), out.bytes);
    if (encode_announcements({&route, 1}, out, format, *bytes) == 0) up_->send(std::move(bytes), 1);
}

void Peer::leave_groups() {
    for (const Family family : kEachFamily)
        if (auto* group = std::exchange(out_[index(family)].group, nullptr))
            host_.rib().leave(*group, id_);
}

void Peer::forget_routes() {
    if (id_ == 0) return;
    host_.rib().retire_peer(std::exchange(id_, 0));
    if (!settings_->guarded || !host_.guard().active()) return;
    host_.guard().release_all(address_);
    host_.guard_released();
}

// Asked for what all other policy lets pass; the answer is also the claim.
bool Peer::guard_allows(const Prefix& prefix) {
    auto& guard = host_.guard();
    if (!settings_->guarded || !guard.active()) return true;
    const auto verdict = guard.check(address_, prefix);
    if (verdict.allowed()) {
        guard.claim(address_, prefix);
        return true;
    }
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

void Peer::policies_changed() {
    if (up_ == nullptr) return;
    const auto before = import_;
    make_policies();
    const bool same_policy = before.policy == import_.policy ||
                             (before.policy && import_.policy && *before.policy == *import_.policy);
    if (!same_policy || before.accept_blackhole != import_.accept_blackhole ||
        !(*before.filter == *import_.filter))
        reconsider();
    auto& rib = host_.rib();
    for (const Family family : kEachFamily) {
        auto& state = out_[index(family)];
        if (state.group == nullptr) continue;
        advertise_default(family);
        const auto wanted = export_settings(family);
        if (state.group->settings() == wanted) continue;
        auto& next = rib.group(wanted);
        rib.move(*state.group, next, id_, *this);
        state.group = &next;
    }
}

void Peer::reconsider() {
    if (id_ == 0) return;
    auto& rib = host_.rib();
    for (const Family family : kEachFamily) {
        // Neighbors in the table tend to share their attributes.
        std::optional<ImportRun> run;
        rib.each_path(family, id_, [&](EntryId entry, Path& path) {
            if (path.flags & path_flag::kOverLimit) return;
            const auto why = import_.check(rib.pool()[path.received].view());
            const auto prefix = rib.table(family).prefix(entry);
            AttributesId used = 0;
            if (why == Refusal::None && import_.check(prefix) == Refusal::None) {
                if (!run || run->received() != path.received)
                    run.emplace(import_, rib, family, id_, NextHopKey{address_, port_},
                                path.received);
                used = run->of(prefix);
            }
            if (used != 0 && !guard_allows(prefix)) used = 0;
            rib.set_attributes(family, entry, path, used);
        });
    }
}

std::string Peer::filtered_by(const Path& path, const Prefix& prefix) const {
    if (path.attributes != 0) return {};
    if (path.flags & path_flag::kOverLimit) return import_.explain(Refusal::OverLimit, prefix);
    auto why = import_.check(host_.rib().pool()[path.received].view());
    if (why == Refusal::None) why = import_.check(prefix);
    if (why == Refusal::None)
        if (auto text = import_run(prefix.family(), path.received).explain(prefix); !text.empty())
            return text;
    if (why == Refusal::None && settings_->guarded)
        if (const auto verdict = host_.guard().check(address_, prefix); !verdict.allowed())
            return verdict.to_string(prefix);
    return import_.explain(why == Refusal::None ? Refusal::OwnNextHop : why, prefix);
}

NextHopKey Peer::next_hop_key(const IpAddress& next_hop, const IpAddress& link_local) const {
    // A node without an IPv6 address of its own sends ::ffff:a.b.c.d over IPv4;
    // the next hop is the node itself.
    if (settings_->mapped_next_hop)
        if (const auto mapped = next_hop.mapped_v4()) return {*mapped, rib::kAnyPort};
    if (next_hop.is_v6() && next_hop.is_link_local()) return {next_hop, port_};
    if (address_.is_link_local() && link_local.is_link_local() && port_ != rib::kAnyPort)
        return {link_local, port_};
    return {next_hop, rib::kAnyPort};
}

std::optional<Notification> Peer::on_update(Session&, std::span<const std::uint8_t> body) {
    if (host_.monitor().records())
        host_.monitor().update(ends(), decode_.four_octet_as,
                               decode_.add_path[0] || decode_.add_path[1], body);
    updated_ = true;
    auto decoded = decode_update(body, decode_, *storage_);
    if (!decoded) {
        say("BGP-UPDATE-MALFORMED",
            "malformed UPDATE, session reset: " + to_string(decoded.error()));
        return decoded.error();
    }
    const Update& update = *decoded;
    if (update.end_of_rib) {
        out_[index(*update.end_of_rib)].end_of_rib_received = true;
        end_stale(*update.end_of_rib);
        if (host_.restarting()) host_.restart_progress();
        return std::nullopt;
    }
    if (update.recovery != Recovery::None) complain(update);
    withdraw(update.withdrawn);
    if (update.unreach) withdraw(*update.unreach);
    if (update.recovery == Recovery::TreatAsWithdraw) {
        // RFC 7606 §2: the older route goes too.
        withdraw(update.announced);
        if (update.reach) withdraw(update.reach->nlri);
        return std::nullopt;
    }
    if (!update.announced.empty())
        if (auto enough = announce(update.announced, update.attributes,
                                   {update.attributes.next_hop, rib::kAnyPort}))
            return enough;
    if (update.reach && !update.reach->nlri.empty()) {
        const auto& reach = *update.reach;
        return announce(reach.nlri, update.attributes,
                        next_hop_key(reach.next_hop, reach.link_local));
    }
    return std::nullopt;
}

void Peer::withdraw(const NlriList& list) {
    if (list.empty()) return;
    auto& rib = host_.rib();
    const bool guarded = settings_->guarded && host_.guard().active();
    for_each_nlri(list, [&](const Prefix& prefix, std::uint32_t path_id) {
        rib.withdraw(list.family, prefix, id_, path_id);
        if (guarded) host_.guard().release(address_, prefix);
    });
    if (guarded) host_.guard_released();
}

std::optional<Notification> Peer::announce(const NlriList& list, const Attributes& attributes,
                                           const NextHopKey& key) {
    auto& rib = host_.rib();
    const auto next_hop = rib.next_hops().acquire(key);
    rib.next_hops().used_by(next_hop, id_);
    const auto received = rib.pool().intern(attributes, next_hop);
    auto refusal = import_.check(attributes);
    // RFC 4271 §5.1.3: our own address as next hop leads nowhere.
    if (key.address == up_->local().address) refusal = Refusal::OwnNextHop;

    auto& table = rib.table(list.family);
    const auto& limit = settings_->max_prefix;
    const auto& routes = rib.routes(list.family, id_);
    const bool guarded = settings_->guarded && host_.guard().active();
    auto run = import_run(list.family, received);
    bool enough = false;
    for_each_nlri(list, [&](const Prefix& prefix, std::uint32_t path_id) {
        if (enough) return;
        const auto why = refusal != Refusal::None ? refusal : import_.check(prefix);
        AttributesId used = why == Refusal::None ? run.of(prefix) : 0;
        if (guarded && used != 0 && !guard_allows(prefix)) used = 0;
        Path path;
        path.peer = id_ & 0xffffff;
        path.path_id = path_id;
        path.received = received;
        path.attributes = used;
        const auto entry = table.find_or_add(prefix);
        if (limit.limit != 0 && path.attributes != 0 && routes.accepted >= limit.limit) {
            const auto* old = table.find_path(entry, id_, path_id);
            if (old == nullptr || old->attributes == 0) {
                if (limit.action == MaxPrefixAction::Close) enough = true;
                if (limit.action == MaxPrefixAction::Drop) {
                    path.attributes = 0;
                    path.flags = path_flag::kOverLimit;
                }
                over_limit(list.family);
            }
        }
        rib.announce(list.family, entry, path);
    });
    rib.pool().release(received);
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
    Notification n = cease_notification(cease::kMaxPrefixes);
    // RFC 4486 §4: the family and the limit.
    ByteWriter data{n.data};
    data.u16(afi(list.family));
    data.u8(kSafiUnicast);
    data.u32(limit.limit);
    return n;
}

void Peer::over_limit(Family family) {
    if (out_[index(family)].over_limit++ == 0)
        say("BGP-MAX-PREFIX",
            "more than " + std::to_string(settings_->max_prefix.limit) + " prefixes announced",
            {{"family", std::string{to_string(family)}}});
}

void Peer::complain(const Update& update) {
    ++malformed_updates_;
    const auto now = host_.sessions().timers.now();
    if (complained_ != Clock::TimePoint{} && now - complained_ < 1s) return;
    complained_ = now;
    say("BGP-UPDATE-ERROR",
        std::string{attribute_name(update.culprit)} + ": " + std::string{update.complaint} +
            (update.recovery == Recovery::TreatAsWithdraw ? "; routes treated as withdrawn"
                                                          : "; attribute discarded"),
        {{"attribute", std::to_string(update.culprit)},
         {"count", std::to_string(malformed_updates_)}});
}

std::optional<Notification> Peer::on_refresh(Session&, std::span<const std::uint8_t> body) {
    const auto refresh = decode_refresh(body);
    // RFC 7313 §5
    if (negotiated_.enhanced_refresh && body.size() != 4 && refresh.subtype != 0 &&
        refresh.subtype <= 2)
        return Notification{ErrorCode::RouteRefreshMessage, 1, {body.begin(), body.end()}};
    const auto family = unicast_family(refresh.afi, refresh.safi);
    // RFC 2918 §4: other families, and subtypes of others, are ignored.
    if (!family || refresh.subtype > 2) return std::nullopt;
    auto& rib = host_.rib();
    if (refresh.subtype == 0) {
        if (auto* group = out_[index(*family)].group)
            rib.resend(*group, id_, negotiated_.enhanced_refresh);
        return std::nullopt;
    }
    if (!negotiated_.enhanced_refresh) return std::nullopt;
    // RFC 7313 §4.2: a path that is not sent again between the two marks is removed.
    if (refresh.subtype == 1)
        rib.each_path(*family, id_, [](EntryId, Path& path) {
            path.flags = path.flags | path_flag::kRefreshing;
        });
    else
        rib.sweep(*family, id_, path_flag::kRefreshing);
    return std::nullopt;
}

}  // namespace torii::bgp
