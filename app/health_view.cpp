#include <algorithm>

#include "app/gateway.hpp"
#include "app/views.hpp"
#include "bgp/speaker.hpp"
#include "dataplane/dataplane.hpp"

namespace torii::app {
void Health::health(mgmt::Done<mgmt::HealthReport> done) {
    gateway_.ask([this, done = std::move(done)] {
        mgmt::HealthReport report;
        report.version = TORII_VERSION;
        report.uptime = gateway_.uptime();
        report.config_revision = gateway_.revision();
        report.config_saved = gateway_.saved();

        if (const auto* speaker = gateway_.speaker()) {
            report.hostname = speaker->settings().hostname;
            report.asn = speaker->settings().asn;
            report.router_id = dotted(speaker->settings().router_id);
            const auto counters = speaker->counters();
            report.neighbors = counters.neighbors;
            report.neighbors_established = counters.established;
            report.routes_ipv4 = counters.prefixes4;
            report.routes_ipv6 = counters.prefixes6;
        }
        for (const auto& condition : gateway_.readiness().conditions()) {
            report.conditions.push_back(
                {std::string{condition.name}, condition.met, condition.value});
            if (!condition.met)
                report.reasons.push_back(std::string{condition.name} + ": " + condition.value);
        }
        if (auto* dataplane = gateway_.dataplane()) {
            for (const auto& port : dataplane->ports())
                if (!port.up) report.reasons.push_back("port " + port.name + " has no link");
            for (const auto& worker : dataplane->workers())
                report.busy_ratio = std::max(report.busy_ratio, worker.busy_ratio);
            for (const auto& resource : dataplane->resources())
                if (resource.limit > 0 && resource.used * 10 >= resource.limit * 9)
                    report.reasons.push_back(std::string{resource.name} +
                                             ": over 90 % of the limit is in use");
        }
        for (const auto& [port, why] : gateway_.failed_ports())
            report.reasons.push_back("port " + port + " is not opened: " + why);
        for (const auto& problem : gateway_.management_problems())
            report.reasons.push_back(problem);
        for (const auto& change : gateway_.waits_for_restart())
            report.reasons.push_back("waits for a restart: " + change);
        if (const auto& drained = gateway_.drained())
            report.reasons.push_back("drained since " + rfc3339(drained->since) +
                                     (drained->reason.empty() ? "" : ": " + drained->reason));
        report.drained = gateway_.drained().has_value();
        report.ready = gateway_.readiness().ready();
        done(std::move(report));
    });
}

}  // namespace torii::app
