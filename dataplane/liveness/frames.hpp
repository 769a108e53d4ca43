#pragma once

#include <cstdint>
#include <span>

#include "base/address.hpp"
#include "base/mac.hpp"
#include "dataplane/liveness/session.hpp"

// The frames that sessions send. Made by control as far as they stay the same, finished
// by workers in place.
namespace torii::dataplane::liveness {

struct Wire {
    MacAddress to, from;
    IpAddress neighbor;
    IpAddress local;  // ours, of the neighbor's family and scope
};

// Octets of an echo behind its UDP header: a control packet (RFC 9747), our secret and
// the time it left.
inline constexpr std::size_t kEchoPayload = bfd::kMandatory + 16;

// "This address is here", to all on the link: ARP (RFC 5227 §3) or an unsolicited neighbor
// advertisement of a router (RFC 4861 §7.2.6).
Frame announcement(const MacAddress& mac, const IpAddress& address);
Frame echo_frame(const Wire& wire, const Session& session, const WatchSettings& settings);
// An ARP request or a neighbor solicitation, to the neighbor alone (RFC 1122 §2.3.2.1,
// RFC 4861 §7.3.1).
Frame probe_frame(const Wire& wire);
// Headers of a control packet; without MACs where it is to be routed.
Frame control_headers(const Wire& wire, std::uint16_t source_port, std::uint16_t port);

// Writes lengths and checksums of a UDP packet whose payload is in place.
void finish_udp(std::uint8_t* frame, std::size_t headers, std::size_t payload);

// What is inside an IP packet that carries UDP and nothing unusual; empty otherwise.
struct Udp {
    IpAddress source, destination;
    std::uint8_t ttl = 0;
    std::uint16_t source_port = 0, port = 0;
    std::span<const std::uint8_t> payload;
    bool good = false;  // complete, with a right checksum
};
Udp read_udp(std::span<const std::uint8_t> ip);
// The port that a UDP packet is for, without any other look; 0: it is no plain UDP.
std::uint16_t udp_port(std::span<const std::uint8_t> ip);

}  // namespace torii::dataplane::liveness
