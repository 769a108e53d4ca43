#pragma once

#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "config/model.hpp"

namespace torii::config {

// Gives things of the imported model names that a configuration may have. FRR has one
// namespace for each kind of thing and family, and allows names that torii does not: no
// two things of FRR's get one name here, and the same thing keeps its name.
class FrrNames {
public:
    explicit FrrNames(Model& model) : model_(&model) {}

    // The name of a peer group.
    std::string group(std::string_view name);
    // Puts the list into the model unless one with these contents and this base is there;
    // `family` marks the name if the plain one is taken.
    std::string prefix_list(std::string_view base, std::string_view mark,
                            const std::vector<PrefixRule>& rules);
    std::string as_path_list(std::string_view base, const std::vector<AsPathRule>& rules);
    std::string community_list(std::string_view base, std::string_view mark,
                               const std::vector<CommunityRule>& rules);
    std::string policy(std::string_view base, std::string_view mark,
                       const std::vector<PolicyTerm>& terms);

private:
    template <class List, class Rules>
    std::string put(std::vector<List>& lists, Rules List::*member, std::string_view base,
                    std::string_view mark, const Rules& rules);

    Model* model_;
    std::map<std::string, std::string, std::less<>> groups_;
    std::set<std::string> group_names_;
};

// A name as ours may be: letters, digits, - and _, a letter in front.
std::string frr_name(std::string_view name);

}  // namespace torii::config
