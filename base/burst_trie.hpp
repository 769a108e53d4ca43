#pragma once

#include <algorithm>
#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <new>
#include <type_traits>
#include <utility>

namespace torii::detail {

// One family's half of PrefixMap: a trie over the bytes of the address whose
// leaves are sorted arrays of up to kBurst entries. A full leaf bursts into a
// branch of 256 children; a branch that has become nearly empty folds back.
//
// In a branch at depth d all entries share their first d bytes; those too
// short to fix byte d as well stay in the branch itself, in `shorts`.
//
// Key gives: `size` (bytes), `byte(i)`, `prefix_contains(length, other)` and <=>.
template <class Key, class V>
class BurstTrie {
    static_assert(std::is_trivially_copyable_v<V> && std::is_trivially_copyable_v<Key>);

public:
    struct Entry {
        Key key;
        V value;
        std::uint8_t length;

        std::strong_ordering compare(const Key& k, std::uint8_t l) const {
            if (const auto order = key <=> k; order != 0) return order;
            return length <=> l;
        }
    };

    BurstTrie() = default;
    BurstTrie(BurstTrie&& other) noexcept
        : root_(std::exchange(other.root_, {})), size_(std::exchange(other.size_, 0)) {}
    BurstTrie& operator=(BurstTrie&& other) noexcept {
        std::swap(root_, other.root_);
        std::swap(size_, other.size_);
        return *this;
    }
    ~BurstTrie() { destroy(root_); }

    std::size_t size() const { return size_; }
    void clear() {
        destroy(std::exchange(root_, {}));
        size_ = 0;
    }

    Entry* find(const Key& key, std::uint8_t length) const {
        Node node = root_;
        for (std::size_t depth = 0; node.is_branch(); ++depth) {
            Branch& branch = *node.branch();
            if (length < 8 * (depth + 1)) {
                node = Node{branch.shorts};
                break;
            }
            node = branch.children[key.byte(depth)];
        }
        Leaf* leaf = node.leaf();
        if (leaf == nullptr) return nullptr;
        Entry* at = leaf->lower_bound(key, length);
        return at != leaf->end() && at->compare(key, length) == 0 ? at : nullptr;
    }

    std::pair<Entry*, bool> try_emplace(const Key& key, std::uint8_t length, const V& value) {
        Node* node = &root_;
        Leaf** shorts = nullptr;
        std::array<Branch*, Key::size + 1> passed;
        std::size_t branches = 0;
        while (node->is_branch()) {
            Branch& branch = *node->branch();
            passed[branches] = &branch;
            if (length < 8 * (branches + 1)) {
                ++branches;
                shorts = &branch.shorts;
                break;
            }
            node = &branch.children[key.byte(branches++)];
        }
        Leaf* leaf = shorts != nullptr ? *shorts : node->leaf();
        std::size_t at = 0;
        if (leaf != nullptr) {
            Entry* found = leaf->lower_bound(key, length);
            if (found != leaf->end() && found->compare(key, length) == 0) return {found, false};
            at = static_cast<std::size_t>(found - leaf->begin());
        }
        if (shorts == nullptr && leaf != nullptr && leaf->count == kBurst) {
            *node = Node{burst(leaf, branches)};
            return try_emplace(key, length, value);
        }
        leaf = insert(leaf, at, Entry{key, value, length});
        if (shorts != nullptr)
            *shorts = leaf;
        else
            *node = Node{leaf};
        ++size_;
        for (std::size_t i = 0; i < branches; ++i) ++passed[i]->below;
        return {leaf->begin() + at, true};
    }

    bool erase(const Key& key, std::uint8_t length) {
        Entry* entry = find(key, length);
        if (entry == nullptr) return false;
        forget_on_path(key, length);
        --size_;

        Node* node = &root_;
        for (std::size_t depth = 0; node->is_branch(); ++depth) {
            Branch* branch = node->branch();
            if (branch->below < kFold) {
                *node = Node{fold(branch, depth, key, length)};
                return true;
            }
            if (length < 8 * (depth + 1)) {
                branch->shorts = remove(branch->shorts, entry);
                return true;
            }
            node = &branch->children[key.byte(depth)];
        }
        *node = Node{remove(node->leaf(), entry)};
        return true;
    }

    // The longest entry that contains the address.
    Entry* longest_match(const Key& key) const {
        Entry* best = nullptr;
        Node node = root_;
        for (std::size_t depth = 0;; ++depth) {
            Leaf* leaf = node.is_branch() ? node.branch()->shorts : node.leaf();
            if (leaf != nullptr) {
                // Among those that contain the key, the last in order is the longest.
                for (Entry* at = leaf->upper_bound(key); at-- != leaf->begin();)
                    if (at->key.prefix_contains(at->length, key)) {
                        best = at;
                        break;
                    }
            }
            if (!node.is_branch()) return best;
            if (depth == Key::size) return best;
            node = node.branch()->children[key.byte(depth)];
        }
    }

    // Entries from (key, length) on, in order, until `visit` returns false.
    template <class F>
    bool walk_from(const Key& key, std::uint8_t length, F&& visit) const {
        const Bound bound{key, length};
        return walk(root_, 0, &bound, visit);
    }

    // The same, and as soon as may be none that the prefix does not contain: what lies beside
    // it is not looked at.
    template <class F>
    bool walk_within(const Key& key, std::uint8_t length, F&& visit) const {
        Node node = root_;
        std::size_t depth = 0;
        for (; node.is_branch() && length >= 8 * (depth + 1); ++depth)
            node = node.branch()->children[key.byte(depth)];
        const Bound bound{key, length};
        return walk(node, depth, &bound, visit);
    }

    // Entries that contain the prefix, itself included, shortest first.
    template <class F>
    bool walk_covering(const Key& key, std::uint8_t length, F&& visit) const {
        Node node = root_;
        for (std::size_t depth = 0;; ++depth) {
            Leaf* leaf = node.is_branch() ? node.branch()->shorts : node.leaf();
            if (leaf != nullptr)
                for (Entry& e : *leaf)
                    if (e.length <= length && e.key.prefix_contains(e.length, key) && !visit(e))
                        return false;
            if (!node.is_branch() || length < 8 * (depth + 1)) return true;
            node = node.branch()->children[key.byte(depth)];
        }
    }

private:
    static constexpr std::uint32_t kBurst = 96;
    static constexpr std::uint32_t kFold = kBurst / 3;

    struct Leaf {
        std::uint32_t count;
        std::uint32_t capacity;

        Entry* begin() {
            return std::launder(reinterpret_cast<Entry*>(reinterpret_cast<char*>(this) + kHeader));
        }
        Entry* end() { return begin() + count; }
        Entry* lower_bound(const Key& key, std::uint8_t length) {
            return std::partition_point(begin(), end(),
                                        [&](const Entry& e) { return e.compare(key, length) < 0; });
        }
        Entry* upper_bound(const Key& key) {
            return std::partition_point(begin(), end(),
                                        [&](const Entry& e) { return (e.key <=> key) <= 0; });
        }
    };
    static constexpr std::size_t kHeader =
        (sizeof(Leaf) + alignof(Entry) - 1) / alignof(Entry) * alignof(Entry);

    struct Branch;

    // A leaf, a branch or nothing in one word; the low bit marks a branch.
    class Node {
    public:
        Node() = default;
        explicit Node(Leaf* leaf) : word_(reinterpret_cast<std::uintptr_t>(leaf)) {}
        explicit Node(Branch* branch) : word_(reinterpret_cast<std::uintptr_t>(branch) | 1) {}

        bool is_branch() const { return word_ & 1; }
        bool is_empty() const { return word_ == 0; }
        Leaf* leaf() const { return reinterpret_cast<Leaf*>(word_); }
        Branch* branch() const { return reinterpret_cast<Branch*>(word_ & ~std::uintptr_t{1}); }

    private:
        std::uintptr_t word_ = 0;
    };

    struct Branch {
        std::size_t below = 0;  // entries in this subtree
        Leaf* shorts = nullptr;
        Node children[256]{};
    };

    struct Bound {
        Key key;
        std::uint8_t length;
    };

    static Leaf* resized(Leaf* leaf, std::uint32_t capacity) {
        const bool fresh = leaf == nullptr;
        auto* grown =
            static_cast<Leaf*>(std::realloc(leaf, kHeader + std::size_t{capacity} * sizeof(Entry)));
        if (grown == nullptr) throw std::bad_alloc{};
        if (fresh) grown->count = 0;
        grown->capacity = capacity;
        return grown;
    }

    static Leaf* insert(Leaf* leaf, std::size_t at, const Entry& entry) {
        if (leaf == nullptr || leaf->count == leaf->capacity)
            leaf = resized(leaf, leaf == nullptr ? 2 : leaf->capacity + leaf->capacity / 3 + 1);
        std::copy_backward(leaf->begin() + at, leaf->end(), leaf->end() + 1);
        leaf->begin()[at] = entry;
        ++leaf->count;
        return leaf;
    }

    static Leaf* remove(Leaf* leaf, Entry* entry) {
        std::copy(entry + 1, leaf->end(), entry);
        if (--leaf->count == 0) {
            std::free(leaf);
            return nullptr;
        }
        if (leaf->count * 2 < leaf->capacity) leaf = resized(leaf, leaf->count + leaf->count / 4);
        return leaf;
    }

    static Branch* burst(Leaf* leaf, std::size_t depth) {
        auto* branch = new Branch;
        branch->below = leaf->count;
        for (const Entry& e : *leaf) {
            if (e.length < 8 * (depth + 1)) {
                branch->shorts = append(branch->shorts, e);
            } else {
                Node& child = branch->children[e.key.byte(depth)];
                child = Node{append(child.leaf(), e)};
            }
        }
        std::free(leaf);
        return branch;
    }
    static Leaf* append(Leaf* leaf, const Entry& e) {
        return insert(leaf, leaf == nullptr ? 0 : leaf->count, e);
    }

    // One leaf with all that is below the branch, but for the entry that goes.
    static Leaf* fold(Branch* branch, std::size_t depth, const Key& key, std::uint8_t length) {
        Leaf* leaf = nullptr;
        auto collect = [&](const Entry& e) {
            if (e.compare(key, length) != 0) leaf = append(leaf, e);
            return true;
        };
        walk(Node{branch}, depth, nullptr, collect);
        destroy(Node{branch});
        return leaf;
    }

    void forget_on_path(const Key& key, std::uint8_t length) {
        Node node = root_;
        for (std::size_t depth = 0; node.is_branch(); ++depth) {
            Branch& branch = *node.branch();
            --branch.below;
            if (length < 8 * (depth + 1)) return;
            node = branch.children[key.byte(depth)];
        }
    }

    template <class F>
    static bool walk(Node node, std::size_t depth, const Bound* bound, F&& visit) {
        if (!node.is_branch()) {
            Leaf* leaf = node.leaf();
            if (leaf == nullptr) return true;
            Entry* at =
                bound != nullptr ? leaf->lower_bound(bound->key, bound->length) : leaf->begin();
            for (; at != leaf->end(); ++at)
                if (!visit(*at)) return false;
            return true;
        }

        Branch& branch = *node.branch();
        Entry* at = branch.shorts != nullptr ? branch.shorts->begin() : nullptr;
        Entry* const end = branch.shorts != nullptr ? branch.shorts->end() : nullptr;
        std::size_t child = 0;
        if (bound != nullptr) {
            if (at != nullptr) at = branch.shorts->lower_bound(bound->key, bound->length);
            child = bound->key.byte(depth);
        }
        const std::size_t bounded_child = bound != nullptr ? child : 256;
        for (; child < 256; ++child) {
            for (; at != end && at->key.byte(depth) <= child; ++at)
                if (!visit(*at)) return false;
            const Node next = branch.children[child];
            if (!next.is_empty() &&
                !walk(next, depth + 1, child == bounded_child ? bound : nullptr, visit))
                return false;
        }
        return true;
    }

    static void destroy(Node node) {
        if (!node.is_branch()) {
            std::free(node.leaf());
            return;
        }
        Branch* branch = node.branch();
        for (const Node child : branch->children) destroy(child);
        std::free(branch->shorts);
        delete branch;
    }

    Node root_{};
    std::size_t size_ = 0;
};

}  // namespace torii::detail
