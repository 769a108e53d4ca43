#include "base/as_path_pattern.hpp"

#include <regex.h>

#include <algorithm>
#include <charconv>

namespace torii {

namespace {

constexpr std::size_t kLongest = 256;
constexpr std::size_t kHeaviest = 4096;
constexpr std::string_view kAllowed = "0123456789 ^$.*+?|()[]{}_,-";

struct Word {
    std::string_view word;
    AsPathPattern::Kind kind;
};
constexpr Word kWords[] = {{"neighbor ", AsPathPattern::Kind::Neighbor},
                           {"originated ", AsPathPattern::Kind::Originated},
                           {"contains ", AsPathPattern::Kind::Contains},
                           {"length ge ", AsPathPattern::Kind::LengthAtLeast},
                           {"length le ", AsPathPattern::Kind::LengthAtMost}};

std::optional<std::uint32_t> number(std::string_view text) {
    std::uint32_t value = 0;
    const auto [rest, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (text.empty() || error != std::errc{} || rest != text.data() + text.size())
        return std::nullopt;
    return value;
}

// How large the compiled expression gets: each repetition may double what it
// repeats, and those inside each other do so together.
std::size_t weight(std::string_view text) {
    constexpr std::size_t kTooMuch = 1 << 20;
    std::vector<std::size_t> open{0};  // sums of the groups that are open
    std::size_t last = 0;              // what a repetition would repeat
    for (std::size_t i = 0; i < text.size(); ++i) {
        const char c = text[i];
        if (c == '*' || c == '+' || c == '?') {
            open.back() += last;
            last *= 2;
        } else if (c == '(') {
            open.push_back(0);
            last = 0;
        } else if (c == ')') {
            if (open.size() == 1) return kTooMuch;
            last = open.back() + 1;
            open.pop_back();
            open.back() += last;
        } else {
            if (c == '[') i = std::min(text.find(']', i + 1), text.size());
            last = c == '_' ? 4 : 1;
            open.back() += last;
        }
        if (open.back() > kTooMuch || last > kTooMuch) return kTooMuch;
    }
    std::size_t all = 0;
    for (const auto sum : open) all += sum;
    return all;
}

// "_" becomes the border of a number. Braces stand for themselves, because a
// set is written with them; nothing is repeated by a count, so that no
// expression grows beyond what was written.
std::string translated(std::string_view text) {
    std::string out;
    bool bracket = false;
    for (const char c : text) {
        if (c == '[') bracket = true;
        if (c == ']') bracket = false;
        if (bracket) {
            out += c;
        } else if (c == '_') {
            out += "(^|[ {},]|$)";
        } else if (c == '{' || c == '}') {
            out += '[';
            out += c;
            out += ']';
        } else {
            out += c;
        }
    }
    return out;
}

}  // namespace

struct AsPathPattern::Expression {
    regex_t compiled{};
    bool good = false;
    explicit Expression(const std::string& text)
        : good(regcomp(&compiled, text.c_str(), REG_EXTENDED | REG_NOSUB) == 0) {}
    ~Expression() {
        if (good) regfree(&compiled);
    }
    Expression(const Expression&) = delete;
    Expression& operator=(const Expression&) = delete;
};

std::optional<AsPathPattern> AsPathPattern::parse(std::string_view text) {
    AsPathPattern out;
    if (text == "empty") return out;
    for (const auto& [word, kind] : kWords) {
        if (!text.starts_with(word)) continue;
        const auto value = number(text.substr(word.size()));
        if (!value) return std::nullopt;
        out.kind_ = kind;
        out.number_ = *value;
        return out;
    }
    if (text.empty() || text.size() > kLongest ||
        text.find_first_not_of(kAllowed) != std::string_view::npos || weight(text) > kHeaviest)
        return std::nullopt;
    out.kind_ = Kind::Expression;
    out.text_ = std::string{text};
    out.expression_ = std::make_shared<const Expression>(translated(text));
    if (!out.expression_->good) return std::nullopt;
    return out;
}

std::string AsPathPattern::to_string() const {
    if (kind_ == Kind::Empty) return "empty";
    for (const auto& [word, kind] : kWords)
        if (kind == kind_) return std::string{word} + std::to_string(number_);
    return text_;
}

bool AsPathPattern::matches(const Path& path) const {
    switch (kind_) {
        case Kind::Empty:
            return path.ases.empty();
        case Kind::Neighbor:
            return path.neighbor == number_;
        case Kind::Originated:
            return path.originator == number_;
        case Kind::Contains:
            return std::ranges::find(path.ases, number_) != path.ases.end();
        case Kind::LengthAtLeast:
            return path.length >= number_;
        case Kind::LengthAtMost:
            return path.length <= number_;
        case Kind::Expression:
            return regexec(&expression_->compiled, path.text.c_str(), 0, nullptr, 0) == 0;
    }
    return false;
}

}  // namespace torii
