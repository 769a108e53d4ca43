#include <algorithm>
#include <charconv>

#include "config/policy.hpp"

// How rules and edits of policies are written.
namespace torii::config {
namespace {

// A name never is a pattern: patterns have digits and signs in them, and the
// words among them are taken first.
bool is_name(std::string_view text) {
    return !text.empty() && std::isalpha(static_cast<unsigned char>(text[0])) &&
           std::ranges::all_of(text, [](unsigned char c) {
               return std::isalnum(c) || c == '-' || c == '_' || c == '.';
           });
}

// Takes "permit " or "deny " off the front.
bool take_permit(std::string_view& text) {
    const bool deny = text.starts_with("deny ");
    if (deny) text.remove_prefix(5);
    if (text.starts_with("permit ")) text.remove_prefix(7);
    return !deny;
}

std::optional<std::uint32_t> to_number(std::string_view text) {
    std::uint32_t value = 0;
    const auto [rest, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (text.empty() || error != std::errc{} || rest != text.data() + text.size())
        return std::nullopt;
    return value;
}

}  // namespace

std::optional<AsPathRule> AsPathRule::parse(std::string_view text) {
    AsPathRule out;
    out.permit = take_permit(text);
    if (const auto pattern = AsPathPattern::parse(text))
        out.pattern = *pattern;
    else if (is_name(text) && out.permit)
        out.list = std::string{text};
    else
        return std::nullopt;
    return out;
}

std::string AsPathRule::to_string() const {
    return (permit ? "" : "deny ") + (list.empty() ? pattern.to_string() : list);
}

std::optional<CommunityRule> CommunityRule::parse(std::string_view text) {
    CommunityRule out;
    out.permit = take_permit(text);
    if (is_name(text) && out.permit && !CommunityPattern::parse(text)) {
        out.list = std::string{text};
        return out;
    }
    while (!text.empty()) {
        const auto word = text.substr(0, text.find(' '));
        text.remove_prefix(std::min(text.size(), word.size() + 1));
        if (word.empty()) continue;
        const auto pattern = CommunityPattern::parse(word);
        if (!pattern) return std::nullopt;
        out.all.push_back(*pattern);
    }
    return out.all.empty() ? std::nullopt : std::optional{out};
}

std::string CommunityRule::to_string() const {
    std::string out = permit ? "" : "deny ";
    if (!list.empty()) return out + list;
    for (std::size_t i = 0; i < all.size(); ++i) out += (i == 0 ? "" : " ") + all[i].to_string();
    return out;
}

std::optional<MedEdit> MedEdit::parse(std::string_view text) {
    MedEdit out;
    if (text == "none") {
        out.kind = Kind::Remove;
        return out;
    }
    if (text.starts_with('+') || text.starts_with('-')) {
        out.kind = text[0] == '+' ? Kind::Add : Kind::Subtract;
        text.remove_prefix(1);
    }
    const auto value = to_number(text);
    if (!value) return std::nullopt;
    out.number = *value;
    return out;
}

std::string MedEdit::to_string() const {
    if (kind == Kind::Remove) return "none";
    const auto* sign = kind == Kind::Add ? "+" : kind == Kind::Subtract ? "-" : "";
    return sign + std::to_string(number);
}

std::optional<NextHopEdit> NextHopEdit::parse(std::string_view text) {
    NextHopEdit out;
    if (text == "self") return out;
    if (text == "unchanged" || text == "peer") {
        out.kind = text == "peer" ? Kind::Peer : Kind::Unchanged;
        return out;
    }
    const auto address = IpAddress::parse(text);
    if (!address) return std::nullopt;
    out.kind = Kind::Address;
    out.address = *address;
    return out;
}

std::string NextHopEdit::to_string() const {
    constexpr std::string_view kWords[] = {"self", "unchanged", "peer"};
    if (kind == Kind::Address) return address.to_string();
    return std::string{kWords[static_cast<std::size_t>(kind)]};
}

}  // namespace torii::config
