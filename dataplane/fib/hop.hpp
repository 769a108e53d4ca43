#pragma once

#include <emmintrin.h>

#include <atomic>
#include <cstdint>
#include <cstring>
#include <functional>
#include <vector>

#include "base/mac.hpp"
#include "base/shared_word.hpp"
#include "dataplane/fib/region.hpp"
#include "dataplane/fib/retired.hpp"
#include "dataplane/fib/value.hpp"
#include "dataplane/settings.hpp"

namespace torii::dataplane {

struct BucketTable;

// What to do with packets that no rewrite leads out of a port.
enum class HopKind : std::uint8_t {
    NoRoute,
    Discard,
    Unreachable,
    Local,      // one of our addresses
    Broadcast,  // of an attached network (RFC 2644)
    Attached,   // on the link of `port`, neighbor not known yet
    Hold,       // neighbor `number` is known, its MAC is not
    Group,      // choose by `buckets`
    Forward,
};

// The end of every lookup, sixteen bytes that change in one store. With mtu != 0
// they are the packet's next Ethernet addresses, port and the largest packet
// (without Ethernet header); with mtu == 0 the rest defines what else to do.
struct alignas(16) Hop {
    std::uint8_t macs[12];  // destination, source; or a number and the kind
    PortIndex port;
    std::uint16_t mtu;

    static Hop forward(const MacAddress& to, const MacAddress& from, PortIndex port,
                       std::uint16_t mtu) {
        Hop hop{};
        std::memcpy(hop.macs, to.bytes.data(), 6);
        std::memcpy(hop.macs + 6, from.bytes.data(), 6);
        hop.port = port;
        hop.mtu = mtu;
        return hop;
    }
    static Hop of(HopKind kind, std::uint64_t number = 0, PortIndex port = 0) {
        Hop hop{};
        std::memcpy(hop.macs, &number, 8);
        hop.macs[8] = static_cast<std::uint8_t>(kind);
        hop.port = port;
        return hop;
    }
    // Guarded: a packet that would go back to the node it came from is dropped.
    static Hop group(const BucketTable* buckets, bool guarded = false) {
        auto hop = of(HopKind::Group, reinterpret_cast<std::uintptr_t>(buckets));
        hop.macs[9] = guarded;
        return hop;
    }

    bool guarded() const { return macs[9] != 0; }  // of a Group
    // Whether a frame from that source would go back there, of a Forward.
    bool next_hop_mac_is(const std::uint8_t* source_mac) const {
        return std::memcmp(macs, source_mac, 6) == 0;
    }
    HopKind kind() const { return mtu != 0 ? HopKind::Forward : static_cast<HopKind>(macs[8]); }
    std::uint64_t number() const {
        std::uint64_t n;
        std::memcpy(&n, macs, 8);
        return n;
    }
    const BucketTable* buckets() const {
        return reinterpret_cast<const BucketTable*>(static_cast<std::uintptr_t>(number()));
    }
};
static_assert(sizeof(Hop) == 16);

// ThreadSanitizer supports a single access of sixteen octets in this form alone.
__extension__ using Octets16 = unsigned __int128;

// A hop of the table, whole: control may be writing it.
[[gnu::always_inline]] inline __m128i load_row(const Hop& hop) {
#ifdef TORII_THREAD_SANITIZER
    const auto bits = __atomic_load_n(reinterpret_cast<const Octets16*>(&hop), __ATOMIC_ACQUIRE);
    __m128i row;
    std::memcpy(&row, &bits, sizeof row);
    return row;
#else
    return _mm_load_si128(reinterpret_cast<const __m128i*>(&hop));
#endif
}
inline Hop load(const Hop& hop) {
    Hop copy;
    _mm_store_si128(reinterpret_cast<__m128i*>(&copy), load_row(hop));
    return copy;
}

// All hops, by id. Aligned 16-byte stores are single on every CPU with AVX; the
// few older ones that DPDK supports keep them within one cache line as well.
class HopTable {
public:
    static constexpr HopId kNone = 0, kDiscard = 1, kUnreachable = 2, kLocal = 3, kBroadcast = 4;
    static constexpr HopId kFirstPort = 5;  // attached networks, by port

    // Workers may read, for nothing, what any 24 bits name: there is room for all of that,
    // which no memory stands behind.
    HopTable(std::uint32_t limit, Quiescence& workers)
        : hops_(std::size_t{value::kMaxHop} + 1), pool_(limit, workers) {
        for (HopId id = 1; id < kFirstPort + kMaxPorts; ++id) pool_.take();
        write(kNone, Hop::of(HopKind::NoRoute));
        write(kDiscard, Hop::of(HopKind::Discard));
        write(kUnreachable, Hop::of(HopKind::Unreachable));
        write(kLocal, Hop::of(HopKind::Local));
        write(kBroadcast, Hop::of(HopKind::Broadcast));
        for (PortIndex port = 0; port < kMaxPorts; ++port)
            write(attached(port), Hop::of(HopKind::Attached, 0, port));
    }

    static constexpr HopId attached(PortIndex port) { return kFirstPort + port; }

    HopId take() {  // kNone: full
        const auto id = pool_.take();
        if (id != kNone && taken_) taken_(id);
        return id;
    }
    // Called with each hop that is taken: its counters have the past of another.
    void when_taken(std::function<void(HopId)> taken) { taken_ = std::move(taken); }
    bool has_room() { return pool_.has(1); }
    void retire(HopId id) { pool_.retire(id); }
    void write(HopId id, const Hop& hop) {
#ifdef TORII_THREAD_SANITIZER
        Octets16 whole;
        std::memcpy(&whole, &hop, sizeof whole);
        __atomic_store_n(reinterpret_cast<Octets16*>(&hops_[id]), whole, __ATOMIC_RELEASE);
#else
        // What the hop leads to was written before.
        std::atomic_thread_fence(std::memory_order_release);
        const auto bits = _mm_load_si128(reinterpret_cast<const __m128i*>(&hop));
        _mm_store_si128(reinterpret_cast<__m128i*>(&hops_[id]), bits);
#endif
    }
    Hop read(HopId id) const {
        return hops_[id];
    }
    const Hop* data() const {
        return hops_.data();
    }

    const IndexPool& pool() const {
        return pool_;
    }
    void reclaim() {
        pool_.reclaim();
    }

private:
    Region<Hop> hops_;
    IndexPool pool_;
    std::function<void(HopId)> taken_;
};

}  // namespace torii::dataplane
