#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/prefix.hpp"
#include "bgp/settings.hpp"

// What the speaker shows of itself: values, made on the control thread.
namespace torii::bgp {

struct FamilyView {
    Family family = Family::Ip4;
    bool negotiated = false;
    std::uint32_t received = 0;  // paths, whatever became of them
    std::uint32_t accepted = 0;
    std::uint32_t filtered = 0;
    std::uint32_t advertised = 0;
    std::uint32_t max_prefixes = 0;  // 0: no limit
    bool end_of_rib_received = false;
    bool end_of_rib_sent = false;
    bool stale = false;  // kept by graceful restart
};

struct MessageCounters {
    std::uint64_t open = 0, update = 0, notification = 0, keepalive = 0, refresh = 0;
    std::uint64_t total() const { return open + update + notification + keepalive + refresh; }
};

struct NeighborView {
    IpAddress address;
    std::string group;
    std::string description;
    bool dynamic = false;
    std::string_view state;  // "Idle" ... "Established"
    std::string_view admin;  // "up", "shutdown", "draining"
    std::uint32_t local_as = 0;
    std::uint32_t remote_as = 0;  // while down the last one; 0: never known
    RemoteAs wanted_as;
    std::uint32_t router_id = 0;  // the peer's, host order
    std::string hostname;         // capability 73
    std::string software;         // capability 75
    seconds uptime{0};            // in or out of Established
    seconds hold_time{0};         // negotiated
    seconds keepalive{0};
    std::string local_endpoint, remote_endpoint;
    std::vector<FamilyView> families;
    std::vector<std::string> capabilities;  // both sides have them
    MessageCounters received, sent;
    std::uint64_t bytes_queued = 0;
    std::uint32_t times_established = 0;
    std::string last_reason;
    std::vector<std::string> pending;  // keys that hold from the next session on
};

struct GroupView {
    std::string name;
    RemoteAs remote_as;
    std::vector<Prefix> ranges;
    std::uint32_t configured = 0, dynamic = 0, established = 0;
    std::uint32_t update_groups = 0;
};

enum class RouteTable : std::uint8_t { LocRib, AdjIn, AdjOut, Filtered };

struct PathRow {
    Prefix prefix;
    std::string neighbor;  // "" for our own
    std::uint32_t neighbor_as = 0;
    std::uint32_t path_id = 0;
    std::vector<std::string> next_hops;
    std::string as_path;
    std::string_view origin;
    std::optional<std::uint32_t> local_pref, med;
    std::vector<std::string> communities;
    bool best = false;
    bool multipath = false;
    bool stale = false;
    bool reachable = true;
    std::string_view because;  // the step that made it best, or where it lost
    std::string filtered_by;   // why it was refused
};

struct PathQuery {
    RouteTable table = RouteTable::LocRib;
    std::optional<IpAddress> neighbor;  // needed for all but LocRib
    std::optional<Family> family;
    std::optional<Prefix> within;  // only this one and what is inside
    std::optional<Prefix> after;   // resume behind
    std::size_t limit = 100;       // prefixes that are looked for
    bool best_only = false;
};

struct PathPage {
    std::vector<PathRow> rows;   // in order of prefixes; all rows of one or none
    std::optional<Prefix> next;  // resume with this as `after`; nothing: that was all
    std::uint64_t total = 0;     // prefixes in the table
};

// A file of MRT that has been written.
struct MrtFile {
    std::string file;
    std::uint64_t prefixes = 0;  // of a table
    std::uint64_t records = 0;   // paths, or messages
    std::uint64_t bytes = 0;
};

struct SpeakerCounters {
    std::uint32_t neighbors = 0, established = 0, dynamic = 0;
    std::uint32_t members_with_routes = 0;  // of listen ranges, established, accepted some
    std::uint64_t prefixes4 = 0, prefixes6 = 0, paths = 0, attribute_sets = 0;
    std::uint64_t connections_accepted = 0, connections_refused = 0;
    std::uint64_t update_groups = 0;
};

}  // namespace torii::bgp
