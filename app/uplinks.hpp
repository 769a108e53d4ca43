#pragma once

#include <vector>

#include "base/address.hpp"
#include "config/model.hpp"

namespace torii::app {

// The peers of a configuration that may give us a default route: with a line of their own,
// of another AS, and an import list that lets one pass. Pure.
std::vector<IpAddress> uplinks_of(const config::Model& model);

}  // namespace torii::app
