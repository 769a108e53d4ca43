#pragma once

#include <cstdint>
#include <map>
#include <utility>

#include "base/prefix.hpp"

namespace torii::dataplane {

// Longest prefix match as slow and as plain as it can be.
class PlainTable {
public:
    void set(const Prefix& prefix, std::uint32_t hop) { routes_[prefix] = hop; }
    void erase(const Prefix& prefix) { routes_.erase(prefix); }
    bool has(const Prefix& prefix) const { return routes_.contains(prefix); }
    std::size_t size() const { return routes_.size(); }

    std::uint32_t lookup(const IpAddress& a) const {
        for (int length = a.bits(); length >= 0; --length)
            if (const auto found = routes_.find({a, static_cast<std::uint8_t>(length)});
                found != routes_.end())
                return found->second;
        return 0;
    }
    const std::map<Prefix, std::uint32_t>& routes() const { return routes_; }

private:
    std::map<Prefix, std::uint32_t> routes_;
};

}  // namespace torii::dataplane
