#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

// Answers of the API as values, for commands that show them. Boost.JSON parses,
// in json.cpp alone.
namespace torii::cli {

struct Json {
    enum class Kind : std::uint8_t { Null, Flag, Number, Text, List, Object };

    Kind kind = Kind::Null;
    bool flag = false;
    double real = 0;         // of a number
    std::int64_t whole = 0;  // the same, where it is one
    std::string text;
    std::vector<Json> items;  // of a list, or the members of an object
    std::string name;         // of a member
};

std::optional<Json> parse_json(std::string_view text);
std::string to_text(const Json& value);

// Of an object's members. What is missing or of another kind reads as "", 0,
// false or an empty list.
const Json* find(const Json& row, std::string_view key);
std::string text(const Json& row, std::string_view key);
std::int64_t number(const Json& row, std::string_view key);
double real(const Json& row, std::string_view key);
bool flag(const Json& row, std::string_view key);
const std::vector<Json>& list(const Json& row, std::string_view key);
std::string words(const Json& row, std::string_view key);  // a list of texts, joined

}  // namespace torii::cli
