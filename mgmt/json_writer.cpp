#include "mgmt/json_writer.hpp"

#include <algorithm>
#include <cmath>

namespace torii::mgmt {
namespace {

// Length of the well-formed UTF-8 sequence at the front, or 0 (RFC 3629 §4).
std::size_t utf8_length(std::string_view v) {
    const auto at = [&](std::size_t i) {
        return i < v.size() ? static_cast<unsigned char>(v[i]) : 0u;
    };
    const auto continues = [&](std::size_t i) { return (at(i) & 0xc0u) == 0x80u; };
    const unsigned first = at(0);
    if (first < 0x80) return 1;
    if (first >= 0xc2 && first <= 0xdf) return continues(1) ? 2 : 0;
    if (first >= 0xe0 && first <= 0xef) {
        const bool overlong = first == 0xe0 && at(1) < 0xa0;
        const bool surrogate = first == 0xed && at(1) > 0x9f;
        return continues(1) && continues(2) && !overlong && !surrogate ? 3 : 0;
    }
    if (first >= 0xf0 && first <= 0xf4) {
        const bool overlong = first == 0xf0 && at(1) < 0x90;
        const bool beyond = first == 0xf4 && at(1) > 0x8f;
        return continues(1) && continues(2) && continues(3) && !overlong && !beyond ? 4 : 0;
    }
    return 0;
}

}  // namespace

void JsonWriter::text(std::string_view v) {
    constexpr char kHex[] = "0123456789abcdef";
    static constexpr auto kPlain = [] {
        std::array<bool, 256> plain{};
        for (std::size_t c = 0; c < plain.size(); ++c) plain[c] = is_plain(static_cast<char>(c));
        return plain;
    }();
    // Nearly all text is plain: it is taken in runs, not byte by byte.
    const auto plain = [](char c) { return kPlain[static_cast<unsigned char>(c)]; };
    put('"');
    while (!v.empty()) {
        const auto run =
            static_cast<std::size_t>(std::find_if_not(v.begin(), v.end(), plain) - v.begin());
        put(v.substr(0, run));
        v.remove_prefix(run);
        if (v.empty()) break;
        const auto c = static_cast<unsigned char>(v[0]);
        const auto length = utf8_length(v);
        if (c == '"' || c == '\\') {
            put('\\');
            put(v[0]);
        } else if (c == '\n') {
            put("\\n");
        } else if (c == '\t') {
            put("\\t");
        } else if (c < 0x20 || c == 0x7f) {
            put("\\u00");
            put(kHex[c >> 4]);
            put(kHex[c & 15]);
        } else if (length == 0) {
            put("\xef\xbf\xbd");
        } else {
            put(v.substr(0, length));
        }
        v.remove_prefix(length == 0 ? 1 : length);
    }
    put('"');
}

void JsonWriter::value(double v) {
    if (!std::isfinite(v)) return null();
    comma();
    // Counters are whole; 1e+06 would be right but unfriendly.
    const bool whole = std::abs(v) < 1e15 && v == std::floor(v);
    number([&](char* first, char* last) {
        return whole ? std::to_chars(first, last, static_cast<std::int64_t>(v)).ptr
                     : std::to_chars(first, last, v).ptr;
    });
    ended();
}

}  // namespace torii::mgmt
