// The proof of the forwarding tables: the ports' part of it, and its events.
#include "base/event_list.hpp"
#include "dataplane/parts.hpp"
#include "rib/table.hpp"

namespace torii::dataplane {
namespace {

// Faults of a pass that are kept to be shown.
constexpr std::size_t kFaultsKept = 100;

}  // namespace

std::optional<Hop> Dataplane::Parts::wanted_hop(const Neighbor& n) const {
    if (n.port >= places.size()) return std::nullopt;
    const auto& port = *places[n.port].port;
    if (n.usable()) return Hop::forward(n.mac, port.mac(), n.port, port.mtu());
    if (n.state == NeighborState::Failed) return Hop::of(HopKind::Unreachable);
    return Hop::of(HopKind::Hold, n.number, n.port);
}

void Dataplane::Parts::report_fault(const FibFault& fault) {
    if (faults.size() < kFaultsKept) faults.push_back(fault);
    if (const auto left_out = fault_events.admit())
        events.emit({"FIB-FAULT",
                     "forwarding table differed from the routing table; corrected",
                     {{"kind", to_text(fault.kind)},
                      {"where", fault.where},
                      {"wanted", fault.wanted},
                      {"found", fault.found},
                      {"left_out", std::to_string(*left_out)}}});
}

bool Dataplane::prove(rib::Table& rib, std::size_t budget) {
    return parts_->prover.step(rib, budget);
}

void Dataplane::restart_proof() {
    parts_->prover.restart();
    parts_->faults.clear();
}

const ProverCounters& Dataplane::proof() const {
    return parts_->prover.counters();
}

std::vector<FibFault> Dataplane::take_faults() {
    return std::exchange(parts_->faults, {});
}

}  // namespace torii::dataplane
