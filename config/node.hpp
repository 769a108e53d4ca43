#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace torii::config {

// A configuration file as written, before its meaning is checked.
// Keeps the rest of config/ free of libconfig++: its tree cannot be merged.
struct Node {
    enum class Kind : std::uint8_t { Group, List, Array, Integer, Float, Bool, String };
    Kind kind = Kind::Group;
    std::string name;  // "" for items of lists
    std::string file;
    unsigned line = 0;
    std::int64_t integer = 0;  // and bool
    double real = 0;
    std::string text;
    std::vector<Node> children;

    bool is_sequence() const { return kind == Kind::List || kind == Kind::Array; }
    bool is_scalar() const { return kind != Kind::Group && !is_sequence(); }
    const Node* find(std::string_view key) const {
        for (const Node& child : children)
            if (child.name == key) return &child;
        return nullptr;
    }
    Node* find(std::string_view key) {
        for (Node& child : children)
            if (child.name == key) return &child;
        return nullptr;
    }
};

constexpr std::string_view to_string(Node::Kind kind) {
    constexpr std::string_view kNames[] = {"a group { }", "a list ( )",         "a list [ ]",
                                           "a number",    "a decimal fraction", "true or false",
                                           "text"};
    return kNames[static_cast<std::size_t>(kind)];
}

}  // namespace torii::config
