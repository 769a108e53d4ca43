#pragma once

#include <string>
#include <vector>

#include "config/frr_condition.hpp"
#include "config/frr_names.hpp"
#include "config/frr_report.hpp"

namespace torii::config {

// What one family of a neighbor has in one direction: all of these must permit a route.
struct FrrFilter {
    std::string prefix_list, access_list, as_path_list, route_map;
    std::string odd;  // the text of a line that filters in a way torii has not
    bool any() const {
        return !prefix_list.empty() || !access_list.empty() || !as_path_list.empty() ||
               !route_map.empty() || !odd.empty();
    }
    friend bool operator==(const FrrFilter&, const FrrFilter&) = default;
};

struct FrrTerms {
    std::string base;  // a name for the policy
    std::vector<PolicyTerm> terms;
    bool accepts = false;  // some route passes
    bool refused = false;  // a clause became a reject, because it was not understood
};

// The filter as terms of a policy for routes of one family. A clause that is not wholly
// understood rejects what its understood part matches, and is reported.
class FrrPolicies {
public:
    FrrPolicies(const FrrLists& lists, const FrrRouteMaps& maps, FrrNames& names, FrrReport& report)
        : lists_(lists), maps_(maps), names_(names), report_(report) {}

    FrrTerms terms(const FrrFilter& filter, Family family, FrrDirection direction);

private:
    class Compiler;
    const FrrLists& lists_;
    const FrrRouteMaps& maps_;
    FrrNames& names_;
    FrrReport& report_;
};

}  // namespace torii::config
