#pragma once

#include <cstdint>
#include <span>

#include "base/address.hpp"
#include "dataplane/worker/worker.hpp"

// What comes back to liveness, on whichever worker it arrives. Called from the slow
// path, after the rules that hold for every packet.
namespace torii::dataplane::liveness {

// UDP to one of the ports of BFD.
bool is_control(std::span<const std::uint8_t> ip);
// A BFD control packet for one of our addresses. Leaves by an exit of its own, here or
// at the worker that owns its session.
void take_control(Worker& w, PortIndex in, rte_mbuf* m, std::span<const std::uint8_t> ip);

// From one of our addresses to the same one: an echo?
bool is_echo(std::span<const std::uint8_t> ip);
Exit take_echo(Worker& w, PortIndex in, std::span<const std::uint8_t> ip);

// An ARP reply or a neighbor advertisement from a neighbor. True when it was meant for
// us alone; the kernel gets one a second, which is what its own questions need.
// `mac`: six octets; an answer from another one than was asked is for the kernel alone.
bool take_answer(Worker& w, PortIndex in, const IpAddress& from, const std::uint8_t* mac);

}  // namespace torii::dataplane::liveness
