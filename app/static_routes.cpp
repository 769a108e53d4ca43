#include "app/gateway.hpp"
#include "app/views.hpp"

namespace torii::app {
namespace {

Result<config::StaticRoute, mgmt::Problem> read(const mgmt::StaticRouteRequest& request,
                                                const config::Model& model) {
    config::StaticRoute route;
    route.prefix = request.prefix;
    route.distance = request.distance;
    if (!request.description.empty()) route.description = request.description;
    if (request.distance == 0)
        return Failure{mgmt::invalid("distance 0 is for connected routes; use 1 to 255")};

    if (request.kind == "discard" || request.kind == "unreachable") {
        if (!request.via.empty())
            return Failure{mgmt::invalid("a " + request.kind + " route has no `via`")};
        route.kind = request.kind == "discard" ? config::StaticKind::Discard
                                               : config::StaticKind::Unreachable;
        return route;
    }
    if (request.kind != "forward")
        return Failure{mgmt::invalid("kind is one of forward, discard, unreachable")};
    if (request.via.empty())
        return Failure{mgmt::invalid("a forward route needs at least one `via`")};
    for (const auto& text : request.via) {
        auto via = config::Via::parse(text);
        if (!via)
            return Failure{mgmt::invalid("'" + text +
                                         "' is no next hop; write \"192.0.2.1\", "
                                         "\"fe80::1@port\" or \"192.0.2.1 weight 2\"")};
        if (via->port && model.find_port(*via->port) == nullptr)
            return Failure{mgmt::invalid("there is no port '" + *via->port + "'")};
        if (!via->port && via->address.is_v6() && via->address.is_link_local())
            return Failure{
                mgmt::invalid("a link-local next hop needs its port: \"" + text + "@PORT\"")};
        if (request.prefix.family() == Family::Ip6 && via->address.is_v4())
            return Failure{mgmt::invalid("an IPv6 route cannot have the IPv4 next hop " + text)};
        route.via.push_back(std::move(*via));
    }
    return route;
}

}  // namespace

void StaticRoutes::put(mgmt::StaticRouteRequest request, mgmt::Done<bool> done) {
    gateway_.ask([this, request = std::move(request), done = std::move(done)] {
        auto route = read(request, gateway_.running());
        if (!route) return done(Failure{route.error()});

        done(!gateway_.put_static_route(std::move(*route)));
    });
}

void StaticRoutes::erase(Prefix prefix, mgmt::Done<mgmt::Nothing> done) {
    gateway_.ask([this, prefix, done = std::move(done)] {
        if (!gateway_.erase_static_route(prefix))
            return done(Failure{mgmt::not_found("no static route " + prefix.to_string())});
        done(mgmt::Nothing{});
    });
}

}  // namespace torii::app
