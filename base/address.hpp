#pragma once

#include <array>
#include <bit>
#include <compare>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>

namespace torii {

enum class Family : std::uint8_t { Ip4, Ip6 };

constexpr std::uint8_t address_bits(Family family) {
    return family == Family::Ip4 ? 32 : 128;
}
constexpr std::string_view to_string(Family family) {
    return family == Family::Ip4 ? "ipv4" : "ipv6";
}

// An IPv4 or IPv6 address without zone. Bytes are in network order; an IPv4
// address fills the first four and leaves the rest zero, so that comparison
// and hashing need not look at the family twice. Ordered by family, then value.
class IpAddress {
public:
    constexpr IpAddress() = default;  // 0.0.0.0

    static constexpr IpAddress v4(std::uint32_t host_order) {
        IpAddress a;
        for (std::size_t i = 0; i < 4; ++i)
            a.bytes_[i] = static_cast<std::uint8_t>(host_order >> (24 - 8 * i));
        return a;
    }
    static constexpr IpAddress v6(const std::array<std::uint8_t, 16>& bytes) {
        IpAddress a;
        a.family_ = Family::Ip6;
        a.bytes_ = bytes;
        return a;
    }
    // "10.0.0.1", "2001:db8::1"; nothing for anything else, zones included.
    static std::optional<IpAddress> parse(std::string_view text);

    constexpr Family family() const { return family_; }
    constexpr bool is_v4() const { return family_ == Family::Ip4; }
    constexpr bool is_v6() const { return family_ == Family::Ip6; }
    constexpr std::uint8_t bits() const { return address_bits(family_); }
    constexpr std::size_t size() const { return is_v4() ? 4 : 16; }

    constexpr std::uint32_t v4() const {  // host order; meaningful for IPv4 only
        return std::uint32_t{bytes_[0]} << 24 | std::uint32_t{bytes_[1]} << 16 |
               std::uint32_t{bytes_[2]} << 8 | bytes_[3];
    }
    constexpr const std::array<std::uint8_t, 16>& bytes() const { return bytes_; }
    constexpr std::uint8_t byte(std::size_t i) const { return bytes_[i]; }

    constexpr bool is_unspecified() const { return bytes_ == std::array<std::uint8_t, 16>{}; }
    constexpr bool is_loopback() const {
        if (is_v4()) return bytes_[0] == 127;
        auto one = std::array<std::uint8_t, 16>{};
        one[15] = 1;
        return bytes_ == one;
    }
    constexpr bool is_multicast() const {
        return is_v4() ? (bytes_[0] & 0xf0) == 0xe0 : bytes_[0] == 0xff;
    }
    constexpr bool is_link_local() const {
        return is_v4() ? bytes_[0] == 169 && bytes_[1] == 254
                       : bytes_[0] == 0xfe && (bytes_[1] & 0xc0) == 0x80;
    }
    // ::ffff:a.b.c.d carried in an IPv6 address (RFC 4291 §2.5.5.2).
    constexpr std::optional<IpAddress> mapped_v4() const {
        if (is_v4() || bytes_[10] != 0xff || bytes_[11] != 0xff) return std::nullopt;
        for (std::size_t i = 0; i < 10; ++i)
            if (bytes_[i] != 0) return std::nullopt;
        return v4(std::uint32_t{bytes_[12]} << 24 | std::uint32_t{bytes_[13]} << 16 |
                  std::uint32_t{bytes_[14]} << 8 | bytes_[15]);
    }
    constexpr bool bit(std::size_t i) const { return bytes_[i / 8] >> (7 - i % 8) & 1; }

    // The address with all bits from `length` on cleared.
    constexpr IpAddress masked(std::uint8_t length) const {
        // By words, not bytes: every prefix that is read or compared comes here.
        auto words = std::bit_cast<std::array<std::uint64_t, 2>>(bytes_);
        words[0] &= leading_bits(length);
        words[1] &= leading_bits(length > 64 ? length - 64u : 0u);
        IpAddress a;
        a.bytes_ = std::bit_cast<std::array<std::uint8_t, 16>>(words);
        a.family_ = family_;
        return a;
    }

    std::string to_string() const;

    friend constexpr auto operator<=>(const IpAddress& a, const IpAddress& b) {
        if (const auto order = a.family_ <=> b.family_; order != 0) return order;
        return a.bytes_ <=> b.bytes_;
    }
    friend constexpr bool operator==(const IpAddress&, const IpAddress&) = default;

private:
    // Eight bytes of an address with the first n bits set, as they lie in memory.
    static constexpr std::uint64_t leading_bits(unsigned n) {
        const auto mask = n == 0 ? 0 : n >= 64 ? ~std::uint64_t{0} : ~std::uint64_t{0} << (64 - n);
        return std::endian::native == std::endian::little ? __builtin_bswap64(mask) : mask;
    }

    std::array<std::uint8_t, 16> bytes_{};
    Family family_ = Family::Ip4;
};

struct IpAddressHash {
    using is_avalanching = void;
    std::size_t operator()(const IpAddress& a) const noexcept {
        std::uint64_t high = 0, low = 0;
        std::memcpy(&high, a.bytes().data(), 8);
        std::memcpy(&low, a.bytes().data() + 8, 8);
        std::uint64_t h =
            (high ^ (low * 0x9e3779b97f4a7c15ULL)) + static_cast<std::uint64_t>(a.family());
        h = (h ^ h >> 32) * 0xd6e8feb86659fd93ULL;
        h = (h ^ h >> 32) * 0xd6e8feb86659fd93ULL;
        return h ^ h >> 32;
    }
};

}  // namespace torii
