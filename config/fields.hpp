#pragma once

#include "config/peer_fields.hpp"
#include "config/policy_fields.hpp"

// The one table of keys. Loading, printing, the check for unknown keys, the
// plan's prices and reference.md all come from here; a key that is not here
// does not exist. Defaults are those of the model's members.
namespace torii::config {

template <>
struct Fields<Router> {
    static constexpr std::tuple kAll{
        field("hostname", &Router::hostname,
              {.doc = "Name told to BGP peers and shown by the API.",
               .cost = Cost::NextSession,
               .unset = "the machine's"}),
    };
};

template <>
struct Fields<Dataplane> {
    using D = Dataplane;
    static constexpr std::tuple kAll{
        field("workers", &D::workers,
              {.doc = "Threads that forward packets.", .cost = Cost::Restart, .limits = {1, 128}}),
        field("lcores", &D::lcores,
              {.doc = "CPUs of the workers, as a list of numbers and ranges: \"2-5,8\".",
               .cost = Cost::Restart,
               .unset = "chosen by torii"}),
        field("memory", &D::memory_mib,
              {.doc = "MiB for DPDK.",
               .cost = Cost::Restart,
               .limits = {64, 1 << 20},
               .unset = "what mbufs and tables need"}),
        field("hugepages", &D::hugepages,
              {.doc = "\"auto\" uses hugepages when there are any.", .cost = Cost::Restart}),
        field("mbufs", &D::mbufs,
              {.doc = "Packet buffers.", .cost = Cost::Restart, .limits = {2048, 16 << 20}}),
        field("eal_arguments", &D::eal_arguments,
              {.doc = "Further arguments for DPDK's EAL, each a string.", .cost = Cost::Restart}),
        field("file_prefix", &D::file_prefix,
              {.doc = "DPDK's --file-prefix; one for each toriid of a machine.",
               .cost = Cost::Restart}),
        field("ipv4_routes", &D::ipv4_routes,
              {.doc = "Capacity of the IPv4 FIB.",
               .cost = Cost::Restart,
               .limits = {1024, 16 << 20}}),
        field("ipv6_routes", &D::ipv6_routes,
              {.doc = "Capacity of the IPv6 FIB.",
               .cost = Cost::Restart,
               .limits = {1024, 16 << 20}}),
        field("next_hop_groups", &D::next_hop_groups,
              {.doc = "How many different sets of next hops there can be.",
               .cost = Cost::Restart,
               .limits = {256, 1 << 22}}),
        field("neighbors", &D::neighbors,
              {.doc = "How many ARP and ND entries there can be.",
               .cost = Cost::Restart,
               .limits = {64, 1 << 20}}),
        field("poll", &D::poll,
              {.doc = "\"busy\" never sleeps; \"adaptive\" yields the CPU when no packets come.",
               .cost = Cost::Restart}),
        field("lookup", &D::lookup,
              {.doc = "Instructions for route lookup; \"auto\" takes what is fastest here.",
               .cost = Cost::Restart}),
        field("icmp_errors_per_second", &D::icmp_errors_per_second,
              {.doc = "Most ICMP errors sent a second by each worker; 0 sends none.",
               .limits = {0, 1'000'000}}),
        field("offload", &D::offload,
              {.doc = "Let ports that know rte_flow drop and steer frames by themselves.",
               .cost = Cost::Restart}),
    };
};

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

template <>
struct Fields<Port> {
    static constexpr std::tuple kAll{
        Projected<Port, std::string>{
            "pci",
            get_device<DeviceKind::Pci>,
            set_device<DeviceKind::Pci>,
            {.doc = "Find the port by PCI address: \"0000:3b:00.0\".", .cost = Cost::Restart}},
        Projected<Port, std::string>{
            "vdev",
            get_device<DeviceKind::Vdev>,
            set_device<DeviceKind::Vdev>,
            {.doc = "Or make it by a DPDK driver: \"net_af_packet0,iface=eth1\".",
             .cost = Cost::Restart}},
        Projected<Port, std::string>{
            "netdev",
            get_device<DeviceKind::Netdev>,
            set_device<DeviceKind::Netdev>,
            {.doc = "Or take over a network interface of the kernel: \"eth1\".",
             .cost = Cost::Restart}},
        field("parent", &Port::parent,
              {.doc = "Or make it a sub-port: the frames of one VLAN of the port of this name.",
               .cost = Cost::Restart}),
        field("vlan", &Port::vlan,
              {.doc = "The VLAN of a sub-port (IEEE 802.1Q).",
               .cost = Cost::Restart,
               .limits = {1, 4094}}),
        field("addresses", &Port::addresses,
              {.doc = "Our addresses on the link, with the link's length."}),
        field("mtu", &Port::mtu,
              {.doc = "Largest IP packet.",
               .cost = Cost::Port,
               .limits = {576, 9600},
               .unset = "1500; of a sub-port its parent's"}),
        field("mac", &Port::mac,
              {.doc = "Ethernet address.", .cost = Cost::Port, .unset = "the device's own"}),
        field("queues", &Port::queues,
              {.doc = "Receive and transmit queues.",
               .cost = Cost::Port,
               .limits = {1, 128},
               .unset = "one for each worker"}),
        field("rx_descriptors", &Port::rx_descriptors,
              {.doc = "Length of a receive queue.", .cost = Cost::Port, .limits = {64, 16384}}),
        field("tx_descriptors", &Port::tx_descriptors,
              {.doc = "Length of a transmit queue.", .cost = Cost::Port, .limits = {64, 16384}}),
        field("promiscuous", &Port::promiscuous, {.doc = "Receive every frame of the link."}),
        field("shutdown", &Port::shutdown, {.doc = "Keep the port down.", .cost = Cost::Port}),
        field("description", &Port::description, {.doc = "Free text."}),
    };
};

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

template <>
struct Fields<StaticRoute> {
    static constexpr std::tuple kAll{
        field("prefix", &StaticRoute::prefix,
              {.doc = "Destination; \"0.0.0.0/0\" and \"::/0\" are the default routes.",
               .required = true}),
        field("via", &StaticRoute::via,
              {.doc = "Next hops; several share the traffic by weight. A link-local address needs "
                      "its port: \"fe80::1@uplink\"."}),
        Projected<StaticRoute, bool>{"discard",
                                     get_kind<StaticKind::Discard>,
                                     set_kind<StaticKind::Discard>,
                                     {.doc = "Drop silently instead."}},
        Projected<StaticRoute, bool>{"unreachable",
                                     get_kind<StaticKind::Unreachable>,
                                     set_kind<StaticKind::Unreachable>,
                                     {.doc = "Drop and tell the sender by ICMP instead."}},
        field("distance", &StaticRoute::distance,
              {.doc = "Lower wins over other sources: connected 0, eBGP 20, iBGP 200.",
               .limits = {1, 255}}),
        field("description", &StaticRoute::description, {.doc = "Free text."}),
    };
};

template <>
struct Fields<StaticNeighbor> {
    static constexpr std::tuple kAll{
        field("port", &StaticNeighbor::port, {.doc = "The port it is on.", .required = true}),
        field("address", &StaticNeighbor::address, {.doc = "Its IP address.", .required = true}),
        field("mac", &StaticNeighbor::mac, {.doc = "Its Ethernet address.", .required = true}),
    };
};

template <>
struct Fields<PeerGroup> {
    static constexpr std::tuple kAll{
        field("inherits", &PeerGroup::inherits,
              {.doc = "Another group, which is asked for what this one does not say."}),
        embedded(&PeerGroup::settings),
    };
};

template <>
struct Fields<ListenRange> {
    static constexpr std::tuple kAll{
        field("range", &ListenRange::range,
              {.doc = "Who dials from here needs no line of its own. Ranges may be nested; the "
                      "longest one wins.",
               .required = true}),
        field("group", &ListenRange::group,
              {.doc = "The group that such peers become members of; it must have a remote_as.",
               .required = true}),
        field("limit", &ListenRange::limit,
              {.doc = "Most peers from this range.",
               .limits = {1, 65535},
               .unset = "bgp.listen_limit alone"}),
    };
};

std::optional<std::string> get_neighbor_address(const Neighbor& neighbor);
Complaint set_neighbor_address(Neighbor& neighbor, const std::string& text);

template <>
struct Fields<Neighbor> {
    static constexpr std::tuple kAll{
        Projected<Neighbor, std::string>{
            "address",
            get_neighbor_address,
            set_neighbor_address,
            {.doc = "The peer's address; a link-local one with its port: \"fe80::1@uplink\".",
             .cost = Cost::Reset,
             .required = true}},
        field("group", &Neighbor::group,
              {.doc = "The group that is asked for what this neighbor does not say."}),
        embedded(&Neighbor::settings),
    };
};

template <>
struct Fields<Guard> {
    static constexpr std::tuple kAll{
        field("mode", &Guard::mode,
              {.doc = "\"enforce\" refuses what a guarded peer may not announce, \"alert\" only "
                      "reports it.",
               .cost = Cost::Refresh}),
        field("pods", &Guard::pods,
              {.doc = "Where nodes own what they announce: the first to announce a prefix owns it, "
                      "and nobody else may announce it, a part of it or more than it.",
               .cost = Cost::Refresh,
               .unset = "anywhere"}),
        field("shared", &Guard::shared,
              {.doc = "Where any number of nodes may announce the same, for service addresses.",
               .cost = Cost::Refresh}),
        field("lease", &Guard::lease,
              {.doc = "How long a prefix stays its owner's after that one has withdrawn it or "
                      "gone.",
               .cost = Cost::Refresh,
               .limits = {0, 86400}}),
    };
};

template <>
struct Fields<Aggregate> {
    static constexpr std::tuple kAll{
        field("prefix", &Aggregate::prefix,
              {.doc = "Announced, and discarded in the FIB, while a route inside it is in use.",
               .cost = Cost::Refresh,
               .required = true}),
        field("summary_only", &Aggregate::summary_only,
              {.doc = "Do not announce what is inside.", .cost = Cost::Refresh}),
    };
};

template <>
struct Fields<Mrt> {
    static constexpr std::tuple kAll{
        field("directory", &Mrt::directory,
              {.doc = "Where MRT files are written, those of `torii bgp dump` too."}),
        field("table_interval", &Mrt::table_interval,
              {.doc = "Time between two dumps of the table; 0 dumps only on demand.",
               .limits = {0, 604800}}),
        field("updates", &Mrt::updates, {.doc = "Record everything that peers say."}),
        field("updates_interval", &Mrt::updates_interval,
              {.doc = "Time that goes into one file of updates.", .limits = {10, 86400}}),
    };
};

template <>
struct Fields<Bgp> {
    static constexpr std::tuple kAll{
        field("asn", &Bgp::asn,
              {.doc = "Our AS: 64512, 4200000001, \"64086.59905\".",
               .cost = Cost::Reset,
               .required = true}),
        field("router_id", &Bgp::router_id,
              {.doc = "Our BGP identifier, written as an IPv4 address.",
               .cost = Cost::Reset,
               .unset = "the highest IPv4 address of a port"}),
        field("listen_addresses", &Bgp::listen_addresses,
              {.doc = "Where BGP connections are taken; an empty list takes none.",
               .cost = Cost::Restart}),
        field("port", &Bgp::port,
              {.doc = "TCP port to listen on.", .cost = Cost::Restart, .limits = {1, 65535}}),
        field("listen_limit", &Bgp::listen_limit,
              {.doc = "Most peers by listen ranges together; a warning comes at 75 %.",
               .limits = {1, 65535}}),
        field("maximum_paths_ebgp", &Bgp::maximum_paths_ebgp,
              {.doc = "Next hops of an ECMP route from eBGP.",
               .cost = Cost::Refresh,
               .limits = {1, 512}}),
        field("maximum_paths_ibgp", &Bgp::maximum_paths_ibgp,
              {.doc = "Next hops of an ECMP route from iBGP.",
               .cost = Cost::Refresh,
               .limits = {1, 512}}),
        field("multipath_relax", &Bgp::multipath_relax,
              {.doc = "ECMP over paths of equal length even if their ASes differ.",
               .cost = Cost::Refresh}),
        field("always_compare_med", &Bgp::always_compare_med,
              {.doc = "Compare MED between paths of different neighbor ASes too.",
               .cost = Cost::Refresh}),
        field("missing_med_as_worst", &Bgp::missing_med_as_worst,
              {.doc = "A path without MED has the highest, not 0.", .cost = Cost::Refresh}),
        field("compare_router_id", &Bgp::compare_router_id,
              {.doc = "Between equal eBGP paths the lower router ID wins, not the one in use.",
               .cost = Cost::Refresh}),
        field("cluster_id", &Bgp::cluster_id,
              {.doc = "Cluster of route reflection, written as an IPv4 address.",
               .cost = Cost::Refresh,
               .unset = "the router ID"}),
        field(
            "restart_deferral", &Bgp::restart_deferral,
            {.doc = "After a start, how long neighbors with graceful_restart = \"full\" are heard "
                    "out before anything is announced to them (RFC 4724); 0 announces at once.",
             .limits = {0, 3600}}),
        field("networks", &Bgp::networks,
              {.doc = "Prefixes we announce as our own.", .cost = Cost::Refresh}),
        field("aggregates", &Bgp::aggregates, {.doc = "Summaries of what lies inside them."}),
        field("redistribute", &Bgp::redistribute,
              {.doc = "Routes of other sources to announce.", .cost = Cost::Refresh}),
        field("guard", &Bgp::guard,
              {.doc = "Which node may announce what; holds for peers that are guarded."}),
        field("mrt", &Bgp::mrt, {.doc = "Files of MRT (RFC 6396), readable by bgpdump."}),
        field("defaults", &Bgp::defaults,
              {.doc = "What holds for every peer unless its group or itself says otherwise."}),
        field("groups", &Bgp::groups, {.doc = "Peer groups by name."}),
        field("listen", &Bgp::listen, {.doc = "Ranges that peers may dial in from."}),
        field("neighbors", &Bgp::neighbors, {.doc = "Peers with a line of their own."}),
    };
};

template <>
struct Fields<PrefixList> {
    static constexpr bool kShorthand = true;
    static constexpr std::tuple kAll{
        field("rules", &PrefixList::rules,
              {.doc = "Rules in order: \"10.244.0.0/16 ge 24 le 24\", \"deny 0.0.0.0/0\", \"any\". "
                      "The first that matches decides; what none matches is denied.",
               .cost = Cost::Refresh}),
    };
};

template <>
struct Fields<Tls> {
    static constexpr std::tuple kAll{
        field("certificate", &Tls::certificate,
              {.doc = "PEM file, the chain included.", .required = true}),
        field("key", &Tls::key, {.doc = "PEM file.", .required = true}),
        field("client_ca", &Tls::client_ca,
              {.doc = "Clients must show a certificate signed by one of these."}),
    };
};

template <>
struct Fields<Token> {
    static constexpr bool kNameIsKey = true;
    static constexpr std::tuple kAll{
        field("name", &Token::name,
              {.doc = "Whose it is; stands in the audit log.", .required = true}),
        field("hash", &Token::hash,
              {.doc = "argon2id hash, as `torii token add` prints it.",
               .required = true,
               .secret = true}),
        field("role", &Token::role, {.doc = "What its bearer may do."}),
    };
};

std::optional<std::string> get_socket_mode(const Management& management);
Complaint set_socket_mode(Management& management, const std::string& text);

template <>
struct Fields<Management> {
    using M = Management;
    static constexpr std::tuple kAll{
        field("socket", &M::socket,
              {.doc = "Unix socket of the API; \"\" for none.", .cost = Cost::Restart}),
        Projected<M, std::string>{
            "socket_mode",
            get_socket_mode,
            set_socket_mode,
            {.doc = "Who may connect there, in octal: \"0660\".", .cost = Cost::Restart}},
        field("http", &M::http,
              {.doc = "Where the API listens; more than loopback needs tls and tokens.",
               .cost = Cost::Restart}),
        field("tls", &M::tls, {.doc = "Certificate for every http listener."}),
        field("tokens", &M::tokens, {.doc = "Bearer tokens."}),
        field("max_connections", &M::max_connections,
              {.doc = "API connections at one time.", .cost = Cost::Restart, .limits = {8, 65535}}),
    };
};

template <>
struct Fields<Log> {
    static constexpr std::tuple kAll{
        field("level", &Log::level, {.doc = "Least severity that is written."}),
        field("format", &Log::format, {.doc = "key=value, or a JSON object a line."}),
        field("stderr", &Log::stderr_output, {.doc = "Write to standard error."}),
        field("journal", &Log::journal, {.doc = "Write to systemd's journal."}),
        field("file", &Log::file, {.doc = "Write to this file as well.", .unset = "no file"}),
    };
};

template <>
struct Fields<Model> {
    static constexpr std::tuple kAll{
        field("router", &Model::router, {.doc = "The router as a whole."}),
        field("dataplane", &Model::dataplane, {.doc = "Cores, memory and tables."}),
        field("ports", &Model::ports, {.doc = "Ports by name."}),
        field("routes", &Model::routes, {.doc = "Static routes."}),
        field("neighbors", &Model::neighbors, {.doc = "Static ARP and ND entries."}),
        field("liveness", &Model::liveness,
              {.doc = "How the death of next hops that are no BGP peers is found out.",
               .unset = "not at all"}),
        field("pools", &Model::pools,
              {.doc = "Prefixes that the cluster gives out. What is assigned to nobody inside is "
                      "answered with ICMP unreachable instead of following a default route, and a "
                      "packet that would go back to the node it came from is dropped.",
               .unset = "none"}),
        field(
            "drop_sources", &Model::drop_sources,
            {.doc = "Prefixes whose packets are dropped before anything else is asked about them, "
                    "by the ports themselves where they can (`torii offload`).",
             .unset = "none"}),
        field("bgp", &Model::bgp, {.doc = "BGP; leave it out to run none."}),
        field("prefix_lists", &Model::prefix_lists,
              {.doc = "Prefix lists by name: pods = [ \"10.244.0.0/16 ge 24 le 24\" ]."}),
        field("as_path_lists", &Model::as_path_lists,
              {.doc = "AS-path lists by name: customers = [ \"neighbor 65001\" ]."}),
        field("community_lists", &Model::community_lists,
              {.doc = "Community lists by name: services = [ \"65000:1\", \"65000:2\" ]."}),
        field("policies", &Model::policies,
              {.doc = "Route policies by name, each a list of terms: from-nodes = ( { match = { "
                      "prefix = \"pods\"; }; set = { local_pref = 200; }; } ). The first term that "
                      "matches decides; what none decides is rejected."}),
        field("management", &Model::management, {.doc = "REST API and command line."}),
        field("log", &Model::log, {.doc = "Where events are written."}),
    };
};

}  // namespace torii::config
