#include "bgp/rib/aggregates.hpp"

#include <algorithm>

namespace torii::bgp {

bool Aggregates::contains(const Prefix& prefix) const {
    return std::ranges::find(list_, prefix, &One::prefix) != list_.end();
}

void Aggregates::configure(const std::vector<Prefix>& wanted) {
    std::vector<One> next;
    for (const auto& prefix : wanted) {
        const auto at = std::ranges::find(list_, prefix, &One::prefix);
        next.push_back({prefix, 0, at != list_.end() && at->active});
    }
    for (const auto& one : list_)
        if (one.active && std::ranges::find(wanted, one.prefix) == wanted.end())
            ended_.emplace_back(one.prefix, false);
    list_ = std::move(next);
}

void Aggregates::changed(const Prefix& prefix, bool usable) {
    for (auto& one : list_)
        if (one.prefix.length() < prefix.length() && one.prefix.contains(prefix))
            one.inside += usable ? 1 : -1ull;
}

std::vector<std::pair<Prefix, bool>> Aggregates::take_changes() {
    auto out = std::exchange(ended_, {});
    for (auto& one : list_) {
        if (one.active == (one.inside != 0)) continue;
        one.active = !one.active;
        out.emplace_back(one.prefix, one.active);
    }
    return out;
}

}  // namespace torii::bgp
