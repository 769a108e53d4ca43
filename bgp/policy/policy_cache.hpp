#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "bgp/policy/prefix_filter.hpp"
#include "bgp/policy/route_policy.hpp"

namespace torii::bgp {

// What the names of lists and policies stand for, made once for all peers that share it: equal
// ones are one object, so that the pointers differ where they do. Control thread only.
class PolicyCache {
public:
    // From now on; what is the same as before stays the same object. Keeps references to both.
    void configure(const std::vector<PrefixList>& lists,
                   const std::vector<PolicySettings>& policies);

    std::shared_ptr<const PrefixFilter> filter(const std::vector<std::string>& names);
    // Nothing for no names.
    std::shared_ptr<const RoutePolicy> policy(const std::vector<std::string>& names);

private:
    template <class T>
    using Known = std::map<std::vector<std::string>, std::weak_ptr<const T>>;

    const std::vector<PrefixList>* lists_ = nullptr;
    const std::vector<PolicySettings>* policies_ = nullptr;
    Known<PrefixFilter> filters_;
    Known<RoutePolicy> route_policies_;
};

}  // namespace torii::bgp
