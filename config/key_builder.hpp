#pragma once

#include <initializer_list>
#include <optional>
#include <type_traits>

#include "config/codec.hpp"
#include "config/keys.hpp"

// From members of the model to entries of the key table. Included by keys_*.cpp alone.
namespace torii::config {

template <class T>
concept Block = requires {
    keys(Of<T>{});
};

template <class T>
inline constexpr auto kShape = ValueType::Shape::Plain;
template <class T>
inline constexpr auto kShape<std::optional<T>> = ValueType::Shape::Optional;
template <class T>
inline constexpr auto kShape<std::vector<T>> = ValueType::Shape::List;

// A ValueType's operations on a T.
template <class T>
struct ValuesOf {
    static bool equal(const void* a, const void* b) {
        return *static_cast<const T*>(a) == *static_cast<const T*>(b);
    }
    static bool is_set(const void* value) {
        if constexpr (kShape<T> == ValueType::Shape::Optional)
            return static_cast<const T*>(value)->has_value();
        else if constexpr (kShape<T> == ValueType::Shape::List)
            return !static_cast<const T*>(value)->empty();
        else
            return true;
    }
    static void assign(void* to, const void* from) {
        *static_cast<T*>(to) = *static_cast<const T*>(from);
    }
    static Complaint read(const Node& node, void* value, const Limits& limits) {
        return Codec<T>::read(node, *static_cast<T*>(value), limits);
    }
    static std::string write(const void* value) {
        return Codec<T>::write(*static_cast<const T*>(value));
    }
};

template <class T>
inline constexpr ValueType kValueType{kShape<T>,           ValuesOf<T>::equal, ValuesOf<T>::is_set,
                                      ValuesOf<T>::assign, Codec<T>::type,     ValuesOf<T>::read,
                                      ValuesOf<T>::write};
template <class T>
inline constexpr ValueType kBlockValueType{
    kShape<T>, ValuesOf<T>::equal, ValuesOf<T>::is_set, ValuesOf<T>::assign, nullptr, nullptr,
    nullptr};

template <class T>
inline constexpr NestType kNestType{
    [](const void* nest) { return static_cast<const T*>(nest)->size(); },
    [](const void* nest, std::size_t index) -> const void* {
        return &(*static_cast<const T*>(nest))[index];
    },
    [](void* nest) -> void* { return &static_cast<T*>(nest)->emplace_back(); }};
template <class T>
inline constexpr NestType kNestType<std::optional<T>>{
    [](const void* nest) {
        return std::size_t{static_cast<const std::optional<T>*>(nest)->has_value()};
    },
    [](const void* nest, std::size_t) -> const void* {
        return &**static_cast<const std::optional<T>*>(nest);
    },
    [](void* nest) -> void* { return &static_cast<std::optional<T>*>(nest)->emplace(); }};

template <auto kMember>
struct MemberOf;
template <class Owner, class T, T Owner::*kMember>
struct MemberOf<kMember> {
    using Value = T;
    static void* at(void* owner) { return &(static_cast<Owner*>(owner)->*kMember); }
};

template <class T>
struct Inner {};
template <class T>
struct Inner<std::optional<T>> {
    using Type = T;
};
template <class T>
struct Inner<std::vector<T>> {
    using Type = T;
};
template <class T>
concept NestOfBlocks = Block<typename Inner<T>::Type>;

// A key whose value is a member.
template <auto kMember>
constexpr KeyEntry field(std::string_view key, Facts facts) {
    using T = typename MemberOf<kMember>::Value;
    KeyEntry entry{.key = key, .facts = facts, .member = MemberOf<kMember>::at};
    if constexpr (Block<T>) {
        entry.kind = KeyEntry::Kind::Block;
        entry.table = keys_of<T>;
    } else if constexpr (NestOfBlocks<T>) {
        entry.nest = &kNestType<T>;
        entry.table = keys_of<typename Inner<T>::Type>;
        entry.kind = KeyEntry::Kind::BlockList;
        if constexpr (kShape<T> == ValueType::Shape::Optional) {
            entry.kind = KeyEntry::Kind::OptionalBlock;
            entry.value = &kBlockValueType<T>;
        }
    } else {
        entry.value = &kValueType<T>;
    }
    return entry;
}

// A key that is written differently from how it is held: `kSet` returns a complaint,
// `kGet` nothing when the key would not be written.
template <auto kGet, auto kSet>
struct Projected;
template <class Owner, class T, std::optional<T> (*kGet)(const Owner&),
          Complaint (*kSet)(Owner&, const T&)>
struct Projected<kGet, kSet> {
    static bool equal(const void* a, const void* b) {
        return kGet(*static_cast<const Owner*>(a)) == kGet(*static_cast<const Owner*>(b));
    }
    static bool is_set(const void* owner) {
        return kGet(*static_cast<const Owner*>(owner)).has_value();
    }
    static Complaint read(const Node& node, void* owner, const Limits& limits) {
        T parsed{};
        auto complaint = Codec<T>::read(node, parsed, limits);
        return complaint.any() ? complaint : kSet(*static_cast<Owner*>(owner), parsed);
    }
    static std::string write(const void* owner) {
        const auto value = kGet(*static_cast<const Owner*>(owner));
        return value ? Codec<T>::write(*value) : "";
    }
    static constexpr ValueType kType{ValueType::Shape::Plain, equal, is_set, nullptr,
                                     Codec<T>::type,          read,  write};
};

template <auto kGet, auto kSet>
constexpr KeyEntry projected(std::string_view key, Facts facts) {
    return {.key = key,
            .facts = facts,
            .value = &Projected<kGet, kSet>::kType,
            .member = [](void* owner) { return owner; }};
}

// The keys of a member stand among the owner's own.
template <auto kMember>
constexpr KeyEntry embedded() {
    return {.kind = KeyEntry::Kind::Embedded,
            .table = keys_of<typename MemberOf<kMember>::Value>,
            .embedded = MemberOf<kMember>::at};
}

// The keys of T, given as an array of entries.
template <class T>
KeyTable block(std::span<const KeyEntry> entries) {
    static const T defaults{};
    KeyTable out;
    out.defaults = &defaults;
    for (const KeyEntry& entry : entries) {
        if (entry.kind != KeyEntry::Kind::Embedded) {
            out.entries.push_back(entry);
            continue;
        }
        for (KeyEntry inner : entry.table().entries) {
            inner.embedded = entry.embedded;
            out.entries.push_back(inner);
        }
    }
    return out;
}
// The name of such a block stands in front of it.
template <class T>
KeyTable named_block(std::span<const KeyEntry> entries) {
    auto out = block<T>(entries);
    out.name = [](void* block) -> std::string& { return static_cast<T*>(block)->name; };
    return out;
}
inline KeyTable with_shorthand(KeyTable table) {
    table.shorthand = true;
    return table;
}

}  // namespace torii::config
