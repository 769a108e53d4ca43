#pragma once

#include <sys/mman.h>

#include <algorithm>
#include <cstddef>
#include <new>
#include <utility>
#include <vector>

namespace torii::dataplane {

// Zeroed memory for a table that may stay mostly untouched: reserved at once,
// backed page by page, in huge pages where the kernel has them.
template <class T>
class Region {
public:
    Region() = default;
    // `colour` shifts the table within its page: two that are read and written by the
    // same index must not agree in the low twelve bits of their addresses, or the CPU
    // takes a store to one for a store to the other.
    explicit Region(std::size_t count, std::size_t colour = 0)
        : bytes_(round_up(count * sizeof(T) + colour)) {
        // Twice the alignment asked for, so that a huge page fits at the front.
        constexpr std::size_t kHuge = std::size_t{2} << 20;
        const std::size_t reserve = bytes_ + kHuge;
        void* at = ::mmap(nullptr, reserve, PROT_READ | PROT_WRITE,
                          MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        if (at == MAP_FAILED) throw std::bad_alloc{};
        map_ = at;
        mapped_ = reserve;
        const auto address = reinterpret_cast<std::size_t>(at);
        const auto front = (address + kHuge - 1) & ~(kHuge - 1);
        if (bytes_ >= kHuge) ::madvise(reinterpret_cast<void*>(front), bytes_, MADV_HUGEPAGE);
        data_ = reinterpret_cast<T*>(front + colour);
    }
    Region(Region&& other) noexcept { swap(other); }
    Region& operator=(Region&& other) noexcept {
        swap(other);
        return *this;
    }
    Region(const Region&) = delete;
    Region& operator=(const Region&) = delete;
    ~Region() {
        if (map_ != nullptr) ::munmap(map_, mapped_);
    }

    T* data() { return data_; }
    const T* data() const { return data_; }
    T& operator[](std::size_t i) { return data_[i]; }
    const T& operator[](std::size_t i) const { return data_[i]; }
    std::size_t bytes() const { return bytes_; }
    // Octets that memory stands behind. Asks the kernel.
    std::size_t resident() const {
        constexpr std::size_t kPage = 4096;
        std::vector<unsigned char> pages(mapped_ / kPage);
        if (map_ == nullptr || ::mincore(map_, mapped_, pages.data()) != 0) return 0;
        return kPage * static_cast<std::size_t>(
                           std::ranges::count_if(pages, [](auto page) { return (page & 1) != 0; }));
    }

    // The first index from `first` up to `end` in a page that memory stands behind; the others
    // read as zero. Asks the kernel.
    std::size_t next_resident(std::size_t first, std::size_t end) const {
        constexpr std::size_t kPage = 4096, kPages = 512;
        const auto base = reinterpret_cast<std::size_t>(data_);
        unsigned char pages[kPages];
        while (first < end) {
            const auto from = (base + first * sizeof(T)) & ~(kPage - 1);
            const auto to = (base + end * sizeof(T) + kPage - 1) & ~(kPage - 1);
            const auto count = std::min((to - from) / kPage, kPages);
            if (::mincore(reinterpret_cast<void*>(from), count * kPage, pages) != 0) return first;
            const auto hit =
                std::find_if(pages, pages + count, [](auto p) { return (p & 1) != 0; });
            const auto at = from + static_cast<std::size_t>(hit - pages) * kPage;
            first = std::max(first, (at - base + sizeof(T) - 1) / sizeof(T));
            if (hit != pages + count) return std::min(first, end);
        }
        return end;
    }

private:
    static constexpr std::size_t round_up(std::size_t n) { return (n + 4095) & ~std::size_t{4095}; }
    void swap(Region& other) noexcept {
        std::swap(map_, other.map_);
        std::swap(mapped_, other.mapped_);
        std::swap(data_, other.data_);
        std::swap(bytes_, other.bytes_);
    }

    void* map_ = nullptr;
    std::size_t mapped_ = 0;
    T* data_ = nullptr;
    std::size_t bytes_ = 0;
};

}  // namespace torii::dataplane
