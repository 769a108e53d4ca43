#include <algorithm>

#include "base/byte_reader.hpp"
#include "bgp/rib/update_group.hpp"

// Which paths a group advertises, and with which attributes.
namespace torii::bgp {

namespace {

PolicyStorage& policy_storage() {
    static PolicyStorage one;  // one thread, one route at a time
    return one;
}

// Attributes that are passed on as they are, but for one.
void copy_others(std::span<const std::uint8_t> all, Attribute without,
                 std::vector<std::uint8_t>& out) {
    ByteReader in{all};
    while (!in.empty()) {
        const auto whole = in.rest();
        const auto flags = in.u8();
        const auto code = in.u8();
        in.take(flags & attribute_flag::kExtendedLength ? in.u16() : in.u8());
        if (!in.ok()) return;
        const auto one = whole.first(whole.size() - in.size());
        if (code != static_cast<std::uint8_t>(without))
            out.insert(out.end(), one.begin(), one.end());
    }
}

bool is_private_as(std::uint32_t as) {  // RFC 6996
    return (as >= 64512 && as <= 65534) || (as >= 4200000000 && as <= 4294967294);
}

bool all_private(AsPathView path) {
    const auto all = ases(path);
    return std::ranges::all_of(all, is_private_as);
}

}  // namespace

bool ExportSettings::operator==(const ExportSettings& o) const {
    const auto values = [](const ExportSettings& s) {
        return std::tie(s.family, s.ebgp, s.reflector_client, s.route_server_client,
                        s.next_hop_self, s.next_hop_unchanged, s.four_octet_as, s.extended_next_hop,
                        s.add_path, s.as_override, s.graceful_shutdown, s.long_lived,
                        s.default_originate, s.interval, s.summaries, s.remove_private_as,
                        s.communities, s.role, s.local_as, s.router_as, s.peer_as, s.cluster_id,
                        s.max_message, s.self, s.link_local);
    };
    return filter == o.filter && values(*this) == values(o) &&
           (policy == o.policy || (policy && o.policy && *policy == *o.policy));
}

RoutePolicy::Class UpdateGroup::class_of(EntryId id) const {
    return settings_.policy ? settings_.policy->classify(table_.prefix(id)) : 0;
}

// Private ASes taken out, the peer's own replaced by ours: before policy, which
// may put in front what it likes.
AsPathView UpdateGroup::rewritten(AsPathView before) const {
    const auto kind = settings_.remove_private_as;
    if (!settings_.ebgp || settings_.route_server_client ||
        (kind == RemovePrivateAs::Off && !settings_.as_override))
        return before;
    const bool removes =
        kind == RemovePrivateAs::All || (kind == RemovePrivateAs::Private && all_private(before));
    static std::vector<std::uint8_t> path;  // one thread, one path at a time
    path.clear();
    ByteReader in{before};
    ByteWriter out{path};
    while (!in.empty()) {
        const auto start = path.size();
        out.u8(in.u8());
        const auto n = in.u8();
        const auto count_at = out.mark8();
        std::size_t kept = 0;
        for (unsigned i = 0; i < n; ++i) {
            auto as = in.u32();
            if (settings_.as_override && as == settings_.peer_as)
                as = settings_.local_as;
            else if (kind == RemovePrivateAs::Replace && is_private_as(as))
                as = settings_.local_as;
            else if (removes && is_private_as(as))
                continue;
            out.u32(as);
            ++kept;
        }
        if (kept == 0)
            path.resize(start);
        else
            out.patch8(count_at, kept);
    }
    return path;
}

PolicyRoute UpdateGroup::policy_route(AttributesId id, PeerId from) const {
    const StoredAttributes& stored = pool_[id];
    PolicyRoute route;
    route.attributes = stored.view();
    route.attributes.as_path = rewritten(route.attributes.as_path);
    route.family = settings_.family;
    route.next_hop = next_hops_[stored.next_hop].key.address;
    route.from = from == 0           ? RouteFrom::Own
                 : peers_[from].ebgp ? RouteFrom::External
                                     : RouteFrom::Internal;
    route.own_as = settings_.local_as;
    route.local_pref = stored.local_pref;
    return route;
}

// Neighbors in the order of numbers tend to share everything that is asked for,
// so that the last answer is often the next one too.
bool UpdateGroup::policy_accepts(EntryId id, AttributesId attributes, PeerId from) const {
    const Asked asked{attributes, from, class_of(id), false};
    if (last_asked_.attributes == asked.attributes && last_asked_.from == asked.from &&
        last_asked_.prefix == asked.prefix)
        return last_asked_.accepted;
    auto route = policy_route(attributes, from);
    last_asked_ = asked;
    last_asked_.accepted = settings_.policy->run(asked.prefix, route, policy_storage()).accept;
    return last_asked_.accepted;
}

bool UpdateGroup::exports(EntryId id, AttributesId attributes, PeerId from) const {
    using namespace attributes_flag;
    if (attributes == 0 || replaces(id)) return false;
    const StoredAttributes& a = pool_[attributes];
    if (a.flags & (kNoAdvertise | kNoExport)) {
        if (a.flags & kNoAdvertise) return false;
        if (settings_.ebgp) return false;  // RFC 1997
    }
    // RFC 9494 §4.3
    if (a.flags & kLongLivedStale && !settings_.long_lived) return false;
    if (!settings_.summaries.empty()) {
        const auto prefix = table_.prefix(id);
        for (const auto& summary : settings_.summaries)
            if (summary.length() < prefix.length() && summary.contains(prefix)) return false;
    }
    const PeerFacts& source = peers_[from];
    // RFC 4271 §9.2 and RFC 4456 §6: what an internal peer taught goes to other
    // internal peers only by reflection, and one end of it must be a client.
    if (!settings_.ebgp && from != 0 && !source.ebgp && !source.reflector_client &&
        !settings_.reflector_client)
        return false;
    // RFC 9234 §5: what came with OTC goes down to customers alone.
    if (settings_.role && settings_.ebgp && a.flags & kHasOtc &&
        (*settings_.role == Role::Customer || *settings_.role == Role::Peer ||
         *settings_.role == Role::RouteServerClient))
        return false;
    if (!settings_.filter->permits_all() && !settings_.filter->permits(table_.prefix(id)))
        return false;
    return !settings_.policy || policy_accepts(id, attributes, from);
}

std::optional<OutgoingAttributes> UpdateGroup::transform(AttributesId id, PeerId from,
                                                         RoutePolicy::Class prefix,
                                                         bool by_policy) const {
    const StoredAttributes& stored = pool_[id];
    auto route = policy_route(id, from);
    if (settings_.policy && by_policy) settings_.policy->run(prefix, route, policy_storage());
    Attributes& a = route.attributes;
    using Edit = NextHopEdit::Kind;
    const auto edit = route.next_hop_edit.kind;
    const PeerFacts& source = peers_[from];
    const bool reflected = !settings_.ebgp && from != 0 && !source.ebgp;
    OutgoingAttributes out;

    // Next hop (RFC 4271 §5.1.3): ourselves towards external peers.
    const IpAddress& learnt = next_hops_[stored.next_hop].key.address;
    const bool usually =
        !settings_.next_hop_self &&
        (settings_.next_hop_unchanged || settings_.route_server_client || !settings_.ebgp);
    const bool keeps = stored.next_hop != 0 &&
                       (edit == Edit::None ? usually : edit == Edit::Unchanged) &&
                       // RFC 2545 §3: such an address means nothing off its link.
                       !learnt.is_link_local();
    const bool fixed = edit == Edit::Address &&
                       (settings_.family == Family::Ip4 || route.next_hop_edit.address.is_v6());
    out.next_hop = fixed ? route.next_hop_edit.address : keeps ? learnt : settings_.self;
    if (!keeps && !fixed) out.link_local = settings_.link_local;
    if (settings_.family == Family::Ip4 && out.next_hop.is_v6() && !settings_.extended_next_hop)
        return std::nullopt;

    thread_local std::vector<std::uint8_t> path, outer, clusters, communities, extended, others;
    if (settings_.ebgp && !settings_.route_server_client) {
        path.clear();
        if (settings_.local_as != settings_.router_as) {
            outer.clear();
            prepend(a.as_path, settings_.router_as, 1, outer);
            a.as_path = outer;
        }
        prepend(a.as_path, settings_.local_as, 1, path);
        a.as_path = path;
        a.set(Attribute::AsPath);
        // RFC 4271 §5.1.4: it does not leave the AS.
        if (from != 0 && !route.med_set) a.unset(Attribute::Med);
    }
    if (settings_.ebgp) {
        a.unset(Attribute::LocalPref);  // RFC 4271 §5.1.5, route servers included
        // RFC 4360 §6: what is not transitive stays in the AS.
        if (a.has(Attribute::ExtendedCommunities)) {
            extended.clear();
            for (ByteReader in{a.extended_communities}; !in.empty();) {
                const auto one = in.bytes(8);
                if (!(one[0] & 0x40)) extended.insert(extended.end(), one.begin(), one.end());
            }
            a.extended_communities = extended;
            if (extended.empty()) a.unset(Attribute::ExtendedCommunities);
        }
        // RFC 7311 §3.2: AIGP does not leave the AS.
        if (!a.others.empty()) {
            others.clear();
            copy_others(a.others, Attribute::Aigp, others);
            a.others = others;
        }
        a.unset(Attribute::OriginatorId);
        a.unset(Attribute::ClusterList);
        if (settings_.role && !a.has(Attribute::OnlyToCustomer) &&
            (*settings_.role == Role::Provider || *settings_.role == Role::Peer ||
             *settings_.role == Role::RouteServer)) {
            a.set(Attribute::OnlyToCustomer);
            a.only_to_customer = settings_.router_as;
        }
    } else {
        // What the decision goes by, RFC 8326 §4 included, holds in all of the AS.
        a.set(Attribute::LocalPref);
        a.local_pref = route.local_pref;
        if (reflected) {  // RFC 4456 §8
            if (!a.has(Attribute::OriginatorId)) {
                a.set(Attribute::OriginatorId);
                a.originator_id = source.identifier;
            }
            clusters.clear();
            clusters.reserve(sizeof settings_.cluster_id + a.cluster_list.size());
            ByteWriter writer{clusters};
            writer.u32(settings_.cluster_id);
            writer.bytes(a.cluster_list);
            a.cluster_list = clusters;
            a.set(Attribute::ClusterList);
        }
    }
    if (settings_.graceful_shutdown) {
        communities.clear();
        if (settings_.communities.standard)
            communities.assign(a.communities.begin(), a.communities.end());
        ByteWriter{communities}.u32(community::kGracefulShutdown);
        a.communities = communities;
        a.set(Attribute::Communities);
    }
    if (!settings_.communities.standard && !settings_.graceful_shutdown)
        a.unset(Attribute::Communities);
    if (!settings_.communities.extended) a.unset(Attribute::ExtendedCommunities);
    if (!settings_.communities.large) a.unset(Attribute::LargeCommunities);

    a.next_hop = out.next_hop;
    const bool with_next_hop = settings_.family == Family::Ip4 && out.next_hop.is_v4();
    out.bytes.reserve(stored.size + 32u);  // what we add is an AS or two and a next hop
    encode_attributes(a, settings_.four_octet_as, with_next_hop, out.bytes);
    return out;
}

}  // namespace torii::bgp
