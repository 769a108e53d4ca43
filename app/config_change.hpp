#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "bgp/settings.hpp"
#include "config/model.hpp"
#include "config/plan.hpp"

namespace torii::app {

// A configuration to move to, and all that can be derived of the move before it is made.
// For thousands of neighbors that takes a tenth of a second, so another thread computes it
// than the one that runs their sessions.
struct ConfigChange {
    ConfigChange();
    ~ConfigChange();
    ConfigChange(ConfigChange&& other) noexcept;
    ConfigChange& operator=(ConfigChange&& other) noexcept;

    config::Model wanted;
    config::Model applied;           // what of it a running process can apply; ports in its order
    std::vector<std::string> waits;  // what only a restart applies: wanted without applied
    config::Plan plan;               // from what was wanted so far
    bool any = false;                // whether there is something to apply or to wait for
    bgp::SpeakerSettings speaker;
    std::vector<IpAddress> uplinks;  // for Readiness
    std::string identity;            // for RestoredRoutes
    std::string text;                // the operator's own of `wanted`; "": there is none
    std::string revision;            // what a revision keeps
};

// What making it has done.
struct Applied {
    bool any = false;
    std::string summary;
    std::vector<std::string> reset;   // the sessions that it ended
    std::vector<std::string> failed;  // what could not be applied, and why
};

ConfigChange work_out(const config::Model& running, const config::Model& wanted_so_far,
                      config::Model wanted, std::string text, bool drained);

}  // namespace torii::app
