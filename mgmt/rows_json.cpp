#include "mgmt/rows_json.hpp"

#include <ctime>

namespace torii::mgmt {
namespace {

void list(JsonWriter& json, std::string_view name, const std::vector<std::string>& values) {
    if (values.empty()) return;
    json.key(name).array();
    for (const auto& value : values) json.value(value);
    json.end_array();
}

void hops(JsonWriter& json, std::string_view name, const std::vector<NextHopRow>& rows) {
    json.key(name).array();
    for (const auto& hop : rows) {
        json.object();
        json.member_if("address", hop.address)
            .member_if("port", hop.port)
            .member("weight", hop.weight)
            .member("active", hop.active)
            .member_if("mac", hop.mac);
        json.end_object();
    }
    json.end_array();
}

void settings(JsonWriter& json, std::string_view name, const std::vector<SettingRow>& rows) {
    if (rows.empty()) return;
    json.key(name).array();
    for (const auto& row : rows) {
        json.object();
        json.member("key", row.key).member("value", row.value).member("origin", row.origin);
        if (row.pending) json.member("pending", true);
        json.end_object();
    }
    json.end_array();
}

}  // namespace

std::string rfc3339(std::chrono::system_clock::time_point time) {
    const auto passed =
        std::chrono::duration_cast<std::chrono::milliseconds>(time.time_since_epoch()).count();
    const std::time_t whole = static_cast<std::time_t>(passed / 1000);
    std::tm utc{};
    gmtime_r(&whole, &utc);
    char text[40], fraction[8];
    std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &utc);
    std::snprintf(fraction, sizeof fraction, ".%03dZ", static_cast<int>(passed % 1000));
    return std::string{text} + fraction;
}

void write(JsonWriter& json, const RouteRow& row) {
    json.object();
    json.member("prefix", row.prefix.to_string())
        .member("source", row.source)
        .member("kind", row.kind)
        .member("distance", row.distance)
        .member("best", row.best)
        .member("installed", row.installed)
        .member_if("because", row.because)
        .member_if("filtered_by", row.filtered_by);
    hops(json, "next_hops", row.next_hops);
    if (!row.backup.empty()) hops(json, "backup", row.backup);
    if (row.bgp) {
        const auto& bgp = *row.bgp;
        json.key("bgp").object();
        json.member("neighbor", bgp.neighbor)
            .member("neighbor_as", bgp.neighbor_as)
            .member("as_path", bgp.as_path)
            .member("origin", bgp.origin)
            .member("local_pref", bgp.local_pref)
            .member("med", bgp.med);
        list(json, "communities", bgp.communities);
        if (bgp.stale) json.member("stale", true);
        json.end_object();
    }
    if (row.restored) json.member("restored", true);
    if (row.age) json.member("age", row.age->count());
    json.end_object();
}

void write(JsonWriter& json, const NeighborRow& row) {
    json.object();
    json.member("address", row.address)
        .member_if("group", row.group)
        .member_if("description", row.description)
        .member("dynamic", row.dynamic)
        .member("state", row.state)
        .member_if("admin", row.admin)
        .member("local_as", row.local_as)
        .member("remote_as", row.remote_as)
        .member_if("remote_as_wanted", row.remote_as_wanted)
        .member_if("router_id", row.router_id)
        .member_if("hostname", row.hostname)
        .member_if("software_version", row.software_version)
        .member("uptime", row.uptime.count())
        .member("hold_time", row.hold_time.count())
        .member("keepalive", row.keepalive.count())
        .member_if("local_endpoint", row.local_endpoint)
        .member_if("remote_endpoint", row.remote_endpoint);
    json.key("families").array();
    for (const auto& family : row.families) {
        json.object();
        json.member("family", family.family)
            .member("received", family.received)
            .member("accepted", family.accepted)
            .member("filtered", family.filtered)
            .member("advertised", family.advertised)
            .member("max_prefixes", family.max_prefixes)
            .member("end_of_rib_received", family.end_of_rib_received)
            .member("end_of_rib_sent", family.end_of_rib_sent);
        json.end_object();
    }
    json.end_array();
    list(json, "capabilities", row.capabilities);
    json.member("messages_received", row.messages_received)
        .member("messages_sent", row.messages_sent)
        .member("updates_received", row.updates_received)
        .member("updates_sent", row.updates_sent)
        .member("bytes_queued", row.bytes_queued)
        .member("times_established", row.times_established)
        .member_if("last_reason", row.last_reason);
    settings(json, "why", row.why);
    json.end_object();
}

void write(JsonWriter& json, const GroupRow& row) {
    json.object();
    json.member("name", row.name)
        .member_if("inherits", row.inherits)
        .member_if("remote_as", row.remote_as);
    list(json, "ranges", row.ranges);
    json.member("members_configured", row.members_configured)
        .member("members_dynamic", row.members_dynamic)
        .member("members_established", row.members_established)
        .member("update_groups", row.update_groups);
    settings(json, "settings", row.settings);
    json.end_object();
}

void write(JsonWriter& json, const PortRow& row) {
    json.object();
    json.member("name", row.name)
        .member_if("description", row.description)
        .member_if("parent", row.parent);
    if (row.vlan != 0) json.member("vlan", row.vlan);
    json.member("device", row.device).member_if("driver", row.driver).member("mac", row.mac);
    json.key("addresses").array();
    for (const auto& address : row.addresses) json.value(address);
    json.end_array();
    json.member("mtu", row.mtu)
        .member("admin_up", row.admin_up)
        .member("link_up", row.link_up)
        .member("speed_mbps", row.speed_mbps)
        .member("queues", row.queues)
        .member_if("kernel_name", row.kernel_name)
        .member("rx_packets", row.rx_packets)
        .member("rx_bytes", row.rx_bytes)
        .member("rx_dropped", row.rx_dropped)
        .member("rx_errors", row.rx_errors)
        .member("tx_packets", row.tx_packets)
        .member("tx_bytes", row.tx_bytes)
        .member("tx_dropped", row.tx_dropped)
        .member("tx_errors", row.tx_errors);
    json.end_object();
}

void write(JsonWriter& json, const AdjacencyRow& row) {
    json.object();
    json.member("address", row.address)
        .member("port", row.port)
        .member_if("mac", row.mac)
        .member("state", row.state)
        .member("held_packets", row.held_packets)
        .member("sent_packets", row.sent_packets)
        .member("sent_bytes", row.sent_bytes)
        .member("age", row.age.count());
    json.end_object();
}

void write(JsonWriter& json, const Metric& row) {
    constexpr std::string_view kKinds[] = {"counter", "gauge", "histogram"};
    json.object();
    json.member("name", row.name)
        .member("help", row.help)
        .member("kind", kKinds[static_cast<std::size_t>(row.kind)]);
    json.key("samples").array();
    for (const auto& sample : row.samples) {
        json.object();
        json.key("labels").object();
        for (const auto& [name, value] : sample.labels) json.member(name, value);
        json.end_object();
        json.member("value", sample.value);
        if (row.kind == MetricKind::Histogram) {
            json.member("count", sample.count).key("buckets").array();
            for (const auto& [bound, count] : sample.buckets) {
                json.object();
                json.member("le", bound).member("count", count);
                json.end_object();
            }
            json.end_array();
        }
        json.end_object();
    }
    json.end_array().end_object();
}

void write(JsonWriter& json, const HealthReport& row) {
    json.object();
    json.member("ready", row.ready).member("alive", row.alive).member("drained", row.drained);
    json.key("conditions").array();
    for (const auto& condition : row.conditions) {
        json.object();
        json.member("name", condition.name).member("met", condition.met);
        json.member("value", condition.value).end_object();
    }
    json.end_array();
    json.key("reasons").array();
    for (const auto& reason : row.reasons) json.value(reason);
    json.end_array();
    json.member("version", row.version)
        .member("hostname", row.hostname)
        .member("router_id", row.router_id)
        .member("asn", row.asn)
        .member("uptime", row.uptime.count())
        .member("config_revision", row.config_revision)
        .member("config_saved", row.config_saved)
        .member("neighbors", row.neighbors)
        .member("neighbors_established", row.neighbors_established)
        .member("routes_ipv4", row.routes_ipv4)
        .member("routes_ipv6", row.routes_ipv6)
        .member("busy_ratio", row.busy_ratio);
    json.end_object();
}

void write(JsonWriter& json, const DrainState& row) {
    json.object();
    json.member("drained", row.drained)
        .member_if("since", row.since)
        .member_if("reason", row.reason)
        .member("forwarded_packets", row.forwarded_packets)
        .member("neighbors_established", row.neighbors_established);
    json.end_object();
}

void write(JsonWriter& json, const Explanation& row) {
    json.object();
    json.member("exit", row.exit)
        .member_if("prefix", row.prefix)
        .member_if("next_hop", row.next_hop)
        .member_if("port", row.port)
        .member_if("mac", row.mac)
        .member("mtu", row.mtu);
    json.key("steps").array();
    for (const auto& step : row.steps) {
        json.object();
        json.member("stage", step.stage)
            .member("outcome", step.outcome)
            .member_if("because", step.because);
        json.end_object();
    }
    json.end_array().end_object();
}

void write(JsonWriter& json, const ConfigDiff& row) {
    json.object();
    json.member("summary", row.summary).key("changes").array();
    for (const auto& change : row.changes) {
        json.object();
        json.member("what", change.what).member("cost", change.cost);
        json.end_object();
    }
    json.end_array();
    json.member_if("text", row.text);
    json.end_object();
}

void write(JsonWriter& json, const ConfigText& row) {
    json.object();
    json.member("revision", row.revision).member("saved", row.saved);
    if (row.confirm_within) json.member("confirm_within", row.confirm_within->count());
    json.member("text", row.text);
    json.end_object();
}

void write(JsonWriter& json, const Revision& row) {
    json.object();
    json.member("number", row.number)
        .member("time", row.time)
        .member("author", row.author)
        .member_if("comment", row.comment)
        .member_if("summary", row.summary);
    json.end_object();
}

void write(JsonWriter& json, const CommitState& row) {
    json.object();
    json.member("revision", row.revision).member("summary", row.summary);
    if (row.confirm_within) json.member("confirm_within", row.confirm_within->count());
    const auto list = [&](const char* name, const std::vector<std::string>& items) {
        json.key(name).array();
        for (const auto& item : items) json.value(item);
        json.end_array();
    };
    list("sessions_reset", row.reset);
    list("failed", row.failed);
    list("waits_for_restart", row.waits);
    json.member_if("not_saved", row.not_saved);
    json.end_object();
}

void write(JsonWriter& json, const MrtRow& row) {
    json.object();
    json.member("file", row.file).member("complete", row.complete);
    if (row.complete)
        json.member("prefixes", row.prefixes)
            .member("records", row.records)
            .member("bytes", row.bytes);
    json.end_object();
}

void write(JsonWriter& json, const LoggedEvent& event) {
    json.object();
    json.member("sequence", event.sequence)
        .member("time", rfc3339(event.time))
        .member("severity", to_string(event.severity))
        .member("id", event.id)
        .member("text", event.text);
    json.key("fields").object();
    for (const auto& [name, value] : event.fields) json.member(name, value);
    json.end_object().end_object();
}

}  // namespace torii::mgmt
