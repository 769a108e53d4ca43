#pragma once

#include <array>
#include <boost/unordered/unordered_flat_map.hpp>
#include <cstdint>
#include <optional>
#include <utility>

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
    IpAddress address() const {
        std::array<std::uint8_t, 16> bytes;
        for (std::size_t i = 0; i < 8; ++i) {
            bytes[i] = static_cast<std::uint8_t>(high >> (56 - 8 * i));
            bytes[i + 8] = static_cast<std::uint8_t>(low >> (56 - 8 * i));
        }
        return IpAddress::v6(bytes);
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

    // What the tables have for exactly this prefix, as the writer finds it; 0: nothing.
    HopId rule(const Ip6& address, unsigned length) const;
    // What a reader finds for it, of a prefix of /64 or longer; 0: nothing.
    HopId probe(const Ip6& address, unsigned length) const;
    // For comparing the tables with the rules: see Fib4.
    std::size_t next_slot(std::size_t first, std::size_t end) const {
        return root_.next_resident(first, end);
    }
    // Writes the way to the trie's entry of an address, and the entry, as the rules want them.
    void repair(std::uint64_t high);
    // No rule is behind what is there in the place of a default route.
    void clear_fallback() { value::publish(fallback_, 0); }
    // Writes what leads to a prefix of /64 or longer, if that is there; takes out what leads
    // nowhere.
    void repair_long(const Ip6& address, unsigned length);
    // Calls visit(address, length) for about `count` prefixes, in no order; true at the end.
    struct Cursor {
        enum class Part : std::uint8_t { Short, By64, ByLow } part = Part::Short;
        std::optional<std::pair<std::uint64_t, std::uint64_t>> rule;
        std::uint32_t line = 0;
    };
    template <class F>
    bool walk_rules(Cursor& cursor, std::size_t count, F&& visit) const;

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
    std::uint32_t site_value(std::uint32_t index) const;
    std::uint32_t site_of(std::uint64_t high) const;

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
    // Of each node: the bits above it, and how many of them decide; 0: free.
    struct Owner {
        std::uint64_t high;
        std::uint64_t from;
    };
    Region<Owner> owners_;
    Region<Site> sites_;
    Region<std::uint64_t> site_highs_;  // the /64 of each site; 0: free
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

template <class F>
bool Fib6::walk_rules(Cursor& cursor, std::size_t count, F&& visit) const {
    using Part = Cursor::Part;
    if (cursor.part == Part::Short) {
        auto at =
            cursor.rule ? rules_.find({cursor.rule->first, cursor.rule->second}) : rules_.begin();
        for (; at != rules_.end() && count > 0; ++at, --count)
            visit(Ip6{at->first.high, 0}, static_cast<unsigned>(at->first.length));
        cursor.rule.reset();
        if (at != rules_.end()) {
            cursor.rule = {at->first.high, at->first.length};
            return false;
        }
        cursor = {.part = Part::By64, .rule = {}, .line = 0};
    }
    if (cursor.part == Part::By64) {
        const bool ended =
            by_64_.walk(cursor.line, count, [&](std::uint64_t high, std::uint32_t v) {
                if ((v & site::kSite) == 0 || sites_[value::payload(v)].own != 0)
                    visit(Ip6{high, 0}, 64u);
            });
        if (!ended) return false;
        cursor = {.part = Part::ByLow, .rule = {}, .line = 0};
    }
    const bool ended = by_low_.walk(cursor.line, count, [&](const LowKey& key, std::uint32_t) {
        visit(Ip6{site_highs_[key.tag >> 6], key.low}, 65u + (key.tag & 63));
    });
    if (ended) cursor = {};
    return ended;
}

}  // namespace torii::dataplane
