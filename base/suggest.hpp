#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace torii {

// The candidate that was probably meant, or "" when none is near.
std::string suggest(std::string_view wrong, const std::vector<std::string_view>& candidates);

}  // namespace torii
