#include "config/applicable.hpp"

#include "config/keys.hpp"

namespace torii::config {
namespace {

bool only_by_restart(const KeyEntry& entry) {
    return entry.is_value() && entry.facts.cost == Cost::Restart;
}

template <class T>
void keep(const T& running, T& wanted) {
    for (const KeyEntry& entry : keys_of<T>().entries)
        if (only_by_restart(entry) && entry.value->assign && !entry.same(&running, &wanted))
            entry.copy(&wanted, &running);
}

// A port's place in the list is its index in every table: ports that run keep theirs, new
// ones follow.
std::vector<Port> ports(const Model& running, Model& wanted) {
    std::vector<Port> out;
    for (const Port& port : running.ports) {
        const Port* asked = wanted.find_port(port.name);
        Port& kept = out.emplace_back(asked ? *asked : port);
        if (asked) {
            keep(port, kept);
            kept.device = port.device;  // behind the keys pci, vdev and netdev
        } else {
            kept.addresses.clear();
            kept.shutdown = true;
        }
    }
    // A process without a data plane starts none.
    if (running.ports.empty()) return out;
    wanted.sort_ports();
    for (const Port& port : wanted.ports)
        if (!running.find_port(port.name)) out.push_back(port);
    return out;
}

}  // namespace

Model applicable(const Model& running, Model wanted) {
    keep(running.router, wanted.router);
    keep(running.dataplane, wanted.dataplane);
    keep(running.management, wanted.management);
    keep(running.log, wanted.log);
    if (running.bgp && wanted.bgp) keep(*running.bgp, *wanted.bgp);
    wanted.ports = ports(running, wanted);
    return wanted;
}

}  // namespace torii::config
