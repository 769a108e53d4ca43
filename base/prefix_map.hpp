#pragma once

#include <array>
#include <bit>
#include <compare>
#include <cstdint>
#include <cstring>
#include <optional>
#include <utility>

#include "base/burst_trie.hpp"
#include "base/prefix.hpp"

namespace torii {

namespace detail {

struct Key4 {
    static constexpr std::size_t size = 4;
    std::uint32_t value;

    static Key4 of(const IpAddress& a) { return {a.v4()}; }
    IpAddress address() const { return IpAddress::v4(value); }
    std::uint8_t byte(std::size_t i) const {
        return static_cast<std::uint8_t>(value >> (24 - 8 * i));
    }
    bool prefix_contains(std::uint8_t length, const Key4& other) const {
        return length == 0 || (value ^ other.value) >> (32 - length) == 0;
    }
    friend auto operator<=>(const Key4&, const Key4&) = default;
};

struct Key16 {
    static constexpr std::size_t size = 16;
    std::uint64_t high, low;

    static Key16 of(const IpAddress& a) {
        return {load(a.bytes().data()), load(a.bytes().data() + 8)};
    }
    IpAddress address() const {
        std::array<std::uint8_t, 16> bytes;
        for (std::size_t i = 0; i < 16; ++i) bytes[i] = byte(i);
        return IpAddress::v6(bytes);
    }
    std::uint8_t byte(std::size_t i) const {
        return static_cast<std::uint8_t>(i < 8 ? high >> (56 - 8 * i) : low >> (120 - 8 * i));
    }
    bool prefix_contains(std::uint8_t length, const Key16& other) const {
        if (length <= 64) return length == 0 || (high ^ other.high) >> (64 - length) == 0;
        return high == other.high && (low ^ other.low) >> (128 - length) == 0;
    }
    friend auto operator<=>(const Key16&, const Key16&) = default;

private:
    static std::uint64_t load(const std::uint8_t* at) {
        std::uint64_t word;
        std::memcpy(&word, at, sizeof word);
        return std::endian::native == std::endian::little ? __builtin_bswap64(word) : word;
    }
};

}  // namespace detail

// A map from prefixes to small values, kept in the order of Prefix: exact,
// longest-match, subtree and cursor-wise access in a few cache misses, at about
// 16 bytes an IPv4 entry in large tables. Not for use by two threads at once.
//
// Pointers to values hold until the next insertion or removal. Visitors return
// true to go on; they may change values, not the map.
template <class V>
class PrefixMap {
public:
    std::size_t size() const { return four_.size() + six_.size(); }
    std::size_t size(Family family) const {
        return family == Family::Ip4 ? four_.size() : six_.size();
    }
    bool empty() const { return size() == 0; }
    void clear() {
        four_.clear();
        six_.clear();
    }

    V* find(const Prefix& p) const {
        return with(p, [&](auto& trie, const auto& key) -> V* {
            auto* entry = trie.find(key, p.length());
            return entry != nullptr ? &entry->value : nullptr;
        });
    }

    // The value stored at the prefix, and whether this call put it there.
    std::pair<V*, bool> try_emplace(const Prefix& p, const V& value) {
        return with(p, [&](auto& trie, const auto& key) -> std::pair<V*, bool> {
            const auto [entry, fresh] = trie.try_emplace(key, p.length(), value);
            return {&entry->value, fresh};
        });
    }

    bool erase(const Prefix& p) {
        return with(p, [&](auto& trie, const auto& key) { return trie.erase(key, p.length()); });
    }

    std::optional<std::pair<Prefix, V*>> longest_match(const IpAddress& address) const {
        return with(
            Prefix::host(address),
            [](auto& trie, const auto& key) -> std::optional<std::pair<Prefix, V*>> {
                auto* entry = trie.longest_match(key);
                if (entry == nullptr) return std::nullopt;
                return std::pair{Prefix{entry->key.address(), entry->length}, &entry->value};
            });
    }

    // All entries from `first` on, in order; IPv4 goes before IPv6.
    template <class F>
    void walk_from(const Prefix& first, F&& visit) const {
        auto each = [&](auto& e) { return visit(Prefix{e.key.address(), e.length}, e.value); };
        if (first.family() == Family::Ip4) {
            if (!four_.walk_from(detail::Key4::of(first.address()), first.length(), each)) return;
            six_.walk_from(detail::Key16{}, 0, each);
        } else {
            six_.walk_from(detail::Key16::of(first.address()), first.length(), each);
        }
    }
    template <class F>
    void walk(F&& visit) const {
        walk_from(Prefix{}, std::forward<F>(visit));
    }

    // The prefix itself and all inside it, in order.
    template <class F>
    void walk_within(const Prefix& p, F&& visit) const {
        with(p, [&](auto& trie, const auto& key) {
            return trie.walk_within(key, p.length(), [&](auto& e) {
                const Prefix at{e.key.address(), e.length};
                return p.contains(at) && visit(at, e.value);
            });
        });
    }

    // All that contain the prefix, itself included, shortest first.
    template <class F>
    void walk_covering(const Prefix& p, F&& visit) const {
        with(p, [&](auto& trie, const auto& key) {
            return trie.walk_covering(key, p.length(), [&](auto& e) {
                return visit(Prefix{e.key.address(), e.length}, e.value);
            });
        });
    }

private:
    template <class F>
    auto with(const Prefix& p, F&& use) const {
        return p.family() == Family::Ip4 ? use(four_, detail::Key4::of(p.address()))
                                         : use(six_, detail::Key16::of(p.address()));
    }
    template <class F>
    auto with(const Prefix& p, F&& use) {
        return p.family() == Family::Ip4 ? use(four_, detail::Key4::of(p.address()))
                                         : use(six_, detail::Key16::of(p.address()));
    }

    detail::BurstTrie<detail::Key4, V> four_;
    detail::BurstTrie<detail::Key16, V> six_;
};

}  // namespace torii
