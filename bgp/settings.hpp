#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/address.hpp"
#include "base/prefix.hpp"
#include "bgp/policy_settings.hpp"
#include "rib/route.hpp"

// The speaker's settings: plain values, in the protocol's terms. Inheritance (neighbor,
// group, defaults) is resolved before they are filled in.
namespace torii::bgp {

using std::chrono::milliseconds;
using std::chrono::seconds;

// Which AS the other end may have. Unset refuses every OPEN.
struct RemoteAs {
    enum class Kind : std::uint8_t { Unset, Number, External, Internal };
    Kind kind = Kind::Unset;
    std::uint32_t number = 0;
    friend bool operator==(const RemoteAs&, const RemoteAs&) = default;
};

// A peer: its address, and of a link-local one the link.
struct PeerKey {
    IpAddress address;
    rib::PortIndex port = rib::kAnyPort;
    PeerKey() = default;
    PeerKey(const IpAddress& a, rib::PortIndex p = rib::kAnyPort) : address(a), port(p) {}
    friend auto operator<=>(const PeerKey&, const PeerKey&) = default;
};

enum class MaxPrefixAction : std::uint8_t { Warn, Drop, Close };
struct MaxPrefix {
    std::uint32_t limit = 0;  // of each family; 0: none
    MaxPrefixAction action = MaxPrefixAction::Close;
    std::uint8_t warn_percent = 75;
    seconds restart{0};  // 0: stays down until cleared
    friend bool operator==(const MaxPrefix&, const MaxPrefix&) = default;
};

enum class GracefulRestart : std::uint8_t { Off, Helper, Full };
// What a session does when liveness declares its peer dead: ends (Cease 6/10, RFC 9384),
// or stays, and only the next hop does not count.
enum class OnDeath : std::uint8_t { Teardown, Suppress };
enum class AddPath : std::uint8_t { Off, Receive, Send, Both };
enum class RemovePrivateAs : std::uint8_t { Off, Private, All, Replace };
enum class Role : std::uint8_t { Provider, RouteServer, RouteServerClient, Customer, Peer };

struct SendCommunities {
    bool standard = true, extended = true, large = true;
    friend bool operator==(const SendCommunities&, const SendCommunities&) = default;
};

// The effective settings of one peer, complete.
struct PeerSettings {
    std::string description;
    RemoteAs remote_as;
    std::optional<std::uint32_t> local_as;  // unset: the speaker's
    bool shutdown = false;
    std::string shutdown_message;  // RFC 9003
    bool passive = false;
    bool ipv4 = true, ipv6 = true;

    std::vector<std::string> passwords;        // the first signs and is asked for
    std::optional<std::uint8_t> ttl_security;  // hops away, RFC 5082
    std::optional<std::uint8_t> multihop;      // TTL of what we send; unset: 1 for eBGP
    std::optional<IpAddress> update_source;
    std::uint16_t port = 179;

    seconds hold_time{90};
    seconds minimum_hold_time{0};      // an OPEN with less, or without a hold time, is refused
    std::optional<seconds> keepalive;  // unset: a third of the hold time
    seconds connect_retry{120};
    seconds advertisement_interval{0};
    std::optional<seconds> send_hold_time;  // RFC 9687; unset: max(8 min, 2 * hold time)

    // Names of prefix lists, read one after the other as if they were one; the
    // first rule that matches decides, what no rule matches is denied. "any" and
    // "none" are built in. Unset: nothing for eBGP (RFC 8212), all for iBGP.
    std::optional<std::vector<std::string>> import_lists;
    std::optional<std::vector<std::string>> export_lists;
    // Names of policies, likewise; asked for what the lists let pass. A peer with
    // policies and no lists counts as one with a policy (RFC 8212).
    std::vector<std::string> import_policies;
    std::vector<std::string> export_policies;
    MaxPrefix max_prefix;
    // Asked before anything is stored, whatever the policies would make of it; 0: none.
    std::uint32_t receive_limit = 0;   // paths of each family
    std::uint64_t receive_octets = 0;  // of attributes
    bool default_originate = false;
    bool next_hop_self = false;
    bool next_hop_unchanged = false;
    bool extended_next_hop = true;  // RFC 8950
    bool extended_messages = true;  // RFC 8654
    bool mapped_next_hop = true;    // ::ffff:a.b.c.d means that IPv4 neighbor itself
    bool route_reflector_client = false;
    bool route_server_client = false;
    SendCommunities send_communities;
    AddPath add_path = AddPath::Off;
    std::uint8_t allowas_in = 0;
    bool as_override = false;
    RemovePrivateAs remove_private_as = RemovePrivateAs::Off;
    bool enforce_first_as = true;
    bool allow_as_set = false;  // RFC 9774 wants them refused
    std::optional<Role> role;   // RFC 9234
    bool strict_role = false;

    GracefulRestart graceful_restart = GracefulRestart::Helper;
    seconds restart_time{120};
    seconds stale_time{360};
    // RFC 4724 §4.2 drops what is stale when the session is lost again; this keeps it for its
    // restart time while liveness reports that the peer forwards.
    bool stale_while_alive = true;
    std::optional<seconds> long_lived_stale_time;  // RFC 9494
    OnDeath on_death = OnDeath::Teardown;
    seconds hold_down{0};            // without graceful restart: kept so long while it is alive
    bool graceful_shutdown = false;  // RFC 8326: ask others to go elsewhere
    std::uint32_t weight = 1;        // share of an ECMP group
    bool guarded = false;            // the guard watches what it announces
    bool accept_blackhole = false;   // RFC 7999: may ask us to discard

    friend bool operator==(const PeerSettings&, const PeerSettings&) = default;
};

struct GroupSettings {
    std::string name;
    PeerSettings peer;  // what a dynamic member gets
    friend bool operator==(const GroupSettings&, const GroupSettings&) = default;
};

struct NeighborSettings {
    IpAddress address;
    rib::PortIndex port = rib::kAnyPort;  // the link of a link-local address
    std::string interface;                // its name in the kernel, for the same
    std::string group;                    // "": none
    PeerSettings peer;
    friend bool operator==(const NeighborSettings&, const NeighborSettings&) = default;
};

// A peer that connects from inside becomes a member of the group; the longest range wins,
// a configured neighbor before any range.
struct ListenRange {
    Prefix prefix;
    std::string group;
    std::uint32_t limit = 0;  // 0: only the speaker's counts
    friend bool operator==(const ListenRange&, const ListenRange&) = default;
};

struct PrefixRule {
    bool permit = true;
    bool any = false;
    Prefix prefix;
    std::uint8_t ge = 0;  // lengths that match, both ends included
    std::uint8_t le = 0;
    std::string text;  // as the operator wrote it, shown with what it refused
    bool matches(const Prefix& p) const {
        return any || (p.length() >= ge && p.length() <= le && prefix.contains(p));
    }
    friend bool operator==(const PrefixRule&, const PrefixRule&) = default;
};
struct PrefixList {
    std::string name;
    std::vector<PrefixRule> rules;
    friend bool operator==(const PrefixList&, const PrefixList&) = default;
};

struct ListenAddress {
    IpAddress address;
    std::uint16_t port = 179;
    friend bool operator==(const ListenAddress&, const ListenAddress&) = default;
};

struct Multipath {
    std::uint16_t ebgp = 64;
    std::uint16_t ibgp = 64;
    bool relax = true;  // equal length is enough, the ASes may differ
    friend bool operator==(const Multipath&, const Multipath&) = default;
};

struct DecisionSettings {
    bool always_compare_med = false;
    bool missing_med_as_worst = false;
    bool compare_router_id = false;  // false: the path already in use stays (eBGP)
    friend bool operator==(const DecisionSettings&, const DecisionSettings&) = default;
};

// A summary of what lies inside it, announced and discarding while there is
// anything; `summary_only` keeps the rest to ourselves.
struct AggregateSettings {
    Prefix prefix;
    bool summary_only = false;
    friend bool operator==(const AggregateSettings&, const AggregateSettings&) = default;
};

// Which node may announce what, see policy/guard.hpp.
enum class GuardMode : std::uint8_t { Off, Alert, Enforce };
struct GuardSettings {
    GuardMode mode = GuardMode::Off;
    std::vector<Prefix> pods;    // first come, first owned; empty: anywhere
    std::vector<Prefix> shared;  // VIPs: any node may announce inside
    seconds lease{300};          // a prefix stays its owner's that long after it went
    // The shortest that a node may own. Unset: longer than a range of pods that is shorter than
    // /24 (IPv6: /64), and without such ranges /8 (/16).
    std::optional<std::uint8_t> min_length_ipv4{}, min_length_ipv6{};
    std::uint32_t prefixes_per_node = 4096;  // owned at once; 0: any number
    friend bool operator==(const GuardSettings&, const GuardSettings&) = default;
};

// Files of MRT (RFC 6396).
struct MrtSettings {
    std::string directory;      // where they go
    seconds table_interval{0};  // a table dump each; 0: only on demand
    bool updates = false;       // record all received messages
    seconds updates_interval{900};
    friend bool operator==(const MrtSettings&, const MrtSettings&) = default;
};

// A port with its addresses, as far as BGP asks: what is ours, what is on the link.
struct Link {
    rib::PortIndex port = rib::kAnyPort;
    std::string interface;  // its name in the kernel
    struct Address {
        IpAddress address;
        std::uint8_t length = 0;
        friend bool operator==(const Address&, const Address&) = default;
    };
    std::vector<Address> addresses;
    friend bool operator==(const Link&, const Link&) = default;
};

struct SpeakerSettings {
    std::uint32_t asn = 0;
    std::uint32_t router_id = 0;  // host order
    // Taken from some address: the first one stays for as long as the speaker runs
    // (RFC 4271 §4.2).
    bool router_id_derived = false;
    std::uint32_t cluster_id = 0;  // 0: the router id
    std::string hostname;          // capability 73
    std::string software;          // capability 75
    std::vector<ListenAddress> listen{{IpAddress::v6({}), 179}, {IpAddress{}, 179}};
    std::uint32_t listen_limit = 4096;  // dynamic neighbors in all
    Multipath multipath;
    DecisionSettings decision;
    std::vector<Prefix> networks;  // announced by us
    std::vector<AggregateSettings> aggregates;
    bool forwarding_survives = false;  // what forwards for us outlives this process
    bool forwarding_survived = true;   // and that of the process before did (the F bit)
    seconds restart_deferral{10};      // RFC 4724 §4.1: how long peers are waited for at start
    bool redistribute_connected = false;
    bool redistribute_static = false;
    GuardSettings guard;
    MrtSettings mrt;
    std::vector<PrefixList> prefix_lists;
    std::vector<PolicySettings> policies;
    std::vector<GroupSettings> groups;
    std::vector<NeighborSettings> neighbors;
    std::vector<ListenRange> ranges;
    std::vector<Link> links;
    friend bool operator==(const SpeakerSettings&, const SpeakerSettings&) = default;
};

}  // namespace torii::bgp
