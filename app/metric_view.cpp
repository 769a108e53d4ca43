#include <utility>

#include "app/gateway.hpp"
#include "app/views.hpp"
#include "bgp/speaker.hpp"
#include "dataplane/dataplane.hpp"

namespace torii::app {
namespace {

using mgmt::Metric;
using mgmt::MetricKind;
using Labels = std::vector<std::pair<std::string, std::string>>;

// Collects samples under the name they share.
class Families {
public:
    Metric& of(std::string name, MetricKind kind, std::string help) {
        metrics_.push_back({std::move(name), std::move(help), kind, {}});
        return metrics_.back();
    }
    std::vector<Metric> take() { return std::move(metrics_); }

private:
    std::vector<Metric> metrics_;
};

template <class Number>
void add(Metric& metric, Labels labels, Number value) {
    metric.samples.push_back({std::move(labels), static_cast<double>(value), {}, 0});
}

void add_histogram(Metric& metric, const LatencyHistogram& histogram) {
    const auto in_seconds = [](auto time) { return std::chrono::duration<double>(time).count(); };
    mgmt::Sample sample{{}, in_seconds(histogram.sum()), {}, histogram.count()};
    for (std::size_t i = 0; i < LatencyHistogram::kBounds.size(); ++i)
        sample.buckets.emplace_back(in_seconds(LatencyHistogram::kBounds[i]), histogram.up_to(i));
    metric.samples.push_back(std::move(sample));
}

void add_ports(Families& out, const dataplane::Dataplane& dataplane) {
    const auto ports = dataplane.ports();
    const auto each = [&](std::string name, MetricKind kind, std::string help, auto value) {
        auto& metric = out.of(std::move(name), kind, std::move(help));
        for (const auto& port : ports) add(metric, {{"port", port.name}}, value(port));
    };
    using Port = dataplane::PortView;
    each("torii_port_up", MetricKind::Gauge, "1 when the port has link.",
         [](const Port& p) { return p.up ? 1 : 0; });
    each("torii_port_rx_packets_total", MetricKind::Counter, "Packets received by the port.",
         [](const Port& p) { return p.rx.packets; });
    each("torii_port_rx_bytes_total", MetricKind::Counter, "Bytes received by the port.",
         [](const Port& p) { return p.rx.bytes; });
    each("torii_port_tx_packets_total", MetricKind::Counter, "Packets sent by the port.",
         [](const Port& p) { return p.tx.packets; });
    each("torii_port_tx_bytes_total", MetricKind::Counter, "Bytes sent by the port.",
         [](const Port& p) { return p.tx.bytes; });
    each("torii_port_slow_packets_total", MetricKind::Counter,
         "Packets received by the port that took the slow path, one by one.",
         [](const Port& p) { return p.slow; });
    each("torii_port_rx_missed_total", MetricKind::Counter,
         "Packets lost before a worker saw them.", [](const Port& p) { return p.rx_missed; });
}

void add_dataplane(Families& out, const dataplane::Dataplane& dataplane) {
    add_ports(out, dataplane);
    auto& exits = out.of("torii_exit_packets_total", MetricKind::Counter,
                         "Packets by the way they left: each packet is counted in one exit.");
    for (const auto& exit : dataplane.exits())
        add(exits,
            {{"exit", std::string{exit.name}},
             {"kind", std::string{exit.kind}},
             {"port", exit.port}},
            exit.packets);

    auto& busy = out.of("torii_lcore_busy_ratio", MetricKind::Gauge,
                        "Share of its time a worker spent on packets.");
    for (const auto& worker : dataplane.workers())
        add(busy, {{"lcore", std::to_string(worker.lcore)}}, worker.busy_ratio);

    const auto alive = dataplane.liveness_counters();
    auto& verdicts =
        out.of("torii_liveness_neighbors", MetricKind::Gauge, "Neighbors under watch, by verdict.");
    for (const auto& [name, count] :
         {std::pair{"up", alive.up}, {"down", alive.down}, {"unknown", alive.unknown}})
        add(verdicts, {{"verdict", name}}, count);
    add(out.of("torii_liveness_deaths_total", MetricKind::Counter, "Neighbors found dead."), {},
        alive.deaths);
    add(out.of("torii_liveness_returns_total", MetricKind::Counter, "Neighbors that came back."),
        {}, alive.returns);
    add(out.of("torii_liveness_damped_total", MetricKind::Counter,
               "Deaths of neighbors that come and go: held back for a while."),
        {}, alive.damped);
    add(out.of("torii_liveness_last_prune_seconds", MetricKind::Gauge,
               "From the last verdict until no next-hop group named the dead."),
        {}, static_cast<double>(alive.last_prune_us) / 1e6);
    add(out.of("torii_liveness_worst_prune_seconds", MetricKind::Gauge,
               "The longest that ever took."),
        {}, static_cast<double>(alive.worst_prune_us) / 1e6);

    const auto& proof = dataplane.proof();
    auto& faults = out.of("torii_fib_faults_total", MetricKind::Counter,
                          "Differences between forwarding and routing table, corrected.");
    for (std::size_t kind = 0; kind < proof.faults.size(); ++kind)
        add(faults, {{"kind", to_text(static_cast<dataplane::FaultKind>(kind))}},
            proof.faults[kind]);
    add(out.of("torii_fib_proofs_total", MetricKind::Counter,
               "Times that every entry of the forwarding tables was compared."),
        {}, proof.passes);

    const auto resources = dataplane.resources();
    auto& used = out.of("torii_resource_used", MetricKind::Gauge, "Use of a finite resource.");
    for (const auto& r : resources) add(used, {{"resource", std::string{r.name}}}, r.used);
    auto& limit = out.of("torii_resource_limit", MetricKind::Gauge, "Limit of that resource.");
    for (const auto& r : resources) add(limit, {{"resource", std::string{r.name}}}, r.limit);

    const auto ledger = dataplane.ledger();
    auto& books = out.of("torii_packets_total", MetricKind::Counter,
                         "Packets on both sides of the books: those that entered have left.");
    for (const auto& [name, count] : {std::pair{"received", ledger.received},
                                      {"injected", ledger.injected},
                                      {"generated", ledger.generated},
                                      {"transmitted", ledger.transmitted},
                                      {"punted", ledger.punted},
                                      {"dropped", ledger.dropped},
                                      {"held", ledger.held}})
        add(books, {{"direction", name}}, count);
}

Labels labels_of(const bgp::NeighborView& peer) {
    return {{"peer", peer.address.to_string()},
            {"peer_as", std::to_string(peer.remote_as)},
            {"local_as", std::to_string(peer.local_as)},
            {"peer_group", peer.group}};
}

void add_bgp(Families& out, const bgp::Speaker& speaker) {
    const auto peers = speaker.neighbors();
    const auto each_peer = [&](std::string name, MetricKind kind, std::string help, auto value) {
        auto& metric = out.of(std::move(name), kind, std::move(help));
        for (const auto& peer : peers) add(metric, labels_of(peer), value(peer));
    };
    using Peer = bgp::NeighborView;
    each_peer("torii_bgp_peer_up", MetricKind::Gauge, "1 when the session is Established.",
              [](const Peer& p) { return p.state == "Established" ? 1 : 0; });
    each_peer("torii_bgp_peer_uptime_seconds", MetricKind::Gauge,
              "Seconds in the present state of the session.",
              [](const Peer& p) { return p.uptime.count(); });
    each_peer("torii_bgp_peer_messages_received_total", MetricKind::Counter,
              "BGP messages received.", [](const Peer& p) { return p.received.total(); });
    each_peer("torii_bgp_peer_messages_sent_total", MetricKind::Counter, "BGP messages sent.",
              [](const Peer& p) { return p.sent.total(); });
    each_peer("torii_bgp_peer_established_total", MetricKind::Counter, "Times the session came up.",
              [](const Peer& p) { return p.times_established; });

    const auto each_family = [&](std::string name, std::string help, auto value) {
        auto& metric = out.of(std::move(name), MetricKind::Gauge, std::move(help));
        for (const auto& peer : peers) {
            for (const auto& family : peer.families) {
                auto labels = labels_of(peer);
                labels.emplace_back("afi", to_string(family.family));
                labels.emplace_back("safi", "unicast");
                add(metric, std::move(labels), value(family));
            }
        }
    };
    using FamilyOf = bgp::FamilyView;
    each_family("torii_bgp_peer_prefixes_received", "Prefixes the peer announces.",
                [](const FamilyOf& f) { return f.received; });
    each_family("torii_bgp_peer_prefixes_accepted", "Prefixes that policy let in.",
                [](const FamilyOf& f) { return f.accepted; });
    each_family("torii_bgp_peer_prefixes_advertised", "Prefixes advertised to the peer.",
                [](const FamilyOf& f) { return f.advertised; });

    const auto counters = speaker.counters();
    add(out.of("torii_bgp_neighbors", MetricKind::Gauge, "Neighbors, dynamic ones included."), {},
        counters.neighbors);
    add(out.of("torii_bgp_neighbors_established", MetricKind::Gauge, "Sessions that are up."), {},
        counters.established);
    add(out.of("torii_bgp_paths", MetricKind::Gauge, "Paths in the BGP table."), {},
        counters.paths);
    add(out.of("torii_bgp_attribute_sets", MetricKind::Gauge, "Distinct attribute sets."), {},
        counters.attribute_sets);
    add(out.of("torii_bgp_connections_accepted_total", MetricKind::Counter,
               "TCP connections that listeners accepted."),
        {}, counters.connections_accepted);
    add(out.of("torii_bgp_connections_refused_total", MetricKind::Counter,
               "TCP connections that were turned away."),
        {}, counters.connections_refused);
}

}  // namespace

void Metrics::metrics(mgmt::Done<std::vector<Metric>> done) {
    gateway_.ask([this, done = std::move(done)] {
        Families out;
        add(out.of("torii_build_info", MetricKind::Gauge, "Which torii this is."),
            {{"version", TORII_VERSION}}, 1);
        add(out.of("torii_uptime_seconds", MetricKind::Gauge, "Seconds since the start."), {},
            gateway_.uptime().count());
        add(out.of("torii_drained", MetricKind::Gauge, "1 while the gate is out of service."), {},
            gateway_.drained() ? 1 : 0);
        add(out.of("torii_config_revision", MetricKind::Gauge, "Revision of the configuration."),
            {}, gateway_.revision());
        add(out.of("torii_ready", MetricKind::Gauge,
                   "1 while every condition of readiness is met."),
            {}, gateway_.readiness().ready() ? 1 : 0);
        auto& conditions = out.of("torii_readiness_condition", MetricKind::Gauge,
                                  "1 while a condition of readiness is met.");
        for (const auto& condition : gateway_.readiness().conditions())
            add(conditions, {{"condition", std::string{condition.name}}}, condition.met ? 1 : 0);
        add(out.of("torii_config_saved", MetricKind::Gauge,
                   "1 while the startup file has what is in force."),
            {}, gateway_.saved() ? 1 : 0);
        add(out.of("torii_config_waits_for_restart", MetricKind::Gauge,
                   "Changes that only a restart applies."),
            {}, gateway_.waits_for_restart().size());
        add(out.of("torii_ports_failed", MetricKind::Gauge, "Ports that could not be opened."), {},
            gateway_.failed_ports().size());
        add(out.of("torii_api_listeners_failed", MetricKind::Gauge,
                   "Addresses and certificates that the API is not served by."),
            {}, gateway_.management_problems().size());
        auto& routes = out.of("torii_rib_routes", MetricKind::Gauge, "Routes by their source.");
        for (const auto source : {rib::Source::Connected, rib::Source::Static, rib::Source::Bgp})
            add(routes, {{"source", std::string{rib::to_string(source)}}},
                gateway_.table().routes(source));
        add_histogram(out.of("torii_update_to_fib_seconds", MetricKind::Histogram,
                             "From the last byte of an UPDATE read to the write of the FIB."),
                      gateway_.update_to_fib());
        if (const auto* dataplane = gateway_.dataplane()) add_dataplane(out, *dataplane);
        if (const auto* speaker = gateway_.speaker()) add_bgp(out, *speaker);
        done(out.take());
    });
}

}  // namespace torii::app
