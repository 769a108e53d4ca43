#include "app/gateway.hpp"
#include "app/views.hpp"
#include "dataplane/dataplane.hpp"

namespace torii::app {
namespace {

mgmt::BfdRow row(const dataplane::BfdView& from) {
    mgmt::BfdRow to;
    to.state = from.state;
    to.remote_state = from.remote_state;
    to.diagnostic = from.diagnostic;
    to.remote_diagnostic = from.remote_diagnostic;
    to.discriminator = from.discriminator;
    to.remote_discriminator = from.remote_discriminator;
    to.transmit_interval = from.transmit_interval;
    to.detection_time = from.detection_time;
    to.remote_min_tx = from.remote_min_tx;
    to.remote_min_rx = from.remote_min_rx;
    to.remote_multiplier = from.remote_multiplier;
    to.remote_control_plane_independent = from.remote_independent;
    to.authenticated = from.authenticated;
    to.sent = from.sent;
    to.received = from.received;
    return to;
}

}  // namespace

void Adjacencies::liveness(mgmt::Done<std::vector<mgmt::LivenessRow>> done) {
    gateway_.ask([this, done = std::move(done)] {
        std::vector<mgmt::LivenessRow> rows;
        if (const auto* dataplane = gateway_.dataplane()) {
            for (const auto& from : dataplane->liveness()) {
                mgmt::LivenessRow to;
                to.address = from.address.to_string();
                to.port = gateway_.port_name(from.port);
                to.verdict = to_string(from.verdict);
                to.reason = from.reason;
                to.since = from.since;
                to.watch = from.watch;
                to.means = from.method;
                to.bgp = from.routing;
                to.link_up = from.link;
                to.deaths = from.deaths;
                to.held = from.held;
                to.worker = from.worker;
                to.echoes_sent = from.echoes_sent;
                to.echoes_returned = from.echoes_returned;
                to.echo_round_trip = from.echo_rtt;
                to.probes_sent = from.probes_sent;
                to.probes_answered = from.probes_answered;
                if (from.bfd) to.bfd = row(*from.bfd);
                rows.push_back(std::move(to));
            }
        }
        done(std::move(rows));
    });
}

}  // namespace torii::app
