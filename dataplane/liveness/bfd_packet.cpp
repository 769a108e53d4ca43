#include "dataplane/liveness/bfd_packet.hpp"

#include "base/byte_reader.hpp"
#include "dataplane/packet/headers.hpp"

namespace torii::dataplane::bfd {
namespace {

constexpr std::uint8_t kVersion = 1;
constexpr std::uint8_t kPoll = 0x20, kFinal = 0x10, kIndependent = 0x08, kAuthenticated = 0x04,
                       kDemand = 0x02, kMultipoint = 0x01;

}  // namespace

std::string_view to_string(Diagnostic diagnostic) {
    constexpr std::string_view kNames[] = {"no diagnostic",
                                           "control detection time expired",
                                           "echo function failed",
                                           "neighbor signaled session down",
                                           "forwarding plane reset",
                                           "path down",
                                           "concatenated path down",
                                           "administratively down",
                                           "reverse concatenated path down"};
    const auto i = static_cast<std::size_t>(diagnostic);
    return i < std::size(kNames) ? kNames[i] : "reserved";
}

std::string_view to_string(Malformed malformed) {
    constexpr std::string_view kNames[] = {"too short",
                                           "not version 1",
                                           "length disagrees",
                                           "detect multiplier 0",
                                           "multipoint",
                                           "my discriminator 0",
                                           "your discriminator 0 in a session"};
    return kNames[static_cast<std::size_t>(malformed)];
}

Result<Packet, Malformed> decode(std::span<const std::uint8_t> payload) {
    ByteReader in{payload};
    const auto first = in.u8(), flags = in.u8();
    Packet p;
    p.multiplier = in.u8();
    const auto length = in.u8();
    p.my_discriminator = in.u32();
    p.your_discriminator = in.u32();
    p.desired_min_tx = in.u32();
    p.required_min_rx = in.u32();
    p.required_min_echo_rx = in.u32();
    p.diagnostic = static_cast<Diagnostic>(first & 31);
    p.state = static_cast<State>(flags >> 6);
    p.poll = flags & kPoll;
    p.final = flags & kFinal;
    p.control_plane_independent = flags & kIndependent;
    p.authenticated = flags & kAuthenticated;
    p.demand = flags & kDemand;

    // RFC 5880 §6.8.6, in its order.
    if (!in.ok()) return Failure{Malformed::Short};
    if (first >> 5 != kVersion) return Failure{Malformed::Version};
    const std::size_t least = p.authenticated ? kMandatory + 2 : kMandatory;
    if (length < least || length > payload.size()) return Failure{Malformed::Length};
    if (p.multiplier == 0) return Failure{Malformed::Multiplier};
    if (flags & kMultipoint) return Failure{Malformed::Multipoint};
    if (p.my_discriminator == 0) return Failure{Malformed::NoDiscriminator};
    if (p.your_discriminator == 0 && p.state != State::Down && p.state != State::AdminDown)
        return Failure{Malformed::NoYourDiscriminator};
    return p;
}

void encode(const Packet& p, std::uint8_t length, std::uint8_t* out) {
    out[0] = static_cast<std::uint8_t>(kVersion << 5 | static_cast<unsigned>(p.diagnostic));
    out[1] = static_cast<std::uint8_t>(
        static_cast<unsigned>(p.state) << 6 | (p.poll ? kPoll : 0) | (p.final ? kFinal : 0) |
        (p.control_plane_independent ? kIndependent : 0) | (p.authenticated ? kAuthenticated : 0) |
        (p.demand ? kDemand : 0));
    out[2] = p.multiplier;
    out[3] = length;
    write32(out + 4, p.my_discriminator);
    write32(out + 8, p.your_discriminator);
    write32(out + 12, p.desired_min_tx);
    write32(out + 16, p.required_min_rx);
    write32(out + 20, p.required_min_echo_rx);
}

}  // namespace torii::dataplane::bfd
