#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace torii::dataplane {

// Every packet leaves by exactly one of these, or by the transmit queue of a
// port. To add one is to add its line here.
#define TORII_EXITS(X)                                \
    X(PuntBgp, "punt_bgp")                            \
    X(PuntBgpOpen, "punt_bgp_open")                   \
    X(PuntVrrp, "punt_vrrp")                          \
    X(PuntKnownNeighbor, "punt_known_neighbor")       \
    X(PuntNeighbor, "punt_neighbor")                  \
    X(PuntIcmp, "punt_icmp")                          \
    X(PuntOther, "punt_other")                        \
    X(PuntBgpStranger, "punt_bgp_stranger")           \
    X(PuntMld, "punt_mld")                            \
    X(BfdControl, "bfd_control")                      \
    X(LivenessEcho, "liveness_echo")                  \
    X(LivenessProbe, "liveness_probe")                \
    X(RxRunt, "rx_runt")                              \
    X(RxOversize, "rx_oversize")                      \
    X(L2NotForUs, "l2_not_for_us")                    \
    X(L2UnknownType, "l2_unknown_type")               \
    X(L2BadVlan, "l2_bad_vlan")                       \
    X(L2UnknownVlan, "l2_unknown_vlan")               \
    X(L2DoubleTag, "l2_double_tag")                   \
    X(L2BadSource, "l2_bad_src")                      \
    X(ArpBad, "arp_bad")                              \
    X(ArpConflict, "arp_conflict")                    \
    X(ArpNotForUs, "arp_not_for_us")                  \
    X(Ip4BadHeader, "ip4_bad_header")                 \
    X(Ip4Truncated, "ip4_truncated")                  \
    X(Ip4BadChecksum, "ip4_bad_checksum")             \
    X(Ip4BadVersion, "ip4_bad_version")               \
    X(Ip4SourceRoute, "ip4_source_route")             \
    X(Ip4BadOptions, "ip4_bad_options")               \
    X(Ip4MartianSource, "ip4_martian_src")            \
    X(Ip4MartianDestination, "ip4_martian_dst")       \
    X(Ip4DirectedBroadcast, "ip4_directed_broadcast") \
    X(Ip4Multicast, "ip4_multicast")                  \
    X(Ip4TtlExceeded, "ip4_ttl_exceeded")             \
    X(Ip4NoRoute, "ip4_no_route")                     \
    X(Ip4Unreachable, "ip4_unreachable")              \
    X(Ip4Discard, "ip4_discard")                      \
    X(Ip4TooBig, "ip4_too_big")                       \
    X(Ip4ArpTimeout, "ip4_arp_timeout")               \
    X(Ip4ReassemblyFailed, "ip4_reass_fail")          \
    X(Urpf, "urpf")                                   \
    X(Ip6BadVersion, "ip6_bad_version")               \
    X(Ip6Truncated, "ip6_truncated")                  \
    X(Ip6MartianSource, "ip6_martian_src")            \
    X(Ip6MartianDestination, "ip6_martian_dst")       \
    X(Ip6Scope, "ip6_scope")                          \
    X(Ip6Multicast, "ip6_multicast")                  \
    X(Ip6BadExtension, "ip6_bad_ext")                 \
    X(Ip6HopExceeded, "ip6_hop_exceeded")             \
    X(Ip6NoRoute, "ip6_no_route")                     \
    X(Ip6Unreachable, "ip6_unreachable")              \
    X(Ip6Discard, "ip6_discard")                      \
    X(Ip6TooBig, "ip6_too_big")                       \
    X(Ip6NdTimeout, "ip6_nd_timeout")                 \
    X(Ip6ReassemblyFailed, "ip6_reass_fail")          \
    X(NdBad, "nd_bad")                                \
    X(NdConflict, "nd_conflict")                      \
    X(NdNotForUs, "nd_not_for_us")                    \
    X(IcmpBad, "icmp_bad")                            \
    X(IcmpRedirect, "icmp_redirect")                  \
    X(IcmpIgnored, "icmp_ignored")                    \
    X(Icmp6Bad, "icmp6_bad")                          \
    X(Icmp6Redirect, "icmp6_redirect")                \
    X(DropList, "drop_list")                          \
    X(LoopGuard, "loop_guard")                        \
    X(BfdMalformed, "bfd_malformed")                  \
    X(BfdTtl, "bfd_ttl")                              \
    X(BfdNoSession, "bfd_no_session")                 \
    X(BfdWrongSource, "bfd_wrong_source")             \
    X(BfdBadAuth, "bfd_bad_auth")                     \
    X(LivenessUnknown, "liveness_unknown")            \
    X(PuntBadL4, "punt_bad_l4")                       \
    X(PuntNoProtocol, "punt_no_proto")                \
    X(PuntNoListener, "punt_no_listener")             \
    X(PuntPoliced, "punt_policed")                    \
    X(PuntFull, "punt_full")                          \
    X(PuntNoTwin, "punt_no_twin")                     \
    X(HoldFull, "hold_full")                          \
    X(HoldPoliced, "hold_policed")                    \
    X(NoBuffer, "no_buffer")                          \
    X(LinkDown, "link_down")                          \
    X(PortShut, "port_shut")                          \
    X(TransmitFull, "tx_full")                        \
    X(Stopped, "stopped")

enum class Exit : std::uint8_t {
#define TORII_EXIT_ENUM(id, name) id,
    TORII_EXITS(TORII_EXIT_ENUM)
#undef TORII_EXIT_ENUM
        Count
};
inline constexpr std::size_t kExits = static_cast<std::size_t>(Exit::Count);

constexpr std::string_view to_string(Exit exit) {
    constexpr std::string_view kNames[] = {
#define TORII_EXIT_NAME(id, name) name,
        TORII_EXITS(TORII_EXIT_NAME)
#undef TORII_EXIT_NAME
    };
    return kNames[static_cast<std::size_t>(exit)];
}
// Taken out of the forwarding path by the gateway itself: for the kernel, or for liveness.
constexpr bool is_punt(Exit exit) {
    return exit <= Exit::LivenessProbe;
}

// Classes of what goes to the kernel, most urgent first, in the order of the
// exits above: each has its own ring and policer, so that a flood of one starves
// no other.
enum class PuntClass : std::uint8_t {
    Bgp,
    BgpOpen,
    Vrrp,
    KnownNeighbor,
    Neighbor,
    Icmp,
    Other,
    BgpStranger,  // of no configured peer
    Mld,
    Count
};
inline constexpr std::size_t kPuntClasses = static_cast<std::size_t>(PuntClass::Count);
constexpr Exit exit_of(PuntClass c) {
    return static_cast<Exit>(c);
}

}  // namespace torii::dataplane
