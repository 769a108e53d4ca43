#pragma once

#include <array>
#include <atomic>
#include <boost/unordered/unordered_flat_map.hpp>
#include <cstdint>
#include <memory>
#include <random>

#include "dataplane/fib/line_hash.hpp"
#include "dataplane/fib/region.hpp"
#include "dataplane/fib/retired.hpp"

namespace torii::dataplane {

// The writer of a table of lines. Control thread.
template <class Line>
class LineHash {
public:
    using Key = typename Line::Key;

    explicit LineHash(Quiescence& workers) : old_(workers), limbo_(workers) {
        current_ = std::make_unique<Generation>(6u, multiplier_);
        view_.store(&current_->view, std::memory_order_release);
    }

    std::uint32_t find(const Key& key) const {
        const auto at = locate(key);
        return at.line == nullptr ? 0 : at.line->value(at.slot);
    }

    // Adds or changes; `v` is not 0.
    void set(const Key& key, std::uint32_t v) {
        if (const auto at = locate(key); at.line != nullptr) {
            if (at.line->value(at.slot) == 0) ++size_;
            at.line->set_value(at.slot, v);
            return;
        }
        // Beyond three eighths too many lines are full, as chance has it.
        if ((occupied_ + 1) * 8 > current_->lines() * Line::kSlots * 3) grow();
        place(*current_, key, v);
        ++occupied_;
        ++size_;
    }

    // Writes again the counts by which readers go on along a key's lines.
    void republish(const Key& key) {
        auto& g = *current_;
        for (auto at = g.view.home(Line::mix(key));; at = (at + 1) & g.view.mask) {
            g.region[at].set_passed(g.passed[at]);
            if (g.passed[at] == 0) return;
        }
    }

    // Calls visit(key, value) for about `count` keys, line by line from `line` on; true at the
    // end. A table that grows meanwhile shows some twice, or not.
    template <class F>
    bool walk(std::uint32_t& line, std::size_t count, F&& visit) const {
        const auto& g = *current_;
        for (; line < g.lines() && count > 0; ++line)
            for (unsigned slot = 0; slot < Line::kSlots; ++slot) {
                const Line& at = g.region[line];
                if (Line::is_free(at.key(slot)) || at.value(slot) == 0) continue;
                visit(at.key(slot), at.value(slot));
                if (count > 0) --count;
            }
        return line >= g.lines();
    }

    bool erase(const Key& key) {
        const auto at = locate(key);
        if (at.line == nullptr || at.line->value(at.slot) == 0) return false;
        at.line->set_value(at.slot, 0);
        --size_;
        limbo_.retire({current_->serial, key, ++erasures_});
        last_erasure_[hash_of(key)] = erasures_;
        return true;
    }

    void reclaim() {
        old_.reclaim();
        limbo_.reclaim([this](Erased&& e) { release(e); });
    }

    std::size_t size() const { return size_; }
    std::size_t memory() const { return current_->region.resident() + current_->passed.resident(); }
    // Readers load the pointer once a burst and use it until they are quiescent.
    const std::atomic<const LineHashView<Line>*>& view() const { return view_; }

private:
    struct Generation {
        Generation(unsigned bits, std::uint64_t multiplier)
            : region(std::size_t{1} << bits), passed(std::size_t{1} << bits) {
            view.lines = region.data();
            view.multiplier = multiplier;
            view.shift = 32 - bits;
            view.mask = (1u << bits) - 1;
        }
        std::size_t lines() const { return std::size_t{view.mask} + 1; }
        unsigned bits() const { return 32 - view.shift; }

        Region<Line> region;
        Region<std::uint32_t> passed;  // keys that went by each line
        LineHashView<Line> view;
        std::uint32_t serial = 0;
    };
    struct Place {
        Line* line = nullptr;
        unsigned slot = 0;
    };
    struct Erased {
        std::uint32_t generation;
        Key key;
        std::uint64_t number;
    };

    std::uint64_t hash_of(const Key& key) const { return Line::mix(key); }

    Place locate(const Key& key) const {
        auto& g = *current_;
        std::uint32_t at = g.view.home(Line::mix(key));
        for (;; at = (at + 1) & g.view.mask) {
            for (unsigned slot = 0; slot < Line::kSlots; ++slot)
                if (g.region[at].key(slot) == key) return {&g.region[at], slot};
            if (g.passed[at] == 0) return {};
        }
    }

    static void place(Generation& g, const Key& key, std::uint32_t v) {
        std::uint32_t at = g.view.home(Line::mix(key));
        for (;; at = (at + 1) & g.view.mask) {
            for (unsigned slot = 0; slot < Line::kSlots; ++slot) {
                if (!Line::is_free(g.region[at].key(slot))) continue;
                g.region[at].set_key(slot, key);
                g.region[at].set_value(slot, v);
                return;
            }
            g.region[at].set_passed(++g.passed[at]);
        }
    }

    // The grace period of an erased key is over: its slot may serve another.
    void release(const Erased& e) {
        const auto last = last_erasure_.find(hash_of(e.key));
        if (last == last_erasure_.end() || last->second != e.number) return;  // erased again
        last_erasure_.erase(last);
        if (e.generation != current_->serial) return;  // growth left it behind
        const auto at = locate(e.key);
        if (at.line == nullptr || at.line->value(at.slot) != 0) return;  // came back
        auto& g = *current_;
        for (auto i = g.view.home(Line::mix(e.key)); &g.region[i] != at.line;
             i = (i + 1) & g.view.mask)
            g.region[i].set_passed(--g.passed[i]);
        at.line->set_key(at.slot, Key{});
        --occupied_;
    }

    void grow() {
        // Erased keys do not move on: a table full of them is rebuilt, not doubled.
        const bool crowded = size_ * 4 > current_->lines() * Line::kSlots;
        auto next = std::make_unique<Generation>(current_->bits() + (crowded ? 1 : 0), multiplier_);
        next->serial = current_->serial + 1;
        occupied_ = 0;
        for (std::size_t i = 0; i < current_->lines(); ++i)
            for (unsigned slot = 0; slot < Line::kSlots; ++slot) {
                const Line& line = current_->region[i];
                if (Line::is_free(line.key(slot)) || line.value(slot) == 0) continue;
                place(*next, line.key(slot), line.value(slot));
                ++occupied_;
            }
        std::swap(current_, next);
        view_.store(&current_->view, std::memory_order_release);
        old_.retire(std::move(next));
        old_.reclaim();
    }

    // Random, so that no peer can announce prefixes that all share a line.
    std::uint64_t multiplier_ =
        (std::uint64_t{std::random_device{}()} << 32 | std::random_device{}()) | 1;
    std::unique_ptr<Generation> current_;
    std::atomic<const LineHashView<Line>*> view_{nullptr};
    std::size_t size_ = 0;      // keys with a value
    std::size_t occupied_ = 0;  // slots, with those in their grace period
    std::uint64_t erasures_ = 0;
    boost::unordered_flat_map<std::uint64_t, std::uint64_t> last_erasure_;
    Retired<std::unique_ptr<Generation>> old_;
    Retired<Erased> limbo_;
};

}  // namespace torii::dataplane
