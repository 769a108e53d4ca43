#include "app/uplinks.hpp"

#include <algorithm>
#include <string>

namespace torii::app {
namespace {

const Prefix kDefaults[] = {*Prefix::parse("0.0.0.0/0"), *Prefix::parse("::/0")};

// The first rule of these lists that matches decides, over all of them.
bool permits_default(const config::Model& model, const std::vector<std::string>& lists) {
    return std::ranges::any_of(kDefaults, [&](const Prefix& prefix) {
        for (const auto& name : lists) {
            if (name == "any") return true;
            if (name == "none") return false;
            const auto* list = model.find_prefix_list(name);
            if (!list) continue;
            for (const auto& rule : list->rules)
                if (rule.matches(prefix)) return rule.permit;
        }
        return false;
    });
}

}  // namespace

std::vector<IpAddress> uplinks_of(const config::Model& model) {
    std::vector<IpAddress> out;
    if (!model.bgp) return out;
    const auto& named = model.readiness.uplinks;
    const config::FoldedPeers folded{*model.bgp};
    for (const auto& neighbor : model.bgp->neighbors) {
        const bool chosen =
            std::ranges::find(named, neighbor.address.to_string()) != named.end() ||
            (neighbor.group && std::ranges::find(named, *neighbor.group) != named.end());
        if (!named.empty()) {
            if (chosen) out.push_back(neighbor.address);
            continue;
        }
        const auto settings = folded.of(neighbor);
        if (settings.shutdown.value_or(false)) continue;
        if (config::is_internal(*model.bgp, settings).value_or(false)) continue;
        const bool by_policy = !settings.import_lists && settings.import_policies;
        if (by_policy || (settings.import_lists && permits_default(model, *settings.import_lists)))
            out.push_back(neighbor.address);
    }
    return out;
}

}  // namespace torii::app
