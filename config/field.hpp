#pragma once

#include <concepts>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <vector>

#include "config/codec.hpp"
#include "config/plan.hpp"

// How the table of keys (fields.hpp) is written and walked.
namespace torii::config {

// What is known of a key beside its name and type.
struct Facts {
    std::string_view doc;
    Cost cost = Cost::None;
    bool required = false;
    Limits limits{};
    bool secret = false;
    std::string_view unset{};  // what holds when nobody says anything, in words
};

// A key whose value is a member.
template <class Owner, class T>
struct Field {
    using Value = T;
    std::string_view key;
    T Owner::*member;
    Facts facts;
};

// A key that is written differently from how it is held: `set` returns a
// complaint, `get` nothing when the key would not be written.
template <class Owner, class T>
struct Projected {
    using Value = T;
    std::string_view key;
    std::optional<T> (*get)(const Owner&);
    Complaint (*set)(Owner&, const T&);
    Facts facts;
};

// The keys of a member stand among the owner's own.
template <class Owner, class T>
struct Embedded {
    T Owner::*member;
};

template <class Owner, class T>
constexpr Field<Owner, T> field(std::string_view key, T Owner::*member, Facts facts) {
    return {key, member, facts};
}
template <class Owner, class T>
constexpr Embedded<Owner, T> embedded(T Owner::*member) {
    return {member};
}

template <class Owner>
struct Fields;  // kAll: a tuple of the above

template <class T>
concept Block = requires {
    Fields<T>::kAll;
};
// A block whose value may stand alone, for its first key.
template <class T>
concept ShorthandBlock = Block<T> && requires {
    Fields<T>::kShorthand;
};
template <class T>
concept NamedBlock = Block<T> && requires(T t) {
    t.name;
} && !requires {
    Fields<T>::kNameIsKey;
};

template <class T>
inline constexpr bool kIsOptionalBlock = false;
template <Block T>
inline constexpr bool kIsOptionalBlock<std::optional<T>> = true;
template <class T>
inline constexpr bool kIsBlockList = false;
template <Block T>
inline constexpr bool kIsBlockList<std::vector<T>> = true;

// Calls visit(field) for every Field and Projected of Owner and of what is
// embedded in it; `visit(field, reach)` gets the way from an Owner to the
// object the field belongs to.
template <class Owner, class Visit>
constexpr void for_each_field(Visit&& visit) {
    std::apply(
        [&](const auto&... f) {
            const auto one = [&]<class F>(const F& entry) {
                if constexpr (requires { entry.key; }) {
                    visit(
                        entry, [](auto& owner) -> auto& { return owner; });
                } else {
                    const auto member = entry.member;
                    using T = std::remove_cvref_t<decltype(std::declval<Owner&>().*member)>;
                    for_each_field<T>([&](const auto& inner, auto reach) {
                        visit(
                            inner, [ member, reach ](auto& owner) -> auto& {
                                return reach(owner.*member);
                            });
                    });
                }
            };
            (one(f), ...);
        },
        Fields<Owner>::kAll);
}

}  // namespace torii::config
