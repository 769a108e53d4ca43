#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/address.hpp"
#include "base/mac.hpp"
#include "base/prefix.hpp"
#include "config/peer_settings.hpp"
#include "config/policy.hpp"

// The configuration in the operator's terms: a plain value, complete in itself, independent
// of how the rooms store it; app/translate converts. A default-constructed member is the
// default of its key.
namespace torii::config {

struct Router {
    std::optional<std::string> hostname;  // unset: the machine's
    friend bool operator==(const Router&, const Router&) = default;
};

enum class Hugepages : std::uint8_t { Auto, On, Off };
enum class PollMode : std::uint8_t { Adaptive, Busy };
enum class Lookup : std::uint8_t { Auto, Scalar, Avx2, Avx512 };

struct Dataplane {
    std::vector<std::string> eal_arguments;  // appended after ours
    std::string file_prefix = "torii";
    std::uint16_t workers = 1;
    std::optional<std::string> lcores;  // "1-3,5"; unset: the first free ones
    std::optional<std::uint32_t> memory_mib;
    Hugepages hugepages = Hugepages::Auto;
    std::optional<std::uint32_t> mbufs;     // unset: what ports, queues and workers take
    std::uint32_t ipv4_routes = 1'200'000;  // capacity of the FIB
    std::uint32_t ipv6_routes = 300'000;
    std::uint32_t next_hop_groups = 65536;
    std::uint32_t neighbors = 16384;
    PollMode poll = PollMode::Adaptive;
    Lookup lookup = Lookup::Auto;
    std::uint32_t icmp_errors_per_second = 1000;
    std::vector<std::uint16_t> udp_services;
    bool offload = true;
    std::chrono::seconds unbalanced_after{60};
    friend bool operator==(const Dataplane&, const Dataplane&) = default;
};

// How a port is found. Never by DPDK's number.
enum class DeviceKind : std::uint8_t { Pci, Vdev, Netdev };
struct Device {
    DeviceKind kind = DeviceKind::Vdev;
    std::string name;  // "0000:3b:00.0", "net_af_packet0,iface=gwa", "eth1"
    friend bool operator==(const Device&, const Device&) = default;
};

// An address of ours with the block its link has; the host bits are kept.
struct InterfaceAddress {
    IpAddress address;
    std::uint8_t length = 0;
    Prefix network() const { return {address, length}; }
    static std::optional<InterfaceAddress> parse(std::string_view text);  // "10.0.0.1/24"
    std::string to_string() const;
    friend auto operator<=>(const InterfaceAddress&, const InterfaceAddress&) = default;
};

struct Port {
    std::string name;
    Device device;                      // of a sub-port: none
    std::optional<std::string> parent;  // set: a sub-port, the frames of one VLAN of that port
    std::optional<std::uint16_t> vlan;
    std::optional<MacAddress> mac;     // unset: the device's own
    std::optional<std::uint16_t> mtu;  // unset: see Model::mtu_of
    std::vector<InterfaceAddress> addresses;
    std::optional<std::uint16_t> queues;  // unset: one a worker, as many as the device has
    std::uint16_t rx_descriptors = 1024;
    std::uint16_t tx_descriptors = 1024;
    bool promiscuous = false;
    bool strict_rpf = false;
    bool shutdown = false;
    std::optional<std::string> description;
    friend bool operator==(const Port&, const Port&) = default;
};

// "192.0.2.1", "fe80::1@uplink", "192.0.2.1 weight 2"
struct Via {
    IpAddress address;
    std::optional<std::string> port;  // needed for a link-local address
    std::uint16_t weight = 1;
    static std::optional<Via> parse(std::string_view text);
    std::string to_string() const;
    friend bool operator==(const Via&, const Via&) = default;
};

enum class StaticKind : std::uint8_t { Forward, Discard, Unreachable };

struct StaticRoute {
    Prefix prefix;
    StaticKind kind = StaticKind::Forward;
    std::vector<Via> via;  // for Forward alone, then at least one
    std::uint8_t distance = 1;
    std::optional<std::string> description;
    friend bool operator==(const StaticRoute&, const StaticRoute&) = default;
};

// An ARP or ND entry that never ages.
struct StaticNeighbor {
    std::string port;
    IpAddress address;
    MacAddress mac;
    friend bool operator==(const StaticNeighbor&, const StaticNeighbor&) = default;
};

struct PeerGroup {
    std::string name;
    std::optional<std::string> inherits;  // another group, asked after this one
    PeerSettings settings;
    friend bool operator==(const PeerGroup&, const PeerGroup&) = default;
};

// Peers that dial from inside `range` become members of `group` without a line
// of their own; the longest range wins.
struct ListenRange {
    Prefix range;
    std::string group;
    std::optional<std::uint32_t> limit;  // unset: only bgp.listen_limit counts
    friend bool operator==(const ListenRange&, const ListenRange&) = default;
};

struct Neighbor {
    IpAddress address;
    std::optional<std::string> port;  // for a link-local address: "fe80::1@uplink"
    std::optional<std::string> group;
    PeerSettings settings;
    friend bool operator==(const Neighbor&, const Neighbor&) = default;
};

enum class Redistribute : std::uint8_t { Connected, Static };

enum class GuardMode : std::uint8_t { Off, Alert, Enforce };

// Which node may announce what; it looks at peers that are `guarded`.
struct Guard {
    GuardMode mode = GuardMode::Off;
    std::vector<Prefix> pods;    // first come, first owned; empty: anywhere
    std::vector<Prefix> shared;  // any node may announce inside
    seconds lease{300};          // a prefix stays its owner's that long after it went
    std::optional<std::uint8_t> min_length_ipv4{}, min_length_ipv6{};  // unset: by the pods
    std::uint32_t prefixes_per_node = 4096;                            // 0: any number
    friend bool operator==(const Guard&, const Guard&) = default;
};

// A summary of what lies inside it, announced while there is anything.
struct Aggregate {
    Prefix prefix;
    bool summary_only = false;
    friend bool operator==(const Aggregate&, const Aggregate&) = default;
};

// MRT files (RFC 6396): dumps of the table, and received messages.
struct Mrt {
    std::string directory = "/var/lib/torii/mrt";
    seconds table_interval{0};
    bool updates = false;
    seconds updates_interval{900};
    friend bool operator==(const Mrt&, const Mrt&) = default;
};

struct Bgp {
    Asn asn;
    std::optional<IpAddress> router_id;  // unset: the highest IPv4 address of a port
    std::vector<IpAddress> listen_addresses{IpAddress{}, IpAddress::v6({})};
    std::uint16_t port = 179;
    std::uint32_t listen_limit = 4096;
    std::uint16_t maximum_paths_ebgp = 64;
    std::uint16_t maximum_paths_ibgp = 64;
    bool multipath_relax = true;  // equal length is enough, the ASes may differ
    bool always_compare_med = false;
    bool missing_med_as_worst = false;
    bool compare_router_id = false;       // false: of equal eBGP paths the one in use stays
    std::optional<IpAddress> cluster_id;  // unset: the router ID
    seconds restart_deferral{10};
    std::optional<std::string> kept_routes;  // unset: beside the API's socket
    std::vector<Prefix> networks;
    std::vector<Aggregate> aggregates;
    std::vector<Redistribute> redistribute;
    Guard guard;
    Mrt mrt;
    PeerSettings defaults;
    std::vector<PeerGroup> groups;
    std::vector<ListenRange> listen;
    std::vector<Neighbor> neighbors;
    friend bool operator==(const Bgp&, const Bgp&) = default;

    const PeerGroup* find_group(std::string_view name) const;
};

// neighbor <- its group <- inherited groups <- bgp.defaults <- built in.
EffectivePeer effective(const Bgp& bgp, const Neighbor& neighbor);
// The same for a dynamic member of a group.
EffectivePeer effective(const Bgp& bgp, const PeerGroup& group);

// The effective settings without their origins, for all neighbors at once. A group is folded
// once, because thousands share it.
class FoldedPeers {
public:
    explicit FoldedPeers(const Bgp& bgp);
    const PeerSettings& of(const PeerGroup& group) const { return groups_.at(group.name); }
    // The settings that a neighbor inherits.
    const PeerSettings& above(const Neighbor& neighbor) const;
    PeerSettings of(const Neighbor& neighbor) const {
        return inherit(neighbor.settings, above(neighbor));
    }

private:
    PeerSettings none_;
    std::map<std::string, PeerSettings, std::less<>> groups_;
};

// True when a peer with these settings is of our own AS. Nothing when unknown.
std::optional<bool> is_internal(const Bgp& bgp, const PeerSettings& settings);

// "[permit|deny] PREFIX [ge N] [le N]"; "any" is every prefix of both families.
struct PrefixRule {
    bool permit = true;
    bool any = false;
    Prefix prefix;
    std::uint8_t ge = 0;  // lengths that match, both ends included
    std::uint8_t le = 0;
    static std::optional<PrefixRule> parse(std::string_view text);
    std::string to_string() const;
    bool matches(const Prefix& p) const {
        return any || (p.length() >= ge && p.length() <= le && prefix.contains(p));
    }
    friend bool operator==(const PrefixRule&, const PrefixRule&) = default;
};

// The first rule that matches decides; what no rule matches is denied.
struct PrefixList {
    std::string name;
    std::vector<PrefixRule> rules;
    friend bool operator==(const PrefixList&, const PrefixList&) = default;
};

// "127.0.0.1:8080", "[::1]:8080"
struct Endpoint {
    IpAddress address;
    std::uint16_t port = 0;
    static std::optional<Endpoint> parse(std::string_view text);
    std::string to_string() const;
    friend bool operator==(const Endpoint&, const Endpoint&) = default;
};

struct Tls {
    std::string certificate;
    std::string key;
    std::optional<std::string> client_ca;  // set: clients must show a certificate
    friend bool operator==(const Tls&, const Tls&) = default;
};

enum class Role : std::uint8_t { Read, Operate, Admin };

struct Token {
    std::string name;
    std::string hash;  // argon2id, as `torii token add` prints it
    Role role = Role::Read;
    friend bool operator==(const Token&, const Token&) = default;
};

struct Management {
    std::string socket = "/run/torii/torii.sock";  // "" for none
    std::uint16_t socket_mode = 0660;
    std::vector<Endpoint> http{{IpAddress::v4(0x7f000001), 8080}};
    std::optional<Tls> tls;
    std::vector<Token> tokens;
    std::uint32_t max_connections = 1024;
    friend bool operator==(const Management&, const Management&) = default;
};

enum class LogLevel : std::uint8_t { Debug, Info, Notice, Warning, Error };
enum class LogFormat : std::uint8_t { Logfmt, Json };

struct Log {
    LogLevel level = LogLevel::Info;
    LogFormat format = LogFormat::Logfmt;
    bool stderr_output = true;
    bool journal = false;
    std::optional<std::string> file;
    friend bool operator==(const Log&, const Log&) = default;
};

// What makes the gate ready, beside what always does.
struct Readiness {
    std::vector<std::string> ports;  // all of these have link; empty: any one has
    std::vector<std::string>
        uplinks;        // groups and addresses; empty: peers that may announce a default
    bool nodes = true;  // a member of a listen range announces a route
    std::optional<std::string> file;  // for keepalived; unset: beside the API's socket
    friend bool operator==(const Readiness&, const Readiness&) = default;
};

struct Model {
    Router router;
    Dataplane dataplane;
    std::vector<Port> ports;  // rib::PortIndex is the index here, once they are sorted
    std::vector<StaticRoute> routes;
    std::vector<StaticNeighbor> neighbors;
    std::optional<Liveness> liveness;  // of next hops that are no BGP peers
    std::vector<Prefix> pools;         // addresses that the cluster gives out
    std::vector<Prefix> drop_sources;  // packets from these are dropped first
    std::optional<Bgp> bgp;
    std::vector<PrefixList> prefix_lists;
    std::vector<AsPathList> as_path_lists;
    std::vector<CommunityList> community_lists;
    std::vector<Policy> policies;
    Readiness readiness;
    Management management;
    Log log;
    friend bool operator==(const Model&, const Model&) = default;

    const Port* find_port(std::string_view name) const;
    const Port* parent_of(const Port& port) const;  // null: it is no sub-port
    // The configured MTU, else the parent's, else 1500.
    std::uint16_t mtu_of(const Port& port) const;
    bool is_shut_down(const Port& port) const;  // itself or its parent
    // Ports with a device first, otherwise as they are: a sub-port is opened on another.
    void sort_ports();
    const PrefixList* find_prefix_list(std::string_view name) const;
};

}  // namespace torii::config
