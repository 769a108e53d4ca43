#include "dataplane/fib/fib4.hpp"

namespace torii::dataplane {

Fib4::Fib4(std::uint32_t max_prefixes, std::uint32_t max_blocks, Quiescence& workers)
    : max_prefixes_(max_prefixes),
      root_(std::size_t{1} << kRootBits),
      blocks_(std::size_t{max_blocks + 1} * kBlock),
      long_prefixes_(max_blocks + 1),
      owners_(max_blocks + 1),
      pool_(max_blocks + 1, workers) {}

template <class F>
void Fib4::each_entry(std::uint32_t address, unsigned length, F&& rewrite) {
    if (length > kRootBits) {
        const auto entries = block(value::payload(root_[address >> 8]));
        const std::size_t first = address & 0xff, count = std::size_t{1} << (32 - length);
        for (std::size_t i = first; i < first + count; ++i) rewrite(entries[i]);
        return;
    }
    const std::size_t first = address >> 8, count = std::size_t{1} << (kRootBits - length);
    for (std::size_t i = first; i < first + count; ++i) {
        if (value::is_child(root_[i])) {
            for (auto& entry : block(value::payload(root_[i]))) rewrite(entry);
        } else {
            rewrite(root_[i]);
        }
    }
}

bool Fib4::set(std::uint32_t address, unsigned length, HopId hop) {
    address &= mask(length);
    const auto rule = rules_.find(key(address, length));
    const bool is_new = rule == rules_.end();
    if (is_new && rules_.size() >= max_prefixes_) return false;

    if (length > kRootBits) {
        auto& slot = root_[address >> 8];
        if (!value::is_child(slot) && split(address >> 8) == 0) return false;
        if (is_new) ++long_prefixes_[value::payload(slot)];
    }
    if (is_new) {
        rules_.emplace(key(address, length), hop);
        ++of_length_[length];
    } else {
        rule->second = hop;
    }
    if (length == 0) {
        value::publish(fallback_, hop);
        return true;
    }
    const auto leaf = value::leaf(length, hop);
    each_entry(address, length, [&](std::uint32_t& entry) {
        if (value::depth(entry) <= length) value::publish(entry, leaf);
    });
    return true;
}

bool Fib4::erase(std::uint32_t address, unsigned length) {
    address &= mask(length);
    if (rules_.erase(key(address, length)) == 0) return false;
    --of_length_[length];
    if (length == 0) {
        value::publish(fallback_, 0);
        return true;
    }
    const auto parent = covering(address, length);
    each_entry(address, length, [&](std::uint32_t& entry) {
        if (value::depth(entry) == length) value::publish(entry, parent);
    });
    if (length > kRootBits) {
        const auto index = value::payload(root_[address >> 8]);
        if (--long_prefixes_[index] == 0) collapse(address >> 8, index);
    }
    return true;
}

// The entry that the next shorter prefix around this one writes.
std::uint32_t Fib4::covering(std::uint32_t address, unsigned length) const {
    for (unsigned shorter = length - 1; shorter > 0; --shorter) {
        if (of_length_[shorter] == 0) continue;
        const auto rule = rules_.find(key(address & mask(shorter), shorter));
        if (rule != rules_.end()) return value::leaf(shorter, rule->second);
    }
    return 0;
}

std::uint32_t Fib4::split(std::uint32_t slot) {
    const auto index = pool_.take();
    if (index == 0) return 0;
    const auto inherited = root_[slot];
    for (auto& entry : block(index)) entry = inherited;
    owners_[index] = slot + 1;
    value::publish(root_[slot], value::kChild | index);
    return index;
}

// No prefix longer than the slot is left in the block: its entries are all equal.
void Fib4::collapse(std::uint32_t slot, std::uint32_t index) {
    value::publish(root_[slot], block(index)[0]);
    owners_[index] = 0;
    pool_.retire(index);
}

HopId Fib4::rule(std::uint32_t address, unsigned length) const {
    const auto found = rules_.find(key(address & mask(length), length));
    return found != rules_.end() ? found->second : 0;
}

void Fib4::repair(std::uint32_t address) {
    const auto slot = address >> 8, first = address & mask(kRootBits);
    const auto above = covering(first, kRootBits + 1);
    std::uint32_t index = 1;
    while (index <= pool_.highest() && owners_[index] != slot + 1) ++index;
    // A block is there as long as some prefix needs it.
    if (index > pool_.highest()) return value::publish(root_[slot], above);
    for (std::uint32_t low = 0; low < kBlock; ++low) {
        auto leaf = above;
        for (unsigned length = 32; length > kRootBits && leaf == above; --length)
            if (const auto hop = rule(first | low, length); hop != 0)
                leaf = value::leaf(length, hop);
        value::publish(block(index)[low], leaf);
    }
    value::publish(root_[slot], value::kChild | index);
}

HopId Fib4::lookup(std::uint32_t address) const {
    auto v = root_[address >> 8];
    if (value::is_child(v)) v = blocks_[value::payload(v) * kBlock + (address & 0xff)];
    const auto hop = value::payload(v);
    return hop != 0 ? hop : fallback_;
}

std::size_t Fib4::memory() const {
    return root_.resident() + blocks_.resident() + long_prefixes_.resident() + owners_.resident() +
           rules_.bucket_count() * sizeof(std::pair<std::uint64_t, HopId>);
}

}  // namespace torii::dataplane
