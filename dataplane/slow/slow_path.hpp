#pragma once

#include "dataplane/packet/inspect.hpp"
#include "dataplane/worker/worker.hpp"

namespace torii::dataplane {

// Packets that the burst does not carry through by itself, one at a time: every
// rule and every exit is here.

// A frame as it came in. `in` and `port` name the ingress.
void slow_frame(Worker& w, PortIndex in, const PortState& port, rte_mbuf* m);

// A packet that passed inspection, behind an Ethernet header, whose hop is
// known: unusual hops, packets that are too big.
void slow_hop(Worker& w, PortIndex in, const PortState& port, rte_mbuf* m, HopId hop);

// RFC 3704 §2.2: whether the way back to the source of a packet leads out of a port. `ip` is its
// header.
bool reverse_path_ok(const Worker& w, PortIndex in, const std::uint8_t* ip, bool ip4);

// A packet of ours behind room for an Ethernet header, to go where the table leads.
void send_routed(Worker& w, rte_mbuf* m);

// What came from other threads through Worker::inject.
void injected(Worker& w, rte_mbuf* m);

}  // namespace torii::dataplane
