#pragma once

#include <map>
#include <string>

#include "config/frr_lines.hpp"
#include "config/model.hpp"

namespace torii::config {

// FRR's settings of a neighbor or a group, before the families are separated.
struct FrrPeer {
    PeerSettings settings;
    bool is_group = false;
    std::string group;
    std::optional<bool> ipv4, ipv6;                     // activated
    std::vector<std::string> imports, exports;          // names of prefix lists
    std::vector<std::string> import_maps, export_maps;  // names of route-maps
    unsigned line = 0;
};

// Takes "neighbor X ..." behind X; returns why not, or "" when it was taken.
// `addresses` are those of interfaces, for update-source.
std::string take_frr_neighbor(FrrPeer& peer, const FrrWords& words, bool negated, Family family,
                              const std::map<std::string, IpAddress, std::less<>>& addresses);

}  // namespace torii::config
