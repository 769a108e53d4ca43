#pragma once

#include "config/model.hpp"

namespace torii::config {

// The part of `wanted` that a process which runs `running` can apply: keys whose change costs
// a restart keep their running values, ports keep their places and stay, shut down, when
// they are removed. What is left out is plan(applicable(running, wanted), wanted).
Model applicable(const Model& running, Model wanted);

}  // namespace torii::config
