#include "app/translate.hpp"

#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <functional>
#include <string>

#include "app/translate_policy.hpp"
#include "config/config.hpp"
#include "config/validate.hpp"

namespace torii::app {
namespace {

static_assert(config::kMostPorts == dataplane::kMaxPorts);

template <class To, class From>
To by_position(From value) {
    return static_cast<To>(static_cast<std::uint8_t>(value));
}

bgp::RemoteAs remote_as(const std::optional<config::RemoteAs>& wanted) {
    if (!wanted) return {};
    using Kind = bgp::RemoteAs::Kind;
    switch (wanted->kind) {
        case config::RemoteAs::Kind::External:
            return {Kind::External, 0};
        case config::RemoteAs::Kind::Internal:
            return {Kind::Internal, 0};
        case config::RemoteAs::Kind::Number:
            break;
    }
    return {Kind::Number, wanted->asn.number};
}

bgp::SendCommunities send_communities(config::SendCommunity which) {
    using enum config::SendCommunity;
    const bool all = which == All;
    return {all || which == Standard, all || which == Extended, all || which == Large};
}

// Fields that are set move over; the others keep the protocol's own default.
template <class To, class From>
void set(To& to, const std::optional<From>& from) {
    if (from) to = *from;
}

bgp::PeerSettings peer(const config::PeerSettings& from) {
    bgp::PeerSettings to;
    set(to.description, from.description);
    to.remote_as = remote_as(from.remote_as);
    if (from.local_as) to.local_as = from.local_as->number;
    set(to.shutdown, from.shutdown);
    set(to.passive, from.passive);
    if (from.families) {
        const auto has = [&](Family f) { return std::ranges::count(*from.families, f) > 0; };
        to.ipv4 = has(Family::Ip4);
        to.ipv6 = has(Family::Ip6);
    }
    set(to.passwords, from.passwords);
    to.ttl_security = from.ttl_security;
    to.multihop = from.multihop;
    to.update_source = from.update_source;
    set(to.port, from.port);
    set(to.hold_time, from.hold_time);
    set(to.minimum_hold_time, from.minimum_hold_time);
    set(to.receive_limit, from.receive_limit);
    set(to.receive_octets, from.receive_octets);
    to.keepalive = from.keepalive;
    set(to.connect_retry, from.connect_retry);
    set(to.advertisement_interval, from.advertisement_interval);
    to.import_lists = from.import_lists;
    to.export_lists = from.export_lists;
    set(to.import_policies, from.import_policies);
    set(to.export_policies, from.export_policies);
    if (from.max_prefix)
        to.max_prefix = {from.max_prefix->limit,
                         by_position<bgp::MaxPrefixAction>(from.max_prefix->action),
                         from.max_prefix->warn_percent, from.max_prefix->restart};
    set(to.default_originate, from.default_originate);
    set(to.next_hop_self, from.next_hop_self);
    set(to.extended_next_hop, from.extended_next_hop);
    set(to.mapped_next_hop, from.mapped_next_hop);
    set(to.route_reflector_client, from.route_reflector_client);
    if (from.send_community) to.send_communities = send_communities(*from.send_community);
    if (from.add_path) to.add_path = by_position<bgp::AddPath>(*from.add_path);
    set(to.allowas_in, from.allowas_in);
    set(to.as_override, from.as_override);
    if (from.remove_private_as)
        to.remove_private_as = by_position<bgp::RemovePrivateAs>(*from.remove_private_as);
    set(to.enforce_first_as, from.enforce_first_as);
    if (from.graceful_restart)
        to.graceful_restart = by_position<bgp::GracefulRestart>(*from.graceful_restart);
    set(to.restart_time, from.restart_time);
    set(to.stale_time, from.stale_time);
    set(to.stale_while_alive, from.stale_while_alive);
    set(to.hold_down, from.hold_down);
    set(to.graceful_shutdown, from.graceful_shutdown);
    set(to.weight, from.weight);
    set(to.guarded, from.guarded);
    set(to.accept_blackhole, from.accept_blackhole);
    set(to.next_hop_unchanged, from.next_hop_unchanged);
    set(to.route_server_client, from.route_server_client);
    set(to.extended_messages, from.extended_messages);
    set(to.allow_as_set, from.allow_as_set);
    if (from.role) to.role = by_position<bgp::Role>(*from.role);
    set(to.strict_role, from.strict_role);
    to.send_hold_time = from.send_hold_time;
    to.long_lived_stale_time = from.long_lived_stale_time;
    set(to.shutdown_message, from.shutdown_message);
    if (from.liveness) to.on_death = by_position<bgp::OnDeath>(from.liveness->on_death);
    return to;
}

// Any host of a listen range may become one: nothing that it sends is kept without a bound.
bgp::PeerSettings member(const config::PeerSettings& from) {
    auto to = peer(from);
    to.receive_limit = from.receive_limit.value_or(65'536);
    to.receive_octets = from.receive_octets.value_or(16 * 1024 * 1024);
    to.minimum_hold_time = from.minimum_hold_time.value_or(std::chrono::seconds{3});
    return to;
}

std::string hostname(const config::Model& model) {
    if (model.router.hostname) return *model.router.hostname;
    char name[256] = "";
    return gethostname(name, sizeof name - 1) == 0 ? name : "torii";
}

bgp::PrefixList prefix_list(const config::PrefixList& from) {
    bgp::PrefixList to{from.name, {}};
    for (const auto& rule : from.rules)
        to.rules.push_back(
            {rule.permit, rule.any, rule.prefix, rule.ge, rule.le, rule.to_string()});
    return to;
}

// "1-3,5" as CPU numbers; validation has seen to its form.
std::vector<std::uint16_t> cpus(const std::string& text) {
    std::vector<std::uint16_t> out;
    const char* at = text.data();
    const char* const end = at + text.size();
    while (at < end) {
        std::uint16_t first = 0;
        const auto head = std::from_chars(at, end, first);
        if (head.ec != std::errc{}) break;
        std::uint16_t last = first;
        at = head.ptr;
        if (at < end && *at == '-') {
            const auto tail = std::from_chars(at + 1, end, last);
            if (tail.ec != std::errc{}) break;
            at = tail.ptr;
        }
        for (unsigned cpu = first; cpu <= last; ++cpu)
            out.push_back(static_cast<std::uint16_t>(cpu));
        if (at < end) ++at;
    }
    return out;
}

}  // namespace

std::string dotted(std::uint32_t number) {
    return IpAddress::v4(number).to_string();
}

rib::PortIndex port_index(const config::Model& model, std::string_view name) {
    const auto at = std::ranges::find(model.ports, name, &config::Port::name);
    return at == model.ports.end() ? rib::kAnyPort
                                   : static_cast<rib::PortIndex>(at - model.ports.begin());
}

std::string routes_identity(const config::Model& model) {
    config::Model part;
    for (const auto& port : model.ports) {
        auto& kept = part.ports.emplace_back();
        kept.name = port.name;
        kept.device = port.device;
        kept.parent = port.parent;
        kept.vlan = port.vlan;
        kept.addresses = port.addresses;
    }
    part.bgp = model.bgp;
    part.prefix_lists = model.prefix_lists;
    part.as_path_lists = model.as_path_lists;
    part.community_lists = model.community_lists;
    part.policies = model.policies;
    const auto text = config::print(part);
    return std::to_string(std::hash<std::string>{}(text)) + ' ' + std::to_string(text.size());
}

std::string kept_routes_file(const config::Model& model) {
    if (!model.bgp) return "";
    if (model.bgp->kept_routes) return *model.bgp->kept_routes;
    const auto& socket = model.management.socket;
    return socket.empty() ? "" : std::filesystem::path{socket}.replace_filename("routes").string();
}

std::uint32_t router_id(const config::Model& model) {
    if (model.bgp && model.bgp->router_id) return model.bgp->router_id->v4();
    std::uint32_t highest = 0;
    for (const auto& port : model.ports)
        for (const auto& a : port.addresses)
            if (a.address.is_v4()) highest = std::max(highest, a.address.v4());
    return highest;
}

bgp::SpeakerSettings speaker_settings(const config::Model& model, bool drained) {
    bgp::SpeakerSettings to;
    if (!model.bgp) return to;
    const auto& from = *model.bgp;
    to.asn = from.asn.number;
    to.router_id = router_id(model);
    to.router_id_derived = !from.router_id;
    to.forwarding_survives = model.ports.empty() || !kept_routes_file(model).empty();
    for (const auto& port : model.ports) {
        bgp::Link link{port_index(model, port.name), port.name, {}};
        for (const auto& own : port.addresses) link.addresses.push_back({own.address, own.length});
        to.links.push_back(std::move(link));
    }
    to.hostname = hostname(model);
    to.software = std::string{"torii/"} + TORII_VERSION;
    to.listen.clear();
    for (const auto& address : from.listen_addresses) to.listen.push_back({address, from.port});
    to.listen_limit = from.listen_limit;
    to.multipath = {from.maximum_paths_ebgp, from.maximum_paths_ibgp, from.multipath_relax};
    to.decision = {from.always_compare_med, from.missing_med_as_worst, from.compare_router_id};
    if (from.cluster_id) to.cluster_id = from.cluster_id->v4();
    to.restart_deferral = from.restart_deferral;
    to.networks = from.networks;
    for (const auto& aggregate : from.aggregates)
        to.aggregates.push_back({aggregate.prefix, aggregate.summary_only});
    to.redistribute_connected =
        std::ranges::count(from.redistribute, config::Redistribute::Connected) > 0;
    to.redistribute_static =
        std::ranges::count(from.redistribute, config::Redistribute::Static) > 0;
    to.guard = {by_position<bgp::GuardMode>(from.guard.mode),
                from.guard.pods,
                from.guard.shared,
                from.guard.lease,
                from.guard.min_length_ipv4,
                from.guard.min_length_ipv6,
                from.guard.prefixes_per_node};
    to.mrt = {from.mrt.directory, from.mrt.table_interval, from.mrt.updates,
              from.mrt.updates_interval};
    for (const auto& list : model.prefix_lists) to.prefix_lists.push_back(prefix_list(list));
    for (const auto& policy : model.policies) to.policies.push_back(route_policy(model, policy));
    const config::FoldedPeers folded{from};
    for (const auto& group : from.groups)
        to.groups.push_back({group.name, member(folded.of(group))});
    to.neighbors.reserve(from.neighbors.size());
    for (const auto& neighbor : from.neighbors)
        to.neighbors.push_back(
            {neighbor.address, neighbor.port ? port_index(model, *neighbor.port) : rib::kAnyPort,
             neighbor.port.value_or(""), neighbor.group.value_or(""), peer(folded.of(neighbor))});
    for (const auto& range : from.listen)
        to.ranges.push_back({range.range, range.group, range.limit.value_or(0)});
    if (drained) {
        for (auto& group : to.groups) group.peer.graceful_shutdown = true;
        for (auto& neighbor : to.neighbors) neighbor.peer.graceful_shutdown = true;
    }
    return to;
}

dataplane::PortSettings port_settings(const config::Model& model, const config::Port& from) {
    dataplane::PortSettings to;
    to.name = from.name;
    to.device = from.device.name;
    to.mac = from.mac;
    to.mtu = model.mtu_of(from);
    to.parent = from.parent.value_or("");
    to.vlan = from.vlan.value_or(0);
    to.shutdown = model.is_shut_down(from);
    to.trunk = std::ranges::any_of(
        model.ports, [&](const config::Port& other) { return other.parent == from.name; });
    for (const auto& a : from.addresses) to.addresses.push_back({a.address, a.length});
    to.rx_queues = from.queues.value_or(0);
    to.tx_queues = from.queues.value_or(0);
    to.promiscuous = from.promiscuous;
    to.strict_rpf = from.strict_rpf;
    to.rx_descriptors = from.rx_descriptors;
    to.tx_descriptors = from.tx_descriptors;
    return to;
}

std::vector<dataplane::StaticNeighbor> static_neighbors(const config::Model& model) {
    std::vector<dataplane::StaticNeighbor> out;
    for (const auto& n : model.neighbors)
        out.push_back({port_index(model, n.port), n.address, n.mac});
    return out;
}

dataplane::ControlPlanePolicing policing(const config::Dataplane& from) {
    dataplane::ControlPlanePolicing to;
    const auto rate = from.icmp_errors_per_second;
    to.icmp_errors = {rate, rate / 5 + 1};
    // Path MTU discovery depends on these; RFC 4443 §2.4 (f) limits them all the same.
    to.too_big = rate == 0 ? dataplane::PunterRate{} : dataplane::PunterRate{rate * 10, rate * 2};
    return to;
}

dataplane::Settings dataplane_settings(const config::Model& model) {
    const auto& from = model.dataplane;
    dataplane::Settings to;
    to.eal_arguments = from.eal_arguments;
    to.file_prefix = from.file_prefix;
    if (from.memory_mib) to.memory_mb = *from.memory_mib;
    if (from.hugepages != config::Hugepages::Auto)
        to.hugepages = from.hugepages == config::Hugepages::On;
    if (from.lcores) to.worker_cpus = cpus(*from.lcores);
    to.workers = from.workers;
    to.mbufs = from.mbufs.value_or(0);
    to.busy_poll = from.poll == config::PollMode::Busy;
    to.lookup = by_position<dataplane::LookupKind>(from.lookup);
    to.capacity.ip4_prefixes = from.ipv4_routes;
    to.capacity.ip6_prefixes = from.ipv6_routes;
    to.capacity.next_hops = from.next_hop_groups;
    to.capacity.neighbors = from.neighbors;
    to.policing = policing(from);
    to.udp_services = from.udp_services;
    to.offload = from.offload;
    to.unbalanced_after = from.unbalanced_after;
    to.drop_sources = model.drop_sources;
    for (const auto& port : model.ports) to.ports.push_back(port_settings(model, port));
    to.static_neighbors = static_neighbors(model);
    return to;
}

std::vector<dataplane::BgpSource> bgp_sources(const config::Model& model) {
    std::vector<dataplane::BgpSource> out;
    if (!model.bgp) return out;
    const config::FoldedPeers folded{*model.bgp};
    const auto least_ttl = [](const config::PeerSettings& peer) {
        return static_cast<std::uint8_t>(peer.ttl_security ? 256 - *peer.ttl_security : 0);
    };
    for (const auto& neighbor : model.bgp->neighbors)
        out.push_back({Prefix::host(neighbor.address), least_ttl(folded.of(neighbor))});
    for (const auto& range : model.bgp->listen)
        if (const auto* group = model.bgp->find_group(range.group))
            out.push_back({range.range, least_ttl(folded.of(*group))});
    return out;
}

dataplane::LivenessProfile liveness_profile(const config::Liveness& wanted) {
    dataplane::LivenessProfile to;
    to.watch.detect = by_position<dataplane::Detect>(wanted.detect);
    to.watch.interval = static_cast<std::uint32_t>(wanted.interval.count() * 1000);
    to.watch.multiplier = wanted.multiplier;
    to.slow_start = wanted.slow_start;
    to.dampen = wanted.dampen;
    return to;
}

dataplane::LivenessProfile liveness_profile(const config::PeerSettings& peer, Joined joined) {
    dataplane::LivenessProfile to;
    if (peer.liveness)
        to = liveness_profile(*peer.liveness);
    else if (joined == Joined::ByRange)
        to = liveness_profile(config::Liveness{});
    else
        to.watch.detect = dataplane::Detect::Off;
    if (!peer.bfd) return to;
    const auto& from = *peer.bfd;
    auto& bfd = to.bfd.emplace();
    const auto micros = [](config::milliseconds time) {
        return static_cast<std::uint32_t>(time.count() * 1000);
    };
    bfd.desired_min_tx = micros(from.transmit);
    bfd.required_min_rx = micros(from.receive);
    bfd.multiplier = from.multiplier;
    bfd.passive = from.passive;
    bfd.required_min_echo_rx = micros(from.echo_receive);
    // RFC 5880 §4.1 numbers the kinds from the simple password on.
    constexpr dataplane::bfd::AuthType kTypes[] = {
        dataplane::bfd::AuthType::KeyedMd5, dataplane::bfd::AuthType::MeticulousMd5,
        dataplane::bfd::AuthType::KeyedSha1, dataplane::bfd::AuthType::MeticulousSha1};
    if (from.key)
        bfd.key = dataplane::bfd::make_key(kTypes[static_cast<std::size_t>(from.authentication)],
                                           from.key_id, *from.key);
    to.bfd_shutdown = from.shutdown;
    return to;
}

std::vector<OwnRoute> connected_routes(const config::Port& port, rib::PortIndex index) {
    std::vector<OwnRoute> out;
    for (const auto& a : port.addresses) {
        const rib::NextHop attached{a.network().address(), index, 1};
        if (a.length < a.address.bits())
            out.push_back({a.network(),
                           rib::Source::Connected,
                           rib::kDistanceConnected,
                           rib::RouteKind::Attached,
                           {attached}});
        out.push_back({Prefix::host(a.address),
                       rib::Source::Connected,
                       rib::kDistanceConnected,
                       rib::RouteKind::Local,
                       {}});
    }
    return out;
}

OwnRoute static_route(const config::Model& model, const config::StaticRoute& from) {
    OwnRoute to{from.prefix, rib::Source::Static, from.distance, rib::RouteKind::Forward, {}};
    if (from.kind == config::StaticKind::Discard) to.kind = rib::RouteKind::Discard;
    if (from.kind == config::StaticKind::Unreachable) to.kind = rib::RouteKind::Unreachable;
    for (const auto& via : from.via)
        to.next_hops.push_back(
            {via.address, via.port ? port_index(model, *via.port) : rib::kAnyPort, via.weight});
    std::ranges::sort(to.next_hops);
    to.next_hops.erase(std::ranges::unique(to.next_hops).begin(), to.next_hops.end());
    return to;
}

}  // namespace torii::app
