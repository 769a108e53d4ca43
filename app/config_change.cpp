#include "app/config_change.hpp"

#include <utility>

#include "app/translate.hpp"
#include "config/config.hpp"

namespace torii::app {
namespace {

// A port's place in the list is its index in every table: ports that run keep
// theirs, new ones follow, and one that is removed stays, shut down, until the
// process starts again.
void keep_port_order(const config::Model& running, config::Model& wanted) {
    auto ports = running.ports;
    for (auto& port : ports) {
        const auto* asked = wanted.find_port(port.name);
        if (asked == nullptr) {
            port.addresses.clear();
            port.shutdown = true;
            continue;
        }
        port.addresses = asked->addresses;
        port.mtu = asked->mtu;
        port.shutdown = asked->shutdown;
        port.description = asked->description;
    }
    wanted.sort_ports();
    for (const auto& port : wanted.ports)
        if (running.find_port(port.name) == nullptr) ports.push_back(port);
    wanted.ports = std::move(ports);
}

}  // namespace

// Here alone: a plan's copies and ends are long.
ConfigChange::ConfigChange() = default;
ConfigChange::~ConfigChange() = default;
ConfigChange::ConfigChange(ConfigChange&& other) noexcept = default;
ConfigChange& ConfigChange::operator=(ConfigChange&& other) noexcept = default;

ConfigChange work_out(const config::Model& running, config::Model wanted, bool drained) {
    ConfigChange out;
    out.plan = config::plan(running, wanted);
    keep_port_order(running, wanted);
    out.speaker = speaker_settings(wanted, drained);
    if (!out.plan.empty()) out.text = config::print(wanted, config::Secrets::Shown);
    out.wanted = std::move(wanted);
    return out;
}

}  // namespace torii::app
