#pragma once

#include <compare>
#include <cstdint>
#include <span>
#include <string_view>

#include "base/address.hpp"
#include "base/prefix.hpp"

namespace torii::rib {

// The source of a route. Lower distance wins; these are the defaults.
enum class Source : std::uint8_t { Connected, Static, Bgp };
inline constexpr std::size_t kSources = 3;
inline constexpr std::uint8_t kDistanceConnected = 0, kDistanceStatic = 1, kDistanceEbgp = 20,
                              kDistanceIbgp = 200;

constexpr std::string_view to_string(Source source) {
    constexpr std::string_view kNames[] = {"connected", "static", "bgp"};
    return kNames[static_cast<std::size_t>(source)];
}

// Index of a port in the order of the configuration; stable while it runs.
using PortIndex = std::uint16_t;
inline constexpr PortIndex kAnyPort = 0xffff;

// Where a route sends packets next. With kAnyPort the resolver finds the port
// (recursively); link-local addresses need theirs named. An IPv4 route may have
// an IPv6 next hop (RFC 8950).
struct NextHop {
    IpAddress address;
    PortIndex port = kAnyPort;
    std::uint16_t weight = 1;

    friend auto operator<=>(const NextHop&, const NextHop&) = default;
};

enum class RouteKind : std::uint8_t {
    Forward,      // to the next hops
    Attached,     // the destination itself is on the link of next_hops[0].port
    Local,        // one of our own addresses
    Discard,      // silently dropped, counted
    Unreachable,  // dropped, with an ICMP error to the sender
};

// One source's route for one prefix. The spans are borrowed for the call only;
// next hops are sorted and unique.
struct RouteSpec {
    Source source = Source::Static;
    std::uint8_t distance = kDistanceStatic;
    RouteKind kind = RouteKind::Forward;
    std::span<const NextHop> next_hops;
    std::span<const NextHop> backup{};  // while none of those is there, of the same source
};

// Where protocols put their routes: the router's table, or a test. A put
// replaces the source's earlier route. Control thread only.
class RouteSink {
public:
    virtual ~RouteSink() = default;
    virtual void put(const Prefix& prefix, const RouteSpec& route) = 0;
    virtual void remove(const Prefix& prefix, Source source) = 0;
};

}  // namespace torii::rib
