#pragma once

#include <sys/mman.h>

#include <cstddef>
#include <cstdint>
#include <memory_resource>
#include <new>

namespace torii {

// Memory in 2 MiB pages where the kernel has them: tables of a million prefixes are
// read at random, and with 4 KiB pages each read misses the TLB as well. Below half
// a page it comes from the heap. For any thread; what takes small pieces puts a pool
// resource in between.
class HugePages final : public std::pmr::memory_resource {
public:
    static constexpr std::size_t kPage = std::size_t{2} << 20;

private:
    static bool from_heap(std::size_t bytes) { return bytes < kPage / 2; }
    static std::size_t whole(std::size_t bytes) { return (bytes + 4095) & ~std::size_t{4095}; }

    void* do_allocate(std::size_t bytes, std::size_t alignment) override {
        if (from_heap(bytes)) return ::operator new (bytes, std::align_val_t{alignment});
        // A page more than asked for, so that the front can be aligned; the rest goes back.
        const std::size_t length = whole(bytes);
        void* const map = ::mmap(nullptr, length + kPage, PROT_READ | PROT_WRITE,
                                 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        if (map == MAP_FAILED) throw std::bad_alloc{};
        auto* const begin = static_cast<std::byte*>(map);
        const auto before = (kPage - reinterpret_cast<std::uintptr_t>(map) % kPage) % kPage;
        if (before != 0) ::munmap(begin, before);
        ::munmap(begin + before + length, kPage - before);
        ::madvise(begin + before, length, MADV_HUGEPAGE);
        return begin + before;
    }
    void do_deallocate(void* at, std::size_t bytes, std::size_t alignment) override {
        if (from_heap(bytes))
            ::operator delete (at, bytes, std::align_val_t{alignment});
        else
            ::munmap(at, whole(bytes));
    }
    bool do_is_equal(const std::pmr::memory_resource& other) const noexcept override {
        return dynamic_cast<const HugePages*>(&other) != nullptr;
    }
};

inline std::pmr::memory_resource* huge_pages() {
    static HugePages pages;
    return &pages;
}

// For pool resources upon it. No piece is beyond the largest pool: of those the library
// keeps a sorted list, and peers choose how many there are.
inline constexpr std::pmr::pool_options kHugePagePools{.max_blocks_per_chunk = 1 << 14,
                                                       .largest_required_pool_block = 1 << 17};

}  // namespace torii
