#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/address.hpp"

namespace torii::dataplane {

// Which member of a next-hop group owns which bucket, as a function of the set of members and
// their weights alone: the same on every gateway, whatever each of them lived through, so that
// a flow that reaches another gateway finds the same member.
//
// Each member ranks the buckets, and pairs of both are granted by their rank, as long as the
// bucket is free and the member has not much more than its share; what has less than its share
// then takes from what has enough. When a member leaves or joins, hardly more than its own share
// moves. Integers only: no two machines may differ.
class Assignment {
public:
    struct Member {
        std::uint64_t identity = 0;
        std::uint16_t weight = 1;  // 0: owns nothing, unless all have 0
    };
    static std::uint64_t identity_of(const IpAddress& address);

    // Buckets that are ranked apart; those of larger tables rank as the one that they continue
    // (b mod kBase), so that a table that grows keeps its flows.
    static constexpr std::uint32_t kBase = 4096, kLargest = 32768;

    // A power of two between the two: enough for shares within 5 % of what is fair, where no
    // member's is below twenty buckets.
    static std::uint32_t size_for(std::span<const Member> members);

    // For each bucket the index of its member. `members` is not empty.
    static std::vector<std::uint16_t> of(std::span<const Member> members, std::uint32_t size);
};

}  // namespace torii::dataplane
