#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <span>

namespace torii {

// Reads network-order fields off the front of a byte view it does not own.
//
// Failure is sticky: reading past the end yields zeros and clears ok() for
// good. A decoder therefore reads a whole structure in a straight line and asks
// ok() once, at the point where the answer decides something.
class ByteReader {
public:
    constexpr explicit ByteReader(std::span<const std::uint8_t> bytes) noexcept : left_(bytes) {}

    constexpr std::uint8_t u8() noexcept { return number<std::uint8_t>(); }
    constexpr std::uint16_t u16() noexcept { return number<std::uint16_t>(); }
    constexpr std::uint32_t u32() noexcept { return number<std::uint32_t>(); }
    constexpr std::uint64_t u64() noexcept { return number<std::uint64_t>(); }

    // A reader over the next n bytes alone: what is inside it cannot read past it.
    constexpr ByteReader take(std::size_t n) noexcept {
        ByteReader part{bytes(n)};
        part.ok_ = ok_;
        return part;
    }

    constexpr std::span<const std::uint8_t> bytes(std::size_t n) noexcept {
        if (n > left_.size()) {
            ok_ = false;
            left_ = {};
            return {};
        }
        const auto front = left_.first(n);
        left_ = left_.subspan(n);
        return front;
    }

    constexpr std::span<const std::uint8_t> rest() const noexcept { return left_; }
    constexpr std::size_t size() const noexcept { return left_.size(); }
    constexpr bool empty() const noexcept { return left_.empty(); }
    constexpr bool ok() const noexcept { return ok_; }
    constexpr bool done() const noexcept { return ok_ && left_.empty(); }

private:
    template <std::unsigned_integral T>
    constexpr T number() noexcept {
        T value = 0;
        for (const std::uint8_t byte : bytes(sizeof(T)))
            value = static_cast<T>((static_cast<std::uint64_t>(value) << 8) | byte);
        return value;
    }

    std::span<const std::uint8_t> left_;
    bool ok_ = true;
};

}  // namespace torii
