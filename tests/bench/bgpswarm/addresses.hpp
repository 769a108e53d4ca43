#pragma once

#include "tests/bench/bgpswarm/basics.hpp"

namespace swarm {

struct Addr {  // IPv4 addresses live in bytes[0..3]
    bool v6 = false;
    std::array<uint8_t, 16> bytes{};

    static Addr parse(const std::string& text) {
        Addr a;
        a.v6 = text.find(':') != std::string::npos;
        if (inet_pton(a.v6 ? AF_INET6 : AF_INET, text.c_str(), a.bytes.data()) != 1)
            die("not an IP address: %s", text.c_str());
        return a;
    }
    size_t size() const { return v6 ? 16 : 4; }
    Addr plus(uint32_t n) const {
        Addr r = *this;
        uint64_t carry = n;
        for (size_t i = size(); i-- > 0 && carry != 0;) {
            carry += r.bytes[i];
            r.bytes[i] = static_cast<uint8_t>(carry);
            carry >>= 8;
        }
        return r;
    }
    socklen_t fill(sockaddr_storage& ss, uint16_t port) const {
        std::memset(&ss, 0, sizeof ss);
        if (v6) {
            auto& s = reinterpret_cast<sockaddr_in6&>(ss);
            s.sin6_family = AF_INET6;
            s.sin6_port = htons(port);
            std::memcpy(&s.sin6_addr, bytes.data(), 16);
            return sizeof s;
        }
        auto& s = reinterpret_cast<sockaddr_in&>(ss);
        s.sin_family = AF_INET;
        s.sin_port = htons(port);
        std::memcpy(&s.sin_addr, bytes.data(), 4);
        return sizeof s;
    }
};

struct Net {
    std::array<uint8_t, 16> bytes{};
    uint8_t len = 0;
    bool v6 = false;

    static Net v4(uint32_t addr, uint8_t len) {
        Net n;
        n.len = len;
        for (int i = 0; i < 4; ++i)
            n.bytes[static_cast<size_t>(i)] = static_cast<uint8_t>(addr >> (24 - 8 * i));
        return n;
    }
    static Net v6of(uint64_t hi, uint64_t lo, uint8_t len) {
        Net n;
        n.v6 = true;
        n.len = len;
        for (int i = 0; i < 8; ++i) {
            n.bytes[static_cast<size_t>(i)] = static_cast<uint8_t>(hi >> (56 - 8 * i));
            n.bytes[static_cast<size_t>(i + 8)] = static_cast<uint8_t>(lo >> (56 - 8 * i));
        }
        return n;
    }
    size_t wire_size() const { return 1u + (len + 7u) / 8u; }
};

inline uint64_t net_key(bool v6, const uint8_t* bytes, uint8_t len) {  // never 0
    uint64_t w[2] = {0, 0};
    std::memcpy(w, bytes, (len + 7u) / 8u);
    if (!v6) return w[0] << 8 | len | 1ULL << 63;  // at most 40 bits used: exact
    return mix64(w[0] ^ mix64(w[1] + len)) | 1;    // 63-bit fingerprint
}

class NetSet {
public:
    explicit NetSet(size_t expected) {
        size_t cap = 1024;
        while (cap < expected * 2) cap *= 2;
        keys_.resize(cap);
    }
    bool insert(const Net& n) {  // false: was there
        if (++used_ * 4 > keys_.size() * 3) {
            std::vector<uint64_t> old(keys_.size() * 2);
            old.swap(keys_);
            for (uint64_t k : old)
                if (k != 0) *place(k) = k;
        }
        const uint64_t key = net_key(n.v6, n.bytes.data(), n.len);
        uint64_t* slot = place(key);
        if (*slot == key) return --used_, false;
        *slot = key;
        return true;
    }

private:
    uint64_t* place(uint64_t key) {
        size_t i = mix64(key) & (keys_.size() - 1);
        while (keys_[i] != 0 && keys_[i] != key) i = (i + 1) & (keys_.size() - 1);
        return &keys_[i];
    }
    std::vector<uint64_t> keys_;
    size_t used_ = 0;
};

}  // namespace swarm
