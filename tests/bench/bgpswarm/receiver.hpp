#pragma once

#include "tests/bench/bgpswarm/table.hpp"

namespace swarm {

class RouteTable {  // prefix -> which path, open addressing, entries are never removed
public:
    static constexpr uint32_t kAbsent = 0;
    struct Slot {
        uint64_t key;
        uint32_t via;
        uint32_t generation;
    };

    explicit RouteTable(size_t expected) {
        size_t cap = 1024;
        while (cap < expected * 2) cap *= 2;
        slots_.resize(cap);
    }
    // Returns the slot of a prefix, created absent if new. The caller changes `via` through set().
    Slot& find(bool v6, const uint8_t* bytes, uint8_t len) {
        if ((used_ + 1) * 4 > slots_.size() * 3) grow();
        const uint64_t key = net_key(v6, bytes, len);
        size_t i = mix64(key) & (slots_.size() - 1);
        while (slots_[i].key != key) {
            if (slots_[i].key == 0) {
                slots_[i].key = key;
                ++used_;
                break;
            }
            i = (i + 1) & (slots_.size() - 1);
        }
        return slots_[i];
    }
    void set(Slot& s, uint32_t via) {
        if (s.via != kAbsent) --held_, --counter(s.via);
        if (via != kAbsent) ++held_, ++counter(via);
        s.via = via;
    }
    size_t held() const { return held_; }
    size_t held_via_peer(uint32_t marker) const {
        return marker + 2 < by_via_.size() ? by_via_[marker + 2] : 0;
    }
    size_t markers_seen() const { return by_via_.size() > 2 ? by_via_.size() - 2 : 0; }

private:
    // via: 0 absent, 1 no marker in the path, 2 + m marker m
    size_t& counter(uint32_t via) {
        if (via >= by_via_.size()) by_via_.resize(via + 1);
        return by_via_[via];
    }
    void grow() {
        std::vector<Slot> old(slots_.size() * 2);
        old.swap(slots_);
        for (const Slot& s : old) {
            if (s.key == 0) continue;
            size_t i = mix64(s.key) & (slots_.size() - 1);
            while (slots_[i].key != 0) i = (i + 1) & (slots_.size() - 1);
            slots_[i] = s;
        }
    }
    std::vector<Slot> slots_;
    std::vector<size_t> by_via_;
    size_t used_ = 0, held_ = 0;
};

struct RxCounters {
    uint64_t updates = 0, announced = 0, withdrawn = 0, changed = 0, end_of_rib = 0, malformed = 0;
};

// Walks an UPDATE; on_net(v6, bytes, len, via) is called per prefix with via = kAbsent for
// withdrawals.
template <class OnNet>
inline bool decode_update(View m, bool as4, OnNet&& on_net, RxCounters& c) {
    using namespace bgp;
    ++c.updates;
    auto walk = [&](View nlri, bool v6, uint32_t via) {
        while (!nlri.empty()) {
            const uint8_t len = nlri[0];
            const size_t bytes = (len + 7u) / 8u;
            if (len > (v6 ? 128 : 32) || nlri.size() < 1 + bytes) return false;
            on_net(v6, nlri.data() + 1, len, via);
            nlri = nlri.subspan(1 + bytes);
            ++(via == RouteTable::kAbsent ? c.withdrawn : c.announced);
        }
        return true;
    };
    if (m.size() < kHeader + 4) return false;
    m = m.subspan(kHeader);
    const size_t wlen = get16(m.data());
    if (m.size() < wlen + 4) return false;
    const View withdrawn = m.subspan(2, wlen);
    const size_t alen = get16(&m[2 + wlen]);
    if (m.size() < wlen + 4 + alen) return false;
    View attrs = m.subspan(4 + wlen, alen);
    const View nlri = m.subspan(4 + wlen + alen);
    if (wlen == 0 && alen == 0 && nlri.empty()) {
        ++c.end_of_rib;
        return true;
    }
    uint32_t via = 1;
    View reach, unreach;
    bool has_unreach = false;
    while (attrs.size() >= 3) {
        const bool ext = (attrs[0] & 0x10) != 0;
        const uint8_t type = attrs[1];
        const size_t head = ext ? 4 : 3;
        if (attrs.size() < head) return false;
        const size_t len = ext ? get16(&attrs[2]) : attrs[2];
        if (attrs.size() < head + len) return false;
        const View body = attrs.subspan(head, len);
        attrs = attrs.subspan(head + len);
        if (type == AsPath && as4) {
            for (View seg = body; seg.size() >= 2 && seg.size() >= 2 + 4u * seg[1];
                 seg = seg.subspan(2 + 4u * seg[1]))
                for (size_t i = 0; i < seg[1]; ++i)
                    if (const uint32_t as = get32(&seg[2 + 4 * i]); as - kMarkerAs < kMarkers)
                        via = 2 + (as - kMarkerAs);
        } else if (type == MpReach) {
            reach = body;
        } else if (type == MpUnreach) {
            unreach = body;
            has_unreach = true;
        }
    }
    if (!walk(withdrawn, false, RouteTable::kAbsent)) return false;
    if (has_unreach) {
        if (unreach.size() < 3) return false;
        if (unreach.size() == 3 && reach.empty()) ++c.end_of_rib;
        if (!walk(unreach.subspan(3), get16(unreach.data()) == 2, RouteTable::kAbsent))
            return false;
    }
    if (!reach.empty()) {
        if (reach.size() < 5 || reach.size() < 5u + reach[3]) return false;
        if (!walk(reach.subspan(5u + reach[3]), get16(reach.data()) == 2, via)) return false;
    }
    return walk(nlri, false, via);
}

}  // namespace swarm
