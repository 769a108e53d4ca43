#pragma once

#include "tests/bench/bgpswarm/wire.hpp"

namespace swarm {

// What one full-table peer announces: groups of prefixes that share their attributes.
struct Table {
    std::vector<Net> nets;  // unique, the same for all full-table peers
    struct MrtGroup {
        Bytes attrs;          // raw attributes of the dump (4-octet AS_PATH)
        size_t first, count;  // slice of nets
    };
    std::vector<MrtGroup> mrt;  // empty for a synthetic table
};

inline bool reserved_v4(uint32_t a) {
    const uint32_t o1 = a >> 24, o2 = a >> 16 & 0xff;
    return o1 == 0 || o1 == 10 || o1 == 127 || o1 >= 224 ||
           (o1 >= 32 && o1 <= 47) ||  // 32/4: random extras
           (o1 == 100 && (o2 & 0xc0) == 64) || (o1 == 169 && o2 == 254) ||
           (o1 == 172 && (o2 & 0xf0) == 16) || (o1 == 192 && (o2 == 168 || o2 == 0)) ||
           (o1 == 198 && (o2 & 0xfe) == 18);
}

// Prefix lengths follow the shape of today's IPv4 default-free zone.
inline uint8_t draw_length(Rng& rng) {
    struct Share {
        uint8_t len;
        uint32_t per_100k;
    };
    static constexpr Share shares[] = {
        {24, 59500}, {22, 11500}, {23, 10200}, {21, 5100}, {20, 4500}, {19, 2800},
        {16, 1600},  {18, 1500},  {17, 1000},  {15, 220},  {14, 130},  {13, 65},
        {12, 35},    {11, 12},    {10, 5},     {9, 2},     {8, 1}};
    uint32_t x = rng.below(98170);
    for (const auto& s : shares) {
        if (x < s.per_100k) return s.len;
        x -= s.per_100k;
    }
    return 24;
}

inline Table synthetic_table(uint32_t count, uint64_t seed) {
    Table t;
    t.nets.reserve(count);
    Rng rng(seed);
    NetSet seen(count);
    uint32_t area = 0, left = 0;
    for (uint32_t tries = 0; t.nets.size() < count;) {
        if (left == 0) {  // one origin's prefixes lie close together
            area = static_cast<uint32_t>(rng.next() >> 32);
            left = 1 + rng.below(12);
        }
        const uint8_t len = draw_length(rng);
        const uint32_t addr = (len >= 16 ? (area & 0xfffc0000u) | rng.below(1u << 18)
                                         : static_cast<uint32_t>(rng.next() >> 32)) &
                              (~0u << (32 - len));
        --left;
        if (reserved_v4(addr) || (len < 12 && reserved_v4(addr | 0x00100000u))) continue;
        const Net net = Net::v4(addr, len);
        if (!seen.insert(net)) {
            if (++tries > 50 * count) die("--full-table: no room for that many unique prefixes");
            continue;
        }
        t.nets.push_back(net);
    }
    return t;
}

inline uint32_t draw_asn(Rng& rng, bool transit) {
    if (transit)
        return 1000 + 7 * (rng.below(300) * rng.below(300) / 300);  // few, the low ones often
    const uint32_t a = 1 + rng.below(75000);
    return a < 23000 ? a : a < 60000 ? a + 1000 : a - 60000 + 196608;  // 23456, 64496.. avoided
}

inline void draw_attrs(Rng& rng, bgp::AttrSpec& s) {
    s.origin = rng.chance(0.9) ? 0 : rng.chance(0.9) ? 2 : 1;
    const uint32_t hops = 1 + rng.below(3) + rng.below(3);
    for (uint32_t i = 0; i < hops; ++i) s.path.push_back(draw_asn(rng, true));
    const uint32_t origin = draw_asn(rng, false);
    s.path.insert(s.path.end(), rng.chance(0.15) ? 2 + rng.below(3) : 1, origin);
    s.has_med = rng.chance(0.25);
    s.med = rng.below(200);
    s.atomic = rng.chance(0.03);
    if (rng.chance(0.06))
        s.aggregator_as = origin, s.aggregator_id = 0x0a000000u | rng.below(1u << 24);
    if (rng.chance(0.65))
        for (uint32_t i = 1 + rng.below(4) * rng.below(4); i > 0; --i)
            s.communities.push_back((1000 + 7 * rng.below(300)) << 16 | rng.below(400));
    if (rng.chance(0.1))
        for (uint32_t i = 1 + rng.below(3); i > 0; --i)
            s.large.push_back({draw_asn(rng, true), rng.below(20), rng.below(500)});
}

// Rewrites raw attributes of a dump for sending: own AS (and marker) in front, no next hop of old.
inline void rewrite_mrt_attrs(bgp::AttrBlock& out, View raw, std::span<const uint32_t> prepend,
                              bool ibgp) {
    using namespace bgp;
    out.bytes.clear();
    out.next_hop_at = 0;
    bool have_local_pref = false;
    auto raise_next_hop = [&](uint8_t type) {
        if (type < NextHop) out.next_hop_at = out.bytes.size();
    };
    while (raw.size() >= 3) {
        const uint8_t flags = raw[0], type = raw[1];
        const bool ext = (flags & 0x10) != 0;
        if (raw.size() < (ext ? 4u : 3u)) break;
        const size_t len = ext ? get16(&raw[2]) : raw[2];
        const size_t head = ext ? 4 : 3;
        if (raw.size() < head + len) break;
        const View body = raw.subspan(head, len);
        raw = raw.subspan(head + len);
        if (type == NextHop || type == MpReach || type == MpUnreach || (type == LocalPref && !ibgp))
            continue;
        have_local_pref |= type == LocalPref;
        if (type == AsPath && !prepend.empty()) {
            const bool join = body.size() >= 2 && body[0] == 2 && body[1] + prepend.size() <= 255;
            attr_header(out.bytes, 0x40, AsPath, len + 4 * prepend.size() + (join ? 0 : 2));
            put8(out.bytes, 2);
            put8(out.bytes, static_cast<uint32_t>(prepend.size() + (join ? body[1] : 0u)));
            for (uint32_t as : prepend) put32(out.bytes, as);
            put(out.bytes, join ? body.subspan(2) : body);
        } else {
            attr_header(out.bytes, flags & 0xe0, type, len);
            put(out.bytes, body);
        }
        raise_next_hop(type);
    }
    if (ibgp && !have_local_pref) attr_header(out.bytes, 0x40, LocalPref, 4), put32(out.bytes, 100);
}

inline Table load_mrt(const std::string& file, int want_peer, bool want_v6) {
    FILE* f = file == "-" ? stdin : std::fopen(file.c_str(), "rb");
    if (f == nullptr) die("%s: %s", file.c_str(), std::strerror(errno));
    struct Group {
        Bytes attrs;
        std::vector<Net> nets;
    };
    std::vector<Group> groups;
    std::unordered_map<std::string, size_t> by_attrs;
    NetSet seen(1 << 20);  // some files hold several dumps one after the other
    Bytes rec;
    uint8_t head[12];
    while (std::fread(head, 1, sizeof head, f) == sizeof head) {
        const uint16_t type = bgp::get16(head + 4), subtype = bgp::get16(head + 6);
        const uint32_t len = bgp::get32(head + 8);
        if (len > (1u << 24))
            die("%s: bad MRT record length (is the file compressed?)", file.c_str());
        rec.resize(len);
        if (std::fread(rec.data(), 1, len, f) != len) break;
        const bool add_path = subtype == 8 || subtype == 10;
        const bool v6 = subtype == 4 || subtype == 10;
        if (type != 13 || !(subtype == 2 || subtype == 4 || add_path) || (v6 && !want_v6) ||
            len < 7)
            continue;
        Net n;
        n.v6 = v6;
        n.len = rec[4];
        const size_t bytes = (n.len + 7u) / 8u;
        size_t at = 5 + bytes;
        if (n.len > (v6 ? 128 : 32) || at + 2 > len) continue;
        std::copy_n(rec.begin() + 5, bytes, n.bytes.begin());
        uint32_t entries = bgp::get16(&rec[at]);
        at += 2;
        for (; entries > 0 && at + 8 <= len; --entries) {
            const int peer = bgp::get16(&rec[at]);
            at += 6 + (add_path ? 4 : 0);
            if (at + 2 > len) break;
            const size_t alen = bgp::get16(&rec[at]);
            at += 2;
            if (at + alen > len) break;
            if (want_peer < 0 || want_peer == peer) {
                if (!seen.insert(n)) break;
                std::string key(reinterpret_cast<const char*>(&rec[at]), alen);
                key.push_back(v6 ? '6' : '4');
                const auto [it, fresh] = by_attrs.try_emplace(std::move(key), groups.size());
                if (fresh)
                    groups.push_back({Bytes(rec.begin() + static_cast<ptrdiff_t>(at),
                                            rec.begin() + static_cast<ptrdiff_t>(at + alen)),
                                      {}});
                groups[it->second].nets.push_back(n);
                break;
            }
            at += alen;
        }
    }
    if (f != stdin) std::fclose(f);
    Table t;
    for (auto& g : groups) {
        t.mrt.push_back({std::move(g.attrs), t.nets.size(), g.nets.size()});
        t.nets.insert(t.nets.end(), g.nets.begin(), g.nets.end());
    }
    if (t.nets.empty()) die("%s: no usable TABLE_DUMP_V2 RIB entries", file.c_str());
    return t;
}

struct Origination {  // who announces the table
    uint32_t asn, marker, extra_prepends;
    bool ibgp;
    Addr next_hop4, next_hop6;
    uint64_t seed;
};

inline Bytes encode_table(const Table& t, const Origination& o, bool ipv6) {
    Bytes out;
    out.reserve(t.nets.size() * 20 + 4096);
    std::vector<uint32_t> front(o.ibgp ? 0 : 1 + o.extra_prepends, o.asn);
    front.push_back(bgp::kMarkerAs + o.marker);
    bgp::AttrBlock block;
    if (!t.mrt.empty()) {
        for (const auto& g : t.mrt) {
            rewrite_mrt_attrs(block, g.attrs, front, o.ibgp);
            const std::span<const Net> nets(&t.nets[g.first], g.count);
            bgp::announce(out, block, nets, nets[0].v6 ? o.next_hop6 : o.next_hop4);
        }
    } else {
        Rng rng(o.seed * 1000003 + o.marker);
        for (size_t i = 0; i < t.nets.size();) {
            bgp::AttrSpec spec;
            spec.path = front;
            spec.has_local_pref = o.ibgp;
            draw_attrs(rng, spec);
            bgp::encode_attrs(block, spec);
            // Sizes of attribute groups: many small ones, some large (mean about 6.6).
            size_t n = rng.chance(0.45)  ? 1
                       : rng.chance(0.9) ? 2 + rng.below(9)
                                         : 16 + rng.below(64);
            n = std::min(n, t.nets.size() - i);
            bgp::announce(out, block, std::span(&t.nets[i], n), o.next_hop4);
            i += n;
        }
    }
    bgp::end_of_rib(out, false);
    if (ipv6) bgp::end_of_rib(out, true);
    return out;
}

}  // namespace swarm
