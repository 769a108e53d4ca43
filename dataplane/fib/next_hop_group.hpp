#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "dataplane/fib/assignment.hpp"
#include "dataplane/fib/bucket_table.hpp"

namespace torii::dataplane {

// Which member owns which bucket of a next-hop group. What is wanted is a function of the set of
// members (Assignment); a table approaches it without disturbing flows: a member that leaves
// gives away its own buckets alone, other buckets go where they should be once they had no
// traffic for a while, or a few at a time when that takes too long. Pure: names members by
// their hop, time by the workers' epoch.
class BucketPlan {
public:
    struct Member {
        HopId hop = 0;
        std::uint16_t weight = 1;
        std::uint64_t identity = 0;  // the same on every gateway; 0: the hop

        friend bool operator==(const Member&, const Member&) = default;
    };
    static constexpr std::uint32_t kBucketsPerMember = 32;

    static std::uint32_t wanted_size(std::span<const Member> members);

    // `members`: alive ones, not empty. `size`: of the smallest table; 0: what they want.
    explicit BucketPlan(std::span<const Member> members, std::uint32_t size = 0);

    const std::vector<Member>& members() const { return members_; }
    std::uint32_t size() const { return static_cast<std::uint32_t>(owners_.size()); }
    // Moves buckets of `table`, which is as large as wanted or larger: those of hops that are
    // not members at once, those last used before `idle_before`, and of the others at most
    // `hurry`, longest unused first. Returns how many are still where they should not be.
    std::uint32_t settle(BucketTable& table, std::uint32_t idle_before,
                         std::uint32_t hurry = 0) const;
    static std::uint32_t settle(BucketTable& table, std::span<const Member> members,
                                std::uint32_t idle_before) {
        return BucketPlan{members}.settle(table, idle_before);
    }

    // A table of another size with every flow where it was.
    static BucketTablePtr resized(const BucketTable& table, std::uint32_t count);

private:
    std::vector<Member> members_;
    std::vector<std::uint16_t> owners_;  // by bucket, repeated in larger tables
};

}  // namespace torii::dataplane
