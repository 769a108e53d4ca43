#pragma once

#include <cstdint>
#include <memory_resource>
#include <span>
#include <vector>

#include "base/keyed_hash.hpp"
#include "bgp/rib/chunked.hpp"
#include "bgp/rib/next_hops.hpp"
#include "bgp/rib/path.hpp"
#include "bgp/wire/attributes.hpp"

namespace torii::bgp {

// One set of attributes as many paths may share: what the decision asks for,
// ready, and the wire form of the rest behind it in the same allocation.
struct StoredAttributes {
    std::uint64_t hash;
    std::uint32_t references;
    std::uint32_t size;  // of the wire form
    NextHopId next_hop;
    std::uint32_t local_pref;  // as the decision sees it
    std::uint32_t med;
    std::uint32_t neighbor_as;
    std::uint32_t originator_id;  // 0: none
    float bandwidth;              // octets a second; 0: none given
    std::uint16_t path_length;
    std::uint16_t weight;  // 0: the peer's
    std::uint16_t flags;
    std::uint8_t origin;
    std::uint8_t cluster_length;
    std::uint32_t account;  // that its octets are charged to
    bool indexed;           // others that are equal find it

    std::span<const std::uint8_t> bytes() const {
        return {reinterpret_cast<const std::uint8_t*>(this + 1), size};
    }
    Attributes view() const {
        auto a = view_attributes(bytes());
        a.weight = weight;
        return a;
    }
};

namespace attributes_flag {
inline constexpr std::uint16_t kHasMed = 1, kNoExport = 2, kNoAdvertise = 4, kHasLocalPref = 8,
                               kNoLongLived = 16, kLongLivedStale = 32, kHasOtc = 64,
                               kHasClusters = 128, kBlackhole = 256, kGracefulShutdown = 512,
                               kAggregate = 1024;
}

inline constexpr std::uint32_t kDefaultLocalPref = 100;

// All attribute sets in use, each stored once and counted.
class AttributePool {
public:
    explicit AttributePool(NextHops& next_hops);
    AttributePool(const AttributePool&) = delete;
    AttributePool& operator=(const AttributePool&) = delete;

    // Takes over one reference to the next hop. The caller owns one reference
    // to the answer. A set that is new is charged to the account until it goes.
    AttributesId intern(const Attributes& attributes, NextHopId next_hop,
                        std::uint32_t account = 0);
    // Counts the octets of the sets that one peer brought. A number is given away again when it
    // is closed and nothing is charged to it.
    std::uint32_t open_account();
    void close_account(std::uint32_t account);
    std::uint64_t charged(std::uint32_t account) const { return accounts_[account].octets; }
    void retain(AttributesId id) { ++sets_[id]->references; }
    void release(AttributesId id) {
        if (--sets_[id]->references == 0) erase(id);
    }
    const StoredAttributes& operator[](AttributesId id) const { return *sets_[id]; }
    std::size_t size() const { return used_; }
    std::size_t bytes() const { return bytes_; }  // of all sets, their heads included

private:
    // The slots that a search looks at; a run is never longer to those that search.
    static constexpr std::size_t kProbes = 256;

    void erase(AttributesId id);
    void unlink(AttributesId id, const StoredAttributes& gone);
    void grow();

    NextHops& next_hops_;
    std::pmr::unsynchronized_pool_resource memory_;
    Chunked<StoredAttributes*> sets_;
    std::vector<AttributesId> free_;
    std::pmr::vector<AttributesId> index_;  // open addressing; 0 empty
    struct Account {
        std::uint64_t octets = 0;
        bool open = true;
    };
    std::vector<Account> accounts_{1};  // 0: ourselves
    std::vector<std::uint32_t> free_accounts_;
    std::size_t used_ = 0, bytes_ = 0;
    KeyedHash hash_;
    std::vector<std::uint8_t> scratch_;
};

}  // namespace torii::bgp
