#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "base/result.hpp"
#include "dataplane/packet/ports.hpp"

// BFD control packets as values (RFC 5880 §4). Nothing here sends, waits or allocates.
namespace torii::dataplane::bfd {

inline constexpr std::uint16_t kControlPort = kBfdPort, kEchoPort = kBfdEchoPort,
                               kMultihopPort = kBfdMultihopPort;
inline constexpr std::uint16_t kSourcePort = 49152;  // and up: RFC 5881 §4
inline constexpr std::size_t kMandatory = 24, kLongest = kMandatory + 28;

enum class State : std::uint8_t { AdminDown, Down, Init, Up };
constexpr std::string_view to_string(State state) {
    constexpr std::string_view kNames[] = {"admin-down", "down", "init", "up"};
    return kNames[static_cast<std::size_t>(state) & 3];
}

// RFC 5880 §4.1; what is reserved shows as such.
enum class Diagnostic : std::uint8_t {
    None,
    DetectionTimeExpired,
    EchoFailed,
    NeighborSignaledDown,
    ForwardingPlaneReset,
    PathDown,
    ConcatenatedPathDown,
    AdministrativelyDown,
    ReverseConcatenatedPathDown,
};
std::string_view to_string(Diagnostic diagnostic);

// RFC 5880 §4.2 to §4.4.
enum class AuthType : std::uint8_t {
    None,
    SimplePassword,
    KeyedMd5,
    MeticulousMd5,
    KeyedSha1,
    MeticulousSha1,
};

struct Packet {
    Diagnostic diagnostic = Diagnostic::None;
    State state = State::Down;
    bool poll = false;
    bool final = false;
    bool control_plane_independent = false;
    bool authenticated = false;
    bool demand = false;
    std::uint8_t multiplier = 3;
    std::uint32_t my_discriminator = 0;
    std::uint32_t your_discriminator = 0;
    // Microseconds.
    std::uint32_t desired_min_tx = 1'000'000;
    std::uint32_t required_min_rx = 1'000'000;
    std::uint32_t required_min_echo_rx = 0;

    friend bool operator==(const Packet&, const Packet&) = default;
};

// Why a payload is no control packet (RFC 5880 §6.8.6).
enum class Malformed : std::uint8_t {
    Short,
    Version,
    Length,
    Multiplier,
    Multipoint,
    NoDiscriminator,
    NoYourDiscriminator,
};
std::string_view to_string(Malformed malformed);

// The checks that need no session. An authentication section is left where it is.
Result<Packet, Malformed> decode(std::span<const std::uint8_t> payload);

// Writes the mandatory section; `length` counts the authentication section as well,
// which bfd_auth.hpp appends. `out` has room for kMandatory.
void encode(const Packet& packet, std::uint8_t length, std::uint8_t* out);

}  // namespace torii::dataplane::bfd
