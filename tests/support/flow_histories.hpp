#pragma once

#include <cstdint>

// Next-hop groups on several gates that live through joins, leaves, drains, changes of weights and
// restarts, each gate with traffic of its own and in an order of its own. What the gates promise
// about it is measured: where their tables meet, how even they are, what moves.
namespace torii::dataplane {

struct FlowHistories {
    std::uint64_t histories = 0, events = 0, joins_and_leaves = 0;
    std::uint64_t unequal = 0;       // histories after which settled tables differed
    std::uint64_t active_moved = 0;  // buckets in use that moved though their member stayed
    double most_over_mean = 0;       // of members with twenty buckets and more
    double most_moved_beyond = 0;    // part of all buckets, of a join or a leave
    double mean_moved_beyond = 0;
    double most_moved_by_weight = 0;  // beyond the share concerned, of a change of weights

    bool good() const {
        return unequal == 0 && active_moved == 0 && most_over_mean <= 1.05 &&
               most_moved_beyond <= 0.02;
    }
};

// `most_members` bounds the groups; at least 2.
FlowHistories live_through(std::uint64_t histories, std::uint32_t most_members,
                           std::uint64_t seed = 1);

}  // namespace torii::dataplane
