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

template <>
struct Fields<Liveness> {
    using L = Liveness;
    static constexpr std::tuple kAll{
        field("detect", &L::detect,
              {.doc = "\"auto\" sends echoes that the neighbor's kernel forwards back (RFC 9747), "
                      "or ARP and neighbor solicitations where it does not; \"echo\" and \"probe\" "
                      "insist on one of them; \"off\" sends nothing."}),
        field("interval", &L::interval,
              {.doc = "Milliseconds between packets.", .limits = {10, 60'000}}),
        field("multiplier", &L::multiplier,
              {.doc = "Unanswered packets in a row that mean death.", .limits = {2, 50}}),
        field("on_death", &L::on_death,
              {.doc = "\"teardown\" ends the BGP session of a dead neighbor (Cease 6/10), "
                      "\"suppress\" only stops using its paths."}),
        field("slow_start", &L::slow_start,
              {.doc = "Time in which a neighbor that is back grows to its full share of ECMP "
                      "traffic; 0: at once.",
               .limits = {0, 3600}}),
        field(
            "dampen", &L::dampen,
            {.doc = "Hold a neighbor back that comes and goes: a second after its second death "
                    "within five minutes, twice as long after each further one, up to a minute."}),
    };
};

template <>
struct Fields<Bfd> {
    using B = Bfd;
    static constexpr std::tuple kAll{
        field("transmit", &B::transmit,
              {.doc = "Milliseconds between packets that we want to send; the peer may ask for "
                      "more.",
               .limits = {10, 60'000}}),
        field("receive", &B::receive,
              {.doc = "Milliseconds between packets that we can take.", .limits = {10, 60'000}}),
        field("multiplier", &B::multiplier,
              {.doc = "Packets of ours that the peer may miss before it gives us up.",
               .limits = {1, 255}}),
        field("echo_receive", &B::echo_receive,
              {.doc = "Least milliseconds between echoes that the peer may send through us; 0 "
                      "for none.",
               .limits = {0, 60'000}}),
        field("minimum_ttl", &B::minimum_ttl,
              {.doc = "Least TTL of multihop packets that we take; FRR sends them with 255, BIRD "
                      "with its kernel's 64.",
               .limits = {1, 255},
               .unset = "256 - `multihop`, or 1 where there is a key"}),
        field("passive", &B::passive, {.doc = "Wait until the peer has spoken."}),
        field("shutdown", &B::shutdown,
              {.doc = "Hold the session administratively down, which is no failure."}),
        field("authentication", &B::authentication,
              {.doc = "How packets are signed where there is a key (RFC 5880 §6.7)."}),
        field("key", &B::key,
              {.doc = "Secret: at most 16 octets for MD5, 20 for SHA-1.",
               .secret = true,
               .unset = "no authentication"}),
        field("key_id", &B::key_id, {.doc = "Number of the key.", .limits = {0, 255}}),
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
        field("import_policy", &P::import_policies,
              {.doc = "Policies that what the import lists permit goes through, read as one; what "
                      "no term decides is rejected. A peer with a policy needs no list.",
               .cost = Cost::Refresh,
               .unset = "the lists alone"}),
        field("export_policy", &P::export_policies,
              {.doc = "The same for what is announced.",
               .cost = Cost::Refresh,
               .unset = "the lists alone"}),
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
        field("hold_down", &P::hold_down,
              {.doc = "Keep the routes of a peer without graceful restart for so long when its "
                      "session is lost while it is seen to forward; 0 for never.",
               .limits = {0, 3600}}),
        field("graceful_shutdown", &P::graceful_shutdown,
              {.doc = "Mark everything announced with 65535:0 (RFC 8326), so that others leave.",
               .cost = Cost::Refresh}),
        field("weight", &P::weight,
              {.doc = "Share of this peer's next hops in an ECMP group.",
               .cost = Cost::Refresh,
               .limits = {1, 255}}),
        field("guarded", &P::guarded,
              {.doc = "bgp.guard watches what the peer announces.", .cost = Cost::Refresh}),
        field("accept_blackhole", &P::accept_blackhole,
              {.doc = "Discard traffic to what the peer marks with 65535:666 (RFC 7999); from "
                      "others the mark means nothing.",
               .cost = Cost::Refresh}),
        field("next_hop_unchanged", &P::next_hop_unchanged,
              {.doc = "Keep the next hop of what is announced to an eBGP peer too.",
               .cost = Cost::Refresh}),
        field("route_server_client", &P::route_server_client,
              {.doc = "Announce to this eBGP peer as a route server does (RFC 7947): AS path and "
                      "next hop as they came.",
               .cost = Cost::Reset}),
        field("extended_messages", &P::extended_messages,
              {.doc = "Messages of up to 65,535 octets (RFC 8654).", .cost = Cost::NextSession}),
        field("allow_as_set", &P::allow_as_set,
              {.doc = "Accept AS_SETs, which RFC 9774 wants refused.", .cost = Cost::Refresh}),
        field("role", &P::role,
              {.doc = "What we are to this eBGP peer (RFC 9234); keeps routes from leaking.",
               .cost = Cost::Reset,
               .unset = "not told"}),
        field("strict_role", &P::strict_role,
              {.doc = "Refuse a peer that says no role of its own.", .cost = Cost::Reset}),
        field("send_hold_time", &P::send_hold_time,
              {.doc = "A peer that takes nothing for so long is down (RFC 9687).",
               .cost = Cost::NextSession,
               .limits = {1, 65535},
               .unset = "8 minutes, or twice the hold time"}),
        field("long_lived_stale_time", &P::long_lived_stale_time,
              {.doc = "Once the restart time is over, routes stay as a last resort for so long "
                      "(RFC 9494).",
               .cost = Cost::NextSession,
               .limits = {1, 16777215},
               .unset = "they go"}),
        field("shutdown_message", &P::shutdown_message,
              {.doc = "Told to the peer with a shutdown (RFC 9003).", .unset = "none"}),
        field("liveness", &P::liveness,
              {.doc = "How its death is found out.",
               .unset = "3 x 100 ms for members of listen ranges, off for others"}),
        field("bfd", &P::bfd,
              {.doc = "A BFD session with the peer, single-hop, or multihop where `multihop` is "
                      "set.",
               .unset = "no BFD"}),
    };
};

}  // namespace torii::config
