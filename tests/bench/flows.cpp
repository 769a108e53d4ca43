// Where the flows of next-hop groups go on several gates that live through different histories.
//   bench_flows [HISTORIES [MOST_MEMBERS [SEED]]]
#include <cstdio>
#include <cstdlib>

#include "tests/support/flow_histories.hpp"

int main(int argc, char** argv) {
    const auto argument = [&](int i, std::uint64_t otherwise) {
        return argc > i ? std::strtoull(argv[i], nullptr, 10) : otherwise;
    };
    const auto out = torii::dataplane::live_through(
        argument(1, 10'000), static_cast<std::uint32_t>(argument(2, 512)), argument(3, 1));
    std::printf(
        "{\"name\":\"flows\",\"good\":%s,\"histories\":%llu,\"events\":%llu,"
        "\"joins_and_leaves\":%llu,\"settled_tables_unequal\":%llu,\"active_buckets_moved\":%llu,"
        "\"most_over_mean\":%.4f,\"moved_beyond_share\":{\"most\":%.4f,\"mean\":%.4f},"
        "\"moved_beyond_change_of_weight\":%.4f}\n",
        out.good() ? "true" : "false", static_cast<unsigned long long>(out.histories),
        static_cast<unsigned long long>(out.events),
        static_cast<unsigned long long>(out.joins_and_leaves),
        static_cast<unsigned long long>(out.unequal),
        static_cast<unsigned long long>(out.active_moved), out.most_over_mean,
        out.most_moved_beyond, out.mean_moved_beyond, out.most_moved_by_weight);
    return out.good() ? 0 : 1;
}
