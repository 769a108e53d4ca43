#include "dataplane/fib/assignment.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <numeric>
#include <tuple>
#include <utility>

namespace torii::dataplane {
namespace {

constexpr std::uint32_t kBase = Assignment::kBase;
constexpr unsigned kBits = std::countr_zero(kBase);
constexpr std::uint64_t kLeast = 32;  // buckets of the lightest member, as far as there are

constexpr std::uint64_t mix(std::uint64_t x) {
    x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9ULL;
    x = (x ^ x >> 27) * 0x94d049bb133111ebULL;
    return x ^ x >> 31;
}

// -log2 of a number that stands for a fraction of 2^32, in steps of 2^-24: between powers of two a
// parabola, which is within a hundredth, and the same everywhere.
constexpr std::uint64_t minus_log(std::uint32_t fraction) {
    constexpr std::uint64_t kOne = 1 << 24;
    const std::uint32_t x = fraction | 1;
    const auto zeros = static_cast<unsigned>(std::countl_zero(x));
    const std::uint64_t linear = (std::uint64_t{x} << zeros & 0x7fffffff) >> 7;
    const auto bulge = (linear * (kOne - linear) >> 24) * 22'713 >> 16;
    return (zeros + 1) * kOne - linear - bulge;
}

// The order in which a member wants the base buckets: a permutation drawn by its identity. As
// each member has each place once, chance deals more evenly than by independent draws.
class Preference {
public:
    explicit Preference(std::uint64_t identity) {
        const auto drawn = mix(identity + 0x9e3779b97f4a7c15ULL);
        for (unsigned i = 0; i < kRounds; ++i) {
            times_[i] = static_cast<std::uint32_t>(drawn >> 20 * i) | 1;
            plus_[i] = static_cast<std::uint32_t>(drawn >> (20 * i + 9));
            over_[i] = times_[i];  // Newton's method: five bits of the inverse, ten, twenty
            for (int step = 0; step < 3; ++step) over_[i] *= 2 - times_[i] * over_[i];
        }
        shift_ = static_cast<std::uint32_t>(mix(drawn));
    }
    std::uint32_t place_of(std::uint32_t base) const {
        auto x = base;
        for (unsigned i = 0; i < kRounds; ++i) {
            x = (x * times_[i] + plus_[i]) & (kBase - 1);
            x ^= x >> kBits / 2;
        }
        return x;
    }
    std::uint32_t base_at(std::uint32_t place) const {
        auto x = place;
        for (unsigned i = kRounds; i-- > 0;) {
            x ^= x >> kBits / 2;
            x = (x - plus_[i]) * over_[i] & (kBase - 1);
        }
        return x;
    }
    // Grows with the place, and orders members that want different buckets at the same one.
    std::uint64_t rank(std::uint32_t place) const {
        auto within = (place + shift_) * 0x9e3779b9u;
        within = (within ^ within >> 15) * 0x85ebca6bu;
        return minus_log(~(place << (32 - kBits) | within >> kBits));
    }

private:
    static_assert(kBits % 2 == 0, "x ^ x >> kBits / 2 is its own inverse");
    static constexpr unsigned kRounds = 3;
    std::array<std::uint32_t, kRounds> times_, plus_, over_;
    std::uint32_t shift_;
};

struct Claim {
    std::uint64_t rank;  // the lower the better
    std::uint16_t member, base;
    friend bool operator<(const Claim& a, const Claim& b) {
        return a.rank != b.rank ? a.rank < b.rank
                                : std::tie(a.member, a.base) < std::tie(b.member, b.base);
    }
};

// Ranks lie about evenly between `from` and `to`: dealt into as many slots as there are claims,
// nearly all are in order.
void sort_claims(std::vector<Claim>& claims, std::vector<Claim>& sorted, std::uint64_t from,
                 std::uint64_t to) {
    const std::size_t slots = claims.size() + 1;
    const auto width = (to - from) / slots + 1;
    std::vector<std::uint32_t> slot(claims.size()), start(slots + 1, 0);
    for (std::size_t i = 0; i < claims.size(); ++i) {
        slot[i] = static_cast<std::uint32_t>(
            std::min<std::uint64_t>((claims[i].rank - from) / width, slots - 1));
        ++start[slot[i] + 1];
    }
    std::partial_sum(start.begin(), start.end(), start.begin());
    sorted.resize(claims.size());
    for (std::size_t i = 0; i < claims.size(); ++i) sorted[start[slot[i]]++] = claims[i];
    for (std::size_t i = 1; i < sorted.size(); ++i)
        for (auto j = i; j > 0 && sorted[j] < sorted[j - 1]; --j)
            std::swap(sorted[j], sorted[j - 1]);
    claims.swap(sorted);
}

// One computation. Members stand in the order of their identities.
class Dealer {
public:
    Dealer(std::span<const Assignment::Member> members, std::uint32_t size);

    std::vector<std::uint16_t> deal() {
        claim_free_buckets();
        fill_up_poor_members();
        for (auto& owner : owner_) owner = order_[owner];
        return std::move(owner_);
    }

private:
    void claim_free_buckets();
    void fill_up_poor_members();
    void take(const Claim& claim);

    std::uint64_t rank(std::uint32_t k, std::uint32_t place) const {
        const auto of_one = preference_[k].rank(place) << 16;
        return weight_[k] == 1 ? of_one : of_one / weight_[k];
    }
    // Calls f(bucket) for the buckets that continue a base bucket, in an order in which those
    // that continue the same bucket of a smaller table stand together.
    template <class F>
    void each_bucket(const Claim& claim, F&& f) const {
        const auto first = static_cast<std::uint32_t>(identity_[claim.member] >> 7) ^ claim.base;
        for (std::uint32_t i = 0; i < replicas_; ++i) {
            std::uint32_t reversed = 0;
            for (std::uint32_t bit = 1, left = i; bit < replicas_; bit <<= 1, left >>= 1)
                reversed = reversed << 1 | (left & 1);
            const auto which = reversed ^ (first & (replicas_ - 1));
            if (!f(claim.base + which * kBase)) return;
        }
    }

    static constexpr std::uint16_t kNone = 0xffff;

    std::uint32_t members_, replicas_;
    std::uint64_t weights_ = 0;
    std::vector<std::uint16_t> order_;  // indices into the caller's members
    std::vector<Preference> preference_;
    std::vector<std::uint64_t> identity_, weight_;
    std::vector<std::uint32_t> most_, least_, held_;
    std::vector<std::uint16_t> free_;  // by base: buckets that continue it and are free
    std::vector<std::uint16_t> owner_;
};

Dealer::Dealer(std::span<const Assignment::Member> members, std::uint32_t size)
    : members_(static_cast<std::uint32_t>(members.size())),
      replicas_(size / kBase),
      order_(members.size()),
      held_(members.size(), 0),
      free_(kBase, static_cast<std::uint16_t>(replicas_)),
      owner_(size, kNone) {
    std::iota(order_.begin(), order_.end(), std::uint16_t{0});
    std::ranges::sort(order_, {}, [&](std::uint16_t i) {
        return std::tuple{members[i].identity, members[i].weight, i};
    });
    std::uint64_t common = 0;
    for (const auto& m : members) common = std::gcd(common, std::uint64_t{m.weight});
    for (const auto i : order_) {
        preference_.emplace_back(members[i].identity);
        identity_.push_back(members[i].identity);
        weight_.push_back(members[i].weight / common);
        weights_ += weight_.back();
    }
    // How many buckets are too many and too few, in steps of 2^-16 bucket. Members round at
    // different points, so that not all of them give one away when the number of members grows.
    constexpr std::uint64_t kOne = 0x10000;
    for (std::uint32_t k = 0; k < members_; ++k) {
        const auto share = size * weight_[k] * kOne / weights_;
        const auto within = mix(identity_[k] ^ 0xd1b54a32d192ed03ULL) % kOne;
        std::uint64_t most = share + (kOne - 1), least = share;
        if (share >= 20 * kOne) {
            // By parts of the share that do not jump where the table grows.
            most = share * 105 / 100 + within -
                   std::max(kOne, std::min(replicas_ * kOne, share / kLeast));
            least = share * 95 / 100 - std::min(2 * replicas_ * kOne, share / 20) + within;
        }
        most_.push_back(static_cast<std::uint32_t>(most / kOne));
        least_.push_back(static_cast<std::uint32_t>(least / kOne));
    }
}

void Dealer::take(const Claim& claim) {
    auto& free = free_[claim.base];
    auto& held = held_[claim.member];
    if (free == 0 || held == most_[claim.member]) return;
    each_bucket(claim, [&](std::uint32_t bucket) {
        if (owner_[bucket] != kNone) return true;
        owner_[bucket] = claim.member;
        --free;
        return ++held != most_[claim.member] && free != 0;
    });
}

// In order of rank, a part of all claims at a time. In the end there are fewer pairs of a free
// bucket and a member with room than claims left.
void Dealer::claim_free_buckets() {
    std::vector<std::uint16_t> open(kBase), roomy(members_);
    std::vector<std::uint32_t> next(members_, 0);  // place
    std::iota(open.begin(), open.end(), std::uint16_t{0});
    std::iota(roomy.begin(), roomy.end(), std::uint16_t{0});
    std::vector<Claim> claims, sorted;
    std::uint64_t from = 0, to = (std::uint64_t{2} << 40) / weights_;
    for (bool in_pairs = false; !open.empty(); from = to + 1, to *= 2) {
        claims.clear();
        in_pairs = in_pairs || open.size() < kBase / 64;
        for (const auto k : roomy) {
            const auto add = [&](std::uint32_t place, std::uint32_t base) {
                const auto r = rank(k, place);
                if (r > to) return false;
                if (r >= from && free_[base] != 0)
                    claims.push_back({r, k, static_cast<std::uint16_t>(base)});
                return true;
            };
            if (in_pairs)
                for (const auto base : open) add(preference_[k].place_of(base), base);
            else
                while (next[k] < kBase && add(next[k], preference_[k].base_at(next[k]))) ++next[k];
        }
        sort_claims(claims, sorted, from, to);
        for (const auto& claim : claims) take(claim);
        std::erase_if(open, [&](std::uint16_t base) { return free_[base] == 0; });
        std::erase_if(roomy, [&](std::uint16_t k) { return held_[k] == most_[k]; });
    }
}

void Dealer::fill_up_poor_members() {
    std::vector<std::uint16_t> poor;
    const auto is_poor = [&](std::uint32_t k) { return held_[k] < least_[k]; };
    for (std::uint16_t k = 0; k < members_; ++k)
        if (is_poor(k)) poor.push_back(k);
    std::vector<Claim> claims;
    constexpr std::uint32_t kAtOnce = 8;
    for (std::uint32_t from = 0; !poor.empty() && from < kBase; from += kAtOnce) {
        claims.clear();
        for (const auto k : poor)
            for (auto place = from; place < from + kAtOnce; ++place)
                claims.push_back(
                    {rank(k, place), k, static_cast<std::uint16_t>(preference_[k].base_at(place))});
        std::sort(claims.begin(), claims.end());
        for (const auto& claim : claims)
            if (is_poor(claim.member))
                each_bucket(claim, [&](std::uint32_t bucket) {
                    auto& owner = owner_[bucket];
                    if (owner != claim.member && held_[owner] > least_[owner]) {
                        --held_[owner];
                        ++held_[claim.member];
                        owner = claim.member;
                    }
                    return is_poor(claim.member);
                });
        std::erase_if(poor, [&](std::uint16_t k) { return !is_poor(k); });
    }
}

}  // namespace

std::uint64_t Assignment::identity_of(const IpAddress& address) {
    std::uint64_t out = address.is_v4() ? 4 : 6;
    const auto bytes = address.bytes();
    for (std::size_t i = 0; i < address.size(); ++i) out = mix(out ^ bytes[i]) + i;
    return mix(out);
}

std::uint32_t Assignment::size_for(std::span<const Member> members) {
    std::uint64_t weights = 0, lightest = 0xffff, count = 0;
    for (const auto& m : members) {
        if (m.weight == 0) continue;
        weights += m.weight;
        lightest = std::min<std::uint64_t>(lightest, m.weight);
        ++count;
    }
    const auto units = count == 0 ? members.size() : weights / lightest;
    return static_cast<std::uint32_t>(
        std::clamp<std::uint64_t>(std::bit_ceil(units * kLeast), kBase, kLargest));
}

std::vector<std::uint16_t> Assignment::of(std::span<const Member> members, std::uint32_t size) {
    std::vector<Member> in_use;
    std::vector<std::uint16_t> index;
    for (std::uint16_t i = 0; i < members.size(); ++i)
        if (members[i].weight != 0) {
            in_use.push_back(members[i]);
            index.push_back(i);
        }
    if (in_use.empty())
        for (std::uint16_t i = 0; i < members.size(); ++i) {
            in_use.push_back({members[i].identity, 1});
            index.push_back(i);
        }
    auto owners = Dealer{in_use, size}.deal();
    for (auto& owner : owners) owner = index[owner];
    return owners;
}

}  // namespace torii::dataplane
