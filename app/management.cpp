#include "app/management.hpp"

#include "app/capture_view.hpp"
#include "app/config_control.hpp"
#include "app/gateway.hpp"
#include "app/views.hpp"

namespace torii::app {

struct ManagementViews::Parts {
    explicit Parts(Gateway& gateway)
        : routes(gateway),
          neighbors(gateway),
          ports(gateway),
          adjacencies(gateway),
          metrics(gateway),
          health(gateway),
          static_routes(gateway),
          bgp(gateway),
          explain(gateway),
          config(gateway),
          drain(gateway),
          offload(gateway),
          verify(gateway),
          capture(gateway) {}

    Routes routes;
    Neighbors neighbors;
    Ports ports;
    Adjacencies adjacencies;
    Metrics metrics;
    Health health;
    StaticRoutes static_routes;
    BgpActions bgp;
    Explain explain;
    ConfigControl config;
    Drains drain;
    Offload offload;
    Verify verify;
    Captures capture;
};

ManagementViews::ManagementViews(Gateway& gateway) : parts_(std::make_unique<Parts>(gateway)) {}
ManagementViews::~ManagementViews() = default;

mgmt::Views ManagementViews::views() const {
    mgmt::Views views;
    views.routes = &parts_->routes;
    views.neighbors = &parts_->neighbors;
    views.ports = &parts_->ports;
    views.adjacencies = &parts_->adjacencies;
    views.metrics = &parts_->metrics;
    views.health = &parts_->health;
    views.static_routes = &parts_->static_routes;
    views.bgp = &parts_->bgp;
    views.explain = &parts_->explain;
    views.config = &parts_->config;
    views.drain = &parts_->drain;
    views.offload = &parts_->offload;
    views.verify = &parts_->verify;
    views.capture = &parts_->capture;
    return views;
}

mgmt::ServerSettings server_settings(const config::Management& from) {
    mgmt::ServerSettings to;
    to.unix_path = from.socket;
    to.unix_mode = from.socket_mode;
    for (const auto& endpoint : from.http) to.tcp.push_back({endpoint.address, endpoint.port});
    if (from.tls)
        to.tls =
            mgmt::TlsFiles{from.tls->certificate, from.tls->key, from.tls->client_ca.value_or("")};
    for (const auto& token : from.tokens)
        to.tokens.push_back({token.name, token.hash,
                             static_cast<mgmt::Role>(static_cast<std::uint8_t>(token.role) + 1)});
    to.max_connections = from.max_connections;
    return to;
}

}  // namespace torii::app
