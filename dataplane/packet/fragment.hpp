#pragma once

#include <cstdint>
#include <span>

namespace torii::dataplane {

// Cuts an IPv4 packet into fragments of at most `mtu` octets (RFC 791 §3.2), one
// call each; fragments of fragments keep their place.
class Fragmenter {
public:
    static constexpr std::uint32_t kMaxHeader = 60;

    Fragmenter(std::span<const std::uint8_t> packet, std::uint32_t mtu);

    // The next fragment into `out` (room for mtu octets); its length, 0 when done.
    std::uint32_t next(std::uint8_t* out);

private:
    std::uint32_t write_header(std::uint8_t* out) const;

    std::span<const std::uint8_t> packet_;
    std::uint32_t mtu_;
    std::uint32_t header_;
    std::uint32_t at_ = 0;  // octets of payload already sent
};

}  // namespace torii::dataplane
