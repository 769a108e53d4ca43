#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace torii {

// What may be asked of an AS path: "empty", "neighbor 65001" (the leftmost AS),
// "originated 65001" (the rightmost), "contains 65001", "length ge 5", "length
// le 5", or a POSIX extended regular expression over the path as it is shown,
// "65001 65002 {1,2}", in which "_" is the border of a number: "^65001(_|$)".
class AsPathPattern {
public:
    enum class Kind : std::uint8_t {
        Empty,
        Neighbor,
        Originated,
        Contains,
        LengthAtLeast,
        LengthAtMost,
        Expression
    };

    // The path, in the shapes that the kinds ask for.
    struct Path {
        std::vector<std::uint32_t> ases;  // in order, segments forgotten
        std::uint32_t neighbor = 0;       // leftmost, 0: none
        std::uint32_t originator = 0;     // rightmost, 0: none
        std::size_t length = 0;           // a set counts as one
        std::string text;                 // "65001 65002 {1,2}"
    };

    AsPathPattern() = default;  // "empty"
    static std::optional<AsPathPattern> parse(std::string_view text);
    std::string to_string() const;
    bool matches(const Path& path) const;

    friend bool operator==(const AsPathPattern& a, const AsPathPattern& b) {
        return a.kind_ == b.kind_ && a.number_ == b.number_ && a.text_ == b.text_;
    }

private:
    struct Expression;
    Kind kind_ = Kind::Empty;
    std::uint32_t number_ = 0;
    std::string text_;
    std::shared_ptr<const Expression> expression_;
};

}  // namespace torii
