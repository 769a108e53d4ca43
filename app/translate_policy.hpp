#pragma once

#include "bgp/policy_settings.hpp"
#include "config/model.hpp"

namespace torii::app {

// A policy with the lists it names put in their places.
bgp::PolicySettings route_policy(const config::Model& model, const config::Policy& from);

}  // namespace torii::app
