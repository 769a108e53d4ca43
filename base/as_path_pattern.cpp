#include "base/as_path_pattern.hpp"

#include <regex.h>

#include <algorithm>
#include <charconv>
#include <utility>

namespace torii {

namespace {

constexpr std::size_t kLongest = 256;
constexpr std::size_t kHeaviest = 4096;
constexpr unsigned kMostBorders = 16;
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

// What a part of an expression is for regcomp(), whose work doubles with each
// repetition and has no end where one repeats what may be empty, or a border alone.
struct Part {
    std::size_t weight = 0;
    bool empty = true;     // may stand for no character
    unsigned borders = 0;  // so many in a row, with no character between

    void then(const Part& next) {
        weight += next.weight;
        borders = next.empty ? borders + next.borders : next.borders;
        empty = empty && next.empty;
    }
    void otherwise(const Part& other) {
        weight += other.weight;
        borders = std::max(borders, other.borders);
        empty = empty || other.empty;
    }
};

// A group that is open: its finished alternatives, the one that is being read, and in
// it what a repetition would repeat.
struct Open {
    std::optional<Part> alternatives;
    Part sequence, last;

    void push(const Part& part) { sequence.then(std::exchange(last, part)); }
    Part close() {
        push({});
        if (alternatives) sequence.otherwise(*alternatives);
        return sequence;
    }
    void next_alternative() {
        auto done = close();
        done.weight += 1;
        *this = {};
        alternatives = done;
    }
    bool fits() const {
        const auto weight =
            sequence.weight + last.weight + (alternatives ? alternatives->weight : 0);
        return weight <= kHeaviest && sequence.borders + last.borders <= kMostBorders;
    }
};

// Whether the library compiles the expression in no time.
bool compiles_soon(std::string_view text) {
    std::vector<Open> open(1);
    for (std::size_t i = 0; i < text.size(); ++i) {
        const char c = text[i];
        auto& last = open.back().last;
        if (c == '*' || c == '+' || c == '?') {
            if (c != '?' && last.empty) return false;
            last.weight *= 2;
            last.empty = last.empty || c != '+';
        } else if (c == '(') {
            open.emplace_back();
        } else if (c == ')') {
            if (open.size() == 1) return false;
            auto group = open.back().close();
            group.weight += 1;
            open.pop_back();
            open.back().push(group);
        } else if (c == '|') {
            open.back().next_alternative();
        } else if (c == '_' || c == '^' || c == '$') {
            open.back().push({c == '_' ? std::size_t{4} : 1, true, 1});
        } else {
            if (c == '[') i = std::min(text.find(']', i + 1), text.size());
            open.back().push({1, false, 0});
        }
        if (!open.back().fits()) return false;
    }
    std::size_t all = 0;
    for (auto& group : open) all += group.close().weight;
    return all <= kHeaviest;
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
        text.find_first_not_of(kAllowed) != std::string_view::npos || !compiles_soon(text))
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
