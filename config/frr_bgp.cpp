#include "config/frr_bgp.hpp"

#include <algorithm>

#include "config/value_text.hpp"

namespace torii::config {
namespace {

constexpr const char* kNothing = "torii has nothing like it";

// Lines about what torii does anyway, or about FRR's own operation.
bool means_nothing_here(const FrrWords& w) {
    return w.begins("bgp", "log-neighbor-changes") || w.begins("bgp", "deterministic-med") ||
           w.begins("bgp", "fast-external-failover") ||
           w.begins("bgp", "default", "show-hostname") ||
           w.begins("bgp", "default", "show-nexthop-hostname") ||
           w.begins("bgp", "graceful-restart", "notification") ||
           w.begins("bgp", "route-reflector");
}

}  // namespace

void FrrDefaults::take(const FrrWords& w) {
    if (w[1] == "defaults") {
        datacenter = w[2] == "datacenter";
    } else if (w[1] == "version") {
        const auto dot = std::min(w[2].find('.'), w[2].size());
        const auto rest = w[2].substr(std::min(dot + 1, w[2].size()));
        const auto digits = rest.substr(0, rest.find_first_not_of("0123456789"));
        if (const auto number = FrrWords{w[2].substr(0, dot)}.number<unsigned>(0)) {
            major = *number;
            minor = FrrWords{digits}.number<unsigned>(0).value_or(0);
        }
    }
}

bool FrrBgp::begin(const FrrLine& line, const FrrDefaults& defaults) {
    const auto& w = line.words;
    const auto as = parse_asn(w[2]);
    const bool again = model_.bgp && as && model_.bgp->asn == *as && w.size() == 3;
    leave_family();
    if (again) return true;
    if (model_.bgp || w.size() > 3) {
        report_.add(line, "one BGP instance, no VRF");
        return false;
    }
    if (!as) {
        report_.add(line, "no AS number");
        return false;
    }
    defaults_ = defaults;
    requires_policy_ = !defaults.datacenter && !defaults.before(7, 4);
    import_check_ = !defaults.before(7, 4);
    auto& bgp = model_.bgp.emplace();
    bgp.asn = *as;
    bgp.listen_limit = 100;  // FRR's
    // FRR's defaults differ from ours; what ran before shall run again.
    bgp.defaults.hold_time = seconds{defaults.datacenter ? 9 : 180};
    bgp.defaults.keepalive = seconds{defaults.datacenter ? 3 : 60};
    if (defaults.before(9, 1)) bgp.defaults.enforce_first_as = false;
    bgp.multipath_relax = false;
    report_.add({0, "allow_as_set = false",
                 "paths with an AS_SET are refused (RFC 9774), FRR takes them",
                 FrrEffect::Changed});
    return true;
}

void FrrBgp::take(const FrrLine& line) {
    auto w = line.words;
    if (w.begins("address-family")) {
        known_family_ = (w[1] == "ipv4" || w[1] == "ipv6") && (w.size() < 3 || w[2] == "unicast");
        family_ = w[1] == "ipv6" ? Family::Ip6 : Family::Ip4;
        in_family_ = true;
        if (!known_family_) report_.add(line, "only IPv4 and IPv6 unicast");
        return;
    }
    const bool negated = w.begins("no");
    if (negated) w.drop(1);
    auto behind_name = w;
    behind_name.drop(2);
    const bool of_a_family = w.begins("neighbor") ? is_frr_family_line(behind_name)
                                                  : !w.begins("bgp") && !w.begins("timers");
    if (!known_family_ && of_a_family)
        return report_.add(line, "inside of an address family that torii has not");
    // What no family has leaves the family that was entered.
    if (!of_a_family && (!w.begins("neighbor") || !w[3].starts_with("peer-group"))) leave_family();
    if (means_nothing_here(w)) return;
    if (w.begins("neighbor")) return neighbor(line, w, negated);
    if (of_a_family) return of_family(line, w, negated);
    general(line, w, negated);
}

bool FrrBgp::decision(const FrrWords& w, bool on) {
    auto& bgp = *model_.bgp;
    if (w.begins("bgp", "always-compare-med")) {
        bgp.always_compare_med = on;
    } else if (w.begins("bgp", "bestpath", "compare-routerid")) {
        bgp.compare_router_id = on;
    } else if (w.begins("bgp", "bestpath", "med") && w.contains("missing-as-worst")) {
        bgp.missing_med_as_worst = on;
    } else if (w.begins("bgp", "bestpath", "as-path", "multipath-relax")) {
        bgp.multipath_relax = on;
    } else {
        return false;
    }
    return true;
}

bool FrrBgp::restart(const FrrWords& w, bool on) {
    auto& defaults = model_.bgp->defaults;
    const auto number = w.number<std::uint16_t>(3);
    if (w.begins("bgp", "graceful-restart-disable")) {
        defaults.graceful_restart = on ? GracefulRestart::Off : GracefulRestart::Helper;
    } else if (w.begins("bgp", "graceful-shutdown")) {
        defaults.graceful_shutdown = on;
    } else if (w.begins("bgp", "graceful-restart") && w.size() == 2) {
        defaults.graceful_restart = on ? GracefulRestart::Full : GracefulRestart::Helper;
    } else if (!on || !number || !w.begins("bgp", "graceful-restart")) {
        return false;
    } else if (w[2] == "restart-time") {
        defaults.restart_time = seconds{*number};
    } else if (w[2] == "stalepath-time") {
        defaults.stale_time = seconds{*number};
    } else if (w[2] == "select-defer-time") {
        model_.bgp->restart_deferral = seconds{*number};
    } else {
        return false;
    }
    return true;
}

// What holds for the instance.
void FrrBgp::general(const FrrLine& line, const FrrWords& w, bool negated) {
    auto& bgp = *model_.bgp;
    const bool on = !negated;
    const auto number = [&](std::size_t i) { return w.number<std::uint16_t>(i); };
    if (decision(w, on) || restart(w, on)) return;
    if (w.begins("bgp", "ebgp-requires-policy")) {
        requires_policy_ = on;
    } else if (w.begins("bgp", "network", "import-check")) {
        import_check_ = on;
    } else if (w.begins("bgp", "default", "ipv4-unicast")) {
        by_default_[0] = on;
    } else if (w.begins("bgp", "default", "ipv6-unicast")) {
        by_default_[1] = on;
    } else if (w.begins("bgp", "enforce-first-as")) {
        bgp.defaults.enforce_first_as = on;
    } else if (negated) {
        report_.add(line, kNothing);
    } else if (w.begins("bgp", "router-id")) {
        bgp.router_id = IpAddress::parse(w[2]);
        if (!bgp.router_id) report_.add(line, "no address");
    } else if (w.begins("bgp", "cluster-id")) {
        const auto as_number = w.number<std::uint32_t>(2);
        bgp.cluster_id = as_number ? IpAddress::v4(*as_number) : IpAddress::parse(w[2]);
        if (!bgp.cluster_id) report_.add(line, "no cluster");
    } else if (w.begins("bgp", "listen", "range")) {
        const auto range = Prefix::parse(w[3]);
        if (!range || w[4] != "peer-group") return report_.add(line, "no range with a peer-group");
        ranges_.push_back({*range, std::string{w[5]}, line});
    } else if (w.begins("bgp", "listen", "limit") && number(3)) {
        bgp.listen_limit = *number(3);
    } else if (w.begins("timers", "bgp") && number(2) && number(3)) {
        if (*number(2) > 0) bgp.defaults.keepalive = seconds{*number(2)};
        bgp.defaults.hold_time = seconds{*number(3)};
    } else {
        report_.add(line, kNothing);
    }
}

// What holds for a family.
void FrrBgp::of_family(const FrrLine& line, const FrrWords& w, bool negated) {
    auto& bgp = *model_.bgp;
    const bool ibgp = w[1] == "ibgp";
    if (negated) return report_.add(line, kNothing);
    if (w.begins("maximum-paths") && w.number<std::uint16_t>(ibgp ? 2 : 1)) {
        paths_[static_cast<std::size_t>(family_)][ibgp] = w.number<std::uint16_t>(ibgp ? 2 : 1);
    } else if (w.begins("network")) {
        std::size_t used = 1;
        const auto prefix = frr_prefix(w, 1, used, true);
        if (!prefix) return report_.add(line, "no prefix");
        networks_.push_back({line, prefix->family(), *prefix, w.size() > 1 + used});
    } else if (w.begins("redistribute", "connected") || w.begins("redistribute", "static")) {
        redistributed_.push_back({line, family_, {}, w.contains("route-map", 2)});
        if (w.contains("metric", 2)) report_.add(line, "the metric; the source itself is taken");
    } else if (w.begins("aggregate-address")) {
        std::size_t used = 1;
        const auto prefix = frr_prefix(w, 1, used, false);
        if (!prefix) return report_.add(line, "no prefix");
        Aggregate out{*prefix, w.contains("summary-only")};
        if (w.size() > 1 + used + (out.summary_only ? 1u : 0u))
            return report_.add(
                line, "options of aggregate-address that torii has not; it is not announced",
                FrrEffect::Narrower);
        bgp.aggregates.push_back(out);
        report_.add({line.number, std::string{line.text},
                     "torii discards what goes to an aggregate and to nothing inside it",
                     FrrEffect::Changed});
    } else if (w.begins("table-map")) {
        report_.add(line, "all accepted routes are installed, not those of the map alone",
                    FrrEffect::Wider);
    } else if (w.begins("redistribute")) {
        report_.add(line, "connected and static routes can be announced, no others",
                    FrrEffect::Narrower);
    } else {
        report_.add(line, kNothing);
    }
}

void FrrBgp::neighbor(const FrrLine& line, FrrWords w, bool negated) {
    const std::string name{w[1]};
    w.drop(2);
    auto& peer = peers_[name];
    if (peer.line.number == 0) {
        order_.push_back(name);
        peer.line = line;
    }
    const bool group = w.begins("peer-group");
    if (group && w.size() == 1) {
        peer.is_group = !negated;
    } else if (group) {
        peer.group = negated ? "" : std::string{w[1]};
    } else if (w.begins("interface") && (w.size() > 2 || !IpAddress::parse(name))) {
        report_.add(line, "unnumbered: give the neighbor's link-local address, \"fe80::1@PORT\"");
    } else {
        take_frr_neighbor(peer, line, w, negated, family_, report_);
    }
}

}  // namespace torii::config
