#pragma once

#include <array>
#include <cassert>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace torii {

// Appends network-order fields to a buffer it does not own. Length fields that
// are known only afterwards are reserved with `mark` and filled with `patch`.
class ByteWriter {
public:
    explicit ByteWriter(std::vector<std::uint8_t>& out) noexcept : out_(out) {}

    void u8(std::uint8_t v) { out_.push_back(v); }
    void u16(std::uint16_t v) { number(v); }
    void u32(std::uint32_t v) { number(v); }
    void u64(std::uint64_t v) { number(v); }
    void bytes(std::span<const std::uint8_t> b) { out_.insert(out_.end(), b.begin(), b.end()); }
    void fill(std::size_t n, std::uint8_t v) { out_.insert(out_.end(), n, v); }

    std::size_t size() const { return out_.size(); }

    // Two bytes to be filled in later; the return value names them.
    std::size_t mark16() {
        u16(0);
        return out_.size() - 2;
    }
    void patch16(std::size_t at, std::size_t value) {
        assert(at + 2 <= out_.size() && value <= 0xffff);
        out_[at] = static_cast<std::uint8_t>(value >> 8);
        out_[at + 1] = static_cast<std::uint8_t>(value);
    }
    std::size_t mark8() {
        u8(0);
        return out_.size() - 1;
    }
    void patch8(std::size_t at, std::size_t value) {
        assert(at < out_.size() && value <= 0xff);
        out_[at] = static_cast<std::uint8_t>(value);
    }

private:
    template <std::unsigned_integral T>
    void number(T v) {
        std::array<std::uint8_t, sizeof v> network_order;
        for (std::size_t i = 0; i < sizeof v; ++i)
            network_order[i] = static_cast<std::uint8_t>(v >> (8 * (sizeof v - 1 - i)));
        bytes(network_order);
    }

    std::vector<std::uint8_t>& out_;
};

}  // namespace torii
