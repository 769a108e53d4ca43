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
        if (lists) return host_.policies().filter(*lists);
        // RFC 8212: without a policy, no routes are accepted from or sent to an external peer.
        return negotiated_.ebgp() && policies.empty() ? PrefixFilter::unspoken()
                                                      : PrefixFilter::everything();
    };
    import_.filter = filter(s.import_lists, s.import_policies);
    import_.policy = host_.policies().policy(s.import_policies);
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
    export_policy_ = host_.policies().policy(s.export_policies);

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
    e.default_originate = s.default_originate;
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
    // RFC 2545 §3: a link-local one beside it, if and only if the peer is on that link; of a
    // link-local session it is the one that the peer can reach for sure, IPv4 routes included
    // (RFC 8950 §3).
    const bool shared = address_.is_link_local() || !host_.has_links() ||
                        (!s.multihop && host_.link_towards(key()) != nullptr);
    const auto link_local = local.is_link_local() ? std::optional{local} : known.link_local;
    const bool both = local.is_v6() && link_local && shared;
    if (family == Family::Ip6) {
        e.self = known.ip6.value_or(known.link_local.value_or(local));
        if (both) e.link_local = *link_local;
    } else {
        if (both && address_.is_link_local() && negotiated_.extended_next_hop)
            e.link_local = *link_local;
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
        rib.join(group, id_, *this, end_of_rib);
    }
}

void Peer::leave_groups() {
    for (const Family family : kEachFamily)
        if (auto* group = std::exchange(out_[index(family)].group, nullptr))
            host_.rib().leave(*group, id_);
}

void Peer::forget_routes() {
    if (id_ == 0) return;
    host_.rib().retire_peer(std::exchange(id_, 0));
    host_.rib().pool().close_account(std::exchange(account_, 0));
}

void Peer::policies_changed() {
    if (id_ == 0) return;
    const auto before = import_;
    make_policies();
    if (before.policy != import_.policy || before.filter != import_.filter ||
        before.accept_blackhole != import_.accept_blackhole)
        reconsider();
    auto& rib = host_.rib();
    for (const Family family : kEachFamily) {
        auto& state = out_[index(family)];
        if (state.group == nullptr) continue;
        const auto wanted = export_settings(family);
        if (state.group->settings() == wanted) continue;
        auto& next = rib.group(wanted);
        rib.move(*state.group, next, id_, *this);
        state.group = &next;
    }
}

std::optional<Notification> Peer::on_update(Session&, std::span<const std::uint8_t> body) {
    updated_ = true;
    auto decoded = decode_update(body, decode_, *storage_);
    if (host_.monitor().records()) {
        // RFC 8050 §3: by the family that the message is about.
        const auto family = !decoded           ? Family::Ip4
                            : decoded->reach   ? decoded->reach->nlri.family
                            : decoded->unreach ? decoded->unreach->family
                                               : Family::Ip4;
        host_.monitor().update(ends(), decode_.four_octet_as, decode_.add_path[index(family)],
                               body);
    }
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
    auto& generation = generation_[index(*family)];
    auto& state = out_[index(*family)];
    if (refresh.subtype == 1) {
        ++generation;
        state.refreshing = true;
    } else if (std::exchange(state.refreshing, false)) {
        rib.sweep_older(*family, id_, generation & 15);
    }
    return std::nullopt;
}

}  // namespace torii::bgp
