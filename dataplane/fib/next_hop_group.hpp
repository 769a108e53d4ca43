#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "dataplane/fib/bucket_table.hpp"

namespace torii::dataplane {

// Which member owns which bucket of a next-hop group, so that flows stay where
// they are: a member that leaves gives away its own buckets alone, a member that
// joins takes only buckets without recent traffic. Pure: names members by their
// hop, time by the workers' epoch.
class BucketPlan {
public:
    struct Member {
        HopId hop = 0;
        std::uint16_t weight = 1;
    };
    static constexpr std::uint32_t kBucketsPerMember = 32;

    static std::uint32_t wanted_size(std::span<const Member> members);

    // Moves buckets of `table` towards fair shares of `members` (alive ones, not
    // empty). Buckets last used before `idle_before` may move; those of hops that
    // are not members must. Returns how many are still owed to members.
    static std::uint32_t settle(BucketTable& table, std::span<const Member> members,
                                std::uint32_t idle_before);

    // A table of another size with every flow where it was.
    static BucketTablePtr resized(const BucketTable& table, std::uint32_t count);
};

}  // namespace torii::dataplane
