#include "mgmt/cli/table.hpp"

#include <algorithm>
#include <cstdio>
#include <cstdlib>

namespace torii::cli {
namespace {

// Columns of a terminal, counting each code point as one; control characters in names
// that others choose must not reach the terminal.
std::string clean(std::string_view text) {
    std::string out;
    for (const char c : text) out += static_cast<unsigned char>(c) < 0x20 || c == 0x7f ? '?' : c;
    return out;
}

std::size_t columns_of(std::string_view text) {
    return static_cast<std::size_t>(std::ranges::count_if(
        text, [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; }));
}

std::string cut(const std::string& text, std::size_t width) {
    if (columns_of(text) <= width) return text;
    std::string out;
    std::size_t used = 0;
    for (const char c : text) {
        if ((static_cast<unsigned char>(c) & 0xc0) != 0x80 && ++used >= width) break;
        out += c;
    }
    return out + "~";
}

// How a state looks on a terminal; "" for words that are none.
std::string_view colour_of(std::string_view word) {
    constexpr std::string_view kGood[] = {"Established", "up", "reachable", "static"};
    constexpr std::string_view kBad[] = {"Idle", "Active", "Connect", "down", "failed", "dead"};
    if (std::ranges::find(kGood, word) != std::end(kGood)) return "\x1b[32m";
    if (std::ranges::find(kBad, word) != std::end(kBad)) return "\x1b[31m";
    return "";
}

}  // namespace

void Table::print(std::ostream& out, std::size_t width) const {
    // A width means a terminal; https://no-color.org.
    const bool colours = width > 0 && std::getenv("NO_COLOR") == nullptr;
    std::vector<std::size_t> widths;
    for (const auto& column : columns_) widths.push_back(columns_of(column.title));
    for (const auto& row : rows_)
        for (std::size_t i = 0; i < row.size() && i < widths.size(); ++i)
            widths[i] = std::max(widths[i], columns_of(row[i]));
    std::size_t total = 2 * (widths.size() - 1);
    for (const auto w : widths) total += w;
    for (bool shrinks = true; width > 0 && total > width && shrinks;) {
        std::size_t widest = widths.size();
        for (std::size_t i = 0; i < widths.size(); ++i)
            if (columns_[i].gives && widths[i] > 8 &&
                (widest == widths.size() || widths[i] > widths[widest]))
                widest = i;
        shrinks = widest != widths.size();
        if (shrinks) --widths[widest], --total;
    }
    const auto line = [&](auto cell_of) {
        std::string text;
        for (std::size_t i = 0; i < widths.size(); ++i) {
            const auto cell = cut(clean(cell_of(i)), widths[i]);
            const std::string room(widths[i] - std::min(widths[i], columns_of(cell)), ' ');
            if (i > 0) text += "  ";
            const auto colour = colours ? colour_of(cell) : "";
            const auto shown = colour.empty() ? cell : std::string{colour} + cell + "\x1b[0m";
            text += columns_[i].align == Align::Right ? room + shown : shown + room;
        }
        text.erase(text.find_last_not_of(' ') + 1);
        out << text << '\n';
    };
    line([&](std::size_t i) { return columns_[i].title; });
    for (const auto& row : rows_)
        line([&](std::size_t i) { return i < row.size() ? row[i] : std::string{}; });
}

std::string duration(std::int64_t seconds) {
    char text[32];
    if (seconds >= 86400)
        std::snprintf(text, sizeof text, "%lldd%02lldh", static_cast<long long>(seconds / 86400),
                      static_cast<long long>(seconds % 86400 / 3600));
    else if (seconds >= 3600)
        std::snprintf(text, sizeof text, "%lldh%02lldm", static_cast<long long>(seconds / 3600),
                      static_cast<long long>(seconds % 3600 / 60));
    else
        std::snprintf(text, sizeof text, "%02lld:%02lld", static_cast<long long>(seconds / 60),
                      static_cast<long long>(seconds % 60));
    return text;
}

std::string grouped(std::uint64_t number) {
    const auto digits = std::to_string(number);
    std::string out;
    for (std::size_t i = 0; i < digits.size(); ++i) {
        if (i > 0 && (digits.size() - i) % 3 == 0) out += ',';
        out += digits[i];
    }
    return out;
}

std::string abbreviated(std::uint64_t number) {
    constexpr const char* kUnits[] = {"", "k", "M", "G", "T", "P", "E"};
    auto value = static_cast<double>(number);
    std::size_t unit = 0;
    while (value >= 999.5 && unit < 6) value /= 1000, ++unit;
    char text[32];
    std::snprintf(text, sizeof text, unit > 0 && value < 9.95 ? "%.1f%s" : "%.0f%s", value,
                  kUnits[unit]);
    return text;
}

}  // namespace torii::cli
