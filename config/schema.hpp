#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "config/plan.hpp"

namespace torii::config {

// One key of the configuration, in words.
struct Key {
    std::string path;  // "bgp.neighbors[].hold_time", "ports.NAME.mtu"
    std::string type;
    std::string range;     // "1 to 65535", or ""
    std::string fallback;  // what holds when it is not written
    std::string_view doc;
    Cost cost = Cost::None;
    bool required = false;
    bool block = false;  // has keys of its own
    bool secret = false;
};

// The keys in the order of the table. Those of a peer are listed once, under
// "bgp.defaults", and hold for groups and neighbors too.
const std::vector<Key>& schema();

// Where a key of this name exists, for messages: "bgp.groups.NAME and bgp.neighbors[]".
std::string paths_of_key(std::string_view name);

// Whether any key of this name holds a secret.
bool is_secret_key(std::string_view name);

// reference.md, whole.
std::string reference();

}  // namespace torii::config
