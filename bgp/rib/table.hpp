#pragma once

#include <array>
#include <cstdint>
#include <memory_resource>
#include <optional>
#include <span>
#include <vector>

#include "base/prefix.hpp"
#include "base/prefix_map.hpp"
#include "bgp/rib/attribute_pool.hpp"
#include "bgp/rib/chunked.hpp"
#include "bgp/rib/path.hpp"

namespace torii::bgp {

// All paths of all prefixes of one family: Adj-RIB-In and Loc-RIB in one. A
// prefix has an entry with a number that is fixed while the entry exists; numbers
// are assigned in the order of arrival, so that neighbours by number tend to share
// their attributes. One path is in the entry itself, more are in a sorted block.
class RibTable {
public:
    struct Block {
        std::uint32_t count, capacity;
        Path* paths() { return reinterpret_cast<Path*>(this + 1); }
    };
    static_assert(sizeof(Block) % alignof(Path) == 0);

    struct Entry {
        union {
            Path one{};
            Block* many;
        };
        std::uint32_t address = 0;  // IPv4 alone
        std::uint8_t length = 0;
        std::uint8_t flags = 0;
        std::uint8_t why = 0;  // the step that decided
        std::uint8_t spare = 0;
        AttributesId best = 0;  // last given to the update groups
        PeerId best_peer = 0;
    };
    static_assert(sizeof(Entry) == 32);
    enum Flag : std::uint8_t {
        kMany = 1,
        kDirty = 2,
        kInstalled = 4,
        kMultipath = 8,
        kLive = 16,
        kDiscard = 32,
        kBacked = 64,  // the router's table has a second best
        kAsk = 128     // the update groups look again, whether or not the best path changes
    };

    RibTable(Family family, AttributePool& pool) : family_(family), pool_(pool) {}
    RibTable(const RibTable&) = delete;
    RibTable& operator=(const RibTable&) = delete;

    Family family() const { return family_; }
    std::size_t size() const { return index_.size(); }
    std::size_t entries_end() const { return entries_.size(); }  // above every number
    std::uint64_t paths_in_all() const { return path_count_; }

    std::optional<EntryId> find(const Prefix& prefix) const;
    EntryId find_or_add(const Prefix& prefix);
    Entry& operator[](EntryId id) { return entries_[id]; }
    const Entry& operator[](EntryId id) const { return entries_[id]; }
    Prefix prefix(EntryId id) const {
        const Entry& entry = entries_[id];
        return family_ == Family::Ip4 ? Prefix{IpAddress::v4(entry.address), entry.length}
                                      : Prefix{IpAddress::v6(addresses6_[id]), entry.length};
    }

    std::span<Path> paths(EntryId id) {
        Entry& entry = entries_[id];
        if (entry.flags & kMany) return {entry.many->paths(), entry.many->count};
        return {&entry.one, entry.one.received != 0 ? std::size_t{1} : std::size_t{0}};
    }
    std::span<const Path> paths(EntryId id) const { return const_cast<RibTable*>(this)->paths(id); }
    // All paths of one peer for the prefix (several with ADD-PATH).
    std::span<Path> paths(EntryId id, PeerId peer);
    Path* find_path(EntryId id, PeerId peer, std::uint32_t path_id);

    // Puts or replaces; takes its own references. Answers what was there.
    struct Previous {
        bool existed = false;
        bool was_used = false;
        std::uint8_t flags = 0;
    };
    Previous put(EntryId id, const Path& path);
    Previous remove(EntryId id, PeerId peer, std::uint32_t path_id);
    // Another meaning for what is there already; the path keeps its place.
    void replace_attributes(Path& path, AttributesId attributes);

    // Marks for decision; each entry is listed once.
    void touch(EntryId id) {
        Entry& entry = entries_[id];
        if (entry.flags & kDirty) return;
        entry.flags = static_cast<std::uint8_t>(entry.flags | kDirty);
        dirty_.push_back(id);
    }
    // The same, and the update groups look at it again.
    void ask(EntryId id) {
        entries_[id].flags = static_cast<std::uint8_t>(entries_[id].flags | kAsk);
        touch(id);
    }
    std::vector<EntryId>& dirty() { return dirty_; }

    void set_best(EntryId id, AttributesId attributes, PeerId peer);
    // Forgets the prefix if nothing is left of it.
    void erase_if_empty(EntryId id);

    // In order, from `first` on, while `visit(prefix, id)` is true.
    template <class F>
    void walk_from(const Prefix& first, F&& visit) const {
        index_.walk_from(first, [&](const Prefix& p, EntryId& id) {
            return p.family() == family_ && visit(p, id);
        });
    }

private:
    void release(const Path& path);
    Block* new_block(std::uint32_t capacity);
    void free_block(Block* block);

    std::pmr::unsynchronized_pool_resource blocks_{kHugePagePools, huge_pages()};
    Family family_;
    AttributePool& pool_;
    PrefixMap<EntryId> index_;
    Chunked<Entry> entries_;
    Chunked<std::array<std::uint8_t, 16>> addresses6_;  // beside entries_, IPv6 alone
    std::vector<EntryId> free_;
    std::vector<EntryId> dirty_;
    std::uint64_t path_count_ = 0;
};

}  // namespace torii::bgp
