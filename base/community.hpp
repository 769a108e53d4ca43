#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace torii {

// RFC 1997, RFC 4360 and RFC 8092: distinguished by their length.
enum class CommunityKind : std::uint8_t { Standard, Extended, Large };
constexpr std::size_t community_size(CommunityKind kind) {
    constexpr std::size_t kSizes[] = {4, 8, 12};
    return kSizes[static_cast<std::size_t>(kind)];
}

// One community or, with "*" for one of its numbers, all that fit: "65000:1",
// "65000:*", "no-export"; "65000:1:2"; "rt:65000:1", "soo:65000:1", or the eight
// octets of any other extended one as "0x0002fde800000001".
struct CommunityPattern {
    CommunityKind kind = CommunityKind::Standard;
    std::array<std::uint8_t, 12> value{}, mask{};  // as on the wire

    static std::optional<CommunityPattern> parse(std::string_view text);
    std::string to_string() const;

    // Names one community, not many.
    bool exact() const;
    std::span<const std::uint8_t> bytes() const { return {value.data(), community_size(kind)}; }
    // `community` has the size of this kind.
    bool matches(std::span<const std::uint8_t> community) const {
        for (std::size_t i = 0; i < community.size(); ++i)
            if ((community[i] & mask[i]) != value[i]) return false;
        return true;
    }
    friend bool operator==(const CommunityPattern&, const CommunityPattern&) = default;
};

}  // namespace torii
