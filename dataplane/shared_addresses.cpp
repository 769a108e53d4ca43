// Addresses that another process gives to a twin and takes away again: keepalived,
// for a pair of gates that share the nodes' next hop (VRRP, RFC 9568). The kernel
// answers ARP and ND for them; here the workers learn that they are ours.
#include <algorithm>

#include "base/event_list.hpp"
#include "dataplane/parts.hpp"

namespace torii::dataplane {

void Dataplane::Parts::on_kernel_change(const KernelAddress& kernel) {
    const auto place = std::ranges::find_if(
        places, [&](const Place& p) { return p.twin && p.twin->netdev() == kernel.netdev; });
    if (place == places.end()) return;
    const auto index = static_cast<PortIndex>(place - places.begin());
    const auto known = [&](const std::vector<PortAddress>& addresses) {
        return std::ranges::find(addresses, kernel.address, &PortAddress::address) !=
               addresses.end();
    };
    if (kernel.gone) {
        if (known(place->shared)) return give_up_shared(index, kernel.address);
        // One of ours, which BGP and ARP need.
        const auto& settings_of = place->port->settings();
        const auto ours =
            std::ranges::find(settings_of.addresses, kernel.address, &PortAddress::address);
        if (ours == settings_of.addresses.end() || ours->length != kernel.length ||
            settings_of.shutdown)
            return;
        if (auto done = netlink->add_address(kernel.netdev, ours->address, ours->length); !done)
            return warn("KERNEL-ADDRESS", done.error());
        restored(index, "an address");
    } else if (!known(place->own)) {
        take_shared(index, {kernel.address, kernel.length});
    }
}

// What is there now; for the start, and when changes were lost.
bool Dataplane::Parts::dump_shared() {
    std::vector<KernelAddress> there;
    // From a list that is cut short nothing follows about what is missing.
    if (!netlink->dump_addresses([&](const KernelAddress& kernel) { there.push_back(kernel); }))
        return false;
    for (const auto& kernel : there) on_kernel_change(kernel);
    for (PortIndex i = 0; i < places.size(); ++i) {
        if (!places[i].twin) continue;
        const auto before = places[i].shared;
        for (const auto& a : before)
            if (std::ranges::none_of(there, [&](const KernelAddress& kernel) {
                    return kernel.netdev == places[i].twin->netdev() && kernel.address == a.address;
                }))
                give_up_shared(i, a.address);
    }
    return true;
}

void Dataplane::Parts::take_shared(PortIndex index, const PortAddress& shared) {
    auto& place = places[index];
    // While the other gate had it, it was a neighbor like any.
    if (auto* neighbor = neighbors.find(index, shared.address); neighbor != nullptr) {
        publisher.erase_host(shared.address, std::exchange(neighbor->host_hop, 0));
        if (neighbor->users == 0) forget(*neighbor);
    }
    place.shared.push_back(shared);
    place.own.push_back(shared);
    if (!has_scope(shared.address)) {
        publisher.set_host(shared.address, HopTable::kLocal);
        if (auto done = netlink->add_rules(shared.address, settings.route_table); !done)
            warn("KERNEL-RULE", done.error());
    }
    publish_port(index);
    publish_own();
    events.emit({"SHARED-ADDRESS-TAKEN",
                 "shared address " + shared.address.to_string() + " added to port " +
                     place.port->settings().name,
                 {{"port", place.port->settings().name}, {"address", shared.address.to_string()}}});
}

void Dataplane::Parts::give_up_shared(PortIndex index, const IpAddress& address) {
    auto& place = places[index];
    std::erase_if(place.shared, [&](const PortAddress& a) { return a.address == address; });
    std::erase_if(place.own, [&](const PortAddress& a) { return a.address == address; });
    if (!has_scope(address)) {
        publisher.erase_host(address, HopTable::kLocal);
        netlink->remove_rules_from(address, settings.route_table);
    }
    publish_port(index);
    publish_own();
    events.emit({"SHARED-ADDRESS-LEFT",
                 "shared address " + address.to_string() + " removed from port " +
                     place.port->settings().name,
                 {{"port", place.port->settings().name}, {"address", address.to_string()}}});
}

}  // namespace torii::dataplane
