#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "config/plan.hpp"
#include "config/value_text.hpp"

// The table of keys at run time: what the reader, the printer, the plan and the
// schema walk with ordinary loops. keys_*.cpp fill it; a key that is not in it does
// not exist. All of it is constant once made; any thread may read it.
namespace torii::config {

// What is known of a key beside its name and type.
struct Facts {
    std::string_view doc;
    Cost cost = Cost::None;
    bool required = false;
    Limits limits{};
    bool secret = false;
    std::string_view unset{};  // the effective value of an unset key, in words
};

// The operations on values of one C++ type, each behind a void*.
struct ValueType {
    enum class Shape : std::uint8_t { Plain, Optional, List };
    Shape shape = Shape::Plain;
    bool (*equal)(const void* a, const void* b);
    bool (*is_set)(const void* value);  // an optional with a value, a list that is not empty
    void (*assign)(void* to, const void* from);  // null for projected keys
    // Of blocks these are null: a block is read and written key by key.
    std::string (*words)();  // "number", "IP address"
    Complaint (*read)(const Node& node, void* value, const Limits& limits);
    std::string (*write)(const void* value);  // as a file has it; "" when unset
};

// Blocks held in an optional or a vector; an optional is a list of at most one.
struct NestType {
    std::size_t (*size)(const void* nest);
    const void* (*at)(const void* nest, std::size_t index);
    void* (*append)(void* nest);
};

struct KeyTable;

// One key of a block. `owner` points to the struct whose key it is.
struct KeyEntry {
    enum class Kind : std::uint8_t { Value, Block, OptionalBlock, BlockList, Embedded };

    std::string_view key{};
    Facts facts{};
    Kind kind = Kind::Value;
    const ValueType* value = nullptr;          // Value, OptionalBlock
    const NestType* nest = nullptr;            // OptionalBlock, BlockList
    const KeyTable& (*table)() = nullptr;      // of the block or blocks
    void* (*member)(void* owner) = nullptr;    // projected keys: the owner itself
    void* (*embedded)(void* owner) = nullptr;  // set: the key stands among those of an outer block

    void* in(void* owner) const { return member(embedded ? embedded(owner) : owner); }
    const void* in(const void* owner) const { return in(const_cast<void*>(owner)); }

    bool is_value() const { return kind == Kind::Value; }
    bool is_set(const void* owner) const { return value->is_set(in(owner)); }
    bool same(const void* a, const void* b) const { return value->equal(in(a), in(b)); }
    void copy(void* to, const void* from) const { value->assign(in(to), in(from)); }
    std::string write(const void* owner) const { return value->write(in(owner)); }
    Complaint read(const Node& node, void* owner) const {
        return value->read(node, in(owner), facts.limits);
    }
};

// The keys of one kind of block, in the order of the reference.
struct KeyTable {
    std::vector<KeyEntry> entries;   // embedded ones resolved
    const void* defaults = nullptr;  // a default-constructed block, for ever
    // A value may stand for the whole block: it is that of the first key.
    bool shorthand = false;
    std::string& (*name)(void* block) = nullptr;       // of a named block
    std::string (*line)(const void* block) = nullptr;  // the block in a line, for people

    bool is_named() const { return name != nullptr; }
    std::string name_of(const void* block) const {
        return name ? name(const_cast<void*>(block)) : "";
    }
};

}  // namespace torii::config
