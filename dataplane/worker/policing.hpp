#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdint>

#include "dataplane/packet/exits.hpp"
#include "dataplane/settings.hpp"
#include "dataplane/worker/counters.hpp"

namespace torii::dataplane {

// A bucket of tokens in cycles: no division and no lock on the way. One for all workers, since
// what it limits often arrives by one queue. Control sets the limit, at any time.
class Policer {
public:
    Policer() = default;  // lets everything through

    // A rate of 0 lets nothing through.
    void limit(PunterRate rate, std::uint64_t hz) {
        const auto cost = rate.packets_per_second == 0 ? kNothing : hz / rate.packets_per_second;
        depth_.store(cost == kNothing ? 0 : cost * std::max<std::uint32_t>(rate.burst, 1),
                     std::memory_order_relaxed);
        cost_.store(cost, std::memory_order_relaxed);
    }

    bool admit(std::uint64_t now) {
        const auto cost = cost_.load(std::memory_order_relaxed);
        if (cost == 0) return true;
        if (cost == kNothing) return false;
        const auto depth = depth_.load(std::memory_order_relaxed);
        const auto least = now > depth ? now - depth : 0;
        auto level = level_.load(std::memory_order_relaxed);
        for (;;) {
            const auto filled = std::max(level, least) + cost;
            if (filled > now) return false;
            if (level_.compare_exchange_weak(level, filled, std::memory_order_relaxed)) return true;
        }
    }

private:
    static constexpr std::uint64_t kNothing = ~std::uint64_t{0};

    std::atomic<std::uint64_t> cost_{0};
    std::atomic<std::uint64_t> depth_{0};
    std::atomic<std::uint64_t> level_{0};
};

// What workers admit to other threads and to the kernel, and what they send of their own.
struct Policing {
    static Policing& none() {
        static Policing unlimited;
        return unlimited;
    }

    std::array<std::array<Policer, kPuntClasses>, kMaxPorts> punt;
    // Of a class at most a quarter for one source, so that one that floods leaves the others
    // theirs. Sources share a slot by chance, another one each time torii starts.
    static constexpr std::size_t kSources = 1024;
    std::array<std::array<Policer, kSources>, kPuntClasses> by_source;
    std::uint64_t salt = 0;

    bool admit(PortIndex in, PuntClass c, std::uint64_t source, std::uint64_t now) {
        const auto index = static_cast<std::size_t>(c);
        const auto slot = ((source ^ salt) * 0x9e3779b97f4a7c15ULL) >> 54;
        static_assert(kSources == std::size_t{1} << (64 - 54));
        return by_source[index][slot].admit(now) && punt[in][index].admit(now);
    }
    std::array<Policer, kIngresses> icmp_errors;
    std::array<Policer, kIngresses> too_big;
    std::array<Policer, kMaxPorts> glean;  // packets to unknown neighbors, by their port

    void limit(const ControlPlanePolicing& rates, std::uint64_t hz) {
        const PunterRate by_class[kPuntClasses] = {
            rates.bgp,      {rates.bgp.packets_per_second / 10, rates.bgp.burst},
            rates.vrrp,     rates.neighbor,
            rates.neighbor, rates.icmp,
            rates.other,    rates.bgp_strangers,
            rates.mld};
        for (auto& port : punt)
            for (std::size_t c = 0; c < kPuntClasses; ++c) port[c].limit(by_class[c], hz);
        for (std::size_t c = 0; c < kPuntClasses; ++c)
            for (auto& source : by_source[c])
                source.limit(
                    {(by_class[c].packets_per_second + 3) / 4, (by_class[c].burst + 3) / 4}, hz);
        for (auto& policer : icmp_errors) policer.limit(rates.icmp_errors, hz);
        for (auto& policer : too_big) policer.limit(rates.too_big, hz);
        for (auto& policer : glean) policer.limit(rates.glean, hz);
    }
};

}  // namespace torii::dataplane
