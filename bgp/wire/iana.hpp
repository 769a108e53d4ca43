#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "base/address.hpp"

// Numbers assigned by IANA for BGP-4.
namespace torii::bgp {

inline constexpr std::uint8_t kVersion = 4;
inline constexpr std::uint32_t kAsTrans = 23456;  // RFC 6793
inline constexpr std::size_t kHeaderSize = 19;
inline constexpr std::size_t kMaxMessage = 4096;
inline constexpr std::size_t kMaxExtendedMessage = 65535;  // RFC 8654

enum class MessageType : std::uint8_t {
    Open = 1,
    Update = 2,
    Notification = 3,
    Keepalive = 4,
    RouteRefresh = 5
};

enum class ErrorCode : std::uint8_t {
    MessageHeader = 1,
    OpenMessage = 2,
    UpdateMessage = 3,
    HoldTimerExpired = 4,
    FiniteStateMachine = 5,
    Cease = 6,
    RouteRefreshMessage = 7,
    SendHoldTimerExpired = 8,
};

namespace header_error {
inline constexpr std::uint8_t kNotSynchronized = 1, kBadLength = 2, kBadType = 3;
}
namespace open_error {
inline constexpr std::uint8_t kUnspecific = 0, kBadVersion = 1, kBadPeerAs = 2, kBadIdentifier = 3,
                              kBadParameter = 4, kBadHoldTime = 6, kBadCapability = 7,
                              kRoleMismatch = 11;
}
namespace update_error {
inline constexpr std::uint8_t kMalformedAttributes = 1, kUnrecognizedWellKnown = 2,
                              kMissingWellKnown = 3, kOptionalAttribute = 9,
                              kInvalidNetworkField = 10;
}
namespace cease {
inline constexpr std::uint8_t kMaxPrefixes = 1, kAdminShutdown = 2, kPeerDeconfigured = 3,
                              kAdminReset = 4, kConnectionRejected = 5, kOtherConfigChange = 6,
                              kCollision = 7, kOutOfResources = 8, kHardReset = 9, kBfdDown = 10;
}

enum class Attribute : std::uint8_t {
    Origin = 1,
    AsPath = 2,
    NextHop = 3,
    Med = 4,
    LocalPref = 5,
    AtomicAggregate = 6,
    Aggregator = 7,
    Communities = 8,
    OriginatorId = 9,
    ClusterList = 10,
    MpReach = 14,
    MpUnreach = 15,
    ExtendedCommunities = 16,
    As4Path = 17,
    As4Aggregator = 18,
    TunnelEncapsulation = 23,
    Aigp = 26,
    LargeCommunities = 32,
    OnlyToCustomer = 35,
};

namespace attribute_flag {
inline constexpr std::uint8_t kOptional = 0x80, kTransitive = 0x40, kPartial = 0x20,
                              kExtendedLength = 0x10;
}

enum class Origin : std::uint8_t { Igp = 0, Egp = 1, Incomplete = 2 };

namespace segment {
inline constexpr std::uint8_t kSet = 1, kSequence = 2, kConfedSequence = 3, kConfedSet = 4;
}

enum class CapabilityCode : std::uint8_t {
    Multiprotocol = 1,
    RouteRefresh = 2,
    ExtendedNextHop = 5,
    ExtendedMessage = 6,
    Role = 9,
    GracefulRestart = 64,
    FourOctetAs = 65,
    AddPath = 69,
    EnhancedRefresh = 70,
    LongLivedGracefulRestart = 71,
    Fqdn = 73,
    SoftwareVersion = 75,
};

inline constexpr std::uint16_t kAfiIp4 = 1, kAfiIp6 = 2;
inline constexpr std::uint8_t kSafiUnicast = 1;

constexpr std::uint16_t afi(Family family) {
    return family == Family::Ip4 ? kAfiIp4 : kAfiIp6;
}
constexpr std::optional<Family> unicast_family(std::uint16_t afi, std::uint8_t safi) {
    if (safi != kSafiUnicast) return std::nullopt;
    if (afi == kAfiIp4) return Family::Ip4;
    if (afi == kAfiIp6) return Family::Ip6;
    return std::nullopt;
}
inline constexpr std::size_t kFamilies = 2;
constexpr std::size_t index(Family family) {
    return static_cast<std::size_t>(family);
}

namespace community {
inline constexpr std::uint32_t kGracefulShutdown = 0xffff0000, kAcceptOwn = 0xffff0001,
                               kLlgrStale = 0xffff0006, kNoLlgr = 0xffff0007,
                               kBlackhole = 0xffff029a, kNoExport = 0xffffff01,
                               kNoAdvertise = 0xffffff02, kNoExportSubconfed = 0xffffff03,
                               kNoPeer = 0xffffff04;
}

}  // namespace torii::bgp
