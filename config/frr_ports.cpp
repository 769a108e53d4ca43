#include "config/frr_ports.hpp"

#include <algorithm>

#include "config/frr_lists.hpp"
#include "config/frr_names.hpp"

namespace torii::config {
namespace {

bool is_loopback(std::string_view name) {
    return name == "lo" || name.starts_with("dummy") || name.starts_with("loopback") ||
           (name.starts_with("lo") && FrrWords{name.substr(2)}.number<unsigned>(0));
}

}  // namespace

std::string FrrPorts::name_of(std::string_view interface) {
    constexpr std::size_t kLongest = 15;
    const auto out = frr_name(interface);
    return (out == interface ? "t-" + out : out).substr(0, kLongest);
}

bool FrrPorts::begin(const FrrLine& line) {
    const auto name = line.words[1];
    port_ = nullptr;
    interface_ = std::string{name};
    if (line.words.size() > 2) {
        report_.add(line, "one table, no VRF");
        return false;
    }
    if (is_loopback(name)) return true;
    // Linux' name of VLAN 100 of eth1 is eth1.100.
    const auto dot = std::min(name.rfind('.'), name.size());
    const auto vlan =
        FrrWords{name.substr(std::min(dot + 1, name.size()))}.number<std::uint16_t>(0);
    const bool is_part = vlan && *vlan >= 1 && *vlan <= 4094;
    if (is_part) port_of(name.substr(0, dot));
    port_ = &port_of(name);
    if (!is_part) return true;
    port_->device = {};
    port_->parent = name_of(name.substr(0, dot));
    port_->vlan = vlan;
    return true;
}

// The interface's port, made if it is new.
Port& FrrPorts::port_of(std::string_view interface) {
    const auto wanted = name_of(interface);
    for (auto& port : model_.ports)
        if (port.name == wanted) return port;
    auto& port = model_.ports.emplace_back();
    port.name = wanted;
    port.device = {DeviceKind::Netdev, std::string{interface}};
    return port;
}

void FrrPorts::take(const FrrLine& line) {
    const auto& w = line.words;
    if ((w.begins("ip", "address") || w.begins("ipv6", "address")) &&
        w[2].find('/') != std::string_view::npos) {
        const auto address = InterfaceAddress::parse(w[2]);
        if (!address) return report_.add(line, "no address with its length");
        if (!port_) return report_.add(line, "torii has no loopback interface");
        addresses_[interface_].push_back(address->address);
        port_->addresses.push_back(*address);
        connected_.push_back(address->network());
    } else if (w.begins("description")) {
        if (port_) port_->description = w.from(1);
    } else if (w.begins("shutdown") || w.begins("no", "shutdown")) {
        if (port_) port_->shutdown = w[0] == "shutdown";
    } else if (!w.begins("link-detect") && !w.begins("no", "link-detect") &&
               !w.begins("bandwidth")) {
        report_.add(line, "of an interface, addresses, description and shutdown are taken");
    }
}

const std::vector<IpAddress>& FrrPorts::addresses(std::string_view interface) const {
    static const std::vector<IpAddress> kNone;
    const auto at = addresses_.find(interface);
    return at != addresses_.end() ? at->second : kNone;
}

bool FrrPorts::has(const Prefix& prefix) const {
    return std::ranges::find(connected_, prefix) != connected_.end() ||
           std::ranges::any_of(routes_, [&](const Route& r) { return r.route.prefix == prefix; });
}

// ip route PREFIX|NETWORK MASK  ADDRESS [IFACE] | blackhole | Null0 | reject  [tag N] [DISTANCE]
void FrrPorts::route(const FrrLine& line) {
    auto w = line.words;
    std::size_t used = 1;
    const auto prefix = frr_prefix(w, 2, used, true);
    if (!prefix) return report_.add(line, "no prefix");
    w.drop(2 + used);
    Route out;
    out.line = line;
    out.route.prefix = *prefix;
    std::size_t next = 1;
    const bool is_null = w[0] == "Null0" || w[0] == "null0";
    if (w[0] == "blackhole" || is_null) {
        out.route.kind = StaticKind::Discard;
    } else if (w[0] == "reject") {
        out.route.kind = StaticKind::Unreachable;
    } else if (const auto address = IpAddress::parse(w[0])) {
        Via via{*address, std::nullopt, 1};
        constexpr std::string_view kOptions[] = {
            "tag", "vrf", "nexthop-vrf", "table", "label", "onlink", "color", "bfd", "segments"};
        if (!w[1].empty() && !w.number<std::uint32_t>(1) &&
            std::ranges::find(kOptions, w[1]) == std::end(kOptions))
            via.port = name_of(w[next++]);
        out.route.via.push_back(via);
    } else {
        return report_.add(line, "a route to an interface alone: name the router behind it");
    }
    for (; next < w.size(); ++next) {
        if (w[next] == "tag" || w[next] == "color") {
            ++next;  // means something to route-maps alone
        } else if (w[next] == "onlink") {
            continue;
        } else if (w[next] == "bfd") {
            report_.add(line, "torii watches next hops by `liveness`; the route itself is taken");
            break;
        } else if (const auto distance = w.number<std::uint8_t>(next); distance && *distance > 0) {
            out.route.distance = *distance;
        } else {
            return report_.add(line, "an option that torii has not; the route is left out");
        }
    }
    routes_.push_back(std::move(out));
}

// FRR installs those of the lowest distance; the others wait until that one has no next hop.
void FrrPorts::finish() {
    std::erase_if(routes_, [&](const Route& entry) {
        const auto& via = entry.route.via;
        if (via.empty() || !via[0].port || model_.find_port(*via[0].port) != nullptr) return false;
        report_.add(entry.line, "the file has no such interface; the route is left out",
                    FrrEffect::Narrower);
        return true;
    });
    std::map<Prefix, std::uint8_t> lowest;
    for (const auto& [route, _] : routes_) {
        const auto [at, fresh] = lowest.try_emplace(route.prefix, route.distance);
        if (!fresh) at->second = std::min(at->second, route.distance);
    }
    for (const auto& [route, line] : routes_) {
        if (route.distance > lowest.at(route.prefix)) {
            report_.add(line,
                        "a route that waits behind one with a lower distance; torii has "
                        "one static route for a prefix",
                        FrrEffect::Narrower);
            continue;
        }
        const auto same = std::ranges::find(model_.routes, route.prefix, &StaticRoute::prefix);
        if (same == model_.routes.end()) {
            model_.routes.push_back(route);
        } else if (same->kind == StaticKind::Forward && route.kind == StaticKind::Forward) {
            if (std::ranges::find(same->via, route.via[0]) == same->via.end())
                same->via.push_back(route.via[0]);
        } else if (*same != route) {
            report_.add(line, "the prefix has another static route in front of this one",
                        FrrEffect::Narrower);
        }
    }
}

}  // namespace torii::config
