#include "tests/unit/mgmt/fake_views.hpp"

#include <thread>
#include <utility>

namespace torii::mgmt {

FakeRouter::FakeRouter() {
    report.ready = true;
    report.version = "0.1.0";
    report.hostname = "gate";
    report.asn = 64512;
    report.router_id = "10.0.0.1";
    report.neighbors = 2;
    report.neighbors_established = 1;
}

Views FakeRouter::views() {
    return {this, this, this, this, this, this, this, this, this, this, this, this, this, this};
}

void FakeRouter::add(const char* prefix, const char* via, const char* source) {
    RouteRow row;
    row.prefix = *Prefix::parse(prefix);
    row.source = source;
    row.kind = "forward";
    row.distance = row.source == "bgp" ? 20 : 1;
    row.best = row.installed = true;
    row.because = "only path";
    row.next_hops = {{via, "nodes", 1, true, "02:00:00:00:00:02"}};
    if (row.source == "bgp")
        row.bgp = BgpPathRow{via, 65001, "65001", "igp", {}, {}, {"65001:1"}, false};
    table[row.prefix] = row;
}

std::vector<ProblemDetail> FakeRouter::problems() {
    return {{"request", 3, "ports.a", "unknown key bad", false}};
}

void FakeRouter::drain(Done<DrainState> done) {
    drain_state.forwarded_packets += forwards_between_questions;
    done(DrainState{drain_state});
}

void FakeRouter::set_drain(bool drained, std::string reason, Done<DrainState> done) {
    drain_state.drained = drained;
    drain_state.since = drained ? "2026-01-02T03:04:05Z" : "";
    drain_state.reason = std::move(reason);
    done(DrainState{drain_state});
}

void FakeRouter::routes(RouteQuery query, Done<RoutePage> done) {
    ++route_questions;
    RoutePage page;
    page.total = table.size();
    auto it = query.after ? table.upper_bound(*query.after) : table.begin();
    std::optional<RouteRow> longest;
    for (std::size_t looked_at = 0; it != table.end(); ++it) {
        const auto& [prefix, row] = *it;
        if (looked_at++ == looks_at) {
            page.next = std::prev(it)->first;
            break;
        }
        if (!query.source.empty() && row.source != query.source) continue;
        if (query.family && prefix.family() != *query.family) continue;
        if (query.match == RouteQuery::Match::Exact && prefix != query.prefix) continue;
        if (query.match == RouteQuery::Match::Longer && !query.prefix.contains(prefix)) continue;
        if (query.match == RouteQuery::Match::Longest) {
            if (prefix.contains(query.prefix)) longest = row;
            continue;
        }
        if (page.rows.size() == query.limit) {
            page.next = page.rows.back().prefix;
            break;
        }
        page.rows.push_back(row);
    }
    if (longest) page.rows.push_back(*longest);
    done(std::move(page));
}

NeighborRow FakeRouter::node() {
    NeighborRow row;
    row.address = "10.0.0.2";
    row.group = "nodes";
    row.dynamic = true;
    row.state = "Established";
    row.admin = "up";
    row.local_as = 64512;
    row.remote_as = 65001;
    row.uptime = seconds{3700};
    row.hold_time = seconds{90};
    row.families = {{"ipv4", 2, 1, 1, 5, 64, true, true}, {"ipv6", 1, 1, 0, 5, 0, true, true}};
    row.hostname = "node-\xff\"1";
    return row;
}

void FakeRouter::neighbors(Done<std::vector<NeighborRow>> done) {
    if (drops) return;
    if (silent) {
        kept.push_back(std::move(done));
        return;
    }
    NeighborRow upstream;
    upstream.address = "192.0.2.2";
    upstream.state = "Active";
    upstream.local_as = 64512;
    upstream.remote_as = 65000;
    upstream.last_reason = "hold timer expired";
    // As the router does: the answer comes from another thread.
    std::thread{[done, upstream] { done(std::vector{node(), upstream}); }}.join();
}

void FakeRouter::neighbor(std::string address, Done<NeighborRow> done) {
    if (address != "10.0.0.2") return done(Failure{not_found("no neighbor " + address)});
    auto row = node();
    row.why = {{"hold_time", "90", "built-in", false},
               {"remote_as", "\"external\"", "group nodes", true}};
    done(row);
}

void FakeRouter::groups(Done<std::vector<GroupRow>> done) {
    done(std::vector{GroupRow{"nodes", "", "external", {"10.0.0.0/24"}, 0, 1, 1, 1, {}}});
}

void FakeRouter::ports(Done<std::vector<PortRow>> done) {
    PortRow row;
    row.name = "nodes";
    row.device = "net_af_packet0,iface=gwa";
    row.mac = "02:00:00:00:00:01";
    row.addresses = {"10.0.0.1/24", "fd00::1/64"};
    row.mtu = 1500;
    row.admin_up = row.link_up = true;
    row.rx_packets = 123456789;
    done(std::vector{row});
}

void FakeRouter::adjacencies(Done<std::vector<AdjacencyRow>> done) {
    done(std::vector{
        AdjacencyRow{"10.0.0.2", "nodes", "02:00:00:00:00:02", "reachable", 0, 0, 0, seconds{3}}});
}

void FakeRouter::liveness(Done<std::vector<LivenessRow>> done) {
    LivenessRow row;
    row.address = "10.0.0.2";
    row.port = "nodes";
    row.verdict = "up";
    row.reason = "echoes come back";
    row.since = seconds{90};
    row.watch = "up";
    row.means = "echo";
    row.bgp = "up";
    row.bfd.emplace();
    row.bfd->state = row.bfd->remote_state = "up";
    row.bfd->transmit_interval = 50'000;
    done(std::vector{row});
}

void FakeRouter::offload(Done<OffloadReport> done) {
    OffloadReport answer;
    answer.ports = {
        {"nodes", "net_ice", true, "", 1, 2, 0, {}},
        {"uplink", "net_af_packet", false, "the driver has no rte_flow", {}, {}, 1234, {}}};
    answer.ports[0].rules = {
        {"bgp", "tcp to 10.0.0.1 port 179", "queue", true, "", "ingress priority 1", 12345},
        {"icmp", "icmp to 10.0.0.1", "queue", false, "the port refused to take it: full", "", {}}};
    answer.ports[1].rules = {
        {"drop_source", "ip from 198.51.100.0/24", "drop", false, answer.ports[1].reason, "", {}}};
    answer.drop_sources.assign(dropped.begin(), dropped.end());
    done(std::move(answer));
}

void FakeRouter::put_drop_source(Prefix source, Done<bool> done) {
    done(dropped.insert(source.to_string()).second);
}

void FakeRouter::erase_drop_source(Prefix source, Done<Nothing> done) {
    if (dropped.erase(source.to_string()) == 0)
        return done(Failure{not_found("nothing is dropped for " + source.to_string())});
    done(Nothing{});
}

void FakeRouter::metrics(Done<std::vector<Metric>> done) {
    done(std::vector{
        Metric{"torii_exit_packets_total",
               "Packets by exit.",
               MetricKind::Counter,
               {{{{"exit", "forward"}}, 1234567, {}, 0}, {{{"exit", "no_route"}}, 0, {}, 0}}},
        Metric{"torii_update_to_fib_seconds",
               "Time.",
               MetricKind::Histogram,
               {{{}, 1.5, {{0.001, 3}, {0.01, 4}}, 4}}}});
}

void FakeRouter::health(Done<HealthReport> done) {
    done(report);
}

void FakeRouter::put(StaticRouteRequest route, Done<bool> done) {
    if (!route.via.empty() && route.via[0] == "10.9.9.9")
        return done(
            Failure{invalid("10.9.9.9 is an address of ours", {{"", 0, "via", "ours", false}})});
    const bool fresh = !table.contains(route.prefix);
    add(route.prefix.to_string().c_str(), route.via.empty() ? "" : route.via[0].c_str(), "static");
    done(fresh);
}

void FakeRouter::erase(Prefix prefix, Done<Nothing> done) {
    if (table.erase(prefix) == 0)
        return done(Failure{not_found("no static route " + prefix.to_string())});
    done(Nothing{});
}

void FakeRouter::act_on_neighbor(std::string address, PeerAction action, std::string reason,
                                 Done<Nothing> done) {
    actions.push_back(address + ' ' + std::to_string(static_cast<int>(action)) + ' ' + reason);
    done(Nothing{});
}

void FakeRouter::act_on_group(std::string name, PeerAction action, std::string reason,
                              Done<Nothing> done) {
    act_on_neighbor("group " + name, action, std::move(reason), std::move(done));
}

void FakeRouter::dump_table(Done<MrtRow> done) {
    done(MrtRow{"/var/lib/torii/mrt/rib.mrt", true, 3, 5, 700});
}

void FakeRouter::record_updates(seconds time, Done<MrtRow> done) {
    actions.push_back("record " + std::to_string(time.count()));
    done(MrtRow{"/var/lib/torii/mrt/updates.mrt", false, 0, 0, 0});
}

void FakeRouter::explain(ExplainQuery query, Done<Explanation> done) {
    done(Explanation{"forward",
                     "10.244.1.0/24",
                     query.destination,
                     "nodes",
                     "",
                     1500,
                     {{"lookup", "10.244.1.0/24", "longest of 2"}}});
}

void FakeRouter::start(CaptureRequest request, Done<std::vector<std::string>> done) {
    for (const auto& exit : request.exits)
        if (exit == "nowhere") return done(Failure{bad_request("exit: no exit nowhere")});
    captured = request.port;
    done(std::vector<std::string>{"nodes", "uplink"});
}

void FakeRouter::take(Done<CaptureBatch> done) {
    CaptureBatch batch;
    batch.packets.push_back({17, "ip4_no_route", 1, 60, std::string(60, 'x')});
    done(std::move(batch));
}

void FakeRouter::stop() {
    captured = "stopped";
}

void FakeRouter::running(bool with_defaults, Done<ConfigText> done) {
    done(
        ConfigText{with_defaults ? "all\n" : "router = { };\n", running_revision, edits, true, {}});
}

void FakeRouter::check(std::string text, Done<std::vector<ProblemDetail>> done) {
    done(text.find("bad") == std::string::npos ? std::vector<ProblemDetail>{} : problems());
}

void FakeRouter::diff(std::string text, Done<ConfigDiff> done) {
    if (text.find("bad") != std::string::npos)
        return done(Failure{invalid("the configuration has errors", problems())});
    if (text.empty()) return done(ConfigDiff{"nothing changes", {}, ""});
    done(ConfigDiff{"1 neighbor reset", {{"neighbor 10.0.0.2: password", "reset"}}, ""});
}

void FakeRouter::diff_to(std::uint64_t to, Done<ConfigDiff> done) {
    if (to > running_revision) return done(Failure{not_found("no such revision")});
    done(ConfigDiff{"1 route removed", {{"route 203.0.113.0/24 goes", "none"}}, ""});
}

bool FakeRouter::matches(const ChangeRequest& request, const Done<CommitState>& done) const {
    const auto tag = entity_tag(running_revision, edits);
    if (request.if_match.empty() || request.if_match == "*" || request.if_match == tag) return true;
    done(Failure{
        Problem{412, "precondition-failed", "Changed meanwhile", "the running is " + tag, {}}});
    return false;
}

void FakeRouter::text(Done<ConfigText> done) {
    done(ConfigText{"# ours\nrouter = { };\n", running_revision, edits, true, {}});
}

void FakeRouter::reload(ChangeRequest request, Done<CommitState> done) {
    if (!matches(request, done)) return;
    actions.push_back("reload by " + request.author);
    done(CommitState{++running_revision, 0, "nothing changes", {}});
}

void FakeRouter::commit(CommitRequest request, Done<CommitState> done) {
    if (!matches(request, done)) return;
    actions.push_back("commit by " + request.author + ": " + request.comment +
                      (request.save ? ", saved" : ""));
    committed = request.text;
    done(CommitState{++running_revision, 0, "1 route added", request.confirm_within});
}

void FakeRouter::confirm(Done<CommitState> done) {
    done(CommitState{running_revision, 0, "", {}});
}

void FakeRouter::abort(std::string author, Done<CommitState> done) {
    actions.push_back("abort by " + author);
    done(CommitState{++running_revision, 0, "", {}});
}

void FakeRouter::roll_back(std::uint64_t to, ChangeRequest request, Done<CommitState> done) {
    if (!matches(request, done)) return;
    if (to > running_revision) return done(Failure{not_found("no such revision")});
    done(CommitState{++running_revision, 0, "", {}});
}

void FakeRouter::save(Done<Nothing> done) {
    done(Nothing{});
}

void FakeRouter::revisions(Done<std::vector<Revision>> done) {
    done(std::vector{Revision{7, "2026-01-01T00:00:00Z", "unix", "first", "1 route added"}});
}

void FakeRouter::revision(std::uint64_t number, Done<ConfigText> done) {
    if (number != 7) return done(Failure{not_found("no such revision")});
    done(ConfigText{"log = { };\n", 7, 0, true, {}});
}

}  // namespace torii::mgmt
