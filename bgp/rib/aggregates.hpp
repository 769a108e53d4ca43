#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include "base/prefix.hpp"

namespace torii::bgp {

// Which aggregates have something to stand for: each counts the prefixes inside
// it that have a best path.
class Aggregates {
public:
    bool empty() const { return list_.empty(); }
    bool contains(const Prefix& prefix) const;
    // Begins to count anew: the caller reports all that has a best path. Those
    // of before that are not wanted any more end.
    void configure(const std::vector<Prefix>& wanted);

    // A prefix has a best path now, or has none any more.
    void changed(const Prefix& prefix, bool usable);
    // Aggregates that began (true) or ceased (false) to stand for something.
    std::vector<std::pair<Prefix, bool>> take_changes();

private:
    struct One {
        Prefix prefix;
        std::uint64_t inside = 0;
        bool active = false;
    };
    std::vector<One> list_;
    std::vector<std::pair<Prefix, bool>> ended_;
};

}  // namespace torii::bgp
