#include "config/key_builder.hpp"

// Keys of `bgp`, those of its peers excepted.
namespace torii::config {
namespace {

std::optional<std::string> get_neighbor_address(const Neighbor& neighbor) {
    return neighbor.address.to_string() + (neighbor.port ? '@' + *neighbor.port : "");
}

Complaint set_neighbor_address(Neighbor& neighbor, const std::string& text) {
    const auto at = text.find('@');
    const auto address = IpAddress::parse(text.substr(0, at));
    if (!address || at + 1 == text.size())
        return {"expected an IP address, found " + in_quotes(text),
                "for example \"10.0.0.2\", \"fd00::2\" or \"fe80::1@uplink\""};
    neighbor.address = *address;
    if (at != std::string::npos) neighbor.port = text.substr(at + 1);
    return {};
}

}  // namespace

const KeyTable& keys(Of<PeerGroup>) {
    static constexpr KeyEntry kEntries[] = {
        field<&PeerGroup::inherits>(
            "inherits",
            {.doc = "Another group; settings that are unset here are inherited from it."}),
        embedded<&PeerGroup::settings>(),

    };
    static const KeyTable table = named_block<PeerGroup>(kEntries);
    return table;
}

const KeyTable& keys(Of<ListenRange>) {
    static constexpr KeyEntry kEntries[] = {
        field<&ListenRange::range>("range", {.doc = "A peer that connects from here needs no line "
                                                    "of its own. Ranges may be nested; the "
                                                    "longest one wins.",
                                             .required = true}),
        field<&ListenRange::group>(
            "group",
            {.doc = "The group that such peers become members of; it must have a remote_as.",
             .required = true}),
        field<&ListenRange::limit>("limit", {.doc = "Most peers from this range.",
                                             .limits = {1, 65535},
                                             .unset = "bgp.listen_limit alone"}),

    };
    static const KeyTable table = block<ListenRange>(kEntries);
    return table;
}

const KeyTable& keys(Of<Neighbor>) {
    static constexpr KeyEntry kEntries[] = {
        projected<get_neighbor_address, set_neighbor_address>(
            "address",
            {.doc = "The peer's address; a link-local one with its port: \"fe80::1@uplink\".",
             .cost = Cost::Reset,
             .required = true}),
        field<&Neighbor::group>("group",
                                {.doc = "The group that unset settings are inherited from."}),
        embedded<&Neighbor::settings>(),

    };
    static const KeyTable table = block<Neighbor>(kEntries);
    return table;
}

const KeyTable& keys(Of<Guard>) {
    static constexpr KeyEntry kEntries[] = {
        field<&Guard::mode>(
            "mode",
            {.doc = "\"enforce\" refuses what a guarded peer may not announce, \"alert\" only "
                    "reports it.",
             .cost = Cost::Refresh}),
        field<&Guard::pods>(
            "pods",
            {.doc = "Where nodes own what they announce: the first to announce a prefix owns it, "
                    "and no other node may announce it, a part of it or a covering prefix.",
             .cost = Cost::Refresh,
             .unset = "anywhere"}),
        field<&Guard::shared>(
            "shared",
            {.doc = "Where any number of nodes may announce the same, for service addresses.",
             .cost = Cost::Refresh}),
        field<&Guard::lease>(
            "lease",
            {.doc = "How long a prefix stays its owner's after that one has withdrawn it or "
                    "gone.",
             .cost = Cost::Refresh,
             .limits = {0, 86400}}),
        field<&Guard::min_length_ipv4>(
            "min_length_ipv4",
            {.doc = "The shortest IPv4 prefix that a node may own.",
             .cost = Cost::Refresh,
             .limits = {0, 32},
             .unset = "longer than the range of `pods` if that is shorter than /24; /8 without"}),
        field<&Guard::min_length_ipv6>(
            "min_length_ipv6",
            {.doc = "The same for IPv6.",
             .cost = Cost::Refresh,
             .limits = {0, 128},
             .unset = "longer than the range of `pods` if that is shorter than /64; /16 without"}),
        field<&Guard::prefixes_per_node>(
            "prefixes_per_node",
            {.doc = "How many prefixes a node may own at once; 0 for any number. One more is "
                    "refused until it owns less.",
             .cost = Cost::Refresh,
             .limits = {0, 0xffffffffLL}}),

    };
    static const KeyTable table = block<Guard>(kEntries);
    return table;
}

const KeyTable& keys(Of<Aggregate>) {
    static constexpr KeyEntry kEntries[] = {
        field<&Aggregate::prefix>(
            "prefix",
            {.doc = "Announced, and discarded in the FIB, while a route inside it is in use.",
             .cost = Cost::Refresh,
             .required = true}),
        field<&Aggregate::summary_only>(
            "summary_only", {.doc = "Do not announce what is inside.", .cost = Cost::Refresh}),

    };
    static const KeyTable table = block<Aggregate>(kEntries);
    return table;
}

const KeyTable& keys(Of<Mrt>) {
    static constexpr KeyEntry kEntries[] = {
        field<&Mrt::directory>(
            "directory", {.doc = "Where MRT files are written, those of `torii bgp dump` too."}),
        field<&Mrt::table_interval>(
            "table_interval",
            {.doc = "Time between two dumps of the table; 0 dumps only on demand.",
             .limits = {0, 604800}}),
        field<&Mrt::updates>("updates", {.doc = "Record all received messages."}),
        field<&Mrt::updates_interval>(
            "updates_interval",
            {.doc = "Time that goes into one file of updates.", .limits = {10, 86400}}),

    };
    static const KeyTable table = block<Mrt>(kEntries);
    return table;
}

const KeyTable& keys(Of<Bgp>) {
    static constexpr KeyEntry kEntries[] = {
        field<&Bgp::asn>("asn", {.doc = "Our AS: 64512, 4200000001, \"64086.59905\".",
                                 .cost = Cost::Reset,
                                 .required = true}),
        field<&Bgp::router_id>("router_id",
                               {.doc = "Our BGP identifier, written as an IPv4 address.",
                                .cost = Cost::Reset,
                                .unset = "the highest IPv4 address of a port"}),
        field<&Bgp::listen_addresses>(
            "listen_addresses",
            {.doc = "Where BGP connections are taken; an empty list takes none."}),
        field<&Bgp::port>("port", {.doc = "TCP port to listen on.", .limits = {1, 65535}}),
        field<&Bgp::listen_limit>(
            "listen_limit",
            {.doc = "Most peers by listen ranges together; a warning comes at 75 %.",
             .limits = {1, 65535}}),
        field<&Bgp::maximum_paths_ebgp>("maximum_paths_ebgp",
                                        {.doc = "Next hops of an ECMP route from eBGP.",
                                         .cost = Cost::Refresh,
                                         .limits = {1, 512}}),
        field<&Bgp::maximum_paths_ibgp>("maximum_paths_ibgp",
                                        {.doc = "Next hops of an ECMP route from iBGP.",
                                         .cost = Cost::Refresh,
                                         .limits = {1, 512}}),
        field<&Bgp::multipath_relax>(
            "multipath_relax", {.doc = "ECMP over paths of equal length even if their ASes differ.",
                                .cost = Cost::Refresh}),
        field<&Bgp::always_compare_med>(
            "always_compare_med",
            {.doc = "Compare MED between paths of different neighbor ASes too.",
             .cost = Cost::Refresh}),
        field<&Bgp::missing_med_as_worst>(
            "missing_med_as_worst",
            {.doc = "A path without MED has the highest, not 0.", .cost = Cost::Refresh}),
        field<&Bgp::compare_router_id>(
            "compare_router_id",
            {.doc = "Between equal eBGP paths the lower router ID wins, not the one in use.",
             .cost = Cost::Refresh}),
        field<&Bgp::cluster_id>("cluster_id",
                                {.doc = "Cluster of route reflection, written as an IPv4 address.",
                                 .cost = Cost::Refresh,
                                 .unset = "the router ID"}),
        field<&Bgp::restart_deferral>(
            "restart_deferral",
            {.doc =
                 "After a start, how long to wait for End-of-RIB of neighbors with "
                 "graceful_restart = \"full\" before anything is announced to them (RFC 4724); 0 "
                 "announces at once.",
             .limits = {0, 3600}}),
        field<&Bgp::kept_routes>(
            "kept_routes",
            {.doc = "File in which learnt routes outlive the process: the next one forwards by "
                    "them at once and until peers have announced theirs, for defaults.restart_time "
                    "at most. \"\" for none.",
             .cost = Cost::Restart,
             .unset = "routes beside management.socket"}),
        field<&Bgp::networks>("networks",
                              {.doc = "Prefixes we announce as our own.", .cost = Cost::Refresh}),
        field<&Bgp::aggregates>("aggregates", {.doc = "Summaries of what lies inside them."}),
        field<&Bgp::redistribute>(
            "redistribute", {.doc = "Routes of other sources to announce, while they are in use.",
                             .cost = Cost::Refresh}),
        field<&Bgp::guard>(
            "guard", {.doc = "Which node may announce what; holds for peers that are guarded."}),
        field<&Bgp::mrt>("mrt", {.doc = "Files of MRT (RFC 6396), readable by bgpdump."}),
        field<&Bgp::defaults>(
            "defaults",
            {.doc = "Settings of every peer unless its group or itself overrides them."}),
        field<&Bgp::groups>("groups", {.doc = "Peer groups by name."}),
        field<&Bgp::listen>("listen", {.doc = "Ranges that peers may dial in from."}),
        field<&Bgp::neighbors>("neighbors", {.doc = "Peers with a line of their own."}),

    };
    static const KeyTable table = block<Bgp>(kEntries);
    return table;
}

}  // namespace torii::config
