#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/node.hpp"
#include "config/peer_settings.hpp"

// Values as text: quoting, and the checks that several types of value share.
namespace torii::config {

struct Limits {
    std::int64_t min = std::numeric_limits<std::int64_t>::min();
    std::int64_t max = std::numeric_limits<std::int64_t>::max();
};

// Why a value was not taken. Empty message: it was.
struct Complaint {
    std::string message;
    std::string hint;
    bool any() const { return !message.empty(); }
};

std::string in_quotes(std::string_view text);
std::string shown(const Node& node);  // the value, for messages
Complaint wrong_kind(const Node& node, std::string_view wanted);
Complaint not_a(const Node& node, std::string_view type, std::string_view example);
Complaint unknown_word(const Node& node, const std::vector<std::string_view>& words);
Complaint read_integer(const Node& node, std::int64_t& out, const Limits& limits);
Complaint read_duration(const Node& node, seconds& out, const Limits& limits);
Complaint read_asn(const Node& node, Asn& out);
std::optional<Asn> parse_asn(std::string_view text);  // "65000", "4200000001", "64086.59905"
std::string write_number(std::int64_t value);         // with the L that big ones need

}  // namespace torii::config
