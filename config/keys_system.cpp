#include "config/key_builder.hpp"

// Keys of everything but BGP and policies. Defaults are those of the model's members.
namespace torii::config {
namespace {

template <DeviceKind kKind>
constexpr std::optional<std::string> get_device(const Port& port) {
    return port.device.kind == kKind && !port.device.name.empty() ? std::optional{port.device.name}
                                                                  : std::nullopt;
}
template <DeviceKind kKind>
Complaint set_device(Port& port, const std::string& name) {
    if (!port.device.name.empty())
        return {"the port has a device already: " + in_quotes(port.device.name),
                "give exactly one of pci, vdev and netdev"};
    if (name.empty()) return {"the device has no name", "give exactly one of pci, vdev and netdev"};
    port.device = {kKind, name};
    return {};
}

template <StaticKind kKind>
std::optional<bool> get_kind(const StaticRoute& route) {
    return route.kind == kKind ? std::optional{true} : std::nullopt;
}
template <StaticKind kKind>
Complaint set_kind(StaticRoute& route, const bool& on) {
    if (on && route.kind != StaticKind::Forward)
        return {"a route cannot be both discard and unreachable", "keep one of them"};
    if (on) route.kind = kKind;
    return {};
}

std::optional<std::string> get_socket_mode(const Management& management) {
    constexpr char kDigits[] = "01234567";
    std::string out = "0";
    for (int shift = 6; shift >= 0; shift -= 3) out += kDigits[management.socket_mode >> shift & 7];
    return out;
}

Complaint set_socket_mode(Management& management, const std::string& text) {
    unsigned mode = 0;
    for (const char c : text)
        mode = c >= '0' && c <= '7' ? mode * 8 + static_cast<unsigned>(c - '0') : 0x10000;
    if (text.empty() || text.size() > 4 || mode > 0777)
        return {in_quotes(text) + " is no file mode", "write it in octal: \"0660\""};
    management.socket_mode = static_cast<std::uint16_t>(mode);
    return {};
}

}  // namespace

const KeyTable& keys(Of<Router>) {
    static constexpr KeyEntry kEntries[] = {
        field<&Router::hostname>("hostname", {.doc = "Name sent to BGP peers and shown by the API.",
                                              .cost = Cost::NextSession,
                                              .unset = "the machine's"}),

    };
    static const KeyTable table = block<Router>(kEntries);
    return table;
}

const KeyTable& keys(Of<Dataplane>) {
    using D = Dataplane;
    static constexpr KeyEntry kEntries[] = {
        field<&D::workers>(
            "workers",
            {.doc = "Threads that forward packets.", .cost = Cost::Restart, .limits = {1, 16}}),
        field<&D::lcores>(
            "lcores", {.doc = "CPUs of the workers, as a list of numbers and ranges: \"2-5,8\".",
                       .cost = Cost::Restart,
                       .unset = "chosen by torii"}),
        field<&D::memory_mib>("memory", {.doc = "MiB for DPDK.",
                                         .cost = Cost::Restart,
                                         .limits = {64, 1 << 20},
                                         .unset = "what mbufs and tables need"}),
        field<&D::hugepages>("hugepages", {.doc = "\"auto\" uses hugepages when there are any.",
                                           .cost = Cost::Restart}),
        field<&D::mbufs>("mbufs", {.doc = "Packet buffers.",
                                   .cost = Cost::Restart,
                                   .limits = {2048, 16 << 20},
                                   .unset = "what ports, queues and workers take"}),
        field<&D::eal_arguments>(
            "eal_arguments",
            {.doc = "Further arguments for DPDK's EAL, each a string.", .cost = Cost::Restart}),
        field<&D::file_prefix>("file_prefix",
                               {.doc = "DPDK's --file-prefix; one for each toriid of a machine.",
                                .cost = Cost::Restart}),
        field<&D::ipv4_routes>("ipv4_routes", {.doc = "Capacity of the IPv4 FIB.",
                                               .cost = Cost::Restart,
                                               .limits = {1024, 16 << 20}}),
        field<&D::ipv6_routes>("ipv6_routes", {.doc = "Capacity of the IPv6 FIB.",
                                               .cost = Cost::Restart,
                                               .limits = {1024, 16 << 20}}),
        field<&D::next_hop_groups>("next_hop_groups",
                                   {.doc = "How many different sets of next hops there can be.",
                                    .cost = Cost::Restart,
                                    .limits = {256, 1 << 22}}),
        field<&D::neighbors>("neighbors",
                             {.doc = "ARP and ND entries beside those of next hops in use.",
                              .cost = Cost::Restart,
                              .limits = {64, 1 << 20}}),
        field<&D::poll>(
            "poll",
            {.doc = "\"busy\" never sleeps; \"adaptive\" yields the CPU when no packets come.",
             .cost = Cost::Restart}),
        field<&D::lookup>(
            "lookup", {.doc = "Instructions for route lookup; \"auto\" takes what is fastest here.",
                       .cost = Cost::Restart}),
        field<&D::icmp_errors_per_second>(
            "icmp_errors_per_second",
            {.doc = "Most ICMP errors sent a second about packets of each port; 0 sends none.",
             .limits = {0, 1'000'000}}),
        field<&D::udp_services>(
            "udp_services",
            {.doc =
                 "UDP ports below 32768 on which the gateway's own kernel answers: 161 for SNMP.",
             .limits = {1, 32767}}),
        field<&D::offload>("offload",
                           {.doc = "Let ports with rte_flow drop and steer frames in hardware.",
                            .cost = Cost::Restart}),
        field<&D::unbalanced_after>(
            "unbalanced_after",
            {.doc = "Time after which flows that are in use move as well, a few a second, when a "
                    "new member of an ECMP group is still short of its share; 0: never.",
             .limits = {0, 86400}}),

    };
    static const KeyTable table = block<Dataplane>(kEntries);
    return table;
}

const KeyTable& keys(Of<Port>) {
    static constexpr KeyEntry kEntries[] = {
        projected<get_device<DeviceKind::Pci>, set_device<DeviceKind::Pci>>(
            "pci",
            {.doc = "Find the port by PCI address: \"0000:3b:00.0\".", .cost = Cost::Restart}),
        projected<get_device<DeviceKind::Vdev>, set_device<DeviceKind::Vdev>>(
            "vdev", {.doc = "Or make it by a DPDK driver: \"net_af_packet0,iface=eth1\".",
                     .cost = Cost::Restart}),
        projected<get_device<DeviceKind::Netdev>, set_device<DeviceKind::Netdev>>(
            "netdev", {.doc = "Or take over a network interface of the kernel: \"eth1\".",
                       .cost = Cost::Restart}),
        field<&Port::parent>(
            "parent",
            {.doc = "Or make it a sub-port: the frames of one VLAN of the port of this name.",
             .cost = Cost::Restart}),
        field<&Port::vlan>("vlan", {.doc = "The VLAN of a sub-port (IEEE 802.1Q).",
                                    .cost = Cost::Restart,
                                    .limits = {1, 4094}}),
        field<&Port::addresses>("addresses",
                                {.doc = "Our addresses on the link, with the link's length."}),
        field<&Port::mtu>("mtu", {.doc = "Largest IP packet.",
                                  .limits = {576, 9600},
                                  .unset = "1500; of a sub-port its parent's"}),
        field<&Port::mac>(
            "mac",
            {.doc = "Ethernet address.", .cost = Cost::Restart, .unset = "the device's own"}),
        field<&Port::queues>("queues", {.doc = "Receive and transmit queues.",
                                        .cost = Cost::Restart,
                                        .limits = {1, 128},
                                        .unset = "one for each worker"}),
        field<&Port::rx_descriptors>(
            "rx_descriptors",
            {.doc = "Length of a receive queue.", .cost = Cost::Restart, .limits = {64, 16384}}),
        field<&Port::tx_descriptors>(
            "tx_descriptors",
            {.doc = "Length of a transmit queue.", .cost = Cost::Restart, .limits = {64, 16384}}),
        field<&Port::promiscuous>("promiscuous", {.doc = "Receive every frame of the link."}),
        field<&Port::strict_rpf>(
            "strict_rpf",
            {.doc = "Drop packets whose source is not reached by the port they come from."}),
        field<&Port::shutdown>("shutdown", {.doc = "Keep the port down."}),
        field<&Port::description>("description", {.doc = "Free text."}),

    };
    static const KeyTable table = named_block<Port>(kEntries);
    return table;
}

const KeyTable& keys(Of<StaticRoute>) {
    static constexpr KeyEntry kEntries[] = {
        field<&StaticRoute::prefix>(
            "prefix", {.doc = "Destination; \"0.0.0.0/0\" and \"::/0\" are the default routes.",
                       .required = true}),
        field<&StaticRoute::via>(
            "via", {.doc = "Next hops; several share the traffic by weight (0: no new flows). A "
                           "link-local address needs its port: \"fe80::1@uplink\"."}),
        projected<get_kind<StaticKind::Discard>, set_kind<StaticKind::Discard>>(
            "discard", {.doc = "Drop silently instead."}),
        projected<get_kind<StaticKind::Unreachable>, set_kind<StaticKind::Unreachable>>(
            "unreachable", {.doc = "Drop and send an ICMP error instead."}),
        field<&StaticRoute::distance>(
            "distance", {.doc = "Lower wins over other sources: connected 0, eBGP 20, iBGP 200.",
                         .limits = {1, 255}}),
        field<&StaticRoute::description>("description", {.doc = "Free text."}),

    };
    static const KeyTable table = block<StaticRoute>(kEntries);
    return table;
}

const KeyTable& keys(Of<StaticNeighbor>) {
    static constexpr KeyEntry kEntries[] = {
        field<&StaticNeighbor::port>("port", {.doc = "The port it is on.", .required = true}),
        field<&StaticNeighbor::address>("address", {.doc = "Its IP address.", .required = true}),
        field<&StaticNeighbor::mac>("mac", {.doc = "Its Ethernet address.", .required = true}),

    };
    static const KeyTable table = block<StaticNeighbor>(kEntries);
    return table;
}

const KeyTable& keys(Of<Tls>) {
    static constexpr KeyEntry kEntries[] = {
        field<&Tls::certificate>("certificate",
                                 {.doc = "PEM file, the chain included.", .required = true}),
        field<&Tls::key>("key", {.doc = "PEM file.", .required = true}),
        field<&Tls::client_ca>("client_ca",
                               {.doc = "Clients must show a certificate signed by one of these."}),

    };
    static const KeyTable table = block<Tls>(kEntries);
    return table;
}

const KeyTable& keys(Of<Token>) {
    static constexpr KeyEntry kEntries[] = {
        field<&Token::name>("name",
                            {.doc = "Whose it is; stands in the audit log.", .required = true}),
        field<&Token::hash>("hash", {.doc = "argon2id hash, as `torii token add` prints it.",
                                     .required = true,
                                     .secret = true}),
        field<&Token::role>("role", {.doc = "What its bearer may do."}),

    };
    static const KeyTable table = block<Token>(kEntries);
    return table;
}

const KeyTable& keys(Of<Management>) {
    using M = Management;
    static constexpr KeyEntry kEntries[] = {
        field<&M::socket>("socket", {.doc = "Unix socket of the API; \"\" for none."}),
        projected<get_socket_mode, set_socket_mode>(
            "socket_mode", {.doc = "File mode of the socket, in octal: \"0660\"."}),
        field<&M::http>("http",
                        {.doc = "Where the API listens by TCP; more than loopback needs tls and "
                                "tokens. Without tokens a client on loopback may read, and write "
                                "nothing."}),
        field<&M::tls>("tls", {.doc = "Certificate for every http listener."}),
        field<&M::tokens>("tokens", {.doc = "Bearer tokens."}),
        field<&M::max_connections>("max_connections",
                                   {.doc = "API connections at one time.", .limits = {8, 65535}}),

    };
    static const KeyTable table = block<Management>(kEntries);
    return table;
}

const KeyTable& keys(Of<Log>) {
    static constexpr KeyEntry kEntries[] = {
        field<&Log::level>("level", {.doc = "Least severity that is written."}),
        field<&Log::format>("format", {.doc = "key=value, or a JSON object a line."}),
        field<&Log::stderr_output>("stderr", {.doc = "Write to standard error."}),
        field<&Log::journal>("journal", {.doc = "Write to systemd's journal."}),
        field<&Log::file>("file", {.doc = "Write to this file as well.", .unset = "no file"}),

    };
    static const KeyTable table = block<Log>(kEntries);
    return table;
}

const KeyTable& keys(Of<Readiness>) {
    using R = Readiness;
    static constexpr KeyEntry kEntries[] = {
        field<&R::ports>(
            "ports", {.doc = "Ports that must all have link.", .unset = "any one of all ports"}),
        field<&R::uplinks>(
            "uplinks",
            {.doc = "Peers, by address or group, of which one must be established, unless a "
                    "default route is in the FIB.",
             .unset = "eBGP peers with a line of their own that may announce a default route"}),
        field<&R::nodes>("nodes", {.doc = "Where there are listen ranges, a member must announce "
                                          "a route."}),
        field<&R::file>(
            "file",
            {.doc = "Holds by how much the priority of VRRP is to change: 0 while the gateway is "
                    "ready, less for each condition that is not met; keepalived reads it as a "
                    "track_file. \"\" for none.",
             .unset = "vrrp-priority beside management.socket"}),

    };
    static const KeyTable table = block<Readiness>(kEntries);
    return table;
}

const KeyTable& keys(Of<Model>) {
    static constexpr KeyEntry kEntries[] = {
        field<&Model::router>("router", {.doc = "The router as a whole."}),
        field<&Model::dataplane>("dataplane", {.doc = "Cores, memory and tables."}),
        field<&Model::ports>("ports", {.doc = "Ports by name."}),
        field<&Model::routes>("routes", {.doc = "Static routes."}),
        field<&Model::neighbors>("neighbors", {.doc = "Static ARP and ND entries."}),
        field<&Model::liveness>("liveness",
                                {.doc = "Liveness detection of next hops that are no BGP peers.",
                                 .unset = "not at all"}),
        field<&Model::pools>(
            "pools",
            {.doc = "Prefixes that the cluster gives out. Unassigned addresses inside are "
                    "answered with ICMP unreachable instead of following a default route, and a "
                    "packet that would go back to the node it came from is dropped.",
             .unset = "none"}),
        field<&Model::drop_sources>(
            "drop_sources",
            {.doc = "Prefixes whose packets are dropped before anything else is asked about them, "
                    "by the ports themselves where they can (`torii offload`).",
             .unset = "none"}),
        field<&Model::bgp>("bgp", {.doc = "BGP; leave it out to run none."}),
        field<&Model::prefix_lists>(
            "prefix_lists",
            {.doc = "Prefix lists by name: pods = [ \"10.244.0.0/16 ge 24 le 24\" ]."}),
        field<&Model::as_path_lists>(
            "as_path_lists", {.doc = "AS-path lists by name: customers = [ \"neighbor 65001\" ]."}),
        field<&Model::community_lists>(
            "community_lists",
            {.doc = "Community lists by name: services = [ \"65000:1\", \"65000:2\" ]."}),
        field<&Model::policies>(
            "policies",
            {.doc = "Route policies by name, each a list of terms: from-nodes = ( { match = { "
                    "prefix = \"pods\"; }; set = { local_pref = 200; }; } ). The first term that "
                    "matches decides; what none decides is rejected."}),
        field<&Model::readiness>("readiness",
                                 {.doc = "What makes the gateway ready: `torii status`, /readyz."}),
        field<&Model::management>("management", {.doc = "REST API and command line."}),
        field<&Model::log>("log", {.doc = "Where events are written."}),

    };
    static const KeyTable table = block<Model>(kEntries);
    return table;
}

}  // namespace torii::config
