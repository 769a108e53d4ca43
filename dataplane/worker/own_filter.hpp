#pragma once

#include <cstdint>
#include <cstring>
#include <memory>

#include "base/address.hpp"

namespace torii::dataplane {

// Addresses of ours, in front of the question to the FIB: a packet from one of them did not
// come from us (RFC 1812 §5.3.8). One word of each is compared, or tested in a set of bits where
// there are many; what passes that is compared as a whole, so that a host whose address only looks
// as one of ours does costs itself a comparison. Immutable once published.
//
// Words are as they lie in a packet. Read by code of several instruction sets, hence in
// functions that are always inlined.
class OwnFilter {
public:
    static constexpr unsigned kExact = 8;

    struct Words {
        unsigned count = 0;  // of different ones
        std::uint32_t first[kExact] = {};
        std::uint64_t bits[256] = {};

        [[gnu::always_inline]] static std::uint32_t slot(std::uint32_t word) {
            return word * 0x9e3779b1u >> 18;
        }
        [[gnu::always_inline]] bool may_have(std::uint32_t word) const {
            const auto s = slot(word);
            return bits[s >> 6] >> (s & 63) & 1;
        }
    };
    Words ip4, ip6;

    // Of an IPv6 address: ::1 is a host of most networks, hence not the last word alone.
    [[gnu::always_inline]] static constexpr std::uint32_t word_of_ip6(std::uint32_t first,
                                                                      std::uint32_t second,
                                                                      std::uint32_t last) {
        return last ^ (second << 9 | second >> 23) ^ (first << 18 | first >> 14);
    }

    void add(const IpAddress& address) {
        const auto bytes = address.bytes();
        if (address.is_v4()) return add(address.v4());
        Key key;
        std::memcpy(&key, bytes.data(), 16);
        add(ip6, key,
            word_of_ip6(static_cast<std::uint32_t>(key.high),
                        static_cast<std::uint32_t>(key.high >> 32),
                        static_cast<std::uint32_t>(key.low >> 32)));
    }
    void add(std::uint32_t ip4_address) {
        const auto word = __builtin_bswap32(ip4_address);
        add(ip4, {kIp4, word}, word);
    }

    [[gnu::always_inline]] bool has4(std::uint32_t word) const { return find(kIp4, word); }
    // The two halves of an address.
    [[gnu::always_inline]] bool has6(std::uint64_t high, std::uint64_t low) const {
        return find(high, low);
    }

private:
    // No IPv6 address of ours begins so.
    static constexpr std::uint64_t kIp4 = ~std::uint64_t{0};

    struct Key {
        std::uint64_t high = 0, low = 0;  // both 0: none
    };

    [[gnu::always_inline]] static std::uint64_t hash(std::uint64_t high, std::uint64_t low) {
        return ((high * 0x9e3779b97f4a7c15ULL) ^ low) * 0xd6e8feb86659fd93ULL >> 32;
    }
    [[gnu::always_inline]] bool find(std::uint64_t high, std::uint64_t low) const {
        if (mask_ == 0) return false;
        for (auto at = hash(high, low) & mask_;; at = (at + 1) & mask_) {
            const Key& key = keys_.get()[at];
            if (key.high == high && key.low == low) return true;
            if (key.high == 0 && key.low == 0) return false;
        }
    }
    void add(Words& words, const Key& key, std::uint32_t word) {
        if (find(key.high, key.low)) return;
        if (!words.may_have(word) || !listed(words, word)) {
            if (words.count < kExact) words.first[words.count] = word;
            ++words.count;
        }
        const auto s = Words::slot(word);
        words.bits[s >> 6] |= std::uint64_t{1} << (s & 63);
        if (++used_ * 4 > mask_) grow();
        put(key);
    }
    static bool listed(const Words& words, std::uint32_t word) {
        for (unsigned i = 0; i < words.count && i < kExact; ++i)
            if (words.first[i] == word) return true;
        return false;
    }
    void put(const Key& key) {
        auto at = hash(key.high, key.low) & mask_;
        while (keys_[at].high != 0 || keys_[at].low != 0) at = (at + 1) & mask_;
        keys_[at] = key;
    }
    void grow() {
        const auto before = std::move(keys_);
        const auto size = mask_ == 0 ? 0 : mask_ + 1;
        mask_ = mask_ == 0 ? 63 : mask_ * 2 + 1;
        keys_ = std::make_unique<Key[]>(mask_ + 1);
        for (std::uint64_t i = 0; i < size; ++i)
            if (before[i].high != 0 || before[i].low != 0) put(before[i]);
    }

    std::unique_ptr<Key[]> keys_;
    std::uint64_t mask_ = 0, used_ = 0;
};

}  // namespace torii::dataplane
