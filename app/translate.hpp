#pragma once

#include <vector>

#include "bgp/settings.hpp"
#include "config/model.hpp"
#include "dataplane/liveness/settings.hpp"
#include "dataplane/settings.hpp"
#include "rib/route.hpp"

// From the configuration to the settings of the modules. Pure; the only place that
// depends on both vocabularies.
namespace torii::app {

bgp::SpeakerSettings speaker_settings(const config::Model& model, bool drained = false);
dataplane::ControlPlanePolicing policing(const config::Dataplane& from);
std::vector<dataplane::BgpSource> bgp_sources(const config::Model& model);
dataplane::Settings dataplane_settings(const config::Model& model);
dataplane::PortSettings port_settings(const config::Model& model, const config::Port& port);
std::vector<dataplane::StaticNeighbor> static_neighbors(const config::Model& model);

// A route of our own making: what the configuration defines, in the table's terms.
struct OwnRoute {
    Prefix prefix;
    rib::Source source = rib::Source::Static;
    std::uint8_t distance = 0;
    rib::RouteKind kind = rib::RouteKind::Forward;
    std::vector<rib::NextHop> next_hops;

    friend bool operator==(const OwnRoute&, const OwnRoute&) = default;
    rib::RouteSpec spec() const { return {source, distance, kind, next_hops}; }
};
// The networks and addresses of one port.
std::vector<OwnRoute> connected_routes(const config::Port& port, rib::PortIndex index);
OwnRoute static_route(const config::Model& model, const config::StaticRoute& route);

// How the failure of a peer is detected. Where the configuration does not define it, the
// failure of a member that dials in is detected, that of another peer is not.
enum class Joined : bool { ByName, ByRange };
dataplane::LivenessProfile liveness_profile(const config::PeerSettings& peer, Joined joined);
dataplane::LivenessProfile liveness_profile(const config::Liveness& wanted);

// Of everything that gives learnt routes their meaning: the places of ports, BGP and its
// policies. Routes of one process are good for another that has the same.
std::string routes_identity(const config::Model& model);
// Where they are kept; "": nowhere.
std::string kept_routes_file(const config::Model& model);

// The index of a port by its name; kAnyPort when there is none.
rib::PortIndex port_index(const config::Model& model, std::string_view name);
// "10.0.0.1", as router and cluster identifiers are written.
std::string dotted(std::uint32_t number);
std::uint32_t router_id(const config::Model& model);

}  // namespace torii::app
