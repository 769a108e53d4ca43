#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

namespace torii::bgp {

// A growing array that never moves: chunks of 2^Bits elements. No copy at
// growth, so no peak of twice the memory either.
template <class T, unsigned Bits = 14>
class Chunked {
public:
    T& operator[](std::size_t i) { return chunks_[i >> Bits][i & kMask]; }
    const T& operator[](std::size_t i) const { return chunks_[i >> Bits][i & kMask]; }
    std::size_t size() const { return size_; }
    void push_back(const T& value) {
        if (size_ >> Bits == chunks_.size())
            chunks_.push_back(std::make_unique<T[]>(std::size_t{1} << Bits));
        (*this)[size_++] = value;
    }

private:
    static constexpr std::size_t kMask = (std::size_t{1} << Bits) - 1;
    std::vector<std::unique_ptr<T[]>> chunks_;
    std::size_t size_ = 0;
};

}  // namespace torii::bgp
