#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/address.hpp"
#include "base/mac.hpp"
#include "base/prefix.hpp"
#include "rib/route.hpp"

namespace torii::dataplane {

using rib::PortIndex;
inline constexpr std::size_t kMaxPorts = 64;
inline constexpr std::size_t kMaxWorkers = 16;

struct PortAddress {
    IpAddress address;
    std::uint8_t length = 0;  // of the attached network

    friend bool operator==(const PortAddress&, const PortAddress&) = default;
};

// `device` is a PCI address ("0000:03:00.0"), a virtual device of DPDK with its
// arguments ("net_af_packet0,iface=gwa,qdisc_bypass=1") or the name of a netdev,
// which is then driven through af_packet.
struct PortSettings {
    std::string name;  // of the kernel twin too, hence at most 15 characters
    std::string device;
    std::optional<MacAddress> mac;  // nothing: the device's, or one made up where
                                    // the device shares it with the host's stack
    std::uint16_t mtu = 1500;
    std::vector<PortAddress> addresses;
    std::uint16_t rx_queues = 0;  // 0: one a worker, as far as the device has them
    std::uint16_t tx_queues = 0;  // 0: one a worker
    std::uint16_t rx_descriptors = 1024;
    std::uint16_t tx_descriptors = 1024;
    bool promiscuous = false;
    bool strict_rpf = false;  // RFC 3704 §2.2
    bool kernel_twin = true;  // no twin: nothing addressed to us is answered here

    // A sub-port (IEEE 802.1Q): what of another port's frames has one VLAN's tag. Device,
    // MAC, queues and descriptors are its parent's.
    std::string parent;      // the name of a port with a device; empty: no sub-port
    std::uint16_t vlan = 0;  // 1 to 4094
    bool shutdown = false;   // passes no packet in or out
    bool trunk = false;      // has sub-ports from the start: its device handles tags if it can

    bool is_sub_port() const { return !parent.empty(); }
    friend bool operator==(const PortSettings&, const PortSettings&) = default;
};

struct StaticNeighbor {
    PortIndex port = 0;
    IpAddress address;
    MacAddress mac;

    friend bool operator==(const StaticNeighbor&, const StaticNeighbor&) = default;
};

enum class LookupKind : std::uint8_t { Auto, Scalar, Avx2, Avx512 };

// Bounds of what the workers' tables hold; a route beyond them is refused with
// an event and leaves the rest as it was.
struct Capacity {
    std::uint32_t ip4_prefixes = 2'000'000;
    std::uint32_t ip4_extensions = 65'536;  // /24s that hold longer prefixes
    std::uint32_t ip6_prefixes = 1'000'000;
    std::uint32_t ip6_nodes = 262'144;   // inner nodes of prefixes shorter than /64
    std::uint32_t next_hops = 65'536;    // adjacencies and groups together
    std::uint32_t group_members = 512;   // of one group
    std::uint32_t neighbors = 16'384;    // beside the next hops in use
    std::uint32_t held_packets = 1'024;  // for neighbors being resolved
    std::uint32_t held_per_neighbor = 8;
    std::uint32_t watched = 16'384;  // neighbors under liveness, 65,536 at the most
};

// Packets a second that the kernel sees of each class of control traffic, and
// the burst on top; what exceeds them leaves by the exit "punt_policed".
struct PunterRate {
    std::uint32_t packets_per_second = 0;
    std::uint32_t burst = 0;

    friend bool operator==(const PunterRate&, const PunterRate&) = default;
};
struct ControlPlanePolicing {
    PunterRate bgp{200'000, 20'000};  // per port
    PunterRate vrrp{1'000, 200};
    PunterRate neighbor{5'000, 1'000};
    PunterRate icmp{5'000, 1'000};
    PunterRate other{5'000, 1'000};
    PunterRate bgp_strangers{500, 100};
    PunterRate mld{100, 50};
    PunterRate icmp_errors{1'000, 200};  // sent by us, per ingress port; 0: none
    PunterRate too_big{10'000, 2'000};   // of them those that path MTU discovery waits for
    PunterRate glean{2'000, 500};  // packets to addresses of a port's networks without a neighbor

    friend bool operator==(const ControlPlanePolicing&, const ControlPlanePolicing&) = default;
};

// Where BGP sessions may come from: a neighbor, or a listen range.
struct BgpSource {
    Prefix from;
    std::uint8_t least_ttl = 0;  // 0: any

    friend bool operator==(const BgpSource&, const BgpSource&) = default;
};

struct Settings {
    std::vector<std::string> eal_arguments;  // appended to those torii makes itself
    std::string file_prefix;                 // empty: "torii-<pid>"
    std::uint32_t memory_mb = 512;           // for buffers, where hugepages are absent
    std::optional<bool> hugepages;           // nothing: when the host has free ones
    std::vector<std::uint16_t> worker_cpus;  // one worker each; empty: the last CPUs
    std::uint16_t workers = 1;               // how many of them, where none are named
    std::uint32_t mbufs = 0;                 // 0: what ports, queues and workers take
    bool busy_poll = false;                  // false: back off when idle
    LookupKind lookup = LookupKind::Auto;
    Capacity capacity;
    ControlPlanePolicing policing;
    std::vector<std::uint16_t> udp_services;    // of the kernel, below 32768
    std::string tun_name = "torii";             // carries what the kernel routes through us
    std::uint32_t route_table = 3784;           // the kernel's table that points there
    std::vector<PortSettings> ports;            // PortIndex = position
    bool offload = true;                        // rte_flow where a port has it
    std::chrono::seconds unbalanced_after{60};  // buckets in use move from then on; 0: never
    std::vector<Prefix> drop_sources;           // whose packets are dropped
    std::vector<StaticNeighbor> static_neighbors;
};

}  // namespace torii::dataplane
