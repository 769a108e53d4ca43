#pragma once

#include <optional>
#include <string>
#include <vector>

#include "config/frr_policy.hpp"
#include "config/frr_report.hpp"
#include "config/model.hpp"

namespace torii::config {

// FRR's settings of a neighbor or a group for one address family. Unset inherits from the
// group, as everything of a neighbor does.
struct FrrFamily {
    std::optional<bool> active;
    std::optional<bool> next_hop_self, route_reflector_client, route_server_client,
        default_originate, as_override, next_hop_unchanged, add_path;
    std::optional<bool> standard, extended, large;  // communities that are sent
    std::optional<std::uint8_t> allowas_in;
    std::optional<RemovePrivateAs> remove_private_as;
    std::optional<MaxPrefix> max_prefix;
    FrrFilter in, out;  // "" inherits

    FrrFamily over(const FrrFamily& group) const;
    friend bool operator==(const FrrFamily&, const FrrFamily&) = default;
};

struct FrrPeer {
    PeerSettings settings;  // those of no family
    bool is_group = false;
    std::string group;                         // FRR's name
    std::optional<std::string> interface;      // of a link-local address
    std::optional<std::string> update_source;  // an interface
    std::string bfd_profile;
    FrrFamily families[2];
    FrrLine line;  // its first one
};

// True for what FRR keeps for each family; other lines leave "address-family".
bool is_frr_family_line(const FrrWords& words);

// Takes a line from behind "neighbor X"; what is not taken is reported.
void take_frr_neighbor(FrrPeer& peer, const FrrLine& line, const FrrWords& words, bool negated,
                       Family family, FrrReport& report);

}  // namespace torii::config
