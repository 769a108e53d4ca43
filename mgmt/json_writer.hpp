#pragma once

#include <array>
#include <charconv>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>

namespace torii::mgmt {

// Writes JSON to the end of a string, which has it when the outermost value is
// complete: a million rows are written a few octets at a time, and a string's
// bookkeeping for each would be half of the work. Text that is not UTF-8 (a
// peer's host name, for example) is written with U+FFFD for what cannot be read.
class JsonWriter {
public:
    explicit JsonWriter(std::string& out) : out_(out) {}
    JsonWriter(const JsonWriter&) = delete;
    JsonWriter& operator=(const JsonWriter&) = delete;

    JsonWriter& object() { return open('{'); }
    JsonWriter& array() { return open('['); }
    JsonWriter& end_object() { return close('}'); }
    JsonWriter& end_array() { return close(']'); }

    // The name of a member. Nearly all are written in our own code, and the compiler sees
    // that those need no escape.
    class Name {
    public:
        template <std::size_t N>
        consteval Name(const char (&literal)[N]) : text_(literal, N - 1), plain_(true) {
            for (const char c : text_)
                if (!is_plain(c)) throw "a name that needs an escape";
        }
        template <class T>
        requires(!std::is_array_v<T> && std::convertible_to<const T&, std::string_view>)
            Name(const T& text)
            : text_(text) {}

    private:
        friend class JsonWriter;
        std::string_view text_;
        bool plain_ = false;
    };

    JsonWriter& key(Name name) {
        comma();
        if (name.plain_) {
            put('"');
            put(name.text_);
            put('"');
        } else {
            text(name.text_);
        }
        put(':');
        fresh_ = true;
        return *this;
    }

    void value(std::string_view v) {
        comma();
        text(v);
        ended();
    }
    void value(const char* v) { value(std::string_view{v}); }
    void value(bool v) {
        comma();
        put(v ? std::string_view{"true"} : std::string_view{"false"});
        ended();
    }
    template <std::integral T>
    requires(!std::same_as<T, bool>) void value(T v) {
        comma();
        number([v](char* first, char* last) { return std::to_chars(first, last, v).ptr; });
        ended();
    }
    void value(double v);
    void null() {
        comma();
        put("null");
        ended();
    }

    template <class T>
    JsonWriter& member(Name name, const T& v) {
        key(name);
        value(v);
        return *this;
    }
    template <class T>
    JsonWriter& member(Name name, const std::optional<T>& v) {
        if (v) member(name, *v);
        return *this;
    }
    // Left out when empty: most rows have most texts empty.
    JsonWriter& member_if(Name name, std::string_view v) {
        if (!v.empty()) member(name, v);
        return *this;
    }

private:
    JsonWriter& open(char c) {
        comma();
        put(c);
        fresh_ = true;
        ++depth_;
        return *this;
    }
    JsonWriter& close(char c) {
        put(c);
        fresh_ = false;
        --depth_;
        ended();
        return *this;
    }
    void comma() {
        if (!fresh_) put(',');
        fresh_ = false;
    }
    void ended() {
        if (depth_ == 0) flush();
    }

    void put(char c) {
        if (used_ == buffer_.size()) flush();
        buffer_[used_++] = c;
    }
    void put(std::string_view v) {
        if (v.size() > buffer_.size() - used_) flush();
        if (v.size() > buffer_.size()) {
            out_ += v;
            return;
        }
        std::memcpy(buffer_.data() + used_, v.data(), v.size());
        used_ += v.size();
    }
    // Digits, written in place by a callable of to_chars' kind.
    template <class Print>
    void number(Print print) {
        constexpr std::size_t kLongest = 40;
        if (buffer_.size() - used_ < kLongest) flush();
        char* const first = buffer_.data() + used_;
        used_ += static_cast<std::size_t>(print(first, first + kLongest) - first);
    }
    void flush() {
        out_.append(buffer_.data(), used_);
        used_ = 0;
    }
    void text(std::string_view v);

    static constexpr bool is_plain(char c) {
        return c >= 0x20 && c < 0x7f && c != '"' && c != '\\';
    }

    std::string& out_;
    std::size_t used_ = 0;
    unsigned depth_ = 0;
    bool fresh_ = true;
    std::array<char, 512> buffer_;
};

}  // namespace torii::mgmt
