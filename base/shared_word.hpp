#pragma once

#include <atomic>

// Words in tables and counters that one thread writes while others read them. On the CPUs
// that torii runs on an aligned load or store is single, and a reader that came by a pointer
// or an index sees what was written before that; so in an ordinary build these are plain, and
// loops over them vectorise. ThreadSanitizer sees neither: for it they are atomics with the
// order that the hardware gives. Always inlined: they stand in files that are compiled for
// CPUs other than the one at hand.
namespace torii {

#if defined(__SANITIZE_THREAD__)
#define TORII_THREAD_SANITIZER 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define TORII_THREAD_SANITIZER 1
#endif
#endif

#ifdef TORII_THREAD_SANITIZER
inline constexpr bool kThreadSanitizer = true;
#else
inline constexpr bool kThreadSanitizer = false;
#endif

template <class T>
[[gnu::always_inline]] inline T read_shared(const T& word) {
    if constexpr (kThreadSanitizer)
        return std::atomic_ref<T>(const_cast<T&>(word)).load(std::memory_order_acquire);
    else
        return word;
}

template <class T>
[[gnu::always_inline]] inline void write_shared(T& word, T value) {
    if constexpr (kThreadSanitizer)
        std::atomic_ref<T>(word).store(value, std::memory_order_release);
    else
        word = value;
}

// Such a word as a member.
template <class T>
struct SharedWord {
    T word;

    [[gnu::always_inline]] operator T() const { return read_shared(word); }
    [[gnu::always_inline]] SharedWord& operator=(T value) {
        write_shared(word, value);
        return *this;
    }
    // By its only writer.
    [[gnu::always_inline]] SharedWord& operator+=(T n) {
        if constexpr (kThreadSanitizer)
            write_shared(word, static_cast<T>(word + n));
        else
            word += n;
        return *this;
    }
    [[gnu::always_inline]] SharedWord& operator-=(T n) { return *this += T{} - n; }
    [[gnu::always_inline]] SharedWord& operator++() { return *this += 1; }
};

}  // namespace torii
