#include <algorithm>

#include "app/gateway.hpp"
#include "app/views.hpp"
#include "dataplane/dataplane.hpp"

namespace torii::app {
namespace {

mgmt::FlowRuleRow row(const dataplane::FlowRuleView& from) {
    return {std::string{from.intent},
            from.match,
            std::string{from.action},
            from.hardware,
            from.reason,
            from.rule,
            from.packets};
}

}  // namespace

void Offload::offload(mgmt::Done<mgmt::OffloadReport> done) {
    gateway_.ask([this, done = std::move(done)] {
        mgmt::OffloadReport report;
        for (const auto& source : gateway_.running().drop_sources)
            report.drop_sources.push_back(source.to_string());
        if (const auto* dataplane = gateway_.dataplane())
            for (const auto& from : dataplane->offload()) {
                auto& to = report.ports.emplace_back(mgmt::PortOffloadRow{from.port,
                                                                          from.driver,
                                                                          from.rte_flow,
                                                                          from.reason,
                                                                          from.urgent_queue,
                                                                          from.control_queue,
                                                                          from.dropped,
                                                                          {}});
                std::ranges::transform(from.rules, std::back_inserter(to.rules), row);
            }
        done(std::move(report));
    });
}

void Offload::put_drop_source(Prefix source, mgmt::Done<bool> done) {
    gateway_.ask([this, source, done = std::move(done)] {
        if (source.is_default())
            return done(
                Failure{mgmt::invalid(source.to_string() +
                                      " is every source, the operators of this gateway among "
                                      "them; shut the port down instead")});
        done(gateway_.put_drop_source(source));
    });
}

void Offload::erase_drop_source(Prefix source, mgmt::Done<mgmt::Nothing> done) {
    gateway_.ask([this, source, done = std::move(done)] {
        if (!gateway_.erase_drop_source(source))
            return done(Failure{mgmt::not_found("nothing is dropped for " + source.to_string())});
        done(mgmt::Nothing{});
    });
}

}  // namespace torii::app
