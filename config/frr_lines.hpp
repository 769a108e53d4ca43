#pragma once

#include <charconv>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace torii::config {

// One line of an FRR file as words. Views into the text, which must outlive it.
class FrrWords {
public:
    FrrWords() = default;
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
    bool contains(std::string_view word, std::size_t from = 0) const {
        for (; from < words_.size(); ++from)
            if (words_[from] == word) return true;
        return false;
    }
    void drop(std::size_t n) {
        n = n < words_.size() ? n : words_.size();
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

// A line with its number and its text without what indents it.
struct FrrLine {
    unsigned number = 0;
    std::string_view text;
    FrrWords words;
};

}  // namespace torii::config
