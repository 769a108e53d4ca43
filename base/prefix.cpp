#include "base/prefix.hpp"

#include <charconv>

namespace torii {
namespace {

struct Parsed {
    IpAddress address;
    std::uint8_t length;
};

std::optional<Parsed> split(std::string_view text) {
    const auto slash = text.find('/');
    const auto address = IpAddress::parse(text.substr(0, slash));
    if (!address) return std::nullopt;
    if (slash == std::string_view::npos) return Parsed{*address, address->bits()};

    const auto digits = text.substr(slash + 1);
    unsigned length = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), length);
    if (error != std::errc{} || end != digits.data() + digits.size() || length > address->bits())
        return std::nullopt;
    return Parsed{*address, static_cast<std::uint8_t>(length)};
}

}  // namespace

std::optional<Prefix> Prefix::parse(std::string_view text) {
    const auto parsed = split(text);
    if (!parsed) return std::nullopt;
    return Prefix{parsed->address, parsed->length};
}

std::optional<Prefix> Prefix::parse_strict(std::string_view text) {
    const auto parsed = split(text);
    if (!parsed || parsed->address.masked(parsed->length) != parsed->address) return std::nullopt;
    return Prefix{parsed->address, parsed->length};
}

std::string Prefix::to_string() const {
    return address_.to_string() + '/' + std::to_string(length_);
}

}  // namespace torii
