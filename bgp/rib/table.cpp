#include "bgp/rib/table.hpp"

#include <algorithm>
#include <cstring>
#include <new>

namespace torii::bgp {

namespace {

bool before(const Path& a, PeerId peer, std::uint32_t path_id) {
    return a.peer != peer ? a.peer < peer : a.path_id < path_id;
}

std::uint8_t flags_of(const Path& path) {
    return static_cast<std::uint8_t>(path.flags);
}

// 3, 7, 15, ...: with its head a block is a little less than a power of two.
constexpr std::uint32_t kFirstCapacity = 3;
constexpr std::uint32_t next_capacity(std::uint32_t capacity) {
    return capacity * 2 + 1;
}

std::size_t bytes_of(std::uint32_t capacity) {
    return sizeof(RibTable::Block) + std::size_t{capacity} * sizeof(Path);
}

}  // namespace

RibTable::Block* RibTable::new_block(std::uint32_t capacity) {
    return new (blocks_.allocate(bytes_of(capacity), alignof(Block))) Block{0, capacity};
}

void RibTable::free_block(Block* block) {
    blocks_.deallocate(block, bytes_of(block->capacity), alignof(Block));
}

std::optional<EntryId> RibTable::find(const Prefix& prefix) const {
    const auto* at = index_.find(prefix);
    return at != nullptr ? std::optional{*at} : std::nullopt;
}

EntryId RibTable::find_or_add(const Prefix& prefix) {
    const EntryId next = free_.empty() ? static_cast<EntryId>(entries_.size()) : free_.back();
    const auto [at, fresh] = index_.try_emplace(prefix, next);
    if (!fresh) return *at;
    if (free_.empty()) {
        entries_.push_back({});
        if (family_ == Family::Ip6) addresses6_.push_back({});
    } else {
        free_.pop_back();
        entries_[next] = {};
    }
    Entry& entry = entries_[next];
    entry.length = prefix.length();
    entry.flags = kLive;
    if (family_ == Family::Ip4)
        entry.address = prefix.address().v4();
    else
        addresses6_[next] = prefix.address().bytes();
    return next;
}

std::span<Path> RibTable::paths(EntryId id, PeerId peer) {
    const auto all = paths(id);
    const auto first =
        std::ranges::partition_point(all, [&](const Path& p) { return p.peer < peer; });
    const auto last =
        std::partition_point(first, all.end(), [&](const Path& p) { return p.peer == peer; });
    return {first, last};
}

Path* RibTable::find_path(EntryId id, PeerId peer, std::uint32_t path_id) {
    const auto all = paths(id);
    const auto at =
        std::ranges::partition_point(all, [&](const Path& p) { return before(p, peer, path_id); });
    return at != all.end() && at->peer == peer && at->path_id == path_id ? &*at : nullptr;
}

void RibTable::release(const Path& path) {
    if (path.attributes != 0) pool_.release(path.attributes);
    pool_.release(path.received);
}

RibTable::Previous RibTable::put(EntryId id, const Path& path) {
    if (path.attributes != 0) pool_.retain(path.attributes);
    pool_.retain(path.received);
    Entry& entry = entries_[id];
    if (!(entry.flags & kMany)) {
        Path& one = entry.one;
        if (one.received == 0) {
            one = path;
            ++path_count_;
            return {};
        }
        if (one.peer == path.peer && one.path_id == path.path_id) {
            const Previous previous{true, one.attributes != 0, flags_of(one)};
            release(one);
            one = path;
            return previous;
        }
        Block* block = new_block(kFirstCapacity);
        block->count = 1;
        block->paths()[0] = one;
        entry.many = block;
        entry.flags = static_cast<std::uint8_t>(entry.flags | kMany);
    }
    Block*& block = entry.many;
    Path* at =
        std::partition_point(block->paths(), block->paths() + block->count,
                             [&](const Path& p) { return before(p, path.peer, path.path_id); });
    const auto offset = at - block->paths();
    if (offset < block->count && at->peer == path.peer && at->path_id == path.path_id) {
        const Previous previous{true, at->attributes != 0, flags_of(*at)};
        release(*at);
        *at = path;
        return previous;
    }
    if (block->count == block->capacity) {
        Block* bigger = new_block(next_capacity(block->capacity));
        std::memcpy(static_cast<void*>(bigger->paths()), block->paths(),
                    block->count * sizeof(Path));
        bigger->count = block->count;
        free_block(block);
        block = bigger;
    }
    at = block->paths() + offset;
    std::memmove(static_cast<void*>(at + 1), at,
                 (block->count - static_cast<std::size_t>(offset)) * sizeof(Path));
    *at = path;
    ++block->count;
    ++path_count_;
    return {};
}

RibTable::Previous RibTable::remove(EntryId id, PeerId peer, std::uint32_t path_id) {
    Path* at = find_path(id, peer, path_id);
    if (at == nullptr) return {};
    const Previous previous{true, at->attributes != 0, flags_of(*at)};
    release(*at);
    --path_count_;
    Entry& entry = entries_[id];
    if (!(entry.flags & kMany)) {
        entry.one = {};
        return previous;
    }
    Block* block = entry.many;
    Path* const end = block->paths() + block->count;
    std::memmove(static_cast<void*>(at), at + 1,
                 static_cast<std::size_t>(end - at - 1) * sizeof(Path));
    if (--block->count > 1) return previous;
    const Path last = block->count == 1 ? block->paths()[0] : Path{};
    free_block(block);
    entry.one = last;
    entry.flags = static_cast<std::uint8_t>(entry.flags & ~kMany);
    return previous;
}

void RibTable::replace_attributes(Path& path, AttributesId attributes) {
    if (attributes != 0) pool_.retain(attributes);
    if (path.attributes != 0) pool_.release(path.attributes);
    path.attributes = attributes;
}

void RibTable::set_best(EntryId id, AttributesId attributes, PeerId peer) {
    Entry& entry = entries_[id];
    if (attributes != 0) pool_.retain(attributes);
    if (entry.best != 0) pool_.release(entry.best);
    entry.best = attributes;
    entry.best_peer = peer;
}

void RibTable::erase_if_empty(EntryId id) {
    Entry& entry = entries_[id];
    if (entry.flags != kLive || entry.one.received != 0 || entry.best != 0) return;
    index_.erase(prefix(id));
    entry.flags = 0;
    free_.push_back(id);
}

}  // namespace torii::bgp
