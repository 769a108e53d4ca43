#include "config/key_builder.hpp"

// Keys of a BGP peer, wherever they stand: neighbor, group or defaults.
namespace torii::config {
namespace {

// Blocks in a line, as `torii bgp neighbor` shows them.
std::string max_prefix_line(const void* block) {
    const auto& max = *static_cast<const MaxPrefix*>(block);
    return std::to_string(max.limit) + ", then " + std::string{word(max.action)};
}
std::string liveness_line(const void* block) {
    const auto& liveness = *static_cast<const Liveness*>(block);
    if (liveness.detect == Detect::Off) return "off";
    return std::string{word(liveness.detect)} + ", " + std::to_string(liveness.multiplier) + " x " +
           std::to_string(liveness.interval.count()) + " ms, then " +
           std::string{word(liveness.on_death)};
}
std::string bfd_line(const void* block) {
    const auto& bfd = *static_cast<const Bfd*>(block);
    if (bfd.shutdown) return "shutdown";
    auto out = std::to_string(bfd.multiplier) + " x " + std::to_string(bfd.transmit.count()) + '/' +
               std::to_string(bfd.receive.count()) + " ms";
    if (bfd.key) out += ", " + std::string{word(bfd.authentication)};
    return out;
}
KeyTable with_line(KeyTable table, std::string (*line)(const void* block)) {
    table.line = line;
    return table;
}

}  // namespace

const KeyTable& keys(Of<MaxPrefix>) {
    static constexpr KeyEntry kEntries[] = {
        field<&MaxPrefix::limit>(
            "limit", {.doc = "Prefixes of each family that are allowed; one more is one too many.",
                      .required = true,
                      .limits = {1, 0xffffffffLL}}),
        field<&MaxPrefix::action>(
            "action",
            {.doc = "What the one too many causes: a warning, its own loss, or Cease 6/1."}),
        field<&MaxPrefix::warn_percent>(
            "warn_percent",
            {.doc = "Share of the limit at which a warning is logged.", .limits = {1, 100}}),
        field<&MaxPrefix::restart>(
            "restart",
            {.doc = "After a close, try again after this time; 0: stay down until cleared."}),

    };
    static const KeyTable table =
        with_line(with_shorthand(block<MaxPrefix>(kEntries)), max_prefix_line);
    return table;
}

const KeyTable& keys(Of<Liveness>) {
    using L = Liveness;
    static constexpr KeyEntry kEntries[] = {
        field<&L::detect>(
            "detect",
            {.doc = "\"auto\" sends echoes that the neighbor's kernel forwards back (RFC 9747), "
                    "or ARP and neighbor solicitations where it does not; \"echo\" and \"probe\" "
                    "insist on one of them; \"off\" sends nothing."}),
        field<&L::interval>("interval",
                            {.doc = "Milliseconds between packets.", .limits = {10, 60'000}}),
        field<&L::multiplier>("multiplier", {.doc = "Unanswered packets in a row that mean death.",
                                             .limits = {2, 50}}),
        field<&L::on_death>(
            "on_death",
            {.doc = "\"teardown\" ends the BGP session of a dead neighbor (Cease 6/10), "
                    "\"suppress\" only stops using its paths."}),
        field<&L::slow_start>(
            "slow_start",
            {.doc = "Time in which a neighbor that is back grows to its full share of ECMP "
                    "traffic; 0: at once.",
             .limits = {0, 3600}}),
        field<&L::dampen>(
            "dampen",
            {.doc = "Hold a neighbor back that comes and goes: a second after its second death "
                    "within five minutes, twice as long after each further one, up to a minute."}),

    };
    static const KeyTable table = with_line(block<Liveness>(kEntries), liveness_line);
    return table;
}

const KeyTable& keys(Of<Bfd>) {
    using B = Bfd;
    static constexpr KeyEntry kEntries[] = {
        field<&B::transmit>(
            "transmit",
            {.doc = "Milliseconds between packets that we want to send; the peer may ask for "
                    "more.",
             .limits = {10, 60'000}}),
        field<&B::receive>("receive", {.doc = "Milliseconds between packets that we can take.",
                                       .limits = {10, 60'000}}),
        field<&B::multiplier>(
            "multiplier", {.doc = "Packets of ours that the peer may miss before it gives us up.",
                           .limits = {1, 255}}),
        field<&B::echo_receive>(
            "echo_receive",
            {.doc = "Least milliseconds between echoes that the peer may send through us; 0 "
                    "for none.",
             .limits = {0, 60'000}}),
        field<&B::minimum_ttl>(
            "minimum_ttl",
            {.doc = "Least TTL of multihop packets that we take; FRR sends them with 255, BIRD "
                    "with its kernel's 64.",
             .limits = {1, 255},
             .unset = "256 - `multihop`, or 1 where there is a key"}),
        field<&B::passive>("passive", {.doc = "Wait until the peer has spoken."}),
        field<&B::shutdown>(
            "shutdown", {.doc = "Hold the session administratively down, which is no failure."}),
        field<&B::authentication>(
            "authentication",
            {.doc = "How packets are signed where there is a key (RFC 5880 §6.7)."}),
        field<&B::key>("key", {.doc = "Secret: at most 16 octets for MD5, 20 for SHA-1.",
                               .secret = true,
                               .unset = "no authentication"}),
        field<&B::key_id>("key_id", {.doc = "Number of the key.", .limits = {0, 255}}),

    };
    static const KeyTable table = with_line(block<Bfd>(kEntries), bfd_line);
    return table;
}

// Defaults are those of built_in_peer_settings().
const KeyTable& keys(Of<PeerSettings>) {
    using P = PeerSettings;
    static constexpr KeyEntry kEntries[] = {
        field<&P::description>("description", {.doc = "Free text, shown where the peer is."}),
        field<&P::remote_as>(
            "remote_as",
            {.doc = "AS of the other end: a number, \"external\" (any but ours) or \"internal\" "
                    "(ours).",
             .cost = Cost::Reset}),
        field<&P::local_as>("local_as",
                            {.doc = "Show this AS to the peer instead of bgp.asn. eBGP only.",
                             .cost = Cost::Reset,
                             .unset = "bgp.asn"}),
        field<&P::shutdown>("shutdown",
                            {.doc = "Keep the session down (Cease 6/2).", .cost = Cost::Reset}),
        field<&P::passive>("passive",
                           {.doc = "Never dial, only answer. Members of a listen range always are.",
                            .cost = Cost::NextSession}),
        field<&P::families>("families", {.doc = "Address families to offer.", .cost = Cost::Reset}),
        field<&P::passwords>(
            "password",
            {.doc = "TCP MD5 key (RFC 2385). The kernel holds one key an address, so both ends "
                    "change it together. A session that is up keeps the key that it began with, "
                    "and is shown with `password` as pending until it ends; `torii bgp clear` "
                    "ends it. Of a list only the first one counts, the others are notes for the "
                    "way back.",
             .cost = Cost::NextSession,
             .secret = true,
             .unset = "no authentication"}),
        field<&P::ttl_security>(
            "ttl_security",
            {.doc = "The peer is at most so many hops away (RFC 5082); packets from further are "
                    "dropped. Nodes that send with TTL 1, Cilium among them, cannot use it.",
             .cost = Cost::Reset,
             .limits = {1, 254},
             .unset = "off"}),
        field<&P::multihop>("multihop",
                            {.doc = "The eBGP peer is not on a link of ours: TTL of what we send.",
                             .cost = Cost::Reset,
                             .limits = {1, 255},
                             .unset = "the peer is on a link"}),
        field<&P::update_source>("update_source",
                                 {.doc = "Our address of the session.",
                                  .cost = Cost::Reset,
                                  .unset = "the one of the port towards the peer"}),
        field<&P::port>(
            "port", {.doc = "TCP port to dial.", .cost = Cost::NextSession, .limits = {1, 65535}}),
        field<&P::hold_time>(
            "hold_time",
            {.doc = "The session is down after this time without a message; 0 for never.",
             .cost = Cost::NextSession,
             .limits = {0, 65535}}),
        field<&P::minimum_hold_time>(
            "minimum_hold_time",
            {.doc = "A session whose hold time would be shorter, or that would have none, is "
                    "refused (OPEN error 2/6). It does not count where our own is 0.",
             .limits = {0, 65535},
             .unset = "3 for members of listen ranges, 0 for others"}),
        field<&P::keepalive>("keepalive", {.doc = "Time between keepalives.",
                                           .cost = Cost::NextSession,
                                           .limits = {1, 21845},
                                           .unset = "a third of the hold time"}),
        field<&P::connect_retry>(
            "connect_retry", {.doc = "Time between attempts to connect.", .limits = {1, 65535}}),
        field<&P::advertisement_interval>(
            "advertisement_interval",
            {.doc = "Least time between two updates of a prefix; 0 sends at once.",
             .cost = Cost::Refresh,
             .limits = {0, 600}}),
        field<&P::import_lists>(
            "import",
            {.doc = "Prefix lists of what is accepted; the first rule that matches decides. "
                    "\"any\" and \"none\" are built in.",
             .cost = Cost::Refresh,
             .unset = "eBGP: none (RFC 8212); iBGP: any"}),
        field<&P::export_lists>("export", {.doc = "Prefix lists of what is announced.",
                                           .cost = Cost::Refresh,
                                           .unset = "eBGP: none (RFC 8212); iBGP: any"}),
        field<&P::import_policies>(
            "import_policy",
            {.doc = "Policies that what the import lists permit goes through, read as one; what "
                    "no term decides is rejected. A peer with a policy needs no list.",
             .cost = Cost::Refresh,
             .unset = "the lists alone"}),
        field<&P::export_policies>("export_policy", {.doc = "The same for what is announced.",
                                                     .cost = Cost::Refresh,
                                                     .unset = "the lists alone"}),
        field<&P::max_prefix>(
            "max_prefix",
            {.doc = "How many prefixes may be accepted from the peer: a number, or a block. What "
                    "the policies refuse does not count; `receive_limit` counts it.",
             .cost = Cost::None,
             .unset = "no limit"}),
        field<&P::receive_limit>(
            "receive_limit",
            {.doc = "How many paths of each family may be stored of the peer, refused ones "
                    "included. One more closes the session (Cease 6/1), and for a minute no other "
                    "begins; 0 for no limit.",
             .limits = {0, 0xffffffffLL},
             .unset = "65536 for members of listen ranges, no limit for others"}),
        field<&P::receive_octets>(
            "receive_octets",
            {.doc = "The same for the octets of different path attributes (Cease 6/8).",
             .limits = {0, 0xffffffffLL},
             .unset = "16777216 for members of listen ranges, no limit for others"}),
        field<&P::default_originate>(
            "default_originate",
            {.doc = "Announce a default route to the peer, whatever the table holds.",
             .cost = Cost::Refresh}),
        field<&P::next_hop_self>("next_hop_self",
                                 {.doc = "Announce ourselves as the next hop to iBGP peers too.",
                                  .cost = Cost::Refresh}),
        field<&P::extended_next_hop>(
            "extended_next_hop",
            {.doc = "IPv4 routes with IPv6 next hops (RFC 8950).", .cost = Cost::Reset}),
        field<&P::mapped_next_hop>(
            "mapped_next_hop",
            {.doc = "A next hop ::ffff:a.b.c.d of an IPv6 route means the peer itself, as Cilium "
                    "sends it on IPv4 sessions.",
             .cost = Cost::Refresh}),
        field<&P::route_reflector_client>(
            "route_reflector_client",
            {.doc = "Reflect routes to and from this iBGP peer (RFC 4456).",
             .cost = Cost::Refresh}),
        field<&P::send_community>("send_community",
                                  {.doc = "Which communities are sent.", .cost = Cost::Refresh}),
        field<&P::add_path>(
            "add_path", {.doc = "Several paths of one prefix (RFC 7911).", .cost = Cost::Reset}),
        field<&P::allowas_in>("allowas_in",
                              {.doc = "How often our own AS may stand in a received AS_PATH.",
                               .cost = Cost::Refresh,
                               .limits = {0, 10}}),
        field<&P::as_override>(
            "as_override", {.doc = "Replace the peer's AS by ours in what we send it. eBGP only.",
                            .cost = Cost::Refresh}),
        field<&P::remove_private_as>(
            "remove_private_as",
            {.doc = "Take private ASes out of what we send. eBGP only.", .cost = Cost::Refresh}),
        field<&P::enforce_first_as>(
            "enforce_first_as",
            {.doc = "An eBGP route must begin with the peer's AS.", .cost = Cost::Refresh}),
        field<&P::graceful_restart>(
            "graceful_restart",
            {.doc = "\"helper\" keeps the routes of a peer that restarts, \"full\" asks the same "
                    "of it for us (RFC 4724, RFC 8538). We ask only where forwarding survives "
                    "the process: on a router without ports.",
             .cost = Cost::NextSession}),
        field<&P::restart_time>("restart_time", {.doc = "How long we ask a peer to wait for us.",
                                                 .cost = Cost::NextSession,
                                                 .limits = {1, 4095}}),
        field<&P::stale_time>("stale_time",
                              {.doc = "Routes of a restarting peer are kept no longer than this, "
                                      "from the loss of its session on.",
                               .limits = {1, 86400}}),
        field<&P::stale_while_alive>(
            "stale_while_alive",
            {.doc = "An agent that dies again before it has announced its routes anew keeps those "
                    "of before for its restart time while liveness reports that its node "
                    "forwards; RFC 4724 section 4.2 drops them."}),
        field<&P::hold_down>(
            "hold_down",
            {.doc = "Keep the routes of a peer without graceful restart for so long when its "
                    "session is lost while it is seen to forward; 0 for never.",
             .limits = {0, 3600}}),
        field<&P::graceful_shutdown>(
            "graceful_shutdown",
            {.doc = "Mark everything announced with 65535:0 (RFC 8326), so that others leave.",
             .cost = Cost::Refresh}),
        field<&P::weight>("weight", {.doc = "Share of this peer's next hops in an ECMP group; 0 "
                                            "drains them: no new flows.",
                                     .cost = Cost::Refresh,
                                     .limits = {0, 255}}),
        field<&P::guarded>("guarded", {.doc = "bgp.guard watches what the peer announces.",
                                       .cost = Cost::Refresh}),
        field<&P::accept_blackhole>(
            "accept_blackhole",
            {.doc = "Discard traffic to what the peer marks with 65535:666 (RFC 7999); from "
                    "others the mark means nothing.",
             .cost = Cost::Refresh}),
        field<&P::next_hop_unchanged>(
            "next_hop_unchanged",
            {.doc = "Keep the next hop of what is announced to an eBGP peer too.",
             .cost = Cost::Refresh}),
        field<&P::route_server_client>(
            "route_server_client",
            {.doc = "Announce to this eBGP peer as a route server does (RFC 7947): AS path and "
                    "next hop as they came.",
             .cost = Cost::Reset}),
        field<&P::extended_messages>(
            "extended_messages",
            {.doc = "Messages of up to 65,535 octets (RFC 8654).", .cost = Cost::NextSession}),
        field<&P::allow_as_set>(
            "allow_as_set",
            {.doc = "Accept AS_SETs, which RFC 9774 wants refused.", .cost = Cost::Refresh}),
        field<&P::role>(
            "role", {.doc = "What we are to this eBGP peer (RFC 9234); keeps routes from leaking.",
                     .cost = Cost::Reset,
                     .unset = "not sent"}),
        field<&P::strict_role>("strict_role",
                               {.doc = "Refuse a peer that sends no role.", .cost = Cost::Reset}),
        field<&P::send_hold_time>(
            "send_hold_time", {.doc = "A peer that takes nothing for so long is down (RFC 9687).",
                               .cost = Cost::NextSession,
                               .limits = {1, 65535},
                               .unset = "8 minutes, or twice the hold time"}),
        field<&P::long_lived_stale_time>(
            "long_lived_stale_time",
            {.doc = "Once the restart time is over, routes stay as a last resort for so long "
                    "(RFC 9494).",
             .cost = Cost::NextSession,
             .limits = {1, 16777215},
             .unset = "they go"}),
        field<&P::shutdown_message>(
            "shutdown_message",
            {.doc = "Sent to the peer with a shutdown (RFC 9003).", .unset = "none"}),
        field<&P::liveness>("liveness",
                            {.doc = "Liveness detection of the peer.",
                             .unset = "3 x 100 ms for members of listen ranges, off for others"}),
        field<&P::bfd>(
            "bfd",
            {.doc = "A BFD session with the peer, single-hop, or multihop where `multihop` is "
                    "set.",
             .unset = "no BFD"}),

    };
    static const KeyTable table = block<PeerSettings>(kEntries);
    return table;
}

}  // namespace torii::config
