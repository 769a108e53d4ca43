#include "dataplane/liveness/bfd_auth.hpp"

// The streaming calls work on the stack; what replaced them allocates.
#define OPENSSL_SUPPRESS_DEPRECATED
#include <openssl/crypto.h>
#include <openssl/md5.h>
#include <openssl/sha.h>

#include <algorithm>
#include <cstring>

#include "dataplane/packet/headers.hpp"

namespace torii::dataplane::bfd {
namespace {

// Type, length, key id, reserved, sequence number; the digest follows.
constexpr std::size_t kAuthHeader = 8;
constexpr std::size_t kDigestAt = kMandatory + kAuthHeader;

bool is_md5(AuthType type) {
    return type == AuthType::KeyedMd5 || type == AuthType::MeticulousMd5;
}
std::size_t digest_size(AuthType type) {
    return is_md5(type) ? MD5_DIGEST_LENGTH : SHA_DIGEST_LENGTH;
}

// RFC 5880 §6.7.3, §6.7.4: over the packet with the key where the digest will be.
void digest(std::span<const std::uint8_t> packet, AuthType type, std::uint8_t* out) {
    if (is_md5(type)) {
        MD5_CTX context;
        MD5_Init(&context);
        MD5_Update(&context, packet.data(), packet.size());
        MD5_Final(out, &context);
    } else {
        SHA_CTX context;
        SHA1_Init(&context);
        SHA1_Update(&context, packet.data(), packet.size());
        SHA1_Final(out, &context);
    }
}

}  // namespace

std::size_t longest_secret(AuthType type) {
    return digest_size(type);
}

Key make_key(AuthType type, std::uint8_t id, std::string_view secret) {
    Key key{type, id, {}};
    std::copy_n(secret.begin(), std::min(secret.size(), digest_size(type)), key.secret.begin());
    return key;
}

std::uint8_t auth_length(const Key& key) {
    return key.any() ? static_cast<std::uint8_t>(kAuthHeader + digest_size(key.type)) : 0;
}

std::uint8_t seal(const Packet& packet, const Key& key, std::uint32_t sequence,
                  std::span<std::uint8_t, kLongest> out) {
    const auto length = static_cast<std::uint8_t>(kMandatory + auth_length(key));
    encode(packet, length, out.data());
    if (!key.any()) return length;
    auto* auth = out.data() + kMandatory;
    auth[0] = static_cast<std::uint8_t>(key.type);
    auth[1] = auth_length(key);
    auth[2] = key.id;
    auth[3] = 0;
    write32(auth + 4, sequence);
    const auto size = digest_size(key.type);
    std::copy_n(key.secret.begin(), size, out.data() + kDigestAt);
    std::uint8_t made[SHA_DIGEST_LENGTH];
    digest(out.first(length), key.type, made);
    std::copy_n(made, size, out.data() + kDigestAt);
    return length;
}

bool authentic(std::span<const std::uint8_t> payload, const Packet& packet, const Key& key,
               Sequence& sequence) {
    if (packet.authenticated != key.any()) return false;
    if (!key.any()) return true;
    const std::size_t length = payload[3];
    const auto* auth = payload.data() + kMandatory;
    // The decoder has checked for two octets of it; the type defines how many there are.
    if (static_cast<AuthType>(auth[0]) != key.type || auth[1] != auth_length(key) ||
        length != kMandatory + auth[1] || auth[2] != key.id)
        return false;

    // A number of the past, or from too far ahead, was recorded or made up.
    const auto number = read32(auth + 4);
    const std::uint32_t ahead = number - sequence.last;
    if (sequence.known && (ahead > 3u * packet.multiplier || (key.meticulous() && ahead == 0)))
        return false;

    std::uint8_t copy[kLongest], made[SHA_DIGEST_LENGTH];
    std::memcpy(copy, payload.data(), length);
    const auto size = digest_size(key.type);
    std::copy_n(key.secret.begin(), size, copy + kDigestAt);
    digest({copy, length}, key.type, made);
    if (CRYPTO_memcmp(made, payload.data() + kDigestAt, size) != 0) return false;
    sequence = {number, true};
    return true;
}

}  // namespace torii::dataplane::bfd
