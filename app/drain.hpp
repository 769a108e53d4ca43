#pragma once

#include <chrono>
#include <optional>
#include <string>

namespace torii::app {

// A gate that is out of service by request.
struct Drained {
    std::chrono::system_clock::time_point since;
    std::string reason;
};

// The request outlives the process, so that a gate that was drained for its
// upgrade comes back drained: a file in the state directory. Without such a
// directory ("") nothing is kept. These touch the disk: not on the control
// thread of a gate that runs.
std::optional<Drained> kept_drain(const std::string& state_directory);
void keep_drain(const std::string& state_directory, const std::optional<Drained>& drained);

std::string rfc3339(std::chrono::system_clock::time_point time);

}  // namespace torii::app
