#pragma once

#include <string>

#include "config/config.hpp"
#include "config/source_map.hpp"

namespace torii::config {

// Ports and sub-ports together: as many as the data plane has room for.
inline constexpr std::size_t kMostPorts = 64;

// Checks that need the whole model: references, overlaps, contradictions.
void validate(const Model& model, const SourceMap& sources, Problems& problems);

// Where the checks of one room write what they find.
class Findings {
public:
    Findings(const SourceMap& sources, Problems& problems)
        : sources_(sources), problems_(problems) {}
    void error(const std::string& path, std::string message, std::string hint = "") {
        add(Gravity::Error, path, std::move(message), std::move(hint));
    }
    void warning(const std::string& path, std::string message, std::string hint = "") {
        add(Gravity::Warning, path, std::move(message), std::move(hint));
    }

private:
    void add(Gravity gravity, const std::string& path, std::string message, std::string hint) {
        auto place = sources_.find(path);
        problems_.push_back({gravity, std::move(place.file), place.line, path, std::move(message),
                             std::move(hint)});
    }
    const SourceMap& sources_;
    Problems& problems_;
};

void validate_bgp(const Model& model, const Bgp& bgp, Findings& findings);
// Policies and the lists they name; `names` of policies that a peer uses.
void validate_policies(const Model& model, Findings& findings);
void validate_policy_names(const Model& model, const std::string& path,
                           const std::optional<std::vector<std::string>>& names,
                           Findings& findings);
void validate_prefix_list_names(const Model& model, const std::string& path,
                                const std::optional<std::vector<std::string>>& names,
                                Findings& findings);

// The port with `address` on its link, or null.
const Port* port_towards(const Model& model, const IpAddress& address);
bool is_own_address(const Model& model, const IpAddress& address);

}  // namespace torii::config
