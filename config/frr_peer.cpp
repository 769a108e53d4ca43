#include "config/frr_peer.hpp"

#include <algorithm>

#include "config/value_text.hpp"

namespace torii::config {
namespace {

constexpr const char* kNotANumber = "a number is wanted there";

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
    if (!keepalive || !hold) return kNotANumber;
    if (*keepalive > 0) peer.settings.keepalive = seconds{*keepalive};
    peer.settings.hold_time = seconds{*hold};
    return "";
}

// maximum-prefix LIMIT [THRESHOLD] [warning-only | restart MINUTES]
std::string take_maximum_prefix(FrrPeer& peer, const FrrWords& words) {
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
    peer.settings.max_prefix = max;
    return "";
}

std::string take_policy(FrrPeer& peer, const FrrWords& words) {
    const auto name = frr_name(words[1]);
    const bool in = words[2] == "in", map = words[0] == "route-map";
    if (!in && words[2] != "out") return "neither in nor out";
    auto& names = map ? in ? peer.import_maps : peer.export_maps : in ? peer.imports : peer.exports;
    if (std::ranges::find(names, name) == names.end()) names.push_back(name);
    return "";
}

// bfd [MULTIPLIER RECEIVE TRANSMIT]
std::string take_bfd(FrrPeer& peer, const FrrWords& words, bool negated) {
    auto& bfd = peer.settings.bfd;
    if (negated) {
        bfd.reset();
        return "";
    }
    if (!bfd) bfd.emplace();
    if (words.size() == 1) return "";
    const auto multiplier = words.number<std::uint8_t>(1);
    const auto receive = words.number<std::uint16_t>(2), transmit = words.number<std::uint16_t>(3);
    if (!multiplier || !receive || !transmit)
        return "BFD is on, with torii's own intervals; write them into the bfd block";
    bfd->multiplier = *multiplier;
    bfd->receive = milliseconds{*receive};
    bfd->transmit = milliseconds{*transmit};
    return "";
}

std::string take_send_community(FrrPeer& peer, std::string_view kind, bool negated) {
    auto& out = peer.settings.send_community;
    if (negated)
        out = SendCommunity::None;
    else if (kind == "both" || kind == "all")
        out = SendCommunity::All;
    else if (kind == "extended")
        out = SendCommunity::Extended;
    else if (kind == "large")
        out = SendCommunity::Large;
    else
        out = SendCommunity::Standard;
    return "";
}

}  // namespace

std::string take_frr_neighbor(FrrPeer& peer, const FrrWords& words, bool negated, Family family,
                              const std::map<std::string, IpAddress, std::less<>>& addresses) {
    auto& s = peer.settings;
    const auto what = words[0];
    const bool on = !negated;
    if (what == "activate") {
        (family == Family::Ip4 ? peer.ipv4 : peer.ipv6) = on;
        return "";
    }
    struct Switch {
        std::string_view word;
        std::optional<bool> PeerSettings::*member;
    };
    constexpr Switch kSwitches[] = {
        {"passive", &PeerSettings::passive},
        {"shutdown", &PeerSettings::shutdown},
        {"next-hop-self", &PeerSettings::next_hop_self},
        {"route-reflector-client", &PeerSettings::route_reflector_client},
        {"default-originate", &PeerSettings::default_originate},
        {"as-override", &PeerSettings::as_override},
        {"enforce-first-as", &PeerSettings::enforce_first_as},
        {"graceful-shutdown", &PeerSettings::graceful_shutdown},
    };
    for (const auto& [word, member] : kSwitches) {
        if (what != word) continue;
        s.*member = on;
        return what == "default-originate" && words.size() > 1
                   ? "the route-map of default-originate: it is announced always"
                   : "";
    }
    if (what == "send-community") return take_send_community(peer, words[1], negated);
    if (what == "soft-reconfiguration") return "";  // routes are always kept as received
    if (what == "bfd") return take_bfd(peer, words, negated);
    if (negated) return "only what is on by default can be negated";
    if (what == "remote-as") return take_remote_as(peer, words[1]);
    if (what == "description") {
        s.description = words.from(1).substr(0, 255);
        return "";
    }
    if (what == "password") {
        s.passwords = std::vector<std::string>{words.from(1)};
        return "";
    }
    if (what == "timers") return take_timers(peer, words);
    if (what == "maximum-prefix") return take_maximum_prefix(peer, words);
    if (what == "prefix-list" || what == "route-map") return take_policy(peer, words);
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
        const auto address = IpAddress::parse(words[1]);
        const auto port = addresses.find(words[1]);
        if (!address && port == addresses.end()) return "the interface has no address here";
        s.update_source = address ? *address : port->second;
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
    if (what == "capability" && words[1] == "extended-nexthop") {
        s.extended_next_hop = true;
        return "";
    }
    if (what == "capability" && words[1] == "dynamic") return "dynamic capability is not supported";
    if (what == "allowas-in") {
        s.allowas_in = words.number<std::uint8_t>(1).value_or(3);
        return "";
    }
    if (what == "remove-private-AS") {
        const auto all = words.from(1);
        s.remove_private_as = all.find("replace-AS") != std::string::npos ? RemovePrivateAs::Replace
                              : all.find("all") != std::string::npos      ? RemovePrivateAs::All
                                                                     : RemovePrivateAs::Private;
        return "";
    }
    if (what == "addpath-tx-all-paths" || what == "addpath-tx-bestpath-per-AS") {
        s.add_path = AddPath::Send;
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
    if (what == "distribute-list" || what == "filter-list")
        return "access lists; write a prefix list instead";
    return "torii has nothing like it";
}

}  // namespace torii::config
