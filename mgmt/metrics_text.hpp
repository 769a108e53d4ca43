#pragma once

#include <string>
#include <vector>

#include "mgmt/rows.hpp"

namespace torii::mgmt {

// Prometheus' text format.
std::string metrics_text(const std::vector<Metric>& metrics);

}  // namespace torii::mgmt
