#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/prefix.hpp"
#include "base/result.hpp"
#include "mgmt/liveness_rows.hpp"
#include "mgmt/offload_rows.hpp"
#include "mgmt/problem.hpp"
#include "mgmt/rows.hpp"

// What mgmt/ may see of the router and ask of it. app/ implements these.
//
// Every function is called on the management thread and must return at once:
// app posts one bounded question to the control thread. `done` is to be called
// exactly once, from any thread; the server brings the answer back to its own.
// A `done` that is destroyed uncalled answers 503 by itself, so that a stop in
// the middle of a question leaves no client hanging.
namespace torii::mgmt {

template <class T>
using Done = std::function<void(Result<T, Problem>)>;
struct Nothing {};

enum class RouteTable : std::uint8_t {
    Rib,       // the routes of every source
    Fib,       // what packets follow
    AdjIn,     // what a neighbor sent, before policy
    AdjOut,    // what is advertised to a neighbor
    Filtered,  // what policy refused of a neighbor, and the rule
};

struct RouteQuery {
    RouteTable table = RouteTable::Rib;
    enum class Match : std::uint8_t {
        All,
        Exact,    // `prefix`
        Longer,   // `prefix` and all inside it
        Longest,  // the one route that a packet to `prefix` follows
    };
    Match match = Match::All;
    Prefix prefix;         // does not count for All
    std::string source;    // "" for all
    std::string neighbor;  // the table's, or for Rib: learnt from
    std::optional<Family> family;
    std::optional<Prefix> after;  // resume behind this one
    std::size_t limit = 100;      // prefixes; at most 1,000
};

struct RoutePage {
    std::vector<RouteRow> rows;  // in prefix order; all rows of a prefix or none
    std::optional<Prefix> next;  // resume here; nothing: this was all
    std::uint64_t total = 0;     // prefixes in the table, whatever the filter
};

class RouteView {
public:
    virtual ~RouteView() = default;
    virtual void routes(RouteQuery query, Done<RoutePage> done) = 0;
};

class NeighborView {
public:
    virtual ~NeighborView() = default;
    virtual void neighbors(Done<std::vector<NeighborRow>> done) = 0;
    // One of them, with `why`.
    virtual void neighbor(std::string address, Done<NeighborRow> done) = 0;
    virtual void groups(Done<std::vector<GroupRow>> done) = 0;
};

class PortView {
public:
    virtual ~PortView() = default;
    virtual void ports(Done<std::vector<PortRow>> done) = 0;
};

// ARP and ND.
class AdjacencyView {
public:
    virtual ~AdjacencyView() = default;
    virtual void adjacencies(Done<std::vector<AdjacencyRow>> done) = 0;
    virtual void liveness(Done<std::vector<LivenessRow>> done) = 0;
};

class MetricView {
public:
    virtual ~MetricView() = default;
    virtual void metrics(Done<std::vector<Metric>> done) = 0;
};

class HealthView {
public:
    virtual ~HealthView() = default;
    virtual void health(Done<HealthReport> done) = 0;
};

struct StaticRouteRequest {
    Prefix prefix;
    std::string kind = "forward";  // "forward", "discard", "unreachable"
    std::vector<std::string> via;  // "192.0.2.1", "fe80::1@uplink", "192.0.2.1 weight 2"
    std::uint8_t distance = 1;
    std::string description;
};

class StaticRouteControl {
public:
    virtual ~StaticRouteControl() = default;
    // Answers true when the route is new, false when it replaced one.
    virtual void put(StaticRouteRequest route, Done<bool> done) = 0;
    virtual void erase(Prefix prefix, Done<Nothing> done) = 0;
};

// What ports do with frames by themselves, and the sources that are dropped first.
class OffloadControl {
public:
    virtual ~OffloadControl() = default;
    virtual void offload(Done<OffloadReport> done) = 0;
    // Answers true when the source is new.
    virtual void put_drop_source(Prefix source, Done<bool> done) = 0;
    virtual void erase_drop_source(Prefix source, Done<Nothing> done) = 0;
};

enum class PeerAction : std::uint8_t {
    Clear,     // reset the session
    SoftIn,    // ask for all routes again
    SoftOut,   // send all routes again
    Shutdown,  // close and stay closed
    Enable,    // undo Shutdown and Drain
    Drain,     // RFC 8326: ask others to go elsewhere, keep the session
};

class BgpControl {
public:
    virtual ~BgpControl() = default;
    virtual void act_on_neighbor(std::string address, PeerAction action, std::string reason,
                                 Done<Nothing> done) = 0;
    virtual void act_on_group(std::string name, PeerAction action, std::string reason,
                              Done<Nothing> done) = 0;
    // Writes the table to a file of MRT; answers when that is whole.
    virtual void dump_table(Done<MrtRow> done) = 0;
    // Records what peers send for so long; answers at once.
    virtual void record_updates(seconds time, Done<MrtRow> done) = 0;
};

// Compares the forwarding tables with the routing table.
class VerifyControl {
public:
    virtual ~VerifyControl() = default;
    virtual void verify(Done<ProofReport> done) = 0;
};

// Takes the whole gateway out of service, and back.
class DrainControl {
public:
    virtual ~DrainControl() = default;
    virtual void drain(Done<DrainState> done) = 0;  // how far it is
    virtual void set_drain(bool drained, std::string reason, Done<DrainState> done) = 0;
};

struct ExplainQuery {
    std::string source;
    std::string destination;
    std::uint8_t protocol = 6;
    std::uint16_t source_port = 0, destination_port = 0;
    std::string port;     // where it comes in; "" for any
    std::string without;  // a neighbor to imagine down
};

class ExplainView {
public:
    virtual ~ExplainView() = default;
    virtual void explain(ExplainQuery query, Done<Explanation> done) = 0;
};

// Which packets to show: all conditions must hold.
struct CaptureRequest {
    std::vector<std::string> exits;  // names of exits, or "transmit"; none: every one
    std::string port;                // it came in by, or leaves by when transmitted
    std::optional<Prefix> prefix;    // source or destination is inside
    std::uint32_t one_in = 1;        // of those, so many are shown
    std::uint32_t snap = 256;        // bytes of each
};
struct CapturedPacket {
    std::uint64_t time = 0;  // nanoseconds since 1970
    std::string exit;
    std::uint32_t port = 0;    // index in the names that start() answered
    std::uint32_t length = 0;  // before it was cut
    std::string bytes;
};
struct CaptureBatch {
    std::vector<CapturedPacket> packets;
    std::uint64_t lost = 0;  // since the start, because the client did not take them in time
};

// One at a time. A capture that no client takes from for some seconds ends.
class CaptureControl {
public:
    virtual ~CaptureControl() = default;
    virtual void start(CaptureRequest request, Done<std::vector<std::string>> done) = 0;  // ports
    virtual void take(Done<CaptureBatch> done) = 0;
    virtual void stop() = 0;
};

// The client that wants a change, and of which configuration (RFC 9110 §13.1.1): where it is
// another one when the change is made, it answers 412.
struct ChangeRequest {
    std::string author;
    std::string if_match;                   // entity tags; "" or "*": of any
    std::optional<seconds> confirm_within;  // rolls back unless confirmed
};
struct CommitRequest : ChangeRequest {
    std::string text;  // a masked secret means: as it is
    std::string comment;
    bool save = false;  // becomes the startup file too, once it is to stay
};

class ConfigControl {
public:
    virtual ~ConfigControl() = default;
    virtual void running(bool with_defaults, Done<ConfigText> done) = 0;
    // The operator's own text, comments and all, secrets masked; printed where there is none.
    virtual void text(Done<ConfigText> done) = 0;
    // Checks text without touching anything; an empty list is a good file.
    virtual void check(std::string text, Done<std::vector<ProblemDetail>> done) = 0;
    // What would change; empty text means the startup file.
    virtual void diff(std::string text, Done<ConfigDiff> done) = 0;
    // What going back to a revision would change.
    virtual void diff_to(std::uint64_t revision, Done<ConfigDiff> done) = 0;
    // Reads the startup file again and applies the difference.
    virtual void reload(ChangeRequest request, Done<CommitState> done) = 0;
    virtual void commit(CommitRequest request, Done<CommitState> done) = 0;
    virtual void confirm(Done<CommitState> done) = 0;
    // Goes back at once from a commit that waits to be confirmed.
    virtual void abort(std::string author, Done<CommitState> done) = 0;
    virtual void roll_back(std::uint64_t revision, ChangeRequest request,
                           Done<CommitState> done) = 0;
    virtual void save(Done<Nothing> done) = 0;                     // running becomes startup
    virtual void revisions(Done<std::vector<Revision>> done) = 0;  // newest first
    virtual void revision(std::uint64_t number, Done<ConfigText> done) = 0;
};

// What the server is given. A missing view answers 501. The views must outlive
// the server.
struct Views {
    RouteView* routes = nullptr;
    NeighborView* neighbors = nullptr;
    PortView* ports = nullptr;
    AdjacencyView* adjacencies = nullptr;
    MetricView* metrics = nullptr;
    HealthView* health = nullptr;
    StaticRouteControl* static_routes = nullptr;
    BgpControl* bgp = nullptr;
    ExplainView* explain = nullptr;
    ConfigControl* config = nullptr;
    DrainControl* drain = nullptr;
    OffloadControl* offload = nullptr;
    VerifyControl* verify = nullptr;
    CaptureControl* capture = nullptr;
};

}  // namespace torii::mgmt
