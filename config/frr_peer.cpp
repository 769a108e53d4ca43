#include "config/frr_peer.hpp"

#include <algorithm>

#include "config/value_text.hpp"

namespace torii::config {
namespace {

constexpr const char* kNotANumber = "a number is wanted there";
constexpr const char* kNothing = "torii has nothing like it";
constexpr const char* kNotNegated = "only what is on by default can be negated";

std::string take_remote_as(FrrPeer& peer, std::string_view word) {
    RemoteAs as;
    if (word == "external") {
        as.kind = RemoteAs::Kind::External;
    } else if (word == "internal") {
        as.kind = RemoteAs::Kind::Internal;
    } else if (const auto number = parse_asn(word)) {
        as.asn = *number;
    } else {
        return "no AS number";
    }
    peer.settings.remote_as = as;
    return "";
}

std::string take_timers(FrrPeer& peer, const FrrWords& words) {
    if (words[1] == "connect") {
        const auto retry = words.number<std::uint16_t>(2);
        if (!retry) return kNotANumber;
        peer.settings.connect_retry = seconds{*retry};
        return "";
    }
    const auto keepalive = words.number<std::uint16_t>(1), hold = words.number<std::uint16_t>(2);
    if (!keepalive || !hold) return words[1] == "delayopen" ? kNothing : kNotANumber;
    if (*keepalive > 0) peer.settings.keepalive = seconds{*keepalive};
    peer.settings.hold_time = seconds{*hold};
    return "";
}

// bfd [MULTIPLIER RECEIVE TRANSMIT | profile NAME]
std::string take_bfd(FrrPeer& peer, const FrrWords& words, bool negated) {
    auto& bfd = peer.settings.bfd;
    if (negated) {
        bfd.reset();
        return "";
    }
    if (!bfd) bfd.emplace();
    if (words.size() == 1) return "";
    if (words[1] == "profile") {
        peer.bfd_profile = std::string{words[2]};
        return "";
    }
    const auto multiplier = words.number<std::uint8_t>(1);
    const auto receive = words.number<std::uint16_t>(2), transmit = words.number<std::uint16_t>(3);
    if (!multiplier || !receive || !transmit) return kNothing;
    bfd->multiplier = *multiplier;
    bfd->receive = milliseconds{*receive};
    bfd->transmit = milliseconds{*transmit};
    return "";
}

std::string take_role(FrrPeer& peer, const FrrWords& words) {
    constexpr std::pair<std::string_view, PeerRole> kRoles[] = {
        {"provider", PeerRole::Provider},
        {"rs-server", PeerRole::RouteServer},
        {"rs-client", PeerRole::RouteServerClient},
        {"customer", PeerRole::Customer},
        {"peer", PeerRole::Peer}};
    for (const auto& [word, role] : kRoles)
        if (words[1] == word) peer.settings.role = role;
    if (words[2] == "strict-mode") peer.settings.strict_role = true;
    return peer.settings.role ? "" : "no role";
}

// maximum-prefix LIMIT [THRESHOLD] [warning-only | restart MINUTES | force]
std::string take_maximum_prefix(FrrFamily& family, const FrrWords& words, bool negated) {
    if (negated) {
        family.max_prefix.reset();
        return "";
    }
    const auto limit = words.number<std::uint32_t>(1);
    if (!limit || *limit == 0) return kNotANumber;
    MaxPrefix max;
    max.limit = *limit;
    for (std::size_t i = 2; i < words.size(); ++i) {
        if (const auto percent = words.number<std::uint8_t>(i); percent && i == 2)
            max.warn_percent = std::clamp<std::uint8_t>(*percent, 1, 100);
        else if (words[i] == "warning-only")
            max.action = MaxPrefixAction::Warn;
        else if (words[i] == "restart")
            max.restart = std::chrono::minutes{words.number<std::uint16_t>(++i).value_or(0)};
    }
    family.max_prefix = max;
    return "";
}

std::string take_filter(FrrFamily& family, const FrrWords& words, bool negated) {
    const bool in = words[2] == "in";
    if (!in && words[2] != "out") return "neither in nor out";
    auto& filter = in ? family.in : family.out;
    auto& name = words[0] == "prefix-list"       ? filter.prefix_list
                 : words[0] == "distribute-list" ? filter.access_list
                 : words[0] == "filter-list"     ? filter.as_path_list
                                                 : filter.route_map;
    name = negated ? "" : std::string{words[1]};
    return "";
}

// FRR sends all kinds unless a line negates it.
std::string take_send_community(FrrFamily& family, std::string_view kind, bool on) {
    const bool all = kind == "all", both = all || kind == "both";
    if (both || kind.empty() || kind == "standard") family.standard = on;
    if (both || kind == "extended") family.extended = on;
    if (all || kind == "large") family.large = on;
    return "";
}

template <class T>
void inherit_one(T& own, const T& group) {
    if (!own) own = group;
}

FrrFilter filter_over(FrrFilter own, const FrrFilter& group) {
    const auto one = [](std::string& mine, const std::string& theirs) {
        if (mine.empty()) mine = theirs;
    };
    one(own.prefix_list, group.prefix_list);
    one(own.access_list, group.access_list);
    one(own.as_path_list, group.as_path_list);
    one(own.route_map, group.route_map);
    one(own.odd, group.odd);
    return own;
}

// Why the line was not taken, "" when it was, and what that means.
struct Answer {
    std::string why;
    FrrEffect effect = FrrEffect::Lost;
};

Answer of_family(FrrFamily& family, const FrrLine& line, const FrrWords& words, bool negated) {
    const auto what = words[0];
    const bool on = !negated;
    struct Switch {
        std::string_view word;
        std::optional<bool> FrrFamily::*member;
    };
    constexpr Switch kSwitches[] = {
        {"activate", &FrrFamily::active},
        {"next-hop-self", &FrrFamily::next_hop_self},
        {"route-reflector-client", &FrrFamily::route_reflector_client},
        {"route-server-client", &FrrFamily::route_server_client},
        {"as-override", &FrrFamily::as_override},
        {"addpath-tx-all-paths", &FrrFamily::add_path},
        {"addpath-tx-bestpath-per-AS", &FrrFamily::add_path},
    };
    for (const auto& [word, member] : kSwitches)
        if (what == word) {
            family.*member = on;
            return {};
        }
    if (what == "soft-reconfiguration") return {};  // routes are always kept as received
    if (what == "send-community") return {take_send_community(family, words[1], on)};
    if (what == "maximum-prefix") return {take_maximum_prefix(family, words, negated)};
    if (what == "prefix-list" || what == "route-map" || what == "distribute-list" ||
        what == "filter-list")
        return {take_filter(family, words, negated)};
    if (what == "default-originate") {
        if (on && words.size() > 1) {
            return {"a default route under a condition: none is announced", FrrEffect::Narrower};
        }
        family.default_originate = on;
        return {};
    }
    if (what == "allowas-in") {
        if (words[1] == "origin") {
            return {"\"origin\": paths with our own AS are refused", FrrEffect::Narrower};
        }
        family.allowas_in = on ? words.number<std::uint8_t>(1).value_or(3) : 0;
        return {};
    }
    if (what == "remove-private-AS") {
        family.remove_private_as = !on                            ? RemovePrivateAs::Off
                                   : words.contains("replace-AS") ? RemovePrivateAs::Replace
                                   : words.contains("all")        ? RemovePrivateAs::All
                                                                  : RemovePrivateAs::Private;
        return {};
    }
    if (what == "attribute-unchanged") {
        const bool all = words.size() == 1;
        if (all || words.contains("next-hop")) family.next_hop_unchanged = on;
        if (!all && !words.contains("as-path") && !words.contains("med")) return {};
        return {"AS path and MED are changed as to any peer"};
    }
    // What it holds back must not be announced.
    if (on && (what == "advertise-map" || what == "maximum-prefix-out" || what == "soo")) {
        family.out.odd = std::string{line.text};
        return {"it holds routes back in a way that torii has not: nothing is announced",
                FrrEffect::Narrower};
    }
    if (on && what == "unsuppress-map") return {kNothing, FrrEffect::Narrower};
    if (what == "weight")
        return {"FRR's weight is compared before LOCAL_PREF; set local_pref in a policy"};
    return {kNothing};
}

std::string of_peer(FrrPeer& peer, const FrrWords& words, bool negated) {
    auto& s = peer.settings;
    const auto what = words[0];
    const bool on = !negated;
    if (what == "shutdown") {
        s.shutdown = on;
        if (on && words[1] == "message") s.shutdown_message = words.from(2);
        return "";
    }
    if (what == "passive" || what == "enforce-first-as" || what == "graceful-shutdown") {
        (what == "passive"            ? s.passive
         : what == "enforce-first-as" ? s.enforce_first_as
                                      : s.graceful_shutdown) = on;
        return "";
    }
    if (what == "bfd") return take_bfd(peer, words, negated);
    if (what == "capability" && words[1] == "extended-nexthop") {
        s.extended_next_hop = on;
        return "";
    }
    if (negated) return kNotNegated;
    if (what == "remote-as") return take_remote_as(peer, words[1]);
    if (what == "local-role") return take_role(peer, words);
    if (what == "description") {
        s.description = words.from(1).substr(0, 255);
        return "";
    }
    if (what == "password") {
        s.passwords = std::vector<std::string>{words.from(1)};
        return "";
    }
    if (what == "timers") return take_timers(peer, words);
    if (what == "ebgp-multihop") {
        s.multihop = words.number<std::uint8_t>(1).value_or(255);
        return "";
    }
    if (what == "ttl-security") {
        const auto hops = words.number<std::uint8_t>(2);
        if (!hops) return kNotANumber;
        s.ttl_security = *hops;
        return "";
    }
    if (what == "update-source") {
        s.update_source = IpAddress::parse(words[1]);
        if (!s.update_source) peer.update_source = std::string{words[1]};
        return "";
    }
    if (what == "local-as") {
        const auto as = parse_asn(words[1]);
        if (!as) return "no AS number";
        s.local_as = *as;
        return words.size() > 2 ? "options of local-as; the AS itself is taken" : "";
    }
    if (what == "advertisement-interval") {
        const auto interval = words.number<std::uint16_t>(1);
        if (!interval) return kNotANumber;
        s.advertisement_interval = seconds{*interval};
        return "";
    }
    if (what == "port") {
        s.port = words.number<std::uint16_t>(1);
        return s.port ? "" : kNotANumber;
    }
    if (what == "interface" && words.size() == 2) {
        peer.interface = std::string{words[1]};
        return "";
    }
    if (what == "graceful-restart" || what == "graceful-restart-helper") {
        s.graceful_restart =
            what == "graceful-restart" ? GracefulRestart::Full : GracefulRestart::Helper;
        return "";
    }
    if (what == "graceful-restart-disable") {
        s.graceful_restart = GracefulRestart::Off;
        return "";
    }
    if (what == "disable-connected-check")
        return "a neighbor that is not on a link wants multihop = 1";
    return kNothing;
}

}  // namespace

FrrFamily FrrFamily::over(const FrrFamily& group) const {
    auto sum = *this;
    inherit_one(sum.active, group.active);
    for (auto member :
         {&FrrFamily::next_hop_self, &FrrFamily::route_reflector_client,
          &FrrFamily::route_server_client, &FrrFamily::default_originate, &FrrFamily::as_override,
          &FrrFamily::next_hop_unchanged, &FrrFamily::add_path, &FrrFamily::standard,
          &FrrFamily::extended, &FrrFamily::large})
        inherit_one(sum.*member, group.*member);
    inherit_one(sum.allowas_in, group.allowas_in);
    inherit_one(sum.remove_private_as, group.remove_private_as);
    inherit_one(sum.max_prefix, group.max_prefix);
    sum.in = filter_over(in, group.in);
    sum.out = filter_over(out, group.out);
    return sum;
}

bool is_frr_family_line(const FrrWords& words) {
    constexpr std::string_view kWords[] = {"activate",
                                           "addpath-tx-all-paths",
                                           "addpath-tx-bestpath-per-AS",
                                           "advertise-map",
                                           "allowas-in",
                                           "as-override",
                                           "attribute-unchanged",
                                           "dampening",
                                           "default-originate",
                                           "distribute-list",
                                           "filter-list",
                                           "maximum-prefix",
                                           "maximum-prefix-out",
                                           "next-hop-self",
                                           "prefix-list",
                                           "remove-private-AS",
                                           "route-map",
                                           "route-reflector-client",
                                           "route-server-client",
                                           "send-community",
                                           "soft-reconfiguration",
                                           "soo",
                                           "unsuppress-map",
                                           "weight",
                                           "disable-addpath-rx"};
    if (words[0] == "capability") return words[1] == "orf";
    return std::ranges::find(kWords, words[0]) != std::end(kWords);
}

void take_frr_neighbor(FrrPeer& peer, const FrrLine& line, const FrrWords& words, bool negated,
                       Family family, FrrReport& report) {
    if (is_frr_family_line(words)) {
        auto& of = peer.families[static_cast<std::size_t>(family)];
        auto answer = of_family(of, line, words, negated);
        if (!answer.why.empty()) report.add(line, std::move(answer.why), answer.effect);
    } else if (auto why = of_peer(peer, words, negated); !why.empty()) {
        report.add(line, std::move(why));
    }
}

}  // namespace torii::config
