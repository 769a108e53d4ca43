#include "mgmt/router.hpp"
#include "mgmt/rows_json.hpp"

namespace torii::mgmt {

void write(JsonWriter& json, const BfdRow& row) {
    json.object();
    json.member("state", row.state)
        .member("remote_state", row.remote_state)
        .member("diagnostic", row.diagnostic)
        .member("remote_diagnostic", row.remote_diagnostic)
        .member("discriminator", row.discriminator)
        .member("remote_discriminator", row.remote_discriminator)
        .member("transmit_interval", row.transmit_interval)
        .member("detection_time", row.detection_time)
        .member("remote_min_tx", row.remote_min_tx)
        .member("remote_min_rx", row.remote_min_rx)
        .member("remote_multiplier", row.remote_multiplier)
        .member("remote_control_plane_independent", row.remote_control_plane_independent)
        .member("authenticated", row.authenticated)
        .member("sent", row.sent)
        .member("received", row.received);
    json.end_object();
}

void write(JsonWriter& json, const LivenessRow& row) {
    json.object();
    json.member("address", row.address)
        .member_if("port", row.port)
        .member("verdict", row.verdict)
        .member("reason", row.reason)
        .member("since", row.since.count())
        .member("watch", row.watch)
        .member("means", row.means)
        .member("bgp", row.bgp)
        .member("link_up", row.link_up)
        .member("deaths", row.deaths)
        .member("held_ms", row.held.count())
        .member("worker", row.worker)
        .member("echoes_sent", row.echoes_sent)
        .member("echoes_returned", row.echoes_returned)
        .member("echo_round_trip_us", row.echo_round_trip)
        .member("probes_sent", row.probes_sent)
        .member("probes_answered", row.probes_answered);
    if (row.bfd) {
        json.key("bfd");
        write(json, *row.bfd);
    }
    json.end_object();
}

namespace {

void list_liveness(const Api& api, const Request&, Respond respond) {
    if (!api.views.adjacencies) return respond_missing(respond, "liveness");
    api.views.adjacencies->liveness(reply_with<std::vector<LivenessRow>>(
        api, std::move(respond),
        [](auto& rows) { return json_response(list_to_json("liveness", rows)); }));
}

constexpr Endpoint kEndpoints[] = {
    {"GET", "/api/v1/liveness", Role::Read, list_liveness},
};

}  // namespace

std::span<const Endpoint> liveness_endpoints() {
    return kEndpoints;
}

}  // namespace torii::mgmt
