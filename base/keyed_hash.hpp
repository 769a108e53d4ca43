#pragma once

#include <sys/random.h>

#include <bit>
#include <cstdint>
#include <cstring>
#include <random>
#include <span>

namespace torii {

// A hash of octets that others choose: without its key, which is drawn anew for each object,
// no two inputs can be made to collide (SipHash-1-3, Aumasson and Bernstein 2012). Of one
// thread's data or immutable.
class KeyedHash {
public:
    KeyedHash() {
        if (getrandom(key_, sizeof key_, 0) == static_cast<ssize_t>(sizeof key_)) return;
        std::random_device source;
        for (auto& half : key_) half = std::uint64_t{source()} << 32 | source();
    }
    KeyedHash(std::uint64_t first, std::uint64_t second) : key_{first, second} {}

    // `context` counts as if it stood in front of the octets.
    std::uint64_t operator()(std::span<const std::uint8_t> bytes, std::uint64_t context = 0) const {
        State s{key_[0] ^ 0x736f6d6570736575ULL, key_[1] ^ 0x646f72616e646f6dULL,
                key_[0] ^ 0x6c7967656e657261ULL, key_[1] ^ 0x7465646279746573ULL};
        s.take(context);
        const std::uint8_t* at = bytes.data();
        std::size_t left = bytes.size();
        for (; left >= 8; at += 8, left -= 8) {
            std::uint64_t word;
            std::memcpy(&word, at, 8);
            s.take(word);
        }
        std::uint64_t word = 0;
        if (left != 0) std::memcpy(&word, at, left);
        s.take(word | std::uint64_t{bytes.size()} << 56);
        s.v2 ^= 0xff;
        for (int round = 0; round < 3; ++round) s.mix();
        return s.v0 ^ s.v1 ^ s.v2 ^ s.v3;
    }

private:
    struct State {
        std::uint64_t v0, v1, v2, v3;
        void take(std::uint64_t word) {
            v3 ^= word;
            mix();
            v0 ^= word;
        }
        void mix() {
            v0 += v1;
            v1 = std::rotl(v1, 13) ^ v0;
            v0 = std::rotl(v0, 32);
            v2 += v3;
            v3 = std::rotl(v3, 16) ^ v2;
            v0 += v3;
            v3 = std::rotl(v3, 21) ^ v0;
            v2 += v1;
            v1 = std::rotl(v1, 17) ^ v2;
            v2 = std::rotl(v2, 32);
        }
    };
    std::uint64_t key_[2]{};
};

}  // namespace torii
