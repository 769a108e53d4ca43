#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

// AS paths as they lie on the wire: segments of {type, count, ASes}. Inside
// torii all ASes have four octets; two-octet peers are served by conversion.
namespace torii::bgp {

using AsPathView = std::span<const std::uint8_t>;

// For `width` 2 or 4. An empty segment is malformed (RFC 7606 §7.2).
bool as_path_well_formed(AsPathView path, std::size_t width);

struct AsPathFacts {
    std::uint16_t length = 0;  // for the decision: a set counts as one
    std::uint32_t first = 0;   // leftmost AS of a leading sequence, 0: none
    bool has_set = false;
    bool has_confed = false;
    bool has_zero = false;  // RFC 7607
};
AsPathFacts inspect(AsPathView path);

std::size_t count(AsPathView path, std::uint32_t as);  // occurrences
std::uint32_t origin_as(AsPathView path);              // rightmost, 0 for a set or nothing
std::string to_string(AsPathView path);                // "65001 65002 {1,2}"
std::vector<std::uint32_t> ases(AsPathView path);      // in order, segments forgotten

// Two-octet segments widened, appended to `out`.
void widen(AsPathView two_octet, std::vector<std::uint8_t>& out);
// Narrowed, AS_TRANS where an AS does not fit; true when there was one.
bool narrow(AsPathView path, std::vector<std::uint8_t>& out);
// RFC 6793 §4.2.3: the older ASes of `path`, then AS4_PATH. `path` as it is
// when AS4_PATH is the longer one.
void merge_as4_path(AsPathView path, AsPathView as4_path, std::vector<std::uint8_t>& out);
// `as` in front, `times` over.
void prepend(AsPathView path, std::uint32_t as, std::size_t times, std::vector<std::uint8_t>& out);

}  // namespace torii::bgp
