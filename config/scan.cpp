#include "config/scan.hpp"

#include <cctype>
#include <charconv>
#include <cstdint>

#include "base/mac.hpp"
#include "base/prefix.hpp"
#include "config/schema.hpp"

namespace torii::config {
namespace {

bool starts_word(char c) {
    return std::isalpha(static_cast<unsigned char>(c)) || c == '*';
}
bool in_word(char c) {
    return std::isalnum(static_cast<unsigned char>(c)) || c == '_' || c == '-' || c == '*';
}
bool in_address(char c) {
    return std::isxdigit(static_cast<unsigned char>(c)) || c == '.' || c == ':' || c == '/';
}

class Scanner {
public:
    Scanner(std::string_view text, const std::string& file) : in_(text), file_(file) {}

    Scanned run() {
        while (at_ < in_.size()) step();
        for (const auto& open : open_)
            complain(open.line, std::string{open.bracket} + " is never closed", "");
        return std::move(out_);
    }

private:
    struct Open {
        char bracket;
        unsigned line;
    };
    enum class Last : std::uint8_t { Other, String, Comma, Assign };

    char peek(std::size_t ahead = 0) const {
        return at_ + ahead < in_.size() ? in_[at_ + ahead] : '\0';
    }
    void copy(std::size_t n) {
        for (; n > 0 && at_ < in_.size(); --n) {
            if (in_[at_] == '\n') ++line_;
            out_.text += in_[at_++];
        }
    }
    void complain(unsigned line, std::string message, std::string hint) {
        out_.problems.push_back(
            {Gravity::Error, file_, line, "", std::move(message), std::move(hint)});
    }

    // A token as a message may show it.
    std::string shown(std::string_view token) const {
        return is_secret_key(key_) ? "(a secret, not shown)" : std::string{token};
    }

    void step() {
        const char c = peek();
        if (c == '\0') {
            complain(line_, "a zero byte in the text", "is this a configuration file?");
            at_ = in_.size();
        } else if (std::isspace(static_cast<unsigned char>(c))) {
            copy(1);
        } else if (c == '#' || (c == '/' && peek(1) == '/')) {
            copy(std::min(in_.find('\n', at_), in_.size()) - at_);
        } else if (c == '/' && peek(1) == '*') {
            comment();
        } else if (c == '"') {
            string();
        } else if (c == '@') {
            include();
        } else if (bare_address()) {
            last_ = Last::Other;
        } else if (starts_word(c)) {
            word();
        } else if (std::isdigit(static_cast<unsigned char>(c)) || c == '-' || c == '+') {
            number();
        } else {
            punctuation(c);
        }
    }

    void comment() {
        const auto end = in_.find("*/", at_ + 2);
        if (end == std::string_view::npos) complain(line_, "the comment /* is never closed", "");
        copy(end == std::string_view::npos ? in_.size() : end + 2 - at_);
    }

    void string() {
        const unsigned start = line_;
        const auto begin = at_;
        if (last_ == Last::String && !open_.empty() && open_.back().bracket != '{')
            complain(line_, "two texts side by side", "a comma is missing between them");
        std::size_t end = at_ + 1;
        while (end < in_.size() && in_[end] != '"') end += in_[end] == '\\' ? 2 : 1;
        if (end >= in_.size()) {
            complain(start, "the text that begins here is never closed", "close it with \"");
            copy(in_.size());
        } else {
            copy(end + 1 - begin);
        }
        last_ = Last::String;
    }

    void include() {
        const unsigned line = line_;
        const auto end = std::min(in_.find('\n', at_), in_.size());
        const auto statement = in_.substr(at_, end - at_);
        const auto open = statement.find('"'), close = statement.rfind('"');
        if (!statement.starts_with("@include") || open == close) {
            complain(line, "nothing is known that begins with @ but @include \"FILE\"", "");
        } else if (!open_.empty()) {
            complain(line, "@include inside of brackets",
                     "include whole blocks, at the outermost level, or use conf.d/");
        } else {
            out_.includes.push_back(
                {std::string{statement.substr(open + 1, close - open - 1)}, line});
        }
        at_ = end;
    }

    // Takes an address, prefix or MAC that stands without quotes.
    bool bare_address() {
        std::size_t end = at_;
        while (end < in_.size() && in_address(in_[end])) ++end;
        auto token = in_.substr(at_, end - at_);
        while (!token.empty() && token.back() == ':') token.remove_suffix(1);
        if (token.find_first_of(".:") == std::string_view::npos) return false;
        if (!Prefix::parse(token) && !MacAddress::parse(token)) return false;
        const auto name = shown(token);
        complain(line_, "an address without quotes: " + name, "write \"" + name + "\"");
        copy(token.size());
        return true;
    }

    void word() {
        std::size_t end = at_;
        while (end < in_.size() && in_word(in_[end])) ++end;
        const auto token = in_.substr(at_, end - at_);
        std::size_t next = end;
        while (next < in_.size() && std::isspace(static_cast<unsigned char>(in_[next]))) ++next;
        const bool key = next < in_.size() && (in_[next] == '=' || in_[next] == ':');
        std::string lower;
        for (const char c : token)
            lower += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
        if (key && last_ != Last::Assign) key_ = token;
        if (last_ == Last::Assign || !key) {
            const auto name = shown(token);
            if (lower == "yes" || lower == "on" || lower == "no" || lower == "off")
                complain(line_, "the word " + name + " without quotes",
                         std::string{"booleans are true and false; write "} +
                             (lower == "yes" || lower == "on" ? "true" : "false") + " or \"" +
                             name + "\"");
            else if (lower != "true" && lower != "false" && next < in_.size() && in_[next] == '{')
                complain(line_, "= is missing between " + name + " and {",
                         "write " + name + " = {");
            else if (lower != "true" && lower != "false")
                complain(line_, "the word " + name + " without quotes", "write \"" + name + "\"");
        }
        copy(token.size());
        last_ = Last::Other;
    }

    // libconfig++ reads 4200000000 without its L as another number altogether.
    void number() {
        std::size_t end = at_ + (peek() == '-' || peek() == '+' ? 1 : 0);
        const bool hex = end + 1 < in_.size() && in_[end] == '0' && (in_[end + 1] | 32) == 'x';
        const std::size_t first = hex ? end + 2 : end;
        end = first;
        while (end < in_.size() && (hex ? std::isxdigit(static_cast<unsigned char>(in_[end]))
                                        : std::isdigit(static_cast<unsigned char>(in_[end]))))
            ++end;
        std::uint64_t value = 0;
        const auto parsed =
            std::from_chars(in_.data() + first, in_.data() + end, value, hex ? 16 : 10);
        const bool whole = end == in_.size() || (!in_word(in_[end]) && in_[end] != '.');
        const bool marked = end < in_.size() && in_[end] == 'L';
        const auto token = std::string{in_.substr(at_, end - at_)};
        if (end == first) {
            punctuation(peek());
            return;
        }
        const bool big = parsed.ec != std::errc{} || value > INT64_MAX;
        if ((whole || marked) && big)
            complain(line_, "the number " + shown(token) + " is too big", "");
        copy(end - at_);
        if (whole && !big && value > INT32_MAX) out_.text += 'L';
        if (marked) {
            copy(1);
            if (peek() == 'L') copy(1);
        } else if (!whole) {
            while (at_ < in_.size() && (in_word(in_[at_]) || in_[at_] == '.')) copy(1);
        }
        last_ = Last::Other;
    }

    void punctuation(char c) {
        if (c == '{' || c == '(' || c == '[') {
            open_.push_back({c, line_});
        } else if (c == '}' || c == ')' || c == ']') {
            const char wanted = c == '}' ? '{' : c == ')' ? '(' : '[';
            if (last_ == Last::Comma)
                complain(line_, std::string{"a comma before "} + c, "take it away");
            if (open_.empty())
                complain(line_, std::string{c} + " closes nothing", "");
            else if (open_.back().bracket != wanted)
                complain(line_,
                         std::string{c} + " where " + open_.back().bracket + " of line " +
                             std::to_string(open_.back().line) + " is still open",
                         "");
            if (!open_.empty()) open_.pop_back();
        }
        last_ = c == ',' ? Last::Comma : c == '=' || c == ':' ? Last::Assign : Last::Other;
        copy(1);
    }

    std::string_view in_;
    const std::string& file_;
    std::size_t at_ = 0;
    unsigned line_ = 1;
    std::vector<Open> open_;
    Last last_ = Last::Other;
    std::string_view key_;  // whose value is being read
    Scanned out_;
};

// Behind the closing quote of the text that begins at `at`, or the end.
std::size_t end_of_string(std::string_view in, std::size_t at) {
    std::size_t end = at + 1;
    while (end < in.size() && in[end] != '"') end += in[end] == '\\' ? 2 : 1;
    return std::min(end + 1, in.size());
}

}  // namespace

std::vector<Literal> string_literals(std::string_view text) {
    std::vector<Literal> out;
    for (std::size_t at = 0; at < text.size();) {
        const auto rest = text.substr(at);
        std::size_t size = 1;
        if (rest.starts_with('#') || rest.starts_with("//")) {
            size = rest.find('\n');
        } else if (rest.starts_with("/*")) {
            const auto end = rest.find("*/", 2);
            size = end == std::string_view::npos ? end : end + 2;
        } else if (rest.starts_with('"')) {
            size = end_of_string(text, at) - at;
            out.push_back({at, size});
        }
        at += std::min(size, rest.size());
    }
    return out;
}

Scanned scan(std::string_view text, const std::string& file) {
    return Scanner{text, file}.run();
}

}  // namespace torii::config
