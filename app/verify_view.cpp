#include "app/gateway.hpp"
#include "app/views.hpp"

namespace torii::app {

void Verify::verify(mgmt::Done<mgmt::ProofReport> done) {
    gateway_.ask([this, done = std::move(done)] {
        gateway_.verify_fib([done](const FibProof::Outcome& outcome) {
            mgmt::ProofReport report;
            report.prefixes = outcome.prefixes;
            report.groups = outcome.groups;
            report.neighbors = outcome.neighbors;
            report.fault_count = outcome.count;
            report.healed = outcome.healed;
            report.seconds = std::chrono::duration<double>(outcome.took).count();
            for (const auto& fault : outcome.faults)
                report.faults.push_back(
                    {to_text(fault.kind), fault.where, fault.wanted, fault.found});
            done(std::move(report));
        });
    });
}

}  // namespace torii::app
