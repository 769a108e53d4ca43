#pragma once

#include "config/field.hpp"

namespace torii::config {

template <>
struct Fields<MaxPrefix> {
    static constexpr bool kShorthand = true;
    static constexpr std::tuple kAll{
        field("limit", &MaxPrefix::limit,
              {.doc = "Prefixes of each family that are allowed; one more is one too many.",
               .required = true,
               .limits = {1, 0xffffffffLL}}),
        field("action", &MaxPrefix::action,
              {.doc = "What the one too many causes: a warning, its own loss, or Cease 6/1."}),
        field("warn_percent", &MaxPrefix::warn_percent,
              {.doc = "Share of the limit at which a warning is logged.", .limits = {1, 100}}),
        field("restart", &MaxPrefix::restart,
              {.doc = "After a close, try again after this time; 0: stay down until cleared."}),
    };
};

// Defaults are those of built_in_peer_settings().
template <>
struct Fields<PeerSettings> {
    using P = PeerSettings;
    static constexpr std::tuple kAll{
        field("description", &P::description, {.doc = "Free text, shown where the peer is."}),
        field("remote_as", &P::remote_as,
              {.doc = "AS of the other end: a number, \"external\" (any but ours) or \"internal\" "
                      "(ours).",
               .cost = Cost::Reset}),
        field("local_as", &P::local_as,
              {.doc = "Show this AS to the peer instead of bgp.asn. eBGP only.",
               .cost = Cost::Reset,
               .unset = "bgp.asn"}),
        field("shutdown", &P::shutdown,
              {.doc = "Keep the session down (Cease 6/2).", .cost = Cost::Reset}),
        field("passive", &P::passive,
              {.doc = "Never dial, only answer. Members of a listen range always are.",
               .cost = Cost::NextSession}),
        field("families", &P::families, {.doc = "Address families to offer.", .cost = Cost::Reset}),
        field("password", &P::passwords,
              {.doc = "TCP MD5 key (RFC 2385). The kernel knows one key an address, so both ends "
                      "change it together and the session restarts; of a list only the first "
                      "one counts, the others are notes for the way back.",
               .cost = Cost::Reset,
               .secret = true,
               .unset = "no authentication"}),
        field("ttl_security", &P::ttl_security,
              {.doc = "The peer is at most so many hops away (RFC 5082); packets from further are "
                      "dropped. Nodes that send with TTL 1, Cilium among them, cannot use it.",
               .cost = Cost::Reset,
               .limits = {1, 254},
               .unset = "off"}),
        field("multihop", &P::multihop,
              {.doc = "The eBGP peer is not on a link of ours: TTL of what we send.",
               .cost = Cost::Reset,
               .limits = {1, 255},
               .unset = "the peer is on a link"}),
        field("update_source", &P::update_source,
              {.doc = "Our address of the session.",
               .cost = Cost::Reset,
               .unset = "the one of the port towards the peer"}),
        field("port", &P::port,
              {.doc = "TCP port to dial.", .cost = Cost::NextSession, .limits = {1, 65535}}),
        field("hold_time", &P::hold_time,
              {.doc = "Without a word for so long the session is down; 0 for never.",
               .cost = Cost::NextSession,
               .limits = {0, 65535}}),
        field("keepalive", &P::keepalive,
              {.doc = "Time between keepalives.",
               .cost = Cost::NextSession,
               .limits = {1, 21845},
               .unset = "a third of the hold time"}),
        field("connect_retry", &P::connect_retry,
              {.doc = "Time between attempts to connect.", .limits = {1, 65535}}),
        field("advertisement_interval", &P::advertisement_interval,
              {.doc = "Least time between two updates of a prefix; 0 sends at once.",
               .limits = {0, 600}}),
        field(
            "import", &P::import_lists,
            {.doc = "Prefix lists that say what is accepted; the first rule that matches decides. "
                    "\"any\" and \"none\" are built in.",
             .cost = Cost::Refresh,
             .unset = "eBGP: none (RFC 8212); iBGP: any"}),
        field("export", &P::export_lists,
              {.doc = "Prefix lists that say what is announced.",
               .cost = Cost::Refresh,
               .unset = "eBGP: none (RFC 8212); iBGP: any"}),
        field("max_prefix", &P::max_prefix,
              {.doc = "How many prefixes the peer may announce: a number, or a block.",
               .cost = Cost::None,
               .unset = "no limit"}),
        field("default_originate", &P::default_originate,
              {.doc = "Announce a default route to the peer, whatever the table holds.",
               .cost = Cost::Refresh}),
        field("next_hop_self", &P::next_hop_self,
              {.doc = "Announce ourselves as the next hop to iBGP peers too.",
               .cost = Cost::Refresh}),
        field("extended_next_hop", &P::extended_next_hop,
              {.doc = "IPv4 routes with IPv6 next hops (RFC 8950).", .cost = Cost::Reset}),
        field("mapped_next_hop", &P::mapped_next_hop,
              {.doc = "A next hop ::ffff:a.b.c.d of an IPv6 route means the peer itself, as Cilium "
                      "sends it on IPv4 sessions.",
               .cost = Cost::Refresh}),
        field("route_reflector_client", &P::route_reflector_client,
              {.doc = "Reflect routes to and from this iBGP peer (RFC 4456).",
               .cost = Cost::Refresh}),
        field("send_community", &P::send_community,
              {.doc = "Which communities are sent.", .cost = Cost::Refresh}),
        field("add_path", &P::add_path,
              {.doc = "Several paths of one prefix (RFC 7911).", .cost = Cost::Reset}),
        field("allowas_in", &P::allowas_in,
              {.doc = "How often our own AS may stand in a received AS_PATH.",
               .cost = Cost::Refresh,
               .limits = {0, 10}}),
        field("as_override", &P::as_override,
              {.doc = "Replace the peer's AS by ours in what we send it. eBGP only.",
               .cost = Cost::Refresh}),
        field("remove_private_as", &P::remove_private_as,
              {.doc = "Take private ASes out of what we send. eBGP only.", .cost = Cost::Refresh}),
        field("enforce_first_as", &P::enforce_first_as,
              {.doc = "An eBGP route must begin with the peer's AS.", .cost = Cost::Refresh}),
        field("graceful_restart", &P::graceful_restart,
              {.doc = "\"helper\" keeps the routes of a peer that restarts, \"full\" asks the same "
                      "of it for us (RFC 4724, RFC 8538).",
               .cost = Cost::NextSession}),
        field("restart_time", &P::restart_time,
              {.doc = "How long we ask a peer to wait for us.",
               .cost = Cost::NextSession,
               .limits = {1, 4095}}),
        field("stale_time", &P::stale_time,
              {.doc = "Routes of a restarting peer are kept no longer than this.",
               .limits = {1, 86400}}),
        field("graceful_shutdown", &P::graceful_shutdown,
              {.doc = "Mark everything announced with 65535:0 (RFC 8326), so that others leave.",
               .cost = Cost::Refresh}),
        field("weight", &P::weight,
              {.doc = "Share of this peer's next hops in an ECMP group.",
               .cost = Cost::Refresh,
               .limits = {1, 255}}),
        field("guarded", &P::guarded,
              {.doc = "bgp.guard watches what the peer announces.", .cost = Cost::Refresh}),
    };
};

}  // namespace torii::config
