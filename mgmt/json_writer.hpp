#pragma once

#include <charconv>
#include <concepts>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace torii::mgmt {

// Writes JSON to the end of a string. Text that is not UTF-8 (a peer's host
// name, say) comes out with U+FFFD for what cannot be read.
class JsonWriter {
public:
    explicit JsonWriter(std::string& out) : out_(out) {}

    JsonWriter& object() { return open('{'); }
    JsonWriter& array() { return open('['); }
    JsonWriter& end_object() { return close('}'); }
    JsonWriter& end_array() { return close(']'); }

    JsonWriter& key(std::string_view name) {
        comma();
        text(name);
        out_ += ':';
        fresh_ = true;
        return *this;
    }

    void value(std::string_view v) {
        comma();
        text(v);
    }
    void value(const char* v) { value(std::string_view{v}); }
    void value(bool v) {
        comma();
        out_ += v ? "true" : "false";
    }
    template <std::integral T>
    requires(!std::same_as<T, bool>) void value(T v) {
        comma();
        char digits[24];
        const auto end = std::to_chars(digits, digits + sizeof digits, v).ptr;
        out_.append(digits, end);
    }
    void value(double v);
    void null() {
        comma();
        out_ += "null";
    }

    template <class T>
    JsonWriter& member(std::string_view name, const T& v) {
        key(name);
        value(v);
        return *this;
    }
    template <class T>
    JsonWriter& member(std::string_view name, const std::optional<T>& v) {
        if (v) member(name, *v);
        return *this;
    }
    // Left out when empty: most rows have most texts empty.
    JsonWriter& member_if(std::string_view name, std::string_view v) {
        if (!v.empty()) member(name, v);
        return *this;
    }

private:
    JsonWriter& open(char c) {
        comma();
        out_ += c;
        fresh_ = true;
        return *this;
    }
    JsonWriter& close(char c) {
        out_ += c;
        fresh_ = false;
        return *this;
    }
    void comma() {
        if (!fresh_) out_ += ',';
        fresh_ = false;
    }
    void text(std::string_view v);

    std::string& out_;
    bool fresh_ = true;
};

}  // namespace torii::mgmt
