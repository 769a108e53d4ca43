#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/address.hpp"

namespace torii {

// An address block. Host bits are always zero: every way to make one clears
// them, so that equal blocks compare equal. Ordered by family, address, length.
class Prefix {
public:
    constexpr Prefix() = default;  // 0.0.0.0/0
    constexpr Prefix(const IpAddress& address, std::uint8_t length)
        : address_(address.masked(length)), length_(length) {}
    static constexpr Prefix host(const IpAddress& address) { return {address, address.bits()}; }
    static constexpr Prefix default_route(Family family) {
        return {family == Family::Ip4 ? IpAddress{} : IpAddress::v6({}), 0};
    }

    // "10.0.0.0/24"; a bare address is a host prefix. Nothing when malformed,
    // also when host bits are set and `strict` is asked for.
    static std::optional<Prefix> parse(std::string_view text);
    static std::optional<Prefix> parse_strict(std::string_view text);

    constexpr const IpAddress& address() const { return address_; }
    constexpr std::uint8_t length() const { return length_; }
    constexpr Family family() const { return address_.family(); }
    constexpr bool is_default() const { return length_ == 0; }
    constexpr bool is_host() const { return length_ == address_.bits(); }

    constexpr bool contains(const IpAddress& a) const {
        return a.family() == family() && a.masked(length_) == address_;
    }
    constexpr bool contains(const Prefix& other) const {
        return other.length_ >= length_ && contains(other.address_);
    }
    constexpr bool overlaps(const Prefix& other) const {
        return contains(other) || other.contains(*this);
    }

    std::string to_string() const;

    friend constexpr auto operator<=>(const Prefix&, const Prefix&) = default;

private:
    IpAddress address_;
    std::uint8_t length_ = 0;
};

struct PrefixHash {
    using is_avalanching = void;
    std::size_t operator()(const Prefix& p) const noexcept {
        const std::uint64_t h = IpAddressHash{}(p.address()) + p.length();
        return (h ^ h >> 31) * 0x9e3779b97f4a7c15ULL;
    }
};

}  // namespace torii
