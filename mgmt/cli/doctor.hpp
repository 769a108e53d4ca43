#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace torii::cli {

struct Finding {
    enum class Kind : std::uint8_t { Good, Hint, Bad };
    Kind kind = Kind::Good;
    std::string check;  // "hugepages", stable
    std::string what;
    std::string mend;  // the command that fixes it
};

// Is this host fit to be a gateway? Reads /proc and /sys below `root`.
std::vector<Finding> examine_host(const std::string& root = "");

// The part of it that is about NICs: drivers, NUMA nodes, links.
std::vector<Finding> examine_nics(const std::string& root);

}  // namespace torii::cli
