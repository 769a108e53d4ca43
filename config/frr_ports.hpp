#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "config/frr_report.hpp"
#include "config/model.hpp"

namespace torii::config {

// Interfaces and static routes.
class FrrPorts {
public:
    FrrPorts(Model& model, FrrReport& report) : model_(model), report_(report) {}

    // "interface NAME [vrf VRF]"; false: its lines are not carried over.
    bool begin(const FrrLine& line);
    void take(const FrrLine& line);
    // "ip route ..." or "ipv6 route ...".
    void route(const FrrLine& line);
    // Puts the routes into the model.
    void finish();

    // A port's name: its twin in the kernel has it, which the interface below cannot have too.
    static std::string name_of(std::string_view interface);
    // Addresses of an interface that is a port; empty when it has none.
    const std::vector<IpAddress>& addresses(std::string_view interface) const;
    // True when a port or a static route has exactly this prefix.
    bool has(const Prefix& prefix) const;

private:
    struct Route {
        StaticRoute route;
        FrrLine line;
    };
    Port& port_of(std::string_view interface);

    Model& model_;
    FrrReport& report_;
    Port* port_ = nullptr;
    std::string interface_;
    std::map<std::string, std::vector<IpAddress>, std::less<>> addresses_;
    std::vector<Prefix> connected_;
    std::vector<Route> routes_;
};

}  // namespace torii::config
