#include "bgp/policy/policy_cache.hpp"

namespace torii::bgp {

namespace {

// Forgets what no peer uses, and what its names do not stand for any more.
template <class Known, class Make>
void keep_equal(Known& known, Make&& make) {
    std::erase_if(known, [&](const auto& item) {
        const auto old = item.second.lock();
        return !old || !(*old == *make(item.first));
    });
}

template <class Known, class Make>
auto find_or_make(Known& known, const std::vector<std::string>& names, Make&& make) {
    auto& at = known[names];
    auto one = at.lock();
    if (!one) at = one = make(names);
    return one;
}

}  // namespace

void PolicyCache::configure(const std::vector<PrefixList>& lists,
                            const std::vector<PolicySettings>& policies) {
    lists_ = &lists;
    policies_ = &policies;
    keep_equal(filters_, [&](const auto& names) { return PrefixFilter::of(names, lists); });
    keep_equal(route_policies_,
               [&](const auto& names) { return RoutePolicy::of(names, policies, lists); });
}

std::shared_ptr<const PrefixFilter> PolicyCache::filter(const std::vector<std::string>& names) {
    return find_or_make(filters_, names,
                        [&](const auto& n) { return PrefixFilter::of(n, *lists_); });
}

std::shared_ptr<const RoutePolicy> PolicyCache::policy(const std::vector<std::string>& names) {
    if (names.empty()) return nullptr;
    return find_or_make(route_policies_, names,
                        [&](const auto& n) { return RoutePolicy::of(n, *policies_, *lists_); });
}

}  // namespace torii::bgp
