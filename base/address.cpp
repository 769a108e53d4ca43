#include "base/address.hpp"

#include <arpa/inet.h>

#include <charconv>

namespace torii {

std::optional<IpAddress> IpAddress::parse(std::string_view text) {
    char buffer[INET6_ADDRSTRLEN];
    if (text.empty() || text.size() >= sizeof buffer) return std::nullopt;
    text.copy(buffer, text.size());
    buffer[text.size()] = '\0';
    // An embedded NUL would let inet_pton accept a prefix of the text.
    if (std::strlen(buffer) != text.size()) return std::nullopt;

    std::array<std::uint8_t, 16> bytes{};
    if (inet_pton(AF_INET6, buffer, bytes.data()) == 1) return v6(bytes);
    std::uint32_t network_order = 0;
    if (inet_pton(AF_INET, buffer, &network_order) == 1) return v4(ntohl(network_order));
    return std::nullopt;
}

std::string IpAddress::to_string() const {
    char buffer[INET6_ADDRSTRLEN] = "";
    if (is_v6()) {
        inet_ntop(AF_INET6, bytes_.data(), buffer, sizeof buffer);
        return buffer;
    }
    // Whole tables are printed: inet_ntop goes by way of printf.
    std::string out;
    for (std::size_t i = 0; i < 4; ++i) {
        const auto end = std::to_chars(buffer, buffer + sizeof buffer, bytes_[i]).ptr;
        if (i != 0) out += '.';
        out.append(buffer, end);
    }
    return out;
}

}  // namespace torii
