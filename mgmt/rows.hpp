#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/address.hpp"
#include "base/prefix.hpp"

// What the API shows, as plain rows. They are values: app fills them on the
// control thread and gives them away; mgmt/ writes them on its own.
namespace torii::mgmt {

using std::chrono::milliseconds;
using std::chrono::seconds;

struct NextHopRow {
    std::string address;  // "" when the port alone counts
    std::string port;
    std::uint32_t weight = 1;
    bool active = true;  // takes traffic now
    std::string mac;     // "" while unresolved
};

// What BGP alone stores of a route.
struct BgpPathRow {
    std::string neighbor;
    std::uint32_t neighbor_as = 0;
    std::string as_path;
    std::string_view origin;  // "igp", "egp", "incomplete"
    std::optional<std::uint32_t> local_pref;
    std::optional<std::uint32_t> med;
    std::vector<std::string> communities;  // standard, extended and large, printed
    bool stale = false;                    // kept by graceful restart
};

// Views are of texts that live as long as the process: there are a million of these.
struct RouteRow {
    Prefix prefix;
    std::string_view source;  // "connected", "static", "bgp"
    std::string_view kind;    // "forward", "attached", "local", "discard", "unreachable"
    std::uint32_t distance = 0;
    bool best = false;         // wins over the other sources of the prefix
    bool installed = false;    // packets follow it
    bool restored = false;     // of the process before, and not announced since
    std::string_view because;  // the step of the decision that made it best, or lost it
    std::string filtered_by;   // the rule that refused it ("pods: deny 0.0.0.0/0"), Filtered only
    std::vector<NextHopRow> next_hops;
    std::vector<NextHopRow> backup;  // takes over at once when none of those is alive
    std::optional<BgpPathRow> bgp;
    std::optional<seconds> age;  // since it came, or changed; unknown of a path not in use
};

struct FamilyRow {
    std::string family;  // "ipv4", "ipv6"
    std::uint64_t received = 0;
    std::uint64_t accepted = 0;
    std::uint64_t filtered = 0;
    std::uint64_t advertised = 0;
    std::uint32_t max_prefixes = 0;  // 0: no limit
    bool end_of_rib_received = false;
    bool end_of_rib_sent = false;
};

// A value that holds for a peer, and its origin.
struct SettingRow {
    std::string key;
    std::string value;     // secrets come masked
    std::string origin;    // "neighbor", "group nodes", "bgp.defaults", "built-in"
    bool pending = false;  // holds from the next session on
};

struct NeighborRow {
    std::string address;  // "10.0.0.2", "fe80::1@nodes"
    std::string group;
    std::string description;
    bool dynamic = false;  // came in by a listen range
    std::string state;     // "Established", "Idle", ...
    std::string admin;     // "up", "shutdown", "draining"
    std::uint32_t local_as = 0;
    std::uint32_t remote_as = 0;
    std::string remote_as_wanted;  // "64513", "external", "internal"
    std::string router_id;
    std::string hostname;          // capability 73
    std::string software_version;  // capability 75
    seconds uptime{0};             // since Established, or since the session fell
    seconds hold_time{0};          // as negotiated; 0: none
    seconds keepalive{0};
    std::string local_endpoint;
    std::string remote_endpoint;
    std::vector<FamilyRow> families;
    std::vector<std::string> capabilities;  // both sides have them
    std::uint64_t messages_received = 0;
    std::uint64_t messages_sent = 0;
    std::uint64_t updates_received = 0;
    std::uint64_t updates_sent = 0;
    std::uint64_t bytes_queued = 0;
    std::uint32_t times_established = 0;
    std::string last_reason;      // why the session last fell, in words
    std::vector<SettingRow> why;  // filled on request only
};

struct GroupRow {
    std::string name;
    std::string inherits;
    std::string remote_as;
    std::vector<std::string> ranges;
    std::uint32_t members_configured = 0;
    std::uint32_t members_dynamic = 0;
    std::uint32_t members_established = 0;
    std::uint32_t update_groups = 0;
    std::vector<SettingRow> settings;
};

struct PortRow {
    std::string name;
    std::string description;
    std::string parent;      // of a sub-port: the port whose frames with the tag it has
    std::uint32_t vlan = 0;  // its tag
    std::string device;      // "net_af_packet0,iface=gwa"
    std::string driver;
    std::string mac;
    std::vector<std::string> addresses;
    std::uint32_t mtu = 0;
    bool admin_up = false;
    bool link_up = false;
    std::uint64_t speed_mbps = 0;  // 0: unknown
    std::uint32_t queues = 0;
    std::string kernel_name;  // its TAP twin
    std::uint64_t rx_packets = 0, rx_bytes = 0, rx_dropped = 0, rx_errors = 0;
    std::uint64_t tx_packets = 0, tx_bytes = 0, tx_dropped = 0, tx_errors = 0;
};

// A neighbor on a link: ARP and ND.
struct AdjacencyRow {
    std::string address;
    std::string port;
    std::string mac;    // "" while unresolved
    std::string state;  // "reachable", "stale", "incomplete", "static", "dead"
    std::uint64_t held_packets = 0;
    std::uint64_t sent_packets = 0, sent_bytes = 0;  // forwarded to it
    seconds age{0};
};

// A number with a name, in Prometheus' terms: the same rows serve /metrics,
// /api/v1/counters and `torii counters`.
enum class MetricKind : std::uint8_t { Counter, Gauge, Histogram };

struct Sample {
    std::vector<std::pair<std::string, std::string>> labels;
    double value = 0;                                       // of a histogram: the sum
    std::vector<std::pair<double, std::uint64_t>> buckets;  // upper bound, cumulative count
    std::uint64_t count = 0;
};
struct Metric {
    std::string name;  // "torii_packets_dropped_total"
    std::string help;
    MetricKind kind = MetricKind::Counter;
    std::vector<Sample> samples;
};

// A thing that the gateway needs to be of use.
struct ConditionRow {
    std::string name;  // "uplink"
    bool met = true;
    std::string value;  // how it is, in words
};

struct HealthReport {
    bool ready = false;
    std::vector<ConditionRow> conditions;
    bool alive = true;
    bool drained = false;              // out of service by request
    std::vector<std::string> reasons;  // why not ready, or what is degraded
    std::string version;
    std::string hostname;
    std::string router_id;
    std::uint32_t asn = 0;
    seconds uptime{0};
    std::uint64_t config_revision = 0;
    bool config_saved = true;  // running and startup are the same
    std::uint32_t neighbors = 0, neighbors_established = 0;
    std::uint64_t routes_ipv4 = 0, routes_ipv6 = 0;
    double busy_ratio = 0;  // of the busiest worker
};

// A gateway that is drained asks all peers to use other paths and still forwards.
struct FaultRow {
    std::string kind;    // "prefix", "entry", "group", "neighbor"
    std::string where;   // "10.244.3.0/24", "group 7", "10.0.0.11"
    std::string wanted;  // by the routing table
    std::string found;   // by packets
};

// One comparison of everything that packets meet with the routing table.
struct ProofReport {
    std::uint64_t prefixes = 0, groups = 0, neighbors = 0;
    std::uint64_t fault_count = 0;
    std::vector<FaultRow> faults;  // the first ones
    bool healed = true;            // nothing was left of them
    double seconds = 0;
};

struct DrainState {
    bool drained = false;
    std::string since;   // RFC 3339
    std::string reason;  // as given
    // Packets sent on for others since the start: it stands still once they left.
    std::uint64_t forwarded_packets = 0;
    std::uint32_t neighbors_established = 0;
};

// One step of a packet's way through the real tables.
struct ExplainStep {
    std::string stage;    // "lookup", "ecmp", "adjacency"
    std::string outcome;  // "10.244.3.0/24", "bucket 17 of 64"
    std::string because;
};
struct Explanation {
    std::string exit;  // "forward", "no_route", ...
    std::string prefix;
    std::string next_hop;
    std::string port;
    std::string mac;
    std::uint32_t mtu = 0;
    std::vector<ExplainStep> steps;
};

// One change a new configuration would make, and its price.
struct ChangeRow {
    std::string what;  // "neighbor 10.0.0.2: password"
    std::string cost;  // "none", "refresh", "next session", "reset", "port", "restart"
};
struct ConfigDiff {
    std::string summary;  // "3 neighbors reset, 1 route added"
    std::vector<ChangeRow> changes;
    std::string text;  // unified, secrets masked; may be empty
};
// A file of MRT (RFC 6396).
struct MrtRow {
    std::string file;
    bool complete = true;  // false: it is being recorded
    std::uint64_t prefixes = 0, records = 0, bytes = 0;
};
struct ConfigText {
    std::string text;  // as a configuration file, secrets masked
    std::uint64_t revision = 0;
    std::uint64_t edits = 0;  // changes since, by routes put and deleted
    bool saved = true;
    std::optional<seconds> confirm_within;  // rolls back by itself after this
};
struct Revision {
    std::uint64_t number = 0;
    std::string time;  // RFC 3339
    std::string author;
    std::string comment;
    std::string summary;
};
struct CommitState {
    std::uint64_t revision = 0;
    std::uint64_t edits = 0;
    std::string summary;
    std::optional<seconds> confirm_within{};  // rolls back by itself after this
    std::vector<std::string> reset{};         // sessions that it ended
    std::vector<std::string> failed{};        // what could not be applied, and why
    std::vector<std::string> waits{};         // what only a restart applies
    std::string not_saved{};                  // why the startup file is as it was; "": no such wish
};

// An ETag: "7", and "7.2" when it has been edited twice since.
inline std::string entity_tag(std::uint64_t revision, std::uint64_t edits) {
    return '"' + std::to_string(revision) + (edits > 0 ? '.' + std::to_string(edits) : "") + '"';
}

}  // namespace torii::mgmt
