#pragma once

#include <atomic>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <new>

#include "base/shared_word.hpp"
#include "dataplane/fib/value.hpp"

namespace torii::dataplane {

// Where one share of a group's flows goes. Workers note in `epoch` when they last
// used it: one shared store a tick, not one a packet.
struct Bucket {
    SharedWord<std::uint32_t> hop;
    SharedWord<std::uint32_t> epoch;  // 0: never used
};

// The buckets of a next-hop group, a power of two, indexed by the flow's hash.
struct BucketTable {
    std::uint32_t mask = 0;
    SharedWord<std::uint32_t> backup{};  // a hop for when no bucket's leads on; 0: none
    SharedWord<std::uint64_t> ports{};   // of the members, one bit each
    Bucket* buckets = nullptr;

    std::uint32_t size() const { return mask + 1; }
};

struct BucketTableDelete {
    void operator()(BucketTable* table) const {
        std::free(table->buckets);
        delete table;
    }
};
using BucketTablePtr = std::unique_ptr<BucketTable, BucketTableDelete>;

inline BucketTablePtr make_buckets(std::uint32_t count) {
    BucketTablePtr table{new BucketTable};
    table->mask = count - 1;
    constexpr std::size_t kLine = 64;
    const std::size_t lines = (count * sizeof(Bucket) + kLine - 1) / kLine;
    table->buckets = static_cast<Bucket*>(std::aligned_alloc(kLine, lines * kLine));
    if (table->buckets == nullptr) throw std::bad_alloc{};
    for (std::uint32_t i = 0; i < count; ++i) table->buckets[i] = {};
    return table;
}

}  // namespace torii::dataplane
