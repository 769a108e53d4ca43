#pragma once

#include <cstdint>
#include <ostream>
#include <string>
#include <string_view>
#include <vector>

namespace torii::cli {

enum class Align : std::uint8_t { Left, Right };

struct Column {
    std::string title;
    Align align = Align::Left;
    bool gives = false;  // is cut when the terminal is too narrow
};

// Rows in columns as wide as they must be. With a width, the columns that give
// are cut until the table fits.
class Table {
public:
    explicit Table(std::vector<Column> columns) : columns_(std::move(columns)) {}
    void add(std::vector<std::string> cells) { rows_.push_back(std::move(cells)); }
    bool empty() const { return rows_.empty(); }
    void print(std::ostream& out, std::size_t width) const;

private:
    std::vector<Column> columns_;
    std::vector<std::vector<std::string>> rows_;
};

std::string duration(std::int64_t seconds);     // "3d04h", "1h01m", "00:42"
std::string grouped(std::uint64_t number);      // "1,234,567"
std::string abbreviated(std::uint64_t number);  // "1.2M"

}  // namespace torii::cli
