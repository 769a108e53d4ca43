#pragma once

#include <boost/unordered/unordered_flat_map.hpp>
#include <cstdint>

#include "base/address.hpp"
#include "dataplane/fib/fib_view.hpp"
#include "dataplane/fib/line_hash_writer.hpp"
#include "dataplane/fib/region.hpp"
#include "dataplane/fib/retired.hpp"
#include "dataplane/fib/value.hpp"

namespace torii::dataplane {

// An IPv6 address as two numbers.
struct Ip6 {
    std::uint64_t high = 0;
    std::uint64_t low = 0;

    static Ip6 of(const IpAddress& address) {
        Ip6 out;
        for (std::size_t i = 0; i < 8; ++i) {
            out.high = out.high << 8 | address.byte(i);
            out.low = out.low << 8 | address.byte(i + 8);
        }
        return out;
    }
};

// IPv6 longest prefix match shaped by how clusters use it. Prefixes shorter than
// /64 are a trie of a direct 24-bit stage and 8-bit nodes below; a /64 is one
// probe of a hash by the first 64 bits; what is longer is a second probe within
// its /64. The trie's leaves mark where the hash is to be probed. ::/0 is kept beside.
//
// One writer (control), lock-free readers, as in Fib4. Prefixes of /64 or longer
// inside ::/64, which holds no unicast address, are refused.
class Fib6 {
public:
    Fib6(std::uint32_t max_prefixes, std::uint32_t max_nodes, Quiescence& workers);

    bool set(const Ip6& address, unsigned length, HopId hop);  // false: full, unchanged
    bool erase(const Ip6& address, unsigned length);

    HopId lookup(const Ip6& address) const;
    Fib6View view() const;

    std::size_t prefixes() const { return prefixes_; }
    std::size_t prefix_limit() const { return max_prefixes_; }
    const IndexPool& nodes() const { return pool_; }
    std::size_t memory() const;  // octets; asks the kernel
    void reclaim();

private:
    static constexpr std::size_t kNode = 256;
    static constexpr unsigned kLevels = 5;  // that decide 24, 32, 40, 48, 56 bits; 64 is the hash
    struct Rule {
        std::uint64_t high;
        std::uint64_t length;
        friend bool operator==(const Rule&, const Rule&) = default;
    };
    struct RuleHash {
        using is_avalanching = void;
        std::size_t operator()(const Rule& r) const {
            const auto h = (r.high + r.length) * 0x9e3779b97f4a7c15ULL;
            return (h ^ h >> 32) * 0xd6e8feb86659fd93ULL;
        }
    };

    static std::uint64_t mask(unsigned length) {
        return length == 0 ? 0 : ~std::uint64_t{0} << (64 - length);
    }
    std::uint32_t* node(std::uint32_t entry) { return &nodes_[value::payload(entry) * kNode]; }

    bool set_short(std::uint64_t high, unsigned length, HopId hop);
    bool erase_short(std::uint64_t high, unsigned length);
    bool set_long(const Ip6& address, unsigned length, HopId hop);
    bool erase_long(const Ip6& address, unsigned length);
    void publish_site(std::uint64_t high, std::uint32_t index);

    unsigned missing_nodes(std::uint64_t high, unsigned length) const;
    std::uint32_t covering(std::uint64_t high, unsigned length) const;
    template <class F>
    void rewrite(std::uint32_t& entry, F&& f);
    template <class F>
    void each_entry(std::uint64_t high, unsigned length, F&& f);
    void collapse(std::uint64_t high, unsigned length);
    bool has_longer(unsigned decided, std::uint64_t high) const;
    void count_longer(std::uint64_t high, int change);

    std::uint32_t max_prefixes_;
    std::size_t prefixes_ = 0;
    std::uint32_t fallback_ = 0;
    bool has_fallback_ = false;
    Region<std::uint32_t> root_;
    Region<std::uint32_t> nodes_;
    Region<std::uint32_t> node_uses_;  // prefixes that end in the node, and its children
    Region<Site> sites_;
    IndexPool pool_;
    IndexPool site_pool_;
    LineHash<Line64> by_64_;
    LineHash<LineLow> by_low_;
    boost::unordered_flat_map<Rule, HopId, RuleHash> rules_;  // shorter than /64
    // How many /64s with an entry in the hash lie under each slot of each level.
    boost::unordered_flat_map<std::uint64_t, std::uint32_t> longer_[kLevels];
    boost::unordered_flat_map<std::uint32_t, std::uint32_t> of_tag_;  // prefixes by site, length
    std::uint32_t of_length_[64] = {};
};

}  // namespace torii::dataplane
