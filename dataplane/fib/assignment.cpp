#include "dataplane/fib/assignment.hpp"

#include <algorithm>
#include <bit>
#include <numeric>
#include <optional>
#include <queue>

namespace torii::dataplane {
namespace {

constexpr std::uint64_t mix(std::uint64_t x) {
    x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9ULL;
    x = (x ^ x >> 27) * 0x94d049bb133111ebULL;
    return x ^ x >> 31;
}

// -log2 of a number that stands for a fraction of 2^32, in steps of 2^-24: linear between powers
// of two, which is near enough, and the same everywhere.
constexpr std::uint64_t minus_log(std::uint32_t fraction) {
    const std::uint32_t x = fraction | 1;
    const auto zeros = static_cast<unsigned>(std::countl_zero(x));
    const std::uint64_t mantissa = (std::uint64_t{x} << zeros & 0x7fffffff) >> 7;
    return (std::uint64_t{zeros + 1} << 24) - mantissa;
}

std::uint64_t weight_of(const Assignment::Member& m) {
    return std::max<std::uint16_t>(m.weight, 1);
}

struct Choice {
    std::uint64_t rank;
    std::uint16_t member;
    friend bool operator<(const Choice& a, const Choice& b) {
        return a.rank != b.rank ? a.rank < b.rank : a.member < b.member;
    }
};

struct Claim {
    std::uint64_t rank;  // the lower the better
    std::uint32_t bucket;
    friend bool operator<(const Claim& a, const Claim& b) {
        return a.rank != b.rank ? a.rank < b.rank : a.bucket < b.bucket;
    }
};

}  // namespace

std::uint64_t Assignment::identity_of(const IpAddress& address) {
    std::uint64_t out = address.is_v4() ? 4 : 6;
    const auto bytes = address.bytes();
    for (std::size_t i = 0; i < address.size(); ++i) out = mix(out ^ bytes[i]) + i;
    return mix(out);
}

std::uint32_t Assignment::size_for(std::span<const Member> members) {
    std::uint64_t weights = 0, lightest = 0xffff;
    for (const auto& m : members) {
        weights += weight_of(m);
        lightest = std::min(lightest, weight_of(m));
    }
    const auto units = std::max<std::uint64_t>(weights / lightest, members.size());
    constexpr std::uint64_t kBucketsPerUnit = 20;
    return static_cast<std::uint32_t>(
        std::clamp<std::uint64_t>(std::bit_ceil(units * kBucketsPerUnit), kBase, 16384));
}

std::vector<std::uint16_t> Assignment::of(std::span<const Member> members, std::uint32_t size) {
    const auto n = static_cast<std::uint32_t>(members.size());
    std::uint64_t weights = 0;
    for (const auto& m : members) weights += weight_of(m);
    // Shares that add up to the table; what is left over goes by the members' own numbers.
    std::vector<std::uint32_t> room(n), order(n);
    std::uint32_t left = size;
    for (std::uint32_t i = 0; i < n; ++i) {
        room[i] = static_cast<std::uint32_t>(size * weight_of(members[i]) / weights);
        left -= room[i];
    }
    std::iota(order.begin(), order.end(), 0);
    std::ranges::sort(order, {}, [&](std::uint32_t i) {
        return std::pair{members[i].identity, i};
    });
    for (std::uint32_t i = 0; i < left; ++i) ++room[order[i]];

    const std::uint32_t bases = std::min(size, kBase);
    const auto rank = [&](std::uint32_t base, std::uint32_t i) {
        const auto drawn = mix(members[i].identity ^ (base + 1) * 0x9e3779b97f4a7c15ULL);
        return Choice{
            (minus_log(static_cast<std::uint32_t>(drawn >> 32)) << 16) / weight_of(members[i]),
            static_cast<std::uint16_t>(i)};
    };
    // Of each base bucket the members in its order, as far as they were asked for: most are
    // content with the first one.
    std::vector<std::vector<Choice>> choices(bases);
    std::vector<std::uint32_t> sorted(bases);
    std::vector<std::optional<Choice>> first(bases);
    const auto choice = [&](std::uint32_t base, std::uint32_t place) -> Choice {
        constexpr std::uint32_t kAtOnce = 8;
        auto& all = choices[base];
        if (place == 0) {
            auto& best = first[base];
            if (best) return *best;
            best = rank(base, 0);
            for (std::uint32_t i = 1; i < n; ++i) best = std::min(*best, rank(base, i));
            return *best;
        }
        if (all.empty()) {
            all.reserve(n);
            for (std::uint32_t i = 0; i < n; ++i) all.push_back(rank(base, i));
        }
        if (place >= sorted[base]) {
            const auto from = all.begin() + sorted[base];
            sorted[base] = std::min(n, place + kAtOnce);
            std::partial_sort(from, all.begin() + sorted[base], all.end());
        }
        return all[place];
    };

    std::vector<std::priority_queue<Claim>> held(n);
    std::vector<std::uint32_t> next(size, 0);  // the place of its next choice
    std::vector<std::uint32_t> asking(size);
    std::iota(asking.begin(), asking.end(), 0);
    std::vector<std::uint16_t> owner(size, 0);
    while (!asking.empty()) {
        const auto bucket = asking.back();
        asking.pop_back();
        const auto wanted = choice(bucket & (bases - 1), next[bucket]++);
        const auto i = wanted.member;
        // Buckets that continue the same one differ by a little.
        const auto claim =
            (wanted.rank & ~std::uint64_t{0xffff}) | (mix(members[i].identity + bucket) & 0xffff);
        auto& mine = held[i];
        mine.push({claim, bucket});
        owner[bucket] = i;
        if (mine.size() > room[i]) {
            asking.push_back(mine.top().bucket);
            mine.pop();
        }
    }
    return owner;
}

}  // namespace torii::dataplane
