#pragma once

#include <cstdint>
#include <optional>
#include <string>

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

    config::Model wanted;  // its ports in the order of those that run
    config::Plan plan;
    bgp::SpeakerSettings speaker;
    std::string text;  // `wanted` as a revision keeps it
};

// What making it has changed.
struct Applied {
    bool any = false;
    std::string summary;
};

ConfigChange work_out(const config::Model& running, config::Model wanted, bool drained);

}  // namespace torii::app
