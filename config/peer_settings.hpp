#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/address.hpp"
#include "config/liveness.hpp"

// The settings of a BGP peer, at each level of inheritance: neighbor, group, the groups that
// it inherits from, `bgp.defaults`. Every field is optional; unset inherits from the level
// above, and a member may override its group, booleans included.
namespace torii::config {

using std::chrono::seconds;

// An AS number. Written as a number, as "4200000001" or as asdot "64086.59905".
struct Asn {
    std::uint32_t number = 0;
    friend auto operator<=>(const Asn&, const Asn&) = default;
};

// Which AS the other end may have: one, any but ours, or ours.
struct RemoteAs {
    enum class Kind : std::uint8_t { Number, External, Internal };
    Kind kind = Kind::Number;
    Asn asn;  // counts for Number alone
    friend bool operator==(const RemoteAs&, const RemoteAs&) = default;
};

// What happens to the prefix after the last one allowed.
enum class MaxPrefixAction : std::uint8_t { Warn, Drop, Close };

struct MaxPrefix {
    std::uint32_t limit = 0;  // of each family
    MaxPrefixAction action = MaxPrefixAction::Close;
    std::uint8_t warn_percent = 75;
    seconds restart{0};  // 0: stays down until cleared
    friend bool operator==(const MaxPrefix&, const MaxPrefix&) = default;
};

enum class GracefulRestart : std::uint8_t { Off, Helper, Full };
enum class SendCommunity : std::uint8_t { None, Standard, Extended, Large, All };
enum class AddPath : std::uint8_t { Off, Receive, Send, Both };
// Ours towards the peer.
enum class PeerRole : std::uint8_t { Provider, RouteServer, RouteServerClient, Customer, Peer };
enum class RemovePrivateAs : std::uint8_t { Off, Private, All, Replace };

struct PeerSettings {
    std::optional<std::string> description;
    std::optional<RemoteAs> remote_as;
    std::optional<Asn> local_as;
    std::optional<bool> shutdown;
    std::optional<bool> passive;
    std::optional<std::vector<Family>> families;

    std::optional<std::vector<std::string>> passwords;  // the first signs and is asked for
    std::optional<std::uint8_t> ttl_security;           // hops away, RFC 5082
    std::optional<std::uint8_t> multihop;               // TTL of what we send
    std::optional<IpAddress> update_source;
    std::optional<std::uint16_t> port;  // where the peer listens

    std::optional<seconds> hold_time;
    std::optional<seconds> minimum_hold_time;
    std::optional<seconds> keepalive;
    std::optional<seconds> connect_retry;
    std::optional<seconds> advertisement_interval;

    // Names of prefix lists, read one after the other as if they were one; the
    // first rule that matches decides. "any" and "none" are built in.
    std::optional<std::vector<std::string>> import_lists;
    std::optional<std::vector<std::string>> export_lists;
    std::optional<std::vector<std::string>> import_policies;  // asked for what the lists permit
    std::optional<std::vector<std::string>> export_policies;
    std::optional<MaxPrefix> max_prefix;
    std::optional<std::uint32_t> receive_limit;   // paths of each family, refused ones too; 0: none
    std::optional<std::uint32_t> receive_octets;  // of attributes; 0: no limit
    std::optional<bool> default_originate;
    std::optional<bool> next_hop_self;
    std::optional<bool> extended_next_hop;  // RFC 8950
    std::optional<bool> mapped_next_hop;    // ::ffff:a.b.c.d means the peer itself
    std::optional<bool> route_reflector_client;
    std::optional<SendCommunity> send_community;
    std::optional<AddPath> add_path;
    std::optional<std::uint8_t> allowas_in;
    std::optional<bool> as_override;
    std::optional<RemovePrivateAs> remove_private_as;
    std::optional<bool> enforce_first_as;

    std::optional<GracefulRestart> graceful_restart;
    std::optional<seconds> restart_time;
    std::optional<seconds> stale_time;
    std::optional<bool> stale_while_alive;
    std::optional<seconds> hold_down;
    std::optional<bool> graceful_shutdown;  // announce 65535:0, RFC 8326
    std::optional<std::uint32_t> weight;    // share of an ECMP group, default 1
    std::optional<bool> guarded;            // bgp.guard watches what it announces
    std::optional<bool> accept_blackhole;   // RFC 7999
    std::optional<bool> next_hop_unchanged;
    std::optional<bool> route_server_client;
    std::optional<bool> extended_messages;  // RFC 8654
    std::optional<bool> allow_as_set;       // RFC 9774 wants them refused
    std::optional<PeerRole> role;           // RFC 9234, ours
    std::optional<bool> strict_role;
    std::optional<seconds> send_hold_time;         // RFC 9687
    std::optional<seconds> long_lived_stale_time;  // RFC 9494
    std::optional<std::string> shutdown_message;   // RFC 9003

    std::optional<Liveness> liveness;
    std::optional<Bfd> bfd;

    friend bool operator==(const PeerSettings&, const PeerSettings&) = default;
};

// Left beats right, field by field: inherit(inherit(neighbor, group), defaults).
PeerSettings inherit(PeerSettings own, const PeerSettings& from);

// torii's own answer to each field that must have one.
const PeerSettings& built_in_peer_settings();

// The level that set a value.
enum class Origin : std::uint8_t { Neighbor, Group, Defaults, BuiltIn };
constexpr std::string_view to_string(Origin origin) {
    constexpr std::string_view kNames[] = {"neighbor", "group", "bgp.defaults", "built-in"};
    return kNames[static_cast<std::size_t>(origin)];
}

struct Provenance {
    Origin origin = Origin::BuiltIn;
    std::string group;  // its name, for Origin::Group
    friend bool operator==(const Provenance&, const Provenance&) = default;
};

// The effective settings of one peer and their origins (by key: "hold_time"). A field that
// no level sets is unset here too and has no entry.
struct EffectivePeer {
    PeerSettings settings;
    std::map<std::string_view, Provenance> why;
};

}  // namespace torii::config
