#include "config/value_text.hpp"

#include <charconv>

#include "base/suggest.hpp"

namespace torii::config {

std::string in_quotes(std::string_view text) {
    constexpr char kHex[] = "0123456789abcdef";
    std::string out = "\"";
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        if (c == '"' || c == '\\') {
            out += '\\';
            out += c;
        } else if (byte < 0x20 || byte == 0x7f) {
            out += "\\x";
            out += kHex[byte >> 4];
            out += kHex[byte & 15];
        } else {
            out += c;
        }
    }
    return out + '"';
}

std::string shown(const Node& node) {
    switch (node.kind) {
        case Node::Kind::Integer:
            return std::to_string(node.integer);
        case Node::Kind::Bool:
            return node.integer ? "true" : "false";
        case Node::Kind::String:
            return in_quotes(node.text);
        case Node::Kind::Float:
            return std::to_string(node.real);
        default:
            return std::string{to_string(node.kind)};
    }
}

Complaint wrong_kind(const Node& node, std::string_view wanted) {
    std::string hint;
    if (node.kind == Node::Kind::String && (node.text == "true" || node.text == "false"))
        hint = "write " + node.text + " without quotes";
    else if (node.kind == Node::Kind::Integer && wanted == "text")
        hint = "put it in quotes";
    return {"expected " + std::string{wanted} + ", found " + shown(node), hint};
}

Complaint read_integer(const Node& node, std::int64_t& out, const Limits& limits) {
    if (node.kind != Node::Kind::Integer) return wrong_kind(node, "a number");
    if (node.integer < limits.min || node.integer > limits.max)
        return {std::to_string(node.integer) + " is out of range",
                "use a number from " + std::to_string(limits.min) + " to " +
                    std::to_string(limits.max)};
    out = node.integer;
    return {};
}

Complaint read_duration(const Node& node, seconds& out, const Limits& limits) {
    std::int64_t value = 0;
    Node plain = node;
    if (node.kind == Node::Kind::String) {
        const auto* end = node.text.data() + node.text.size();
        const auto [rest, error] = std::from_chars(node.text.data(), end, value);
        const std::string_view unit{rest, static_cast<std::size_t>(end - rest)};
        const std::int64_t scale = unit == "s"   ? 1
                                   : unit == "m" ? 60
                                   : unit == "h" ? 3600
                                   : unit == "d" ? 86400
                                                 : 0;
        if (error != std::errc{} || scale == 0 || value < 0 || value > 1'000'000)
            return {"expected a time, found " + in_quotes(node.text),
                    "write seconds as a number (90), or \"90s\", \"3m\", \"2h\""};
        plain.kind = Node::Kind::Integer;
        plain.integer = value * scale;
    }
    if (auto complaint = read_integer(plain, value,
                                      {std::max<std::int64_t>(limits.min, 0),
                                       std::min<std::int64_t>(limits.max, 1'000'000'000)});
        complaint.any())
        return complaint;
    out = seconds{value};
    return {};
}

std::optional<Asn> parse_asn(std::string_view text) {
    const auto number = [](std::string_view part,
                           std::uint64_t most) -> std::optional<std::uint32_t> {
        std::uint64_t value = 0;
        const auto [rest, error] = std::from_chars(part.data(), part.data() + part.size(), value);
        if (error != std::errc{} || rest != part.data() + part.size() || value > most)
            return std::nullopt;
        return static_cast<std::uint32_t>(value);
    };
    const auto dot = text.find('.');
    if (dot == std::string_view::npos) {
        const auto value = number(text, 0xffffffff);
        return value ? std::optional{Asn{*value}} : std::nullopt;
    }
    const auto high = number(text.substr(0, dot), 0xffff),
               low = number(text.substr(dot + 1), 0xffff);
    if (!high || !low) return std::nullopt;
    return Asn{*high << 16 | *low};
}

Complaint read_asn(const Node& node, Asn& out) {
    constexpr const char* kForms =
        "write 4200000001, \"4200000001\" or asdot \"64086.59905\"; AS numbers go from 1 to "
        "4294967294";
    std::optional<Asn> value;
    if (node.kind == Node::Kind::String) value = parse_asn(node.text);
    // libconfig++ reads a number above 2^31 without its L as something else;
    // the loader adds the L, so that what is negative here was written so.
    if (node.kind == Node::Kind::Integer && node.integer > 0 && node.integer <= 0xffffffffLL)
        value = Asn{static_cast<std::uint32_t>(node.integer)};
    if (!value) return {shown(node) + " is no AS number", kForms};
    // RFC 7607: AS 0 is never used; RFC 7300: the last one neither; 23456 stands
    // for any AS above 65535 (RFC 6793).
    if (value->number == 0 || value->number == 0xffffffff || value->number == 23456)
        return {"AS " + std::to_string(value->number) + " is reserved",
                "private ones are 64512 to 65534 and 4200000000 to 4294967294"};
    out = *value;
    return {};
}

Complaint unknown_word(const Node& node, const std::vector<std::string_view>& words) {
    std::string list;
    for (const auto word : words) list += (list.empty() ? "" : ", ") + in_quotes(word);
    if (node.kind != Node::Kind::String)
        return {"expected one of " + list + "; found " + shown(node), ""};
    const auto near = suggest(node.text, words);
    return {in_quotes(node.text) + " is not one of " + list,
            near.empty() ? "" : "did you mean " + in_quotes(near) + "?"};
}

std::string write_number(std::int64_t value) {
    return std::to_string(value) + (value > 0x7fffffff ? "L" : "");
}

Complaint not_a(const Node& node, std::string_view type, std::string_view example) {
    std::string article = type[0] == 'I' ? "an " : type[0] == 'a' ? "an " : "a ";
    if (type[0] == 'A' || type[0] == '[') article = "";
    return {"expected " + article + std::string{type} + ", found " + shown(node),
            "for example " + in_quotes(example)};
}

}  // namespace torii::config
