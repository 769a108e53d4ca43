#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/prefix.hpp"
#include "dataplane/settings.hpp"

namespace torii::dataplane {

// What the gateway wants done with frames before a worker has looked at them, port
// by port: drop what comes from listed sources, and keep what is for the gateway
// itself in receive queues of its own, so that no flood of transit fills them. An
// intent defines what, not the mechanism: rte_flow.hpp puts it into a port that can,
// soft_flow.hpp and the nodes' own classes do the same where it cannot.
enum class IntentKind : std::uint8_t {
    DropSource,
    Bgp,
    Bfd,
    Vrrp,
    Arp,
    NeighborDiscovery,
    Icmp,
    ToUs,  // whatever else is for one of our addresses
    Rest,  // all other frames: away from the queues of the gateway
};
std::string_view to_string(IntentKind kind);

// Which queue a frame is steered to. What keeps sessions and neighbors alive does
// not wait behind what other hosts send us.
enum class Lane : std::uint8_t { None, Urgent, Control };
inline constexpr std::uint16_t kLanes = 2;
constexpr Lane lane_of(IntentKind kind) {
    switch (kind) {
        case IntentKind::DropSource:
        case IntentKind::Rest:
            return Lane::None;
        case IntentKind::Icmp:
        case IntentKind::ToUs:
            return Lane::Control;
        default:
            return Lane::Urgent;
    }
}

struct Intent {
    IntentKind kind = IntentKind::Rest;
    // Unset fields match anything; ports match packets that are no fragments.
    std::optional<std::uint16_t> ether_type;
    std::optional<Prefix> source;
    std::optional<Prefix> destination;
    std::optional<std::uint8_t> protocol;
    std::optional<std::uint16_t> source_port;
    std::optional<std::uint16_t> destination_port;

    bool drops() const { return kind == IntentKind::DropSource; }
    // 0 goes first. Of several that match a frame the lowest number decides.
    std::uint32_t precedence() const;
    std::string to_string() const;  // what it matches: "tcp to 192.0.2.1 port 179"

    friend auto operator<=>(const Intent&, const Intent&) = default;
};

// All of a port that owns `own`, each once, in order of precedence; without Rest.
std::vector<Intent> intents(std::span<const PortAddress> own, std::span<const Prefix> drop_sources);

}  // namespace torii::dataplane
