#include "app/own_routes.hpp"

#include <algorithm>
#include <utility>

#include "bgp/speaker.hpp"

namespace torii::app {

void OwnRoutes::start_redistribution(bgp::Speaker& speaker, bool used) {
    speaker_ = &speaker;
    used_ = used;
    for (const auto& [prefix, route] : connected_)
        if (route.kind == rib::RouteKind::Attached)
            speaker.originate(prefix, bgp::Origination::Connected);
    for (const auto& [prefix, route] : static_) redistribute(prefix);
}

void OwnRoutes::follow(const rib::FibDelta& delta) {
    if (static_.empty() || !used_) return;
    for (const auto& change : delta.prefixes)
        if (static_.contains(change.prefix)) redistribute(change.prefix);
}

// A route whose next hops are dead, or that another one takes the place of, leads nowhere from
// here.
void OwnRoutes::redistribute(const Prefix& prefix) {
    if (speaker_ == nullptr) return;
    const auto rows = used_ ? table_.candidates(prefix) : std::vector<rib::RouteRow>{};
    const bool in_use = std::ranges::any_of(
        rows, [](const auto& row) { return row.source == rib::Source::Static && row.in_use; });
    if (in_use || !used_)
        speaker_->originate(prefix, bgp::Origination::Static);
    else
        speaker_->withdraw(prefix, bgp::Origination::Static);
}

void OwnRoutes::set_connected(const config::Model& model, const std::vector<bool>& link_up) {
    std::map<Prefix, OwnRoute> wanted;
    for (std::size_t i = 0; i < model.ports.size(); ++i) {
        const auto& port = model.ports[i];
        const auto index = static_cast<rib::PortIndex>(i);
        const bool down = model.is_shut_down(port) || (i < link_up.size() && !link_up[i]);
        table_.set_port(index, !down);
        if (down) continue;
        for (auto& route : connected_routes(port, index)) {
            // Two ports on one network: the first one has it.
            wanted.try_emplace(route.prefix, route);
        }
    }
    // Our own addresses answer on every port, also while theirs has no link.
    for (std::size_t i = 0; i < model.ports.size(); ++i)
        if (!model.is_shut_down(model.ports[i]))
            for (auto& route : connected_routes(model.ports[i], static_cast<rib::PortIndex>(i)))
                if (route.kind == rib::RouteKind::Local) wanted[route.prefix] = route;

    for (const auto& [prefix, route] : connected_) {
        if (wanted.contains(prefix)) continue;
        table_.remove(prefix, rib::Source::Connected);
        if (speaker_) speaker_->withdraw(prefix, bgp::Origination::Connected);
    }
    for (const auto& [prefix, route] : wanted) {
        const auto had = connected_.find(prefix);
        if (had != connected_.end() && had->second == route) continue;
        table_.put(prefix, route.spec());
        if (speaker_ && route.kind == rib::RouteKind::Attached)
            speaker_->originate(prefix, bgp::Origination::Connected);
    }
    connected_ = std::move(wanted);
}

void OwnRoutes::set_static(const config::Model& model) {
    std::map<Prefix, OwnRoute> routes;
    for (const auto& route : model.routes)
        routes.insert_or_assign(route.prefix, static_route(model, route));

    std::vector<Prefix> gone;
    for (const auto& [prefix, route] : static_)
        if (!routes.contains(prefix)) gone.push_back(prefix);
    for (const auto& prefix : gone) remove(prefix);
    for (const auto& [prefix, route] : routes) {
        const auto had = static_.find(prefix);
        if (had == static_.end() || had->second != route) put(route);
    }
}

void OwnRoutes::put(const OwnRoute& route) {
    table_.put(route.prefix, route.spec());
    static_.insert_or_assign(route.prefix, route);
    redistribute(route.prefix);
}

void OwnRoutes::remove(const Prefix& prefix) {
    table_.remove(prefix, rib::Source::Static);
    if (speaker_) speaker_->withdraw(prefix, bgp::Origination::Static);
    static_.erase(prefix);
    if (std::ranges::find(pools_, prefix) != pools_.end()) put_pool(prefix);
}

// A static route for a whole pool takes precedence.
void OwnRoutes::set_pools(const std::vector<Prefix>& pools) {
    const auto before = std::exchange(pools_, pools);
    for (const auto& pool : before)
        if (std::ranges::find(pools, pool) == pools.end() && !static_.contains(pool))
            table_.remove(pool, rib::Source::Static);
    for (const auto& pool : pools)
        if (!static_.contains(pool)) put_pool(pool);
    if (before == pools) return;
    for (const auto* some : {&before, &pools})
        for (const auto& pool : *some) table_.repeat(pool);
}

void OwnRoutes::put_pool(const Prefix& pool) {
    constexpr std::uint8_t kLast = 255;
    table_.put(pool, {rib::Source::Static, kLast, rib::RouteKind::Unreachable, {}});
}

}  // namespace torii::app
