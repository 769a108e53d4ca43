#pragma once

#include <algorithm>
#include <array>
#include <boost/unordered/unordered_flat_map.hpp>
#include <cstdint>
#include <deque>
#include <optional>

#include "base/prefix.hpp"
#include "rib/fib_delta.hpp"

namespace torii::dataplane {

// Prefixes that found no room, in one queue for each thing that can be short: a family's short
// prefixes, its long ones, next-hop groups. Each queue is tried for itself and in turn, so that
// one that never fits keeps none of the others out. Control thread only.
class Waiting {
public:
    enum class Lack : std::uint8_t { Group, Ip4Short, Ip4Long, Ip6Short, Ip6Long, Count };

    // Where a prefix that does not fit waits. The FIBs keep those beyond the first stage in
    // tables of their own.
    static Lack lack_of(const Prefix& prefix) {
        if (prefix.address().is_v4()) return prefix.length() <= 24 ? Lack::Ip4Short : Lack::Ip4Long;
        return prefix.length() < 64 ? Lack::Ip6Short : Lack::Ip6Long;
    }

    // `action`: nothing for a host prefix of our own.
    void add(const Prefix& prefix, const std::optional<rib::FibAction>& action, Lack lack) {
        wanted_[prefix] = {action, lack, ++last_};
        queue(lack).push_back({prefix, last_});
    }
    void remove(const Prefix& prefix) { wanted_.erase(prefix); }

    // Whether a route waits there, and no host prefix of ours.
    bool is_route(const Prefix& prefix) const {
        const auto found = wanted_.find(prefix);
        return found != wanted_.end() && found->second.action.has_value();
    }
    bool contains(const Prefix& prefix) const { return wanted_.contains(prefix); }
    bool empty() const { return wanted_.empty(); }
    std::size_t size() const { return wanted_.size(); }

    // Calls fit(prefix, action) for those whose turn it is; those for which it returns true
    // are done. A queue rests after some failures in a row, and after `most` tries.
    template <class F>
    void retry(std::size_t most, F&& fit) {
        for (auto& waiting : queues_) {
            unsigned failures = 0;
            for (auto left = std::min(waiting.size(), most); left > 0 && failures < kFailures;
                 --left) {
                const auto next = waiting.front();
                waiting.pop_front();
                const auto wanted = wanted_.find(next.prefix);
                if (wanted == wanted_.end() || wanted->second.number != next.number) continue;
                const auto action = wanted->second.action;
                if (fit(next.prefix, action)) {
                    wanted_.erase(next.prefix);
                    failures = 0;
                } else {
                    waiting.push_back(next);
                    ++failures;
                }
            }
        }
    }

private:
    static constexpr unsigned kFailures = 32;

    struct Wanted {
        std::optional<rib::FibAction> action;
        Lack lack = Lack::Group;
        std::uint64_t number = 0;  // of its place in the queue: older places are void
    };
    struct Place {
        Prefix prefix;
        std::uint64_t number;
    };
    std::deque<Place>& queue(Lack lack) { return queues_[static_cast<std::size_t>(lack)]; }

    boost::unordered_flat_map<Prefix, Wanted, PrefixHash> wanted_;
    std::array<std::deque<Place>, static_cast<std::size_t>(Lack::Count)> queues_;
    std::uint64_t last_ = 0;
};

}  // namespace torii::dataplane
