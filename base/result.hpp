#pragma once

#include <cassert>
#include <utility>
#include <variant>

namespace torii {

// The failure side of a Result, so that a value type that converts from the
// error type is never ambiguous: `return Failure{error};`
template <class E>
struct Failure {
    E error;
};
template <class E>
Failure(E) -> Failure<E>;

// A value, or the reason there is none. Member names follow std::expected,
// which shall replace it once the compilers have it.
template <class T, class E>
class [[nodiscard]] Result {
public:
    Result(T value) : content_(std::in_place_index<0>, std::move(value)) {}
    template <class F>
    Result(Failure<F> failure) : content_(std::in_place_index<1>, std::move(failure.error)) {}

    bool has_value() const { return content_.index() == 0; }
    explicit operator bool() const { return has_value(); }

    T& value() & {
        assert(has_value());
        return *std::get_if<0>(&content_);
    }
    const T& value() const& {
        assert(has_value());
        return *std::get_if<0>(&content_);
    }
    T&& value() && {
        assert(has_value());
        return std::move(*std::get_if<0>(&content_));
    }
    T& operator*() & { return value(); }
    const T& operator*() const& { return value(); }
    T&& operator*() && { return std::move(*this).value(); }
    T* operator->() { return &value(); }
    const T* operator->() const { return &value(); }

    E& error() {
        assert(!has_value());
        return *std::get_if<1>(&content_);
    }
    const E& error() const {
        assert(!has_value());
        return *std::get_if<1>(&content_);
    }
    T value_or(T other) const { return has_value() ? value() : std::move(other); }

private:
    std::variant<T, E> content_;
};

// The same where success carries nothing.
template <class E>
class [[nodiscard]] Result<void, E> {
public:
    Result() = default;
    template <class F>
    Result(Failure<F> failure) : error_(std::in_place_index<1>, std::move(failure.error)) {}

    bool has_value() const { return error_.index() == 0; }
    explicit operator bool() const { return has_value(); }
    const E& error() const {
        assert(!has_value());
        return *std::get_if<1>(&error_);
    }

private:
    std::variant<std::monostate, E> error_;
};

}  // namespace torii
