#pragma once

#include <rte_ring.h>

// The rings between threads: DPDK's, by the four calls that torii makes. Each hands over
// what was written before: the thread that takes an object sees it
// as it was when it was put.
//
// ThreadSanitizer does not understand the insides of rte_ring, whose order is that of x86:
// for it they are left out, and the order is stated here.
namespace torii::dataplane {

#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define TORII_RING_CALL [[gnu::noinline, clang::no_sanitize("thread")]] inline
extern "C" void __tsan_acquire(void* address);
extern "C" void __tsan_release(void* address);
inline void ring_acquire(void* side) {
    __tsan_acquire(side);
}
inline void ring_release(void* side) {
    __tsan_release(side);
}
#endif
#endif
#ifndef TORII_RING_CALL
#define TORII_RING_CALL [[gnu::always_inline]] inline
[[gnu::always_inline]] inline void ring_acquire(void*) {}
[[gnu::always_inline]] inline void ring_release(void*) {}
#endif

// False: the ring is full, and nothing was put.
TORII_RING_CALL bool ring_put(rte_ring* ring, void* thing) {
    ring_acquire(&ring->cons);
    ring_release(&ring->prod);
    return rte_ring_enqueue(ring, thing) == 0;
}

// Takes up to `most`; how many it were.
template <class T>
TORII_RING_CALL unsigned ring_take(rte_ring* ring, T** things, unsigned most) {
    const unsigned n =
        rte_ring_dequeue_burst(ring, reinterpret_cast<void**>(things), most, nullptr);
    ring_acquire(&ring->prod);
    ring_release(&ring->cons);
    return n;
}

TORII_RING_CALL bool ring_is_empty(const rte_ring* ring) {
    return rte_ring_empty(ring) != 0;
}

#undef TORII_RING_CALL

}  // namespace torii::dataplane
