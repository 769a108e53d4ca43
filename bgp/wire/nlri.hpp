#pragma once

#include <array>
#include <cstdint>
#include <cstring>
#include <span>

#include "base/byte_writer.hpp"
#include "base/prefix.hpp"

// Lists of prefixes as UPDATE messages carry them (RFC 4271 §4.3, RFC 4760 §5,
// RFC 7911 §3). They are checked once and walked afterwards without checks.
namespace torii::bgp {

struct NlriList {
    std::span<const std::uint8_t> bytes;
    Family family = Family::Ip4;
    bool add_path = false;

    bool empty() const { return bytes.empty(); }
};

inline bool well_formed(const NlriList& list) {
    auto left = list.bytes;
    const std::size_t head = list.add_path ? 5 : 1;
    const std::size_t most = address_bits(list.family);
    while (!left.empty()) {
        if (left.size() < head) return false;
        const std::size_t bits = left[head - 1];
        const std::size_t size = head + (bits + 7) / 8;
        if (bits > most || left.size() < size) return false;
        left = left.subspan(size);
    }
    return true;
}

// Only for lists that are well formed. Bits beyond the length are cleared
// (RFC 4271 §4.3: their value is irrelevant).
template <class F>
void for_each_nlri(const NlriList& list, F&& use) {
    const std::uint8_t* at = list.bytes.data();
    const std::uint8_t* const end = at + list.bytes.size();
    while (at != end) {
        std::uint32_t path_id = 0;
        if (list.add_path) {
            for (int i = 0; i < 4; ++i) path_id = path_id << 8 | *at++;
        }
        const std::uint8_t bits = *at++;
        const std::size_t size = (bits + 7u) / 8;
        if (list.family == Family::Ip4) {
            std::uint32_t value = 0;
            if (end - at >= 4) {  // what is read too much is cleared with the host bits
                for (std::size_t i = 0; i < 4; ++i) value = value << 8 | at[i];
            } else {
                for (std::size_t i = 0; i < size; ++i)
                    value |= std::uint32_t{at[i]} << (24 - 8 * i);
            }
            use(Prefix{IpAddress::v4(value), bits}, path_id);
        } else {
            std::array<std::uint8_t, 16> bytes{};
            std::memcpy(bytes.data(), at, size);
            use(Prefix{IpAddress::v6(bytes), bits}, path_id);
        }
        at += size;
    }
}

inline void put_nlri(ByteWriter& out, const Prefix& prefix) {
    out.u8(prefix.length());
    out.bytes(std::span{prefix.address().bytes()}.first((prefix.length() + 7u) / 8));
}
inline void put_nlri(ByteWriter& out, const Prefix& prefix, std::uint32_t path_id) {
    out.u32(path_id);
    put_nlri(out, prefix);
}
inline std::size_t nlri_size(const Prefix& prefix, bool add_path) {
    return (add_path ? 5u : 1u) + (prefix.length() + 7u) / 8;
}

}  // namespace torii::bgp
