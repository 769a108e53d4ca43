#include "base/community.hpp"

#include <algorithm>
#include <charconv>
#include <vector>

namespace torii {

namespace {

struct WellKnown {
    std::string_view name;
    std::uint32_t value;
};
constexpr WellKnown kWellKnown[] = {
    {"graceful-shutdown", 0xffff0000}, {"accept-own", 0xffff0001},
    {"llgr-stale", 0xffff0006},        {"no-llgr", 0xffff0007},
    {"blackhole", 0xffff029a},         {"no-export", 0xffffff01},
    {"no-advertise", 0xffffff02},      {"no-export-subconfed", 0xffffff03},
    {"no-peer", 0xffffff04},           {"internet", 0},
};

std::vector<std::string_view> split(std::string_view text) {
    std::vector<std::string_view> out;
    for (;;) {
        const auto colon = text.find(':');
        out.push_back(text.substr(0, colon));
        if (colon == std::string_view::npos) return out;
        text.remove_prefix(colon + 1);
    }
}

std::optional<std::uint32_t> number(std::string_view text, std::uint32_t most) {
    std::uint32_t value = 0;
    const auto [rest, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (text.empty() || error != std::errc{} || rest != text.data() + text.size() || value > most)
        return std::nullopt;
    return value;
}

// Writes a number of `size` octets at `at`; "*" leaves them open.
bool put(CommunityPattern& out, std::size_t at, std::size_t size, std::string_view text) {
    if (text == "*") return true;
    const auto value = number(text, size == 2 ? 0xffff : 0xffffffff);
    if (!value) return false;
    for (std::size_t i = 0; i < size; ++i) {
        out.value[at + i] = static_cast<std::uint8_t>(*value >> (8 * (size - 1 - i)));
        out.mask[at + i] = 0xff;
    }
    return true;
}

void put_octet(CommunityPattern& out, std::size_t at, std::uint8_t value) {
    out.value[at] = value;
    out.mask[at] = 0xff;
}

std::optional<CommunityPattern> hexadecimal(std::string_view text) {
    CommunityPattern out;
    out.kind = CommunityKind::Extended;
    std::uint64_t value = 0;
    const auto [rest, error] = std::from_chars(text.data(), text.data() + text.size(), value, 16);
    if (text.size() != 16 || error != std::errc{} || rest != text.data() + text.size())
        return std::nullopt;
    for (std::size_t i = 0; i < 8; ++i)
        put_octet(out, i, static_cast<std::uint8_t>(value >> (56 - 8 * i)));
    return out;
}

// RFC 4360 §4 and §5, RFC 5668: two octets of AS and four of number, or four and two.
std::optional<CommunityPattern> target(std::uint8_t subtype, std::string_view as,
                                       std::string_view value) {
    CommunityPattern out;
    out.kind = CommunityKind::Extended;
    const bool wide = as != "*" && !number(as, 0xffff);
    put_octet(out, 0, wide ? 2 : 0);
    put_octet(out, 1, subtype);
    const std::size_t size = wide ? 4 : 2;
    if (!put(out, 2, size, as) || !put(out, 2 + size, 6 - size, value)) return std::nullopt;
    return out;
}

std::string numbers(const CommunityPattern& p, std::initializer_list<std::size_t> sizes,
                    std::size_t at) {
    std::string out;
    for (const auto size : sizes) {
        std::uint32_t value = 0;
        for (std::size_t i = 0; i < size; ++i) value = value << 8 | p.value[at + i];
        out += (out.empty() ? "" : ":") + (p.mask[at] ? std::to_string(value) : std::string{"*"});
        at += size;
    }
    return out;
}

}  // namespace

std::optional<CommunityPattern> CommunityPattern::parse(std::string_view text) {
    CommunityPattern out;
    for (const auto& [name, value] : kWellKnown)
        if (text == name) {
            for (std::size_t i = 0; i < 4; ++i)
                put_octet(out, i, static_cast<std::uint8_t>(value >> (24 - 8 * i)));
            return out;
        }
    if (text.starts_with("0x")) return hexadecimal(text.substr(2));
    const auto parts = split(text);
    if (parts[0] == "rt" || parts[0] == "soo")
        return parts.size() == 3 ? target(parts[0] == "rt" ? 2 : 3, parts[1], parts[2])
                                 : std::nullopt;
    if (parts.size() == 3) out.kind = CommunityKind::Large;
    const std::size_t size = parts.size() == 3 ? 4 : 2;
    if (parts.size() < 2 || parts.size() > 3) return std::nullopt;
    for (std::size_t i = 0; i < parts.size(); ++i)
        if (!put(out, i * size, size, parts[i])) return std::nullopt;
    return out;
}

std::string CommunityPattern::to_string() const {
    if (kind == CommunityKind::Large) return numbers(*this, {4, 4, 4}, 0);
    if (kind == CommunityKind::Standard) {
        if (exact()) {
            std::uint32_t all = 0;
            for (std::size_t i = 0; i < 4; ++i) all = all << 8 | value[i];
            for (const auto& known : kWellKnown)
                if (known.value == all) return std::string{known.name};
        }
        return numbers(*this, {2, 2}, 0);
    }
    if ((value[0] == 0 || value[0] == 2) && (value[1] == 2 || value[1] == 3)) {
        const std::string name = value[1] == 2 ? "rt:" : "soo:";
        // A small AS in four octets would be read back as two.
        const bool small = value[0] == 2 && value[2] == 0 && value[3] == 0;
        if (value[0] == 0) return name + numbers(*this, {2, 4}, 2);
        if (!small) return name + numbers(*this, {4, 2}, 2);
    }
    static constexpr char kDigits[] = "0123456789abcdef";
    std::string out = "0x";
    for (const auto octet : bytes()) {
        out += kDigits[octet >> 4];
        out += kDigits[octet & 15];
    }
    return out;
}

bool CommunityPattern::exact() const {
    return std::all_of(mask.begin(),
                       mask.begin() + static_cast<std::ptrdiff_t>(community_size(kind)),
                       [](std::uint8_t octet) { return octet == 0xff; });
}

}  // namespace torii
