#include "config/validate.hpp"

#include <algorithm>
#include <charconv>
#include <map>
#include <set>

#include "base/packet_buffers.hpp"
#include "base/suggest.hpp"
#include "config/value_text.hpp"

namespace torii::config {
namespace {

std::string indexed(std::string_view list, std::size_t i) {
    return std::string{list} + '[' + std::to_string(i) + ']';
}

std::string near_port(const Model& model, std::string_view name) {
    std::vector<std::string_view> names;
    for (const auto& port : model.ports) names.push_back(port.name);
    const auto near = suggest(name, names);
    if (!near.empty()) return "did you mean " + in_quotes(near) + "?";
    std::string out;
    for (const auto known : names) out += (out.empty() ? "ports: " : ", ") + std::string{known};
    return out.empty() ? "no ports are configured" : out;
}

void check_dataplane(const Dataplane& dataplane, Findings& find) {
    if (dataplane.lcores) {
        std::set<unsigned> cpus;
        std::string_view left = *dataplane.lcores;
        bool good = !left.empty();
        while (good && !left.empty()) {
            auto part = left.substr(0, left.find(','));
            left.remove_prefix(std::min(left.size(), part.size() + 1));
            unsigned first = 0, last = 0;
            const char* end = part.data() + part.size();
            auto parsed = std::from_chars(part.data(), end, first);
            last = first;
            if (parsed.ec == std::errc{} && parsed.ptr != end && *parsed.ptr == '-')
                parsed = std::from_chars(parsed.ptr + 1, end, last);
            good = parsed.ec == std::errc{} && parsed.ptr == end && first <= last && last < 1024;
            for (unsigned cpu = first; good && cpu <= last; ++cpu) cpus.insert(cpu);
        }
        if (!good)
            find.error("dataplane.lcores", in_quotes(*dataplane.lcores) + " is no list of CPUs",
                       "for example \"2-5,8\"");
        else if (cpus.size() < dataplane.workers)
            find.error("dataplane.lcores",
                       std::to_string(dataplane.workers) + " workers need as many CPUs, " +
                           std::to_string(cpus.size()) + " are given",
                       "lower dataplane.workers or add CPUs");
    }
    for (const auto& argument : dataplane.eal_arguments) {
        if (argument == "--no-huge" && dataplane.hugepages == Hugepages::On)
            find.error("dataplane.eal_arguments", "--no-huge contradicts hugepages = \"on\"",
                       "set hugepages = \"off\" instead");
        if (argument.starts_with("-") && argument.find(' ') != std::string::npos)
            find.warning("dataplane.eal_arguments",
                         in_quotes(argument) + " is one argument with a space in it",
                         "write an option and its value as two texts");
    }
    if (dataplane.file_prefix.empty() || dataplane.file_prefix.find('/') != std::string::npos)
        find.error("dataplane.file_prefix", in_quotes(dataplane.file_prefix) + " is no file prefix",
                   "a plain word: \"torii\"");
}

// A sub-port shares its parent's device.
void check_sub_port(const Model& model, const Port& port, const std::string& path, Findings& find) {
    if (!port.parent)
        return find.error(path + ".vlan", "a VLAN is a part of another port",
                          "name that one: parent = \"PORT\"");
    const auto* parent = model.parent_of(port);
    const auto name = in_quotes(*port.parent);
    if (!port.device.name.empty())
        find.error(
            path, "the port has a device and a parent",
            "a sub-port shares the device of its parent: leave out " + in_quotes(port.device.name));
    if (parent == nullptr)
        find.error(path + ".parent", "there is no port " + name, near_port(model, *port.parent));
    else if (parent == &port)
        find.error(path + ".parent", "the port is its own parent",
                   "name the port whose frames have the tags");
    else if (parent->parent)
        find.error(path + ".parent",
                   name + " is a sub-port itself: frames with two tags are not taken",
                   "parent = " + in_quotes(*parent->parent));
    if (!port.vlan) find.error(path, "the sub-port has no VLAN", "vlan = 1 to 4094");
    for (const auto& other : model.ports) {
        if (&other == &port) break;
        if (port.vlan && other.parent == port.parent && other.vlan == port.vlan)
            find.error(path + ".vlan", "VLAN " + std::to_string(*port.vlan) + " of " + name +
                                           " is port " + other.name + " already");
    }
    if (parent != nullptr && port.mtu && *port.mtu > model.mtu_of(*parent))
        find.error(path + ".mtu",
                   "an MTU of " + std::to_string(*port.mtu) + " does not fit through " + name +
                       " with " + std::to_string(model.mtu_of(*parent)),
                   "raise the parent's, or leave this one out");
    const Port plain;
    const auto parents = [&](bool differs, const char* key) {
        if (differs)
            find.error(path + '.' + key, "a sub-port has no " + std::string{key} + " of its own",
                       "set it on " + name);
    };
    parents(port.mac.has_value(), "mac");
    parents(port.queues.has_value(), "queues");
    parents(port.rx_descriptors != plain.rx_descriptors, "rx_descriptors");
    parents(port.tx_descriptors != plain.tx_descriptors, "tx_descriptors");
    parents(port.promiscuous, "promiscuous");
}

// Without enough of them a port does not start, or stops receiving under load.
void check_buffers(const Model& model, Findings& find) {
    const auto& given = model.dataplane.mbufs;
    if (!given) return;
    BufferDemand demand{model.dataplane.workers};
    for (const auto& port : model.ports) {
        const std::size_t queues = port.queues.value_or(0);
        if (port.parent)
            demand.add_sub_port();
        else
            demand.add_port(queues, queues, port.rx_descriptors, port.tx_descriptors);
    }
    if (*given < demand.least())
        find.error("dataplane.mbufs",
                   std::to_string(*given) +
                       " packet buffers are too few: queues and workers take " +
                       std::to_string(demand.least()),
                   "leave dataplane.mbufs out, or raise it");
}

void check_ports(const Model& model, Findings& find) {
    std::map<std::string, std::string> devices;
    std::map<MacAddress, std::string> macs;
    struct Taken {
        const Port* port;
        InterfaceAddress address;
    };
    std::vector<Taken> taken;
    for (const auto& port : model.ports) {
        const auto path = "ports." + port.name;
        if (port.parent || port.vlan)
            check_sub_port(model, port, path, find);
        else if (port.device.name.empty())
            find.error(path, "the port has no device",
                       "give the device: pci = \"0000:3b:00.0\", vdev = "
                       "\"net_af_packet0,iface=eth1\" or netdev = \"eth1\"");
        else if (port.device.kind == DeviceKind::Netdev && port.device.name == port.name)
            find.error(path, "the port has the name of its network interface, which stays there",
                       "name the port otherwise: its twin in the kernel is named like it");
        else if (const auto [it, fresh] = devices.try_emplace(port.device.name, port.name); !fresh)
            find.error(path, "the device " + in_quotes(port.device.name) + " is port " +
                                 it->second + " already");
        if (port.mac) {
            if (port.mac->is_multicast() || port.mac->is_zero())
                find.error(path + ".mac", port.mac->to_string() + " cannot be a port's address",
                           "an own one begins with 02");
            else if (const auto [it, fresh] = macs.try_emplace(*port.mac, port.name); !fresh)
                find.error(path + ".mac", port.mac->to_string() + " is the address of port " +
                                              it->second + " already");
        }
        for (const auto& own : port.addresses) {
            const auto text = own.to_string();
            if (own.address.is_multicast() || own.address.is_unspecified() ||
                own.address.is_loopback())
                find.error(path + ".addresses", text + " cannot be an address of a port");
            else if (own.address.is_v4() && own.length < 31 &&
                     (own.address == own.network().address() ||
                      (own.address.v4() | (0xffffffffu >> own.length)) == own.address.v4()))
                find.warning(path + ".addresses",
                             text + " is the network or broadcast address of its link");
            if (own.address.is_v6() && model.mtu_of(port) < 1280)
                find.error(path + ".mtu", "IPv6 needs an MTU of 1280 at least (RFC 8200)");
            for (const auto& other : taken) {
                const bool twice = other.address.address == own.address;
                const bool overlaps = other.address.network().overlaps(own.network());
                if (own.address.is_link_local() && own.address.is_v6()) continue;
                if (twice || (overlaps && other.port != &port))
                    find.error(
                        path + ".addresses",
                        text +
                            (twice ? " is also an address of port "
                                   : " overlaps " + other.address.to_string() + " of port ") +
                            other.port->name,
                        twice ? "" : "one link, one port");
            }
            taken.push_back({&port, own});
        }
    }
    if (model.ports.size() > kMostPorts)
        find.error("ports", std::to_string(model.ports.size()) +
                                " ports and sub-ports are more than " + std::to_string(kMostPorts));
    if (model.ports.empty()) find.warning("ports", "no ports: nothing will be forwarded");
}

void check_via(const Model& model, const StaticRoute& route, const Via& via,
               const std::string& path, Findings& find) {
    const auto text = via.address.to_string();
    if (via.port && !model.find_port(*via.port)) {
        find.error(path, "there is no port " + in_quotes(*via.port), near_port(model, *via.port));
    } else if (via.address.is_multicast() || via.address.is_unspecified() ||
               via.address.is_loopback()) {
        find.error(path, text + " cannot be a next hop");
    } else if (is_own_address(model, via.address)) {
        find.error(path, text + " is an address of ours", "name the router on the other side");
    } else if (via.address.is_v6() && via.address.is_link_local() && !via.port) {
        find.error(path, text + " is link-local and needs its port", "write \"" + text + "@PORT\"");
    } else if (via.address.is_v4() && route.prefix.family() == Family::Ip6) {
        find.error(path, "an IPv6 route cannot go by an IPv4 next hop");
    } else if (!via.port && !port_towards(model, via.address)) {
        find.warning(path, text + " is not on the link of any port",
                     "the route waits until another one leads there");
    }
}

void check_routes(const Model& model, Findings& find) {
    std::map<Prefix, std::size_t> seen;
    for (std::size_t i = 0; i < model.routes.size(); ++i) {
        const auto& route = model.routes[i];
        const auto path = indexed("routes", i);
        const auto prefix = route.prefix.to_string();
        if (const auto [it, fresh] = seen.try_emplace(route.prefix, i); !fresh)
            find.error(path, prefix + " has a route already: " + indexed("routes", it->second),
                       "give one route several next hops: via = [ ... ]");
        if (route.kind == StaticKind::Forward && route.via.empty())
            find.error(path, prefix + " leads nowhere",
                       "add via = \"ADDRESS\", discard = true or unreachable = true");
        if (route.kind != StaticKind::Forward && !route.via.empty())
            find.error(path, prefix + " has next hops and is to be dropped", "keep one of them");
        if (route.prefix.address().is_multicast())
            find.error(path, prefix + " is multicast, which torii does not route");
        if (route.prefix.family() == Family::Ip6 && route.prefix.length() >= 64 &&
            Prefix{IpAddress::v6({}), 64}.contains(route.prefix.address()))
            find.error(path, prefix + " is within ::/64, where there are no hosts (RFC 4291 §2.4)");
        std::set<std::string> hops;
        for (const auto& via : route.via) {
            check_via(model, route, via, path + ".via", find);
            if (!hops.insert(via.address.to_string() + '@' + via.port.value_or("")).second)
                find.error(path + ".via", via.address.to_string() + " stands twice",
                           "give it a weight: \"" + via.address.to_string() + " weight 2\"");
        }
    }
}

// RFC 4291 §2.5.6: no router passes on what has a link-local source, Packet Too Big among it.
void check_error_source(const Model& model, Findings& find) {
    const auto is_ip6 = [](const auto& prefix) { return prefix.family() == Family::Ip6; };
    const bool used =
        std::ranges::any_of(model.pools, is_ip6) ||
        std::ranges::any_of(model.routes, is_ip6, &StaticRoute::prefix) ||
        (model.bgp && std::ranges::any_of(model.bgp->neighbors,
                                          [](const Neighbor& n) { return n.address.is_v6(); }));
    const bool global = std::ranges::any_of(model.ports, [](const Port& port) {
        return std::ranges::any_of(port.addresses, [](const InterfaceAddress& own) {
            return own.address.is_v6() && !own.address.is_link_local();
        });
    });
    if (used && !global && !model.ports.empty())
        find.warning(
            "ports",
            "no port has a global IPv6 address: ICMPv6 errors have link-local sources, which "
            "no router passes on, and path MTU discovery fails",
            "give one port an address, a /128 will do");
}

void check_static_neighbors(const Model& model, Findings& find) {
    std::set<std::pair<std::string, IpAddress>> seen;
    for (std::size_t i = 0; i < model.neighbors.size(); ++i) {
        const auto& neighbor = model.neighbors[i];
        const auto path = indexed("neighbors", i);
        const Port* port = model.find_port(neighbor.port);
        if (!port)
            find.error(path + ".port", "there is no port " + in_quotes(neighbor.port),
                       near_port(model, neighbor.port));
        if (neighbor.mac.is_multicast() || neighbor.mac.is_zero())
            find.error(path + ".mac", neighbor.mac.to_string() + " cannot be a neighbor's address");
        if (!seen.insert({neighbor.port, neighbor.address}).second)
            find.error(path,
                       neighbor.address.to_string() + " stands twice for port " + neighbor.port);
        if (port && !neighbor.address.is_link_local() &&
            port_towards(model, neighbor.address) != port)
            find.warning(path, neighbor.address.to_string() + " is not on the link of port " +
                                   neighbor.port);
    }
}

void check_drop_sources(const Model& model, Findings& find) {
    for (std::size_t i = 0; i < model.drop_sources.size(); ++i) {
        const auto& source = model.drop_sources[i];
        const auto path = indexed("drop_sources", i);
        if (source.is_default())
            find.error(
                path,
                source.to_string() + " is every source, the operators of this gateway included",
                "shut the port down instead");
        for (const auto& port : model.ports)
            for (const auto& own : port.addresses)
                if (source.contains(own.network()))
                    find.warning(path, source.to_string() + " silences every neighbor on " +
                                           own.network().to_string() + " of port " + port.name);
    }
}

void check_prefix_lists(const Model& model, Findings& find) {
    for (const auto& list : model.prefix_lists) {
        const auto path = "prefix_lists." + list.name;
        if (list.name == "any" || list.name == "none")
            find.error(path, in_quotes(list.name) + " is built in", "choose another name");
        if (list.rules.empty()) find.warning(path, "a list without rules denies everything");
        for (std::size_t i = 0; i + 1 < list.rules.size(); ++i)
            if (list.rules[i].any)
                find.warning(path, "rules behind " + in_quotes(list.rules[i].to_string()) +
                                       " are never reached");
    }
}

void check_management(const Management& management, Findings& find) {
    if (management.socket.size() > 107)
        find.error("management.socket", "the path is longer than the 107 bytes of a Unix socket");
    if (!management.socket.empty() && management.socket[0] != '/')
        find.error("management.socket", in_quotes(management.socket) + " is no absolute path");
    if (management.socket.empty() && management.http.empty())
        find.warning("management", "neither socket nor http: the API is unreachable");
    for (const auto& endpoint : management.http)
        if (!endpoint.address.is_loopback() && (!management.tls || management.tokens.empty()))
            find.error("management.http",
                       endpoint.to_string() + " is more than loopback and needs tls and tokens",
                       "listen on \"127.0.0.1:" + std::to_string(endpoint.port) +
                           "\", or add management.tls and management.tokens");
    std::set<std::string> names;
    for (std::size_t i = 0; i < management.tokens.size(); ++i) {
        const auto& token = management.tokens[i];
        const auto path = indexed("management.tokens", i);
        if (!names.insert(token.name).second)
            find.error(path, "there is a token " + in_quotes(token.name) + " already");
        if (!token.hash.starts_with("$argon2id$"))
            find.error(path + ".hash", "this is no argon2id hash",
                       "`torii token add " + token.name + "` prints one");
    }
}

}  // namespace

const Port* port_towards(const Model& model, const IpAddress& address) {
    for (const auto& port : model.ports)
        for (const auto& own : port.addresses)
            if (own.network().contains(address)) return &port;
    return nullptr;
}

bool is_own_address(const Model& model, const IpAddress& address) {
    for (const auto& port : model.ports)
        for (const auto& own : port.addresses)
            if (own.address == address) return true;
    return false;
}

void validate(const Model& model, const SourceMap& sources, Problems& problems) {
    Findings find{sources, problems};
    check_dataplane(model.dataplane, find);
    check_ports(model, find);
    check_buffers(model, find);
    check_routes(model, find);
    check_error_source(model, find);
    check_static_neighbors(model, find);
    check_drop_sources(model, find);
    check_prefix_lists(model, find);
    validate_policies(model, find);
    check_management(model.management, find);
    if (model.router.hostname &&
        (model.router.hostname->empty() || model.router.hostname->size() > 255))
        find.error("router.hostname", "a host name has 1 to 255 bytes");
    if (model.bgp) validate_bgp(model, *model.bgp, find);
}

}  // namespace torii::config
