#pragma once

#include <algorithm>
#include <array>
#include <boost/unordered/unordered_flat_map.hpp>
#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "base/address.hpp"
#include "base/mac.hpp"
#include "dataplane/fib/hop.hpp"
#include "dataplane/settings.hpp"
#include "dataplane/views.hpp"

struct rte_mbuf;

namespace torii::dataplane {

// One next hop on one port: its users, its MAC, and the packets that wait for its
// resolution. Its hop is in the table as long as this object exists.
struct Neighbor {
    static constexpr std::uint16_t kFullShare = 4;

    std::uint32_t number = 0;
    PortIndex port = 0;
    IpAddress address;
    MacAddress mac;
    NeighborState state = NeighborState::Unresolved;
    HopId hop = 0;
    std::uint32_t users = 0;  // groups that forward to it
    std::chrono::steady_clock::time_point asked;
    std::chrono::steady_clock::time_point since;  // of the state
    std::uint64_t sent = 0;  // packets through its hop, when that was last looked at
    bool dead = false;       // verdict down: no message of the kernel makes it usable
    // Dead by its verdict, but not for long enough to be sure: where there is no other next hop
    // packets go on to it, by a hop of their own.
    bool suspect = false;
    HopId last_resort = 0;  // that hop, once there was need of it
    std::chrono::steady_clock::time_point suspected;
    HopId host_hop = 0;          // of its host route; 0: none
    bool watch_decided = false;  // whether to watch it has been asked
    bool watched_use = false;
    std::uint16_t share = kFullShare;            // of its weight, while it starts slowly
    std::chrono::steady_clock::time_point back;  // when that began
    std::chrono::seconds slow_start{0};
    std::deque<rte_mbuf*> held;

    // A quarter of its weight at first, more with time.
    std::uint16_t share_at(std::chrono::steady_clock::time_point now) const {
        const auto step = std::chrono::milliseconds{slow_start} / (kFullShare - 1);
        const auto steps = step.count() == 0 ? std::int64_t{kFullShare} : (now - back) / step;
        return static_cast<std::uint16_t>(std::min<std::int64_t>(1 + steps, kFullShare));
    }
    bool usable() const {
        return state == NeighborState::Reachable || state == NeighborState::Static;
    }
};

// All neighbors, by port and address and by number. Owns their hops;
// does not depend on its callers. Control thread only.
//
// They are two populations. Next hops in use have a place as long as there are hops. The
// others, which any packet and any ARP request can make, share a limit, and of them those that
// have not answered a quota on each port (RFC 6583 §4): a scan of an attached network fills
// that.
class Neighbors {
public:
    using Key = std::pair<PortIndex, IpAddress>;
    enum class Claim : std::uint8_t {
        InUse,    // a next hop, or configured
        Asked,    // a packet wants to go there
        Learned,  // it asked or advertised itself
    };

    // `limit`: of those not in use.
    Neighbors(HopTable& hops, std::uint32_t limit)
        : hops_(hops), limit_(limit), quota_(std::max<std::size_t>(limit / 16, 16)) {}

    Neighbor* find(PortIndex port, const IpAddress& address);
    Neighbor* by_number(std::uint32_t number);
    // The neighbor, made unresolved if it is new; nullptr when there are too many.
    Neighbor* get(PortIndex port, const IpAddress& address, Claim claim = Claim::InUse);
    void erase(Neighbor& neighbor);
    // A group sends to it, or does not any more.
    void use(Neighbor& neighbor) {
        if (neighbor.users++ == 0) --strangers_;
    }
    void release(Neighbor& neighbor) {
        if (--neighbor.users == 0) ++strangers_;
    }
    // Counts anew those that have not answered; now and then.
    void recount();

    template <class F>
    void each(F&& f) {
        for (auto& n : by_number_)
            if (n != nullptr) f(*n);
    }
    std::size_t size() const { return by_key_.size(); }
    std::size_t strangers() const { return strangers_; }
    std::size_t limit() const { return limit_; }
    std::size_t quota() const { return quota_; }
    std::size_t numbers() const { return by_number_.size(); }  // each is below
    // Those made since the last call, by number: they want to be resolved.
    std::vector<std::uint32_t> take_fresh() { return std::exchange(fresh_, {}); }

private:
    struct KeyHash {
        using is_avalanching = void;
        std::size_t operator()(const Key& key) const {
            return IpAddressHash{}(key.second) ^ key.first * 0x9e3779b97f4a7c15ULL;
        }
    };

    HopTable& hops_;
    std::size_t limit_;
    std::size_t quota_;
    std::size_t strangers_ = 0;                    // not in use
    std::array<std::size_t, kMaxPorts> silent_{};  // of them, without an answer, by port
    boost::unordered_flat_map<Key, std::uint32_t, KeyHash> by_key_;
    std::vector<std::unique_ptr<Neighbor>> by_number_{1};  // number 0 is no neighbor
    std::vector<std::uint32_t> free_;
    std::vector<std::uint32_t> fresh_;
};

}  // namespace torii::dataplane
