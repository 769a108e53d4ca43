#pragma once

#include <bitset>
#include <cstdint>
#include <span>
#include <vector>

#include "base/prefix.hpp"

namespace torii::dataplane {

// Disjoint ranges of addresses, with a filter over their first sixteen bits in front:
// an address far from all of them costs one load.
class AddressSet {
public:
    struct Key {  // an address from its first bit on; IPv4 has 32 of them
        std::uint64_t high = 0, low = 0;
        friend auto operator<=>(const Key&, const Key&) = default;
    };
    AddressSet() = default;
    explicit AddressSet(std::vector<Prefix> prefixes);  // of one family

    bool empty() const { return ranges_.empty(); }
    bool contains(const Key& address) const noexcept {
        return near_[address.high >> 48] && search(address);
    }

private:
    struct Range {
        Key first, last;
    };
    bool search(const Key& address) const noexcept;

    std::vector<Range> ranges_;  // in order
    std::bitset<65536> near_;
};

// Drops by source in software, for ports that cannot do it themselves. Immutable: a
// change is a new one, published with the port's state. Read by workers.
class SoftFlow {
public:
    explicit SoftFlow(std::span<const Prefix> drop_sources);

    bool empty() const { return ip4_.empty() && ip6_.empty(); }
    // Whether a frame, of which `length` octets are at hand, is an IP packet from one of
    // the sources. Behind a VLAN tag nothing is.
    bool drops(const std::uint8_t* frame, std::uint32_t length) const noexcept;

private:
    AddressSet ip4_, ip6_;
};

}  // namespace torii::dataplane
