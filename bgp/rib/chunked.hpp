#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <type_traits>
#include <vector>

#include "base/huge_pages.hpp"

namespace torii::bgp {

// A growing array that never moves: chunks of one huge page. No copy at growth,
// so no peak of twice the memory either.
template <class T>
class Chunked {
    static_assert(std::is_trivially_copyable_v<T> && std::is_trivially_destructible_v<T>);

public:
    T& operator[](std::size_t i) { return chunks_[i >> kBits][i & kMask]; }
    const T& operator[](std::size_t i) const { return chunks_[i >> kBits][i & kMask]; }
    std::size_t size() const { return size_; }
    void push_back(const T& value) {
        if (size_ >> kBits == chunks_.size())
            chunks_.emplace_back(static_cast<T*>(huge_pages()->allocate(kBytes, alignof(T))));
        std::construct_at(&(*this)[size_++], value);
    }

private:
    static constexpr unsigned kBits = std::bit_width(HugePages::kPage / sizeof(T)) - 1;
    static constexpr std::size_t kMask = (std::size_t{1} << kBits) - 1;
    static constexpr std::size_t kBytes = sizeof(T) << kBits;
    struct Free {
        void operator()(T* chunk) const { huge_pages()->deallocate(chunk, kBytes, alignof(T)); }
    };
    std::vector<std::unique_ptr<T[], Free>> chunks_;
    std::size_t size_ = 0;
};

}  // namespace torii::bgp
