#include <algorithm>
#include <array>

#include "config/frr_bgp.hpp"

// Neighbors and groups of an FRR file as ours: families are merged where they agree, and
// kept apart by policies where they do not.
namespace torii::config {
namespace {

constexpr std::size_t index(Family family) {
    return static_cast<std::size_t>(family);
}
constexpr Family kEach[] = {Family::Ip4, Family::Ip6};

// What FRR does for the families that are in use, as the settings of one peer.
class Merge {
public:
    Merge(const FrrFamily (&families)[2], const std::array<bool, 2>& active, const FrrPeer& peer,
          FrrReport& report)
        : families_(families), active_(active), peer_(peer), report_(report) {}

    void into(PeerSettings& s) {
        s.next_hop_self = one(&FrrFamily::next_hop_self, "next-hop-self", false);
        s.route_reflector_client =
            one(&FrrFamily::route_reflector_client, "route-reflector-client", false);
        s.route_server_client = one(&FrrFamily::route_server_client, "route-server-client", false);
        s.default_originate = one(&FrrFamily::default_originate, "default-originate", false);
        s.as_override = one(&FrrFamily::as_override, "as-override", false);
        s.next_hop_unchanged =
            one(&FrrFamily::next_hop_unchanged, "attribute-unchanged next-hop", false);
        if (one(&FrrFamily::add_path, "addpath-tx", false).value_or(false))
            s.add_path = AddPath::Send;
        s.allowas_in = least();
        s.remove_private_as =
            one(&FrrFamily::remove_private_as, "remove-private-AS", RemovePrivateAs::Private);
        s.send_community = communities();
        s.max_prefix = max_prefix();
    }

private:
    bool two() const { return active_[0] && active_[1]; }
    const FrrFamily& only() const { return families_[active_[1] && !active_[0]]; }
    void differ(std::string_view what, std::string why, FrrEffect effect) {
        report_.add({peer_.line.number, std::string{peer_.line.words.from(0)},
                     std::string{what} + " differs between the families: " + std::move(why),
                     effect});
    }

    // `closed` where the families differ.
    template <class T>
    std::optional<T> one(std::optional<T> FrrFamily::*member, std::string_view what, T closed) {
        if (!two()) return only().*member;
        const auto &a = families_[0].*member, &b = families_[1].*member;
        if (a.value_or(T{}) == b.value_or(T{})) return a ? a : b;
        differ(what, "torii has one setting for both; it is off", FrrEffect::Narrower);
        return closed;
    }
    std::optional<std::uint8_t> least() {
        if (!two()) return only().allowas_in;
        const auto &a = families_[0].allowas_in, &b = families_[1].allowas_in;
        if (a.value_or(0) == b.value_or(0)) return a;
        differ("allowas-in", "the lower one is taken", FrrEffect::Narrower);
        return std::min(a.value_or(0), b.value_or(0));
    }
    std::optional<SendCommunity> communities() {
        std::array<bool, 3> sent{true, true, true};
        std::array<std::array<bool, 3>, 2> each;
        for (const auto i : {0u, 1u})
            each[i] = {families_[i].standard.value_or(true), families_[i].extended.value_or(true),
                       families_[i].large.value_or(true)};
        if (two() && each[0] != each[1])
            differ("send-community", "what both send is sent", FrrEffect::Narrower);
        for (const auto i : {0u, 1u})
            for (std::size_t kind = 0; kind < 3; ++kind)
                if (active_[i]) sent[kind] = sent[kind] && each[i][kind];
        const auto count = std::ranges::count(sent, true);
        if (count == 3) return std::nullopt;
        if (count == 0) return SendCommunity::None;
        if (count == 2)
            differ("send-community", "torii sends one kind or all; only the first is sent",
                   FrrEffect::Narrower);
        return sent[0]   ? SendCommunity::Standard
               : sent[1] ? SendCommunity::Extended
                         : SendCommunity::Large;
    }
    // A limit that closes a session of two families would take both down, so the larger one.
    std::optional<MaxPrefix> max_prefix() {
        if (!two()) return only().max_prefix;
        const auto &a = families_[0].max_prefix, &b = families_[1].max_prefix;
        if (a == b) return a;
        if (!a || !b) {
            const auto& some = a ? a : b;
            differ("maximum-prefix", "torii has one limit for both; none is set",
                   some->action == MaxPrefixAction::Warn ? FrrEffect::Lost : FrrEffect::Wider);
            return std::nullopt;
        }
        const auto& low = a->limit < b->limit ? *a : *b;
        auto out = a->limit < b->limit ? *b : *a;
        // A warning that becomes a close would be a new way to lose the session.
        const bool closes = low.action == MaxPrefixAction::Close;
        if (closes) out.action = MaxPrefixAction::Close;
        differ("maximum-prefix", "the higher limit holds for both",
               closes && low.limit != out.limit ? FrrEffect::Wider : FrrEffect::Lost);
        return out;
    }

    const FrrFamily (&families_)[2];
    const std::array<bool, 2>& active_;
    const FrrPeer& peer_;
    FrrReport& report_;
};

}  // namespace

// Turns peers into settings, policies among them.
class FrrBgp::Peers {
public:
    Peers(FrrBgp& bgp, const FrrLists& lists, const FrrRouteMaps& maps, const FrrBfd& bfd)
        : bgp_(bgp), maps_(maps), bfd_(bfd), policies_(lists, maps, bgp.names_, bgp.report_) {}

    std::array<bool, 2> active(const FrrPeer& peer) const {
        const auto* group = group_of(peer);
        std::array<bool, 2> out{};
        for (const auto f : kEach)
            out[index(f)] = peer.families[index(f)].active.value_or(
                group != nullptr
                    ? group->families[index(f)].active.value_or(bgp_.by_default_[index(f)])
                    : bgp_.by_default_[index(f)]);
        return out;
    }

    PeerSettings settings(const FrrPeer& peer) {
        const auto* group = group_of(peer);
        const auto on = active(peer);
        FrrFamily families[2];
        for (const auto f : kEach)
            families[index(f)] = group != nullptr
                                     ? peer.families[index(f)].over(group->families[index(f)])
                                     : peer.families[index(f)];
        auto out = peer.settings;
        // A member with nothing of its own repeats what its group is reported for.
        const bool own =
            group == nullptr || peer.families[0] != FrrFamily{} || peer.families[1] != FrrFamily{};
        FrrReport ignored;
        Merge{families, on, peer, own ? bgp_.report_ : ignored}.into(out);
        std::vector<Family> wanted;
        for (const auto f : kEach)
            if (on[index(f)]) wanted.push_back(f);
        out.families = wanted;
        const auto remote = peer.settings.remote_as || group == nullptr ? peer.settings.remote_as
                                                                        : group->settings.remote_as;
        const bool internal =
            remote &&
            (remote->kind == RemoteAs::Kind::Internal ||
             (remote->kind == RemoteAs::Kind::Number && remote->asn == bgp_.model_.bgp->asn));
        const bool open = internal || !bgp_.requires_policy_;
        out.import_policies = direction(peer, families, on, FrrDirection::In, open);
        out.export_policies =
            direction(peer, families, on,
                      internal ? FrrDirection::ToInternal : FrrDirection::ToExternal, open);
        if (out.bfd && !peer.bfd_profile.empty() && !bfd_.apply_profile(peer.bfd_profile, *out.bfd))
            bgp_.report_.add(peer.line, "there is no BFD profile " + peer.bfd_profile);
        if (peer.update_source) source(peer, out);
        return out;
    }

    // A member keeps what differs from its group.
    PeerSettings member(const FrrPeer& peer, const IpAddress& address) {
        auto out = settings(peer);
        const auto* group = group_of(peer);
        if (group != nullptr) {
            const auto above = settings(*group);
            if (!out.bfd && above.bfd) {
                auto own = *above.bfd;
                if (bfd_.apply_peer(address, own)) out.bfd = own;
            } else if (out.bfd) {
                bfd_.apply_peer(address, *out.bfd);
            }
            drop_inherited(out, above);
        } else if (out.bfd) {
            bfd_.apply_peer(address, *out.bfd);
        }
        if (peer.update_source)
            source(peer, out, address.family());
        else if (group != nullptr && group->update_source &&
                 bgp_.ports_.addresses(*group->update_source).size() > 1)
            source(*group, out, address.family());
        return out;
    }

private:
    const FrrPeer* group_of(const FrrPeer& peer) const {
        const auto at = bgp_.peers_.find(peer.group);
        return peer.group.empty() || at == bgp_.peers_.end() ? nullptr : &at->second;
    }

    template <class T>
    static void drop_one(std::optional<T>& own, const std::optional<T>& above, T unset) {
        if (own == above)
            own.reset();
        else if (!own)
            own = unset;
    }
    static void drop_inherited(PeerSettings& own, const PeerSettings& above) {
        for (auto member : {&PeerSettings::next_hop_self, &PeerSettings::route_reflector_client,
                            &PeerSettings::route_server_client, &PeerSettings::default_originate,
                            &PeerSettings::as_override, &PeerSettings::next_hop_unchanged})
            drop_one(own.*member, above.*member, false);
        drop_one(own.allowas_in, above.allowas_in, std::uint8_t{0});
        drop_one(own.remove_private_as, above.remove_private_as, RemovePrivateAs::Off);
        drop_one(own.send_community, above.send_community, SendCommunity::All);
        drop_one(own.add_path, above.add_path, AddPath::Off);
        for (auto member : {&PeerSettings::import_policies, &PeerSettings::export_policies})
            drop_one(own.*member, above.*member, {});
        if (own.max_prefix == above.max_prefix) own.max_prefix.reset();
        if (own.update_source == above.update_source) own.update_source.reset();
        if (own.families == above.families) own.families.reset();
    }

    void source(const FrrPeer& peer, PeerSettings& out, std::optional<Family> family = {}) {
        const auto& addresses = bgp_.ports_.addresses(*peer.update_source);
        if (addresses.empty())
            return bgp_.report_.add(peer.line,
                                    "update-source " + *peer.update_source +
                                        ": the interface has no address here, so the peer does "
                                        "not expect ours",
                                    FrrEffect::Dead);
        if (!family && addresses.size() > 1) return;  // each member chooses
        for (const auto& address : addresses)
            if (!family || address.family() == *family) {
                out.update_source = address;
                return;
            }
    }

    // Names of policies for a direction; nothing where no family has a filter.
    std::optional<std::vector<std::string>> direction(const FrrPeer& peer,
                                                      const FrrFamily (&families)[2],
                                                      const std::array<bool, 2>& on,
                                                      FrrDirection direction, bool open) {
        const auto filter = [&](Family f) -> const FrrFilter& {
            return direction == FrrDirection::In ? families[index(f)].in : families[index(f)].out;
        };
        if (std::ranges::none_of(kEach, [&](Family f) { return on[index(f)] && filter(f).any(); }))
            return std::nullopt;
        std::vector<std::pair<Family, FrrTerms>> parts;
        for (const auto f : kEach) {
            if (!on[index(f)]) continue;
            if (filter(f).any()) {
                parts.emplace_back(f, policies_.terms(filter(f), f, direction));
                complain(peer, filter(f), f, direction, parts.back().second);
            } else if (open) {
                FrrTerms rest;
                rest.base = "accept";
                rest.terms.push_back({});
                parts.emplace_back(f, std::move(rest));
            } else {
                FrrTerms none;
                none.base = "refused";
                none.terms.push_back({std::nullopt, {}, {}, TermAction::Reject});
                parts.emplace_back(f, std::move(none));
            }
        }
        for (auto& [_, part] : parts)
            if (part.terms.empty())
                part.terms.push_back({std::nullopt, {}, {}, TermAction::Reject});
        if (parts.size() == 2 && parts[0].second.terms == parts[1].second.terms &&
            parts[0].second.base == parts[1].second.base)
            parts.pop_back();
        else if (parts.size() == 2)
            for (auto& [family, part] : parts)
                for (auto& term : part.terms) term.match.family = family;
        std::vector<std::string> names;
        for (auto& [family, part] : parts) {
            names.push_back(bgp_.names_.policy(part.base, to_string(family), part.terms));
        }
        return names;
    }

    // A filter that let something pass and lets nothing pass any more.
    void complain(const FrrPeer& peer, const FrrFilter& filter, Family family,
                  FrrDirection direction, const FrrTerms& terms) {
        if (terms.accepts || !terms.refused) return;
        const auto* map = maps_.find(filter.route_map);
        const bool permitted =
            map == nullptr || std::ranges::any_of(map->clauses, [](const auto& entry) {
                return entry.second.permit;
            });
        if (permitted)
            bgp_.report_.add(
                {peer.line.number, std::string{peer.line.words.from(0)},
                 "nothing is " +
                     std::string{direction == FrrDirection::In ? "accepted" : "announced"} +
                     " in " + std::string{to_string(family)} + ": no clause of " + terms.base +
                     " could be carried over",
                 FrrEffect::Dead});
    }

    FrrBgp& bgp_;
    const FrrRouteMaps& maps_;
    const FrrBfd& bfd_;
    FrrPolicies policies_;
};

void FrrBgp::finish(const FrrLists& lists, const FrrRouteMaps& maps, const FrrBfd& bfd) {
    if (!model_.bgp) return;
    auto& bgp = *model_.bgp;
    bgp.defaults.families = std::vector<Family>{};
    for (const auto f : kEach)
        if (by_default_[index(f)]) bgp.defaults.families->push_back(f);
    if (bgp.defaults.families->empty()) bgp.defaults.families.reset();
    if (!requires_policy_)
        bgp.defaults.import_lists = bgp.defaults.export_lists = std::vector<std::string>{"any"};

    Peers peers{*this, lists, maps, bfd};
    bool in_use[2] = {false, false};
    const auto without_family = [&](const FrrPeer& peer) {
        const auto on = peers.active(peer);
        for (const auto f : kEach) in_use[index(f)] = in_use[index(f)] || on[index(f)];
        if (on[0] || on[1]) return false;
        if (!peer.is_group)
            report_.add(peer.line, "no address family is active, so that FRR opens no session");
        return true;
    };
    const auto same_as_defaults = [&](PeerSettings& s, const FrrPeer& peer) {
        if (peer.group.empty() && s.families == bgp.defaults.families) s.families.reset();
    };
    for (const auto& name : order_) {
        const auto& peer = peers_[name];
        if (!peer.is_group) continue;
        auto settings = peers.settings(peer);
        if (without_family(peer)) settings.families.reset();
        same_as_defaults(settings, peer);
        bgp.groups.push_back({names_.group(name), std::nullopt, std::move(settings)});
    }
    for (const auto& name : order_) {
        const auto& peer = peers_[name];
        if (peer.is_group) continue;
        const auto address = IpAddress::parse(name);
        if (!address) {
            if (!peer.line.words.contains("interface"))
                report_.add(peer.line,
                            "neither an address nor a peer-group; unnumbered peers need "
                            "their link-local address");
            continue;
        }
        if (without_family(peer)) continue;
        Neighbor neighbor;
        neighbor.address = *address;
        if (peer.interface) neighbor.port = FrrPorts::name_of(*peer.interface);
        if (neighbor.port && model_.find_port(*neighbor.port) == nullptr) {
            report_.add(peer.line, "the file has no interface " + *peer.interface, FrrEffect::Dead);
            continue;
        }
        if (!peer.group.empty()) neighbor.group = names_.group(peer.group);
        neighbor.settings = peers.member(peer, *address);
        same_as_defaults(neighbor.settings, peer);
        bgp.neighbors.push_back(std::move(neighbor));
    }
    for (const auto& [range, group, line] : ranges_) {
        const auto at = peers_.find(group);
        if (at != peers_.end()) {
            const auto on = peers.active(at->second);
            if (!on[0] && !on[1]) {
                report_.add(line, "no address family is active, so that FRR opens no session");
                continue;
            }
        }
        bgp.listen.push_back({range, names_.group(group), std::nullopt});
    }
    put_networks();
    put_sources(in_use);
    put_paths();
}

// FRR checks by default that another source has the network; torii announces it as it stands.
void FrrBgp::put_networks() {
    for (const auto& network : networks_) {
        if (network.with_map) {
            report_.add(network.line, "a route-map or another option; the network is not announced",
                        FrrEffect::Narrower);
        } else if (import_check_ && !ports_.has(network.prefix)) {
            report_.add(network.line,
                        "FRR announces it while another source has exactly this route (`bgp "
                        "network import-check`), and this file has none; it is not announced",
                        FrrEffect::Narrower);
        } else if (std::ranges::find(model_.bgp->networks, network.prefix) ==
                   model_.bgp->networks.end()) {
            model_.bgp->networks.push_back(network.prefix);
        }
    }
}

// torii announces a source in both families and without conditions.
void FrrBgp::put_sources(const bool (&in_use)[2]) {
    for (const auto& source : redistributed_) {
        const auto kind =
            source.line.words[1] == "static" ? Redistribute::Static : Redistribute::Connected;
        const auto other = source.family == Family::Ip4 ? Family::Ip6 : Family::Ip4;
        const bool in_both = std::ranges::any_of(redistributed_, [&](const Source& s) {
            return s.family == other && s.line.words[1] == source.line.words[1] && !s.with_map;
        });
        auto& list = model_.bgp->redistribute;
        if (source.with_map)
            report_.add(source.line,
                        "torii announces all of a source or nothing; nothing is announced, write "
                        "`networks` for what the route-map permits",
                        FrrEffect::Narrower);
        else if (in_use[index(other)] && !in_both)
            report_.add(source.line,
                        "torii would announce both families of it; nothing is announced, write "
                        "`networks`",
                        FrrEffect::Narrower);
        else if (std::ranges::find(list, kind) == list.end())
            list.push_back(kind);
    }
}

void FrrBgp::put_paths() {
    auto& bgp = *model_.bgp;
    for (const bool ibgp : {false, true}) {
        const auto &a = paths_[0][ibgp], &b = paths_[1][ibgp];
        if (!a && !b) continue;
        auto& out = ibgp ? bgp.maximum_paths_ibgp : bgp.maximum_paths_ebgp;
        out = std::clamp<std::uint16_t>(a && b ? std::min(*a, *b) : a ? *a : *b, 1, 512);
        if (a && b && *a != *b)
            report_.add({0, "maximum-paths", "it differs between the families; the lower one holds",
                         FrrEffect::Lost});
    }
}

}  // namespace torii::config
