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
// Each bucket ranks the members by a hash of both (highest random weight), each member has room
// for its share, and the stable matching of the two is unique. When a member leaves or joins,
// hardly more than its own share moves. Integers only: no two machines may differ.
class Assignment {
public:
    struct Member {
        std::uint64_t identity = 0;
        std::uint16_t weight = 1;  // 0 counts as 1
    };
    static std::uint64_t identity_of(const IpAddress& address);

    // Buckets whose ranks are drawn apart; those of larger tables rank as the one that they
    // continue (b mod kBase), so that a table that grows keeps its flows.
    static constexpr std::uint32_t kBase = 1024;

    // A power of two: enough for shares within 5 % of what is fair, 16,384 at most.
    static std::uint32_t size_for(std::span<const Member> members);

    // For each bucket the index of its member. `members` is not empty.
    static std::vector<std::uint16_t> of(std::span<const Member> members, std::uint32_t size);
};

}  // namespace torii::dataplane
