#include "config/frr_import.hpp"

#include <algorithm>
#include <map>
#include <set>

#include "base/stable_sort.hpp"
#include "config/frr_peer.hpp"
#include "config/frr_route_map.hpp"
#include "config/validate.hpp"
#include "config/value_text.hpp"

namespace torii::config {
namespace {

// Lines about FRR's own operation, or about what torii does by default.
bool means_nothing_here(const FrrWords& w) {
    constexpr std::string_view kFirst[] = {"!",       "end",      "exit",     "exit-address-family",
                                           "service", "log",      "exit-vrf", "exit-route-map",
                                           "line",    "building", "current",  "hardware"};
    return w.empty() || w[0].starts_with('!') || w[0].starts_with('#') ||
           std::ranges::find(kFirst, w[0]) != std::end(kFirst) || w.begins("frr", "version") ||
           w.begins("ip", "forwarding") || w.begins("ipv6", "forwarding") ||
           w.begins("bgp", "log-neighbor-changes") || w.begins("no", "ipv6", "forwarding") ||
           w.begins("bgp", "deterministic-med") || w.begins("password") ||
           w.begins("enable", "password") || w.begins("no", "bgp", "network", "import-check") ||
           w.begins("bgp", "bestpath", "as-path", "multipath-relax");
}

// A port's twin in the kernel has its name, which the interface below cannot have too.
std::string port_name(std::string_view interface) {
    constexpr std::size_t kLongest = 15;
    const auto out = frr_name(interface);
    return (out == interface ? "t-" + out : out).substr(0, kLongest);
}

class Importer {
public:
    FrrImport run(std::string_view text, Members members) {
        while (!text.empty()) {
            ++line_;
            const auto end = std::min(text.find('\n'), text.size());
            text_ = text.substr(0, end);
            text.remove_prefix(std::min(end + 1, text.size()));
            take(FrrWords{text_});
        }
        finish();
        if (members == Members::ByRange) use_ranges();
        return std::move(out_);
    }

private:
    enum class Inside : std::uint8_t { Nothing, Interface, Bgp, RouteMap, Strange };
    void leave_out(std::string why) {
        const auto start = text_.find_first_not_of(" \t");
        // A password stays where it is.
        std::string shown{start == std::string_view::npos ? text_ : text_.substr(start)};
        if (const auto at = shown.find(" password "); at != std::string::npos)
            shown = shown.substr(0, at) + " password ********";
        out_.left_out.push_back({line_, std::move(shown), std::move(why)});
    }

    void take(FrrWords w) {
        const bool indented = text_.starts_with(' ') || text_.starts_with('\t');
        if (w.begins("exit-address-family")) family_ = Family::Ip4, known_family_ = true;
        if (w.begins("exit") || w.begins("end")) inside_ = Inside::Nothing;
        if (means_nothing_here(w)) return;
        if (!indented) inside_ = Inside::Nothing;
        switch (inside_) {
            case Inside::Interface:
                return interface(w);
            case Inside::Bgp:
                return bgp(w);
            case Inside::RouteMap:
                return route_map(w);
            case Inside::Strange:
                return leave_out("inside of a block that is not carried over");
            case Inside::Nothing:
                return top(w);
        }
    }

    void top(const FrrWords& w) {
        if (w.begins("hostname")) {
            out_.model.router.hostname = std::string{w[1]};
        } else if (w.begins("frr", "defaults")) {
            datacenter_ = w[2] == "datacenter";
        } else if (w.begins("interface")) {
            inside_ = Inside::Interface;
            begin_interface(w[1]);
        } else if (w.begins("router", "bgp")) {
            begin_bgp(w);
        } else if (w.begins("route-map")) {
            inside_ = Inside::RouteMap;
            maps_.begin(w, line_);
        } else if (FrrRouteMaps::is_list(w)) {
            if (auto why = maps_.take_list(w); !why.empty()) leave_out(std::move(why));
        } else if (w.begins("ip", "prefix-list") || w.begins("ipv6", "prefix-list")) {
            prefix_list(w);
        } else if (w.begins("ip", "route") || w.begins("ipv6", "route")) {
            route(w);
        } else {
            inside_ = w.begins("bfd") || w.begins("router") || w.begins("vrf") ? Inside::Strange
                                                                               : Inside::Nothing;
            leave_out(w.begins("router") ? "torii speaks BGP only" : "torii has nothing like it");
        }
    }

    void begin_interface(std::string_view name) {
        port_ = nullptr;
        if (name == "lo" || name.starts_with("dummy")) return;
        // Linux' name of VLAN 100 of eth1 is eth1.100.
        const auto dot = std::min(name.rfind('.'), name.size());
        const auto vlan =
            FrrWords{name.substr(std::min(dot + 1, name.size()))}.number<std::uint16_t>(0);
        const bool is_part = vlan && *vlan >= 1 && *vlan <= 4094;
        if (is_part) port_of(name.substr(0, dot));
        port_ = &port_of(name);
        interface_ = std::string{name};
        if (!is_part) return;
        port_->device = {};
        port_->parent = port_name(name.substr(0, dot));
        port_->vlan = vlan;
    }

    // The interface's port, made if it is new.
    Port& port_of(std::string_view interface) {
        auto& ports = out_.model.ports;
        const auto wanted = port_name(interface);
        for (auto& port : ports)
            if (port.name == wanted) return port;
        auto& port = ports.emplace_back();
        port.name = wanted;
        port.device = {DeviceKind::Netdev, std::string{interface}};
        return port;
    }

    void interface(const FrrWords& w) {
        if (!port_) return leave_out("torii has no loopback interface");
        if (w.begins("ip", "address") || w.begins("ipv6", "address")) {
            const auto address = InterfaceAddress::parse(w[2]);
            if (!address) return leave_out("no address with its length");
            port_->addresses.push_back(*address);
            addresses_.try_emplace(interface_, address->address);
        } else if (w.begins("description")) {
            port_->description = w.from(1);
        } else if (w.begins("shutdown")) {
            port_->shutdown = true;
        } else {
            leave_out("of an interface, addresses, description and shutdown are taken");
        }
    }

    void begin_bgp(const FrrWords& w) {
        if (out_.model.bgp || w.size() > 3) {
            inside_ = Inside::Strange;
            return leave_out("one BGP instance, no VRF");
        }
        const auto as = parse_asn(w[2]);
        if (!as) return leave_out("no AS number");
        inside_ = Inside::Bgp;
        family_ = Family::Ip4;
        auto& bgp = out_.model.bgp.emplace();
        bgp.asn = *as;
        bgp.listen_limit = 100;  // FRR's
        // FRR's defaults differ from ours; what ran before shall run again.
        bgp.defaults.hold_time = seconds{datacenter_ ? 9 : 180};
        bgp.defaults.keepalive = seconds{datacenter_ ? 3 : 60};
    }

    void bgp(FrrWords w) {
        auto& bgp = *out_.model.bgp;
        if (w.begins("address-family")) {
            known_family_ =
                (w[1] == "ipv4" || w[1] == "ipv6") && (w.size() < 3 || w[2] == "unicast");
            family_ = w[1] == "ipv6" ? Family::Ip6 : Family::Ip4;
            if (!known_family_) leave_out("only IPv4 and IPv6 unicast");
            return;
        }
        if (!known_family_) return leave_out("inside of an address family that torii has not");
        const bool negated = w.begins("no");
        if (negated) w.drop(1);
        if (w.begins("neighbor")) return neighbor(w, negated);
        if (negated) return no(w);
        const auto number = [&](std::size_t i) { return w.number<std::uint16_t>(i); };
        if (w.begins("bgp", "router-id")) {
            bgp.router_id = IpAddress::parse(w[2]);
        } else if (w.begins("bgp", "listen", "range")) {
            const auto range = Prefix::parse(w[3]);
            if (!range || w[4] != "peer-group") return leave_out("no range with a peer-group");
            bgp.listen.push_back({*range, frr_name(w[5]), std::nullopt});
        } else if (w.begins("bgp", "listen", "limit") && number(3)) {
            bgp.listen_limit = *number(3);
        } else if (w.begins("timers", "bgp") && number(2) && number(3)) {
            bgp.defaults.keepalive = seconds{*number(2)};
            bgp.defaults.hold_time = seconds{*number(3)};
        } else if (w.begins("bgp", "graceful-restart", "restart-time") && number(3)) {
            bgp.defaults.restart_time = seconds{*number(3)};
        } else if (w.begins("bgp", "graceful-restart", "stalepath-time") && number(3)) {
            bgp.defaults.stale_time = seconds{*number(3)};
        } else if (w.begins("bgp", "graceful-restart") && w.size() == 2) {
            bgp.defaults.graceful_restart = GracefulRestart::Full;
        } else if (w.begins("bgp", "graceful-restart-disable")) {
            bgp.defaults.graceful_restart = GracefulRestart::Off;
        } else if (w.begins("bgp", "graceful-shutdown")) {
            bgp.defaults.graceful_shutdown = true;
        } else if (w.begins("maximum-paths", "ibgp") && number(2)) {
            bgp.maximum_paths_ibgp = *number(2);
        } else if (w.begins("maximum-paths") && number(1)) {
            bgp.maximum_paths_ebgp = *number(1);
        } else if (w.begins("network")) {
            const auto prefix = Prefix::parse(w[1]);
            if (!prefix) return leave_out("no prefix");
            bgp.networks.push_back(*prefix);
            if (w.size() > 2) leave_out("options of network; the prefix itself is taken");
        } else if (w.begins("redistribute", "connected") || w.begins("redistribute", "static")) {
            const auto source = w[1] == "static" ? Redistribute::Static : Redistribute::Connected;
            if (std::ranges::find(bgp.redistribute, source) == bgp.redistribute.end())
                bgp.redistribute.push_back(source);
            if (w.size() > 2) leave_out("options of redistribute; the source itself is taken");
        } else {
            leave_out("torii has nothing like it");
        }
    }

    void no(const FrrWords& w) {
        if (w.begins("bgp", "ebgp-requires-policy"))
            requires_policy_ = false;
        else if (w.begins("bgp", "default", "ipv4-unicast"))
            ipv4_by_default_ = false;
        else if (w.begins("bgp", "enforce-first-as"))
            out_.model.bgp->defaults.enforce_first_as = false;
        else
            leave_out("torii has nothing like it");
    }

    void neighbor(FrrWords w, bool negated) {
        const auto name = IpAddress::parse(w[1]) ? std::string{w[1]} : frr_name(w[1]);
        w.drop(2);
        auto& peer = peers_[name];
        if (peer.line == 0) order_.push_back(name);
        if (peer.line == 0) peer.line = line_;
        if (w.begins("peer-group") && w.size() == 1) {
            peer.is_group = true;
        } else if (w.begins("peer-group")) {
            peer.group = frr_name(w[1]);
        } else if (w.begins("interface")) {
            leave_out("unnumbered: give the neighbor's link-local address, \"fe80::1@PORT\"");
        } else {
            auto why = take_frr_neighbor(peer, w, negated, family_, addresses_);
            if (!why.empty()) leave_out(std::move(why));
        }
    }

    void route_map(const FrrWords& w) {
        if (auto why = maps_.take(w); !why.empty()) leave_out(std::move(why));
    }

    // ip prefix-list NAME [seq N] permit|deny PREFIX [ge N] [le N]
    void prefix_list(FrrWords w) {
        if (w[3] == "description") return;
        const auto name = frr_name(w[2]);
        const bool v6 = w[0] == "ipv6";
        w.drop(3);
        const auto order =
            w[0] == "seq" ? w.number<std::uint32_t>(1).value_or(0) : next_order_ += 5;
        if (w[0] == "seq") w.drop(2);
        std::string rule = w.from(0);
        if (w[1] == "any") rule = std::string{w[0]} + (v6 ? " ::/0 le 128" : " 0.0.0.0/0 le 32");
        const auto parsed = PrefixRule::parse(rule);
        if (!parsed) return leave_out("no rule that torii understands");
        auto& rules = lists_[name];
        rules.push_back({order, *parsed});
        stable_sort(rules, [](const auto& a, const auto& b) { return a.first < b.first; });
    }

    // ip route PREFIX (ADDRESS [IFACE] | IFACE | blackhole | Null0 | reject) [DISTANCE]
    void route(const FrrWords& w) {
        const auto prefix = Prefix::parse(w[2]);
        if (!prefix) return leave_out("no prefix");
        auto& routes = out_.model.routes;
        auto same = std::ranges::find(routes, *prefix, &StaticRoute::prefix);
        StaticRoute fresh;
        fresh.prefix = *prefix;
        auto& route = same == routes.end() ? fresh : *same;
        std::size_t next = 4;
        if (w[3] == "blackhole" || w[3] == "Null0") {
            route.kind = StaticKind::Discard;
        } else if (w[3] == "reject") {
            route.kind = StaticKind::Unreachable;
        } else if (const auto address = IpAddress::parse(w[3])) {
            Via via{*address, std::nullopt, 1};
            if (!w[4].empty() && !w.number<std::uint8_t>(4)) via.port = port_name(w[next++]);
            route.via.push_back(via);
        } else {
            return leave_out("a route to an interface alone: name the router behind it");
        }
        if (const auto distance = w.number<std::uint8_t>(next); distance && *distance > 0)
            route.distance = *distance;
        if (same == routes.end()) routes.push_back(fresh);
    }

    void finish();
    void finish_peer(const std::string& name, FrrPeer& peer);
    void make_list(const std::string& name);
    void use_maps(FrrPeer& peer);
    void use_ranges();

    FrrImport out_;
    std::string_view text_;
    unsigned line_ = 0;
    Inside inside_ = Inside::Nothing;
    Family family_ = Family::Ip4;
    bool known_family_ = true, datacenter_ = false, requires_policy_ = true,
         ipv4_by_default_ = true;
    Port* port_ = nullptr;
    std::string interface_;
    std::map<std::string, IpAddress, std::less<>> addresses_;
    std::map<std::string, FrrPeer> peers_;
    std::vector<std::string> order_;
    FrrRouteMaps::PrefixLists lists_;
    FrrRouteMaps maps_;
    std::uint32_t next_order_ = 0;
};

// A route-map that asks for prefixes alone is flattened to one list: what a
// clause permits or denies.
void Importer::make_list(const std::string& name) {
    if (name == "any" || name == "none" || out_.model.find_prefix_list(name)) return;
    PrefixList list{name, {}};
    if (const auto* clauses = maps_.find(name)) {
        for (const auto& clause : *clauses) {
            const bool permit = clause.term.action == TermAction::Accept;
            if (!clause.term.match.prefix) {
                list.rules.push_back({permit, true, {}, 0, 0});
                continue;
            }
            for (const auto& [_, rule] : lists_[clause.term.match.prefix->front()]) {
                // What a clause's list denies goes on to the next clause there.
                if (!rule.permit && !(permit && &clause == &clauses->back())) {
                    out_.left_out.push_back(
                        {clause.line, "route-map " + name + ": " + rule.to_string(),
                         "a denied prefix that continues to the next clause has no equivalent"});
                    continue;
                }
                list.rules.push_back(rule);
                list.rules.back().permit = rule.permit && permit;
            }
        }
    } else {
        for (const auto& [_, rule] : lists_[name]) list.rules.push_back(rule);
    }
    out_.model.prefix_lists.push_back(std::move(list));
}

// Route-maps become policies, or prefix lists where those are equivalent and the
// peer has no other list, which would be read as one with it.
void Importer::use_maps(FrrPeer& peer) {
    const auto use = [&](const std::vector<std::string>& maps, std::vector<std::string>& lists,
                         std::optional<std::vector<std::string>>& policies) {
        for (const auto& map : maps) {
            if (maps_.plain(map) && lists.empty()) {
                lists.push_back(map);
                continue;
            }
            if (!policies) policies.emplace();
            policies->push_back(map);
            auto& known = out_.model.policies;
            if (std::ranges::find(known, map, &Policy::name) == known.end())
                known.push_back(maps_.policy(map, lists_));
        }
    };
    use(peer.import_maps, peer.imports, peer.settings.import_policies);
    use(peer.export_maps, peer.exports, peer.settings.export_policies);
}

void Importer::finish_peer(const std::string& name, FrrPeer& peer) {
    auto& s = peer.settings;
    use_maps(peer);
    if (!peer.imports.empty()) s.import_lists = peer.imports;
    if (!peer.exports.empty()) s.export_lists = peer.exports;
    if (peer.ipv4 || peer.ipv6) {
        // A member without settings of a family inherits its group's.
        const auto group = peers_.find(peer.group);
        const bool of_group = group != peers_.end();
        std::vector<Family> families;
        if (peer.ipv4.value_or(of_group ? group->second.ipv4.value_or(ipv4_by_default_)
                                        : ipv4_by_default_))
            families.push_back(Family::Ip4);
        if (peer.ipv6.value_or(of_group && group->second.ipv6.value_or(false)))
            families.push_back(Family::Ip6);
        s.families = families;
    }
    auto& bgp = *out_.model.bgp;
    if (peer.is_group) {
        bgp.groups.push_back({name, std::nullopt, s});
        return;
    }
    const auto address = IpAddress::parse(name);
    if (!address) {
        out_.left_out.push_back({peer.line, "neighbor " + name,
                                 "neither an address nor a peer-group; unnumbered peers need their "
                                 "link-local address"});
        return;
    }
    Neighbor neighbor;
    neighbor.address = *address;
    if (!peer.group.empty()) neighbor.group = peer.group;
    neighbor.settings = s;
    bgp.neighbors.push_back(std::move(neighbor));
}

void Importer::finish() {
    if (!out_.model.bgp) {
        for (const auto& [name, _] : lists_) make_list(name);
        return;
    }
    auto& bgp = *out_.model.bgp;
    bgp.defaults.families = std::vector<Family>{};
    if (ipv4_by_default_) bgp.defaults.families->push_back(Family::Ip4);
    if (bgp.defaults.families->empty()) bgp.defaults.families.reset();
    if (!requires_policy_)
        bgp.defaults.import_lists = bgp.defaults.export_lists = std::vector<std::string>{"any"};
    for (const bool groups : {true, false})
        for (const auto& name : order_)
            if (peers_[name].is_group == groups) finish_peer(name, peers_[name]);
    std::set<std::string> used;
    for (const auto& [_, peer] : peers_) {
        used.insert(peer.imports.begin(), peer.imports.end());
        used.insert(peer.exports.begin(), peer.exports.end());
    }
    for (const auto& policy : out_.model.policies)
        for (const auto& term : policy.terms)
            if (term.match.prefix)
                used.insert(term.match.prefix->begin(), term.match.prefix->end());
    for (const auto& name : used) make_list(name);
    maps_.put_lists(out_.model);
}

void Importer::use_ranges() {
    if (!out_.model.bgp) return;
    auto& bgp = *out_.model.bgp;
    std::map<std::pair<std::string, Prefix>, std::size_t> plain;
    const auto range_of = [&](const Neighbor& n) -> std::optional<std::pair<std::string, Prefix>> {
        if (!n.group) return std::nullopt;
        auto s = n.settings;
        s.description.reset();
        const auto* group = bgp.find_group(*n.group);
        if (s != PeerSettings{} || !group || !group->settings.remote_as) return std::nullopt;
        const Port* port = port_towards(out_.model, n.address);
        if (!port) return std::nullopt;
        for (const auto& own : port->addresses)
            if (own.network().contains(n.address)) return std::pair{*n.group, own.network()};
        return std::nullopt;
    };
    for (const auto& n : bgp.neighbors)
        if (const auto range = range_of(n)) ++plain[*range];
    std::erase_if(plain, [](const auto& entry) { return entry.second < 2; });
    std::erase_if(bgp.neighbors, [&](const Neighbor& n) {
        const auto range = range_of(n);
        return range && plain.contains(*range);
    });
    for (const auto& [range, _] : plain) {
        const ListenRange wanted{range.second, range.first, std::nullopt};
        if (std::ranges::find(bgp.listen, wanted) == bgp.listen.end()) bgp.listen.push_back(wanted);
    }
    bgp.listen_limit = std::max<std::uint32_t>(bgp.listen_limit, 4096);
}

}  // namespace

FrrImport import_frr(std::string_view text, Members members) {
    return Importer{}.run(text, members);
}

}  // namespace torii::config
