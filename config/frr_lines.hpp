#pragma once

#include <charconv>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace torii::config {

// A name of FRR's as ours may be: letters, digits, - and _, a letter in front.
inline std::string frr_name(std::string_view name) {
    const auto is_letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); };
    std::string out;
    if (name.empty() || !is_letter(name.front())) out = "n";
    for (const char c : name) out += is_letter(c) || (c >= '0' && c <= '9') || c == '_' ? c : '-';
    return out;
}

// One line of an FRR file as words.
class FrrWords {
public:
    explicit FrrWords(std::string_view line) {
        while (!line.empty()) {
            const auto start = line.find_first_not_of(" \t\r");
            if (start == std::string_view::npos) break;
            line.remove_prefix(start);
            words_.push_back(line.substr(0, line.find_first_of(" \t\r")));
            line.remove_prefix(words_.back().size());
        }
    }
    bool empty() const { return words_.empty(); }
    std::size_t size() const { return words_.size(); }
    std::string_view operator[](std::size_t i) const {
        return i < words_.size() ? words_[i] : std::string_view{};
    }
    // True when the line begins with these words.
    template <class... W>
    bool begins(const W&... wanted) const {
        std::size_t i = 0;
        return (((*this)[i++] == std::string_view{wanted}) && ...);
    }
    void drop(std::size_t n) {
        words_.erase(words_.begin(), words_.begin() + static_cast<std::ptrdiff_t>(n));
    }
    std::string from(std::size_t i) const {
        std::string out;
        for (; i < words_.size(); ++i) out += (out.empty() ? "" : " ") + std::string{words_[i]};
        return out;
    }
    template <class T>
    std::optional<T> number(std::size_t i) const {
        T value{};
        const auto word = (*this)[i];
        const auto [rest, error] = std::from_chars(word.data(), word.data() + word.size(), value);
        if (word.empty() || error != std::errc{} || rest != word.data() + word.size())
            return std::nullopt;
        return value;
    }

private:
    std::vector<std::string_view> words_;
};

}  // namespace torii::config
