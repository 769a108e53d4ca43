#include "dataplane/fib/fib6.hpp"

#include <algorithm>
#include <bit>

#include "dataplane/fib/lookup6.hpp"

namespace torii::dataplane {
namespace {

constexpr std::uint32_t kMaxSites = value::kPayload;
constexpr unsigned kRootBits = 24, kStride = 8;

std::uint32_t root_slot(std::uint64_t high) {
    return static_cast<std::uint32_t>(high >> 40);
}
// The entry of `high` in a node that decides bits from..from+7.
std::size_t slot_in_node(std::uint64_t high, unsigned from) {
    return high >> (64 - from - kStride) & 0xff;
}

}  // namespace

Fib6::Fib6(std::uint32_t max_prefixes, std::uint32_t max_nodes, Quiescence& workers)
    : max_prefixes_(max_prefixes),
      root_(std::size_t{1} << kRootBits),
      nodes_(std::size_t{max_nodes + 1} * kNode),
      node_uses_(max_nodes + 1),
      owners_(max_nodes + 1),
      sites_(std::min(max_prefixes, kMaxSites - 1) + 1),
      site_highs_(std::min(max_prefixes, kMaxSites - 1) + 1),
      pool_(max_nodes + 1, workers),
      site_pool_(std::min(max_prefixes, kMaxSites - 1) + 1, workers),
      by_64_(workers),
      by_low_(workers) {}

bool Fib6::set(const Ip6& address, unsigned length, HopId hop) {
    if (length == 0) {
        if (!has_fallback_) ++prefixes_;
        has_fallback_ = true;
        value::publish(fallback_, hop);
        return true;
    }
    if (length < 64) return set_short(address.high & mask(length), length, hop);
    return set_long(address, length, hop);
}

bool Fib6::erase(const Ip6& address, unsigned length) {
    if (length == 0) {
        if (!has_fallback_) return false;
        has_fallback_ = false;
        --prefixes_;
        value::publish(fallback_, 0);
        return true;
    }
    const bool gone = length < 64 ? erase_short(address.high & mask(length), length)
                                  : erase_long(address, length);
    if (gone) --prefixes_;
    return gone;
}

// ---- prefixes shorter than /64: the trie

unsigned Fib6::missing_nodes(std::uint64_t high, unsigned length) const {
    auto entry = root_[root_slot(high)];
    unsigned from = kRootBits;
    for (; from < length && value::is_child(entry); from += kStride)
        entry = nodes_[value::payload(entry) * kNode + slot_in_node(high, from)];
    return from < length ? (length - from + kStride - 1) / kStride : 0;
}

bool Fib6::set_short(std::uint64_t high, unsigned length, HopId hop) {
    const auto rule = rules_.find({high, length});
    const bool is_new = rule == rules_.end();
    if (is_new && prefixes_ >= max_prefixes_) return false;
    if (!is_new) {
        rule->second = hop;
    } else {
        if (!pool_.has(missing_nodes(high, length))) return false;
        rules_.emplace(Rule{high, length}, hop);
        ++of_length_[length];
        ++prefixes_;
        std::uint32_t* entry = &root_[root_slot(high)];
        std::uint32_t parent = 0;
        for (unsigned from = kRootBits; from < length; from += kStride) {
            if (!value::is_child(*entry)) {
                const auto index = pool_.take();
                auto* entries = &nodes_[index * kNode];
                std::fill_n(entries, kNode, *entry & ~value::kLonger);
                if (*entry & value::kLonger)
                    for (std::uint64_t i = 0; i < kNode; ++i)
                        if (has_longer(from + kStride,
                                       (high & mask(from)) | i << (64 - from - kStride)))
                            entries[i] |= value::kLonger;
                node_uses_[index] = 0;
                owners_[index] = {high & mask(from), from};
                if (parent != 0) ++node_uses_[parent];
                value::publish(*entry, value::kChild | index);
            }
            parent = value::payload(*entry);
            entry = &node(*entry)[slot_in_node(high, from)];
        }
        if (parent != 0) ++node_uses_[parent];
    }
    const auto leaf = value::leaf(length, hop);
    each_entry(high, length, [&](std::uint32_t& entry) {
        if (value::depth(entry) <= length) value::publish(entry, leaf | (entry & value::kLonger));
    });
    return true;
}

bool Fib6::erase_short(std::uint64_t high, unsigned length) {
    if (rules_.erase({high, length}) == 0) return false;
    --of_length_[length];
    const auto parent = covering(high, length);
    each_entry(high, length, [&](std::uint32_t& entry) {
        if (value::depth(entry) == length) value::publish(entry, parent | (entry & value::kLonger));
    });
    if (length > kRootBits) collapse(high, length);
    return true;
}

std::uint32_t Fib6::covering(std::uint64_t high, unsigned length) const {
    for (unsigned shorter = length - 1; shorter > 0; --shorter) {
        if (of_length_[shorter] == 0) continue;
        const auto rule = rules_.find({high & mask(shorter), shorter});
        if (rule != rules_.end()) return value::leaf(shorter, rule->second);
    }
    return 0;
}

template <class F>
void Fib6::rewrite(std::uint32_t& entry, F&& f) {
    if (!value::is_child(entry)) return f(entry);
    auto* entries = node(entry);
    for (std::size_t i = 0; i < kNode; ++i) rewrite(entries[i], f);
}

// Every leaf entry under the prefix.
template <class F>
void Fib6::each_entry(std::uint64_t high, unsigned length, F&& f) {
    std::uint32_t* table = root_.data();
    std::size_t first = root_slot(high);
    unsigned decided = kRootBits;
    while (decided < length) {
        table = node(table[first]);
        first = slot_in_node(high, decided);
        decided += kStride;
    }
    const std::size_t count = std::size_t{1} << (decided - length);
    for (std::size_t i = first; i < first + count; ++i) rewrite(table[i], f);
}

// After the removal of a prefix from the node it ended in: takes out nodes without a use.
void Fib6::collapse(std::uint64_t high, unsigned length) {
    std::uint32_t* path[6];
    unsigned levels = 0;
    std::uint32_t* entry = &root_[root_slot(high)];
    for (unsigned from = kRootBits; from < length; from += kStride) {
        path[levels++] = entry;
        entry = &node(*entry)[slot_in_node(high, from)];
    }
    while (levels > 0) {
        auto* slot = path[--levels];
        const auto index = value::payload(*slot);
        if (--node_uses_[index] != 0) return;
        // All its entries were inherited from above, hence are equal but for what is longer.
        const auto longer = has_longer(kRootBits + levels * kStride, high) ? value::kLonger : 0;
        value::publish(*slot, (nodes_[index * kNode] & ~value::kLonger) | longer);
        owners_[index] = {};
        pool_.retire(index);
    }
}

// ---- /64 and longer: the hashes

// Whether the hash has an entry under the first `decided` bits.
bool Fib6::has_longer(unsigned decided, std::uint64_t high) const {
    if (decided == 64) return by_64_.find(high) != 0;
    return longer_[(decided - kRootBits) / kStride].contains(high >> (64 - decided));
}

// The hash has gained or lost its entry of a /64.
void Fib6::count_longer(std::uint64_t high, int change) {
    for (unsigned level = 0; level < kLevels; ++level) {
        const auto slot = high >> (64 - kRootBits - level * kStride);
        auto& count = longer_[level][slot];
        count += static_cast<std::uint32_t>(change);
        if (count == 0) longer_[level].erase(slot);
    }
    auto* entry = &root_[root_slot(high)];
    unsigned decided = kRootBits;
    for (; value::is_child(*entry); decided += kStride)
        entry = &node(*entry)[slot_in_node(high, decided)];
    const auto longer = has_longer(decided, high) ? value::kLonger : 0;
    if ((*entry & value::kLonger) != longer)
        value::publish(*entry, (*entry & ~value::kLonger) | longer);
}

std::uint32_t Fib6::site_value(std::uint32_t index) const {
    const auto lengths = sites_[index].lengths;
    const auto hint = std::has_single_bit(lengths)
                          ? static_cast<std::uint32_t>(std::countr_zero(lengths))
                          : site::kMany;
    return site::kSite | hint << 24 | index;
}

void Fib6::publish_site(std::uint64_t high, std::uint32_t index) {
    by_64_.set(high, site_value(index));
}

bool Fib6::set_long(const Ip6& address, unsigned length, HopId hop) {
    const auto high = address.high;
    if (high == 0) return false;
    const auto v = by_64_.find(high);
    if (length == 64) {
        const bool is_site = (v & site::kSite) != 0;
        const bool is_new = v == 0 || (is_site && sites_[value::payload(v)].own == 0);
        if (is_new && prefixes_ >= max_prefixes_) return false;
        if (is_site)
            value::publish(sites_[value::payload(v)].own, hop);
        else
            by_64_.set(high, hop);
        if (is_new) ++prefixes_;
        if (v == 0) count_longer(high, 1);
        return true;
    }
    const unsigned bit = length - 65;
    const LowKey masked{address.low & site::low_mask(bit), 0};
    if (v & site::kSite) {
        const LowKey known{masked.low, site::tag(value::payload(v), bit)};
        if (by_low_.find(known) != 0) {
            by_low_.set(known, hop);
            return true;
        }
    }
    if (prefixes_ >= max_prefixes_) return false;

    auto index = value::payload(v);
    if ((v & site::kSite) == 0) {
        index = site_pool_.take();
        if (index == 0) return false;
        sites_[index] = {0, v, 0};
        site_highs_[index] = high;
    }
    const auto tag = site::tag(index, bit);
    by_low_.set({masked.low, tag}, hop);
    if (of_tag_[tag]++ == 0) {
        auto& lengths = sites_[index].lengths;
        std::atomic_ref<std::uint64_t>(lengths).store(lengths | std::uint64_t{1} << bit,
                                                      std::memory_order_release);
        publish_site(high, index);
    }
    ++prefixes_;
    if (v == 0) count_longer(high, 1);
    return true;
}

bool Fib6::erase_long(const Ip6& address, unsigned length) {
    const auto high = address.high;
    const auto v = by_64_.find(high);
    if (v == 0) return false;
    if (length == 64) {
        if (v & site::kSite) {
            auto& own = sites_[value::payload(v)].own;
            if (own == 0) return false;
            value::publish(own, 0);
        } else {
            by_64_.erase(high);
            count_longer(high, -1);
        }
        return true;
    }
    if ((v & site::kSite) == 0) return false;
    const auto index = value::payload(v);
    const unsigned bit = length - 65;
    const auto tag = site::tag(index, bit);
    if (!by_low_.erase({address.low & site::low_mask(bit), tag})) return false;
    if (--of_tag_[tag] == 0) {
        of_tag_.erase(tag);
        auto& s = sites_[index];
        std::atomic_ref<std::uint64_t>(s.lengths).store(s.lengths & ~(std::uint64_t{1} << bit),
                                                        std::memory_order_release);
        if (s.lengths != 0) {
            publish_site(high, index);
        } else {
            if (s.own != 0) {
                by_64_.set(high, s.own);
            } else {
                by_64_.erase(high);
                count_longer(high, -1);
            }
            site_highs_[index] = 0;
            site_pool_.retire(index);
        }
    }
    return true;
}

// ---- comparing and repairing

HopId Fib6::rule(const Ip6& address, unsigned length) const {
    if (length == 0) return has_fallback_ ? fallback_ : 0;
    if (length < 64) {
        const auto found = rules_.find({address.high & mask(length), length});
        return found != rules_.end() ? found->second : 0;
    }
    const auto index = site_of(address.high);
    if (length == 64) {
        if (index != 0) return sites_[index].own;
        const auto v = by_64_.find(address.high);
        return v & site::kSite ? 0 : v;
    }
    if (index == 0) return 0;
    const unsigned bit = length - 65;
    return by_low_.find({address.low & site::low_mask(bit), site::tag(index, bit)});
}

// The site of a /64, also when what leads there does not; 0: it has none.
std::uint32_t Fib6::site_of(std::uint64_t high) const {
    const auto v = by_64_.find(high);
    const auto index = value::payload(v);
    if ((v & site::kSite) != 0 && index <= site_pool_.limit() && site_highs_[index] == high)
        return index;
    if (high == 0 || (v != 0 && (v & ~value::kPayload) == 0 && site_pool_.used() == 0)) return 0;
    for (std::uint32_t i = 1; i <= site_pool_.highest(); ++i)
        if (site_highs_[i] == high) return i;
    return 0;
}

HopId Fib6::probe(const Ip6& address, unsigned length) const {
    auto entry = root_[root_slot(address.high)];
    for (unsigned from = kRootBits; value::is_child(entry); from += kStride) {
        const auto index = value::payload(entry);
        if (index > pool_.limit() || from >= 64) return 0;
        entry = nodes_[index * kNode + slot_in_node(address.high, from)];
    }
    if ((entry & value::kLonger) == 0) return 0;
    const auto v = find_64(*by_64_.view().load(std::memory_order_relaxed), address.high);
    if ((v & site::kSite) == 0) return length == 64 ? v : 0;
    const auto index = value::payload(v);
    if (index > site_pool_.limit() || site_highs_[index] != address.high || v != site_value(index))
        return 0;
    if (length == 64) return sites_[index].own;
    const unsigned bit = length - 65;
    if ((sites_[index].lengths >> bit & 1) == 0) return 0;
    return find_low(*by_low_.view().load(std::memory_order_relaxed),
                    address.low & site::low_mask(bit), site::tag(index, bit));
}

void Fib6::repair(std::uint64_t high) {
    auto* entry = &root_[root_slot(high)];
    unsigned decided = kRootBits;
    for (; decided < 64; decided += kStride) {
        std::uint32_t index = 1;
        while (index <= pool_.highest() &&
               (owners_[index].from != decided || owners_[index].high != (high & mask(decided))))
            ++index;
        if (index > pool_.highest()) break;
        if (*entry != (value::kChild | index)) value::publish(*entry, value::kChild | index);
        entry = &nodes_[index * kNode + slot_in_node(high, decided)];
    }
    const auto longer = has_longer(decided, high) ? value::kLonger : 0;
    value::publish(*entry, covering(high, std::min(decided, 63u) + 1) | longer);
}

void Fib6::repair_long(const Ip6& address, unsigned length) {
    const auto high = address.high;
    const auto index = site_of(high);
    if (index != 0) {
        std::uint64_t lengths = 0;
        for (unsigned bit = 0; bit < 64; ++bit)
            if (of_tag_.contains(site::tag(index, bit))) lengths |= std::uint64_t{1} << bit;
        std::atomic_ref<std::uint64_t>(sites_[index].lengths)
            .store(lengths, std::memory_order_release);
        publish_site(high, index);
        if (length > 64) {
            const unsigned bit = length - 65;
            by_low_.republish({address.low & site::low_mask(bit), site::tag(index, bit)});
        }
    } else if (by_64_.find(high) > value::kMaxHop) {
        by_64_.erase(high);
        count_longer(high, -1);
        --prefixes_;
    }
    by_64_.republish(high);
    repair(high);
}

HopId Fib6::lookup(const Ip6& address) const {
    return lookup6(view(), address.high, address.low);
}

Fib6View Fib6::view() const {
    return {root_.data(), nodes_.data(),  sites_.data(),
            &fallback_,   &by_64_.view(), &by_low_.view()};
}

std::size_t Fib6::memory() const {
    return root_.resident() + nodes_.resident() + node_uses_.resident() + owners_.resident() +
           sites_.resident() + site_highs_.resident() + by_64_.memory() + by_low_.memory() +
           rules_.bucket_count() * sizeof(std::pair<Rule, HopId>);
}

void Fib6::reclaim() {
    pool_.reclaim();
    site_pool_.reclaim();
    by_64_.reclaim();
    by_low_.reclaim();
}

}  // namespace torii::dataplane
