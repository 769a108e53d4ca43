#pragma once

#include <map>
#include <vector>

#include "app/translate.hpp"
#include "config/model.hpp"
#include "rib/table.hpp"

namespace torii::bgp {
class Speaker;
}

namespace torii::app {

// Routes of our own making in the table and, for redistribution, at the speaker: static
// ones, those of ports, and pools, whose unassigned addresses are unreachable. Changes only
// what differs. Control thread.
class OwnRoutes {
public:
    explicit OwnRoutes(rib::Table& table) : table_(table) {}

    // Originates what there is and from now on every change. `used`: of static routes those that
    // the table uses, as follow() finds them; else all.
    void start_redistribution(bgp::Speaker& speaker, bool used);
    // What the table changed.
    void follow(const rib::FibDelta& delta);

    // The networks of ports that are up, and our addresses on all of them.
    void set_connected(const config::Model& model, const std::vector<bool>& link_up);
    void set_static(const config::Model& model);
    void put(const OwnRoute& route);
    void remove(const Prefix& prefix);
    // Asks the table to give these to the data plane again.
    void set_pools(const std::vector<Prefix>& pools);

private:
    void put_pool(const Prefix& pool);
    void redistribute(const Prefix& prefix);

    rib::Table& table_;
    bgp::Speaker* speaker_ = nullptr;
    bool used_ = false;
    std::map<Prefix, OwnRoute> static_, connected_;
    std::vector<Prefix> pools_;
};

}  // namespace torii::app
