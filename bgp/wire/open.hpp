#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "bgp/settings.hpp"
#include "bgp/wire/message.hpp"

namespace torii::bgp {

struct GracefulRestartFamily {
    Family family = Family::Ip4;
    bool forwarding = false;  // the state was kept
};
struct GracefulRestartCapability {
    bool restarting = false;    // R
    bool notification = false;  // N, RFC 8538
    std::uint16_t time = 0;
    std::vector<GracefulRestartFamily> families;
};
struct LongLivedFamily {
    Family family = Family::Ip4;
    bool forwarding = false;
    std::uint32_t time = 0;
};

// What an OPEN offers, capabilities that make no sense left out (they are
// ignored where the RFCs do not ask for more).
struct Capabilities {
    bool any_multiprotocol = false;
    std::array<bool, kFamilies> families{};  // multiprotocol, unicast
    bool route_refresh = false;
    bool enhanced_refresh = false;
    bool extended_message = false;
    std::array<bool, kFamilies> extended_next_hop{};  // [Ip4]: IPv4 routes over IPv6
    std::optional<std::uint32_t> four_octet_as;
    std::array<bool, kFamilies> add_path_receive{}, add_path_send{};
    std::optional<GracefulRestartCapability> graceful_restart;
    std::vector<LongLivedFamily> long_lived;
    std::optional<Role> role;
    bool conflicting_roles = false;
    std::string hostname, domain, software;
    std::vector<std::uint8_t> unknown;  // codes that we do not support
};

struct OpenMessage {
    std::uint32_t as = 0;  // of the capability when there is one
    std::uint16_t hold_time = 0;
    std::uint32_t identifier = 0;
    Capabilities capabilities;
};

// Checks the form (RFC 4271 §6.2, RFC 5492, RFC 9072); the state machine checks the peer's
// identity.
Decoded<OpenMessage> decode_open(std::span<const std::uint8_t> body);
void encode(const OpenMessage& open, std::vector<std::uint8_t>& out);

// What both sides agreed on.
struct Negotiated {
    std::uint32_t local_as = 0, peer_as = 0;
    std::uint32_t peer_identifier = 0;
    std::uint16_t hold_time = 0;
    bool four_octet_as = false;
    bool extended_messages = false;
    bool route_refresh = false;
    bool enhanced_refresh = false;
    bool extended_next_hop = false;  // IPv4 routes may have IPv6 next hops
    std::array<bool, kFamilies> families{};
    std::array<bool, kFamilies> add_path_receive{}, add_path_send{};

    bool ebgp() const { return local_as != peer_as; }
    std::size_t max_message() const {
        return extended_messages ? kMaxExtendedMessage : kMaxMessage;
    }
};
Negotiated negotiate(const OpenMessage& ours, const OpenMessage& theirs);
std::vector<std::string> names(const Negotiated& n, const OpenMessage& ours,
                               const OpenMessage& theirs);

}  // namespace torii::bgp
