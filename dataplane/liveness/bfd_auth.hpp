#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string_view>

#include "dataplane/liveness/bfd_packet.hpp"

// Authentication of control packets (RFC 5880 §6.7): keyed MD5 and SHA-1, plain and
// meticulous. Runs in the workers: nothing here allocates.
namespace torii::dataplane::bfd {

struct Key {
    AuthType type = AuthType::None;
    std::uint8_t id = 1;
    std::array<std::uint8_t, 20> secret{};  // zeros behind its end

    bool any() const { return type != AuthType::None; }
    bool meticulous() const {
        return type == AuthType::MeticulousMd5 || type == AuthType::MeticulousSha1;
    }
    friend bool operator==(const Key&, const Key&) = default;
};

// A secret longer than the digest (16 or 20 octets) is refused by the configuration.
Key make_key(AuthType type, std::uint8_t id, std::string_view secret);
std::size_t longest_secret(AuthType type);
// Octets that signing adds.
std::uint8_t auth_length(const Key& key);

// Writes the whole packet, signed where there is a key; its length.
std::uint8_t seal(const Packet& packet, const Key& key, std::uint32_t sequence,
                  std::span<std::uint8_t, kLongest> out);

// What was received so far of one session's sequence numbers.
struct Sequence {
    std::uint32_t last = 0;
    bool known = false;
};

// Whether the payload, already decoded, is authentic and new; on success the number
// is remembered. No key on our side wants none on theirs (RFC 5880 §6.8.6).
bool authentic(std::span<const std::uint8_t> payload, const Packet& packet, const Key& key,
               Sequence& sequence);

}  // namespace torii::dataplane::bfd
