#pragma once

#include "tests/bench/bgpswarm/options.hpp"

namespace swarm {

namespace bgp {

constexpr size_t kHeader = 19, kMaxMessage = 4096;
enum Type : uint8_t { Open = 1, Update = 2, Notification = 3, Keepalive = 4, RouteRefresh = 5 };
enum Attr : uint8_t {
    Origin = 1,
    AsPath = 2,
    NextHop = 3,
    Med = 4,
    LocalPref = 5,
    AtomicAggregate = 6,
    Aggregator = 7,
    Communities = 8,
    MpReach = 14,
    MpUnreach = 15,
    LargeCommunities = 32
};
// An AS number in this range inside an AS_PATH tells a receiver which full-table peer the path is
// from.
constexpr uint32_t kMarkerAs = 4200000000u, kMarkers = 65536;

inline void put8(Bytes& b, uint32_t v) {
    b.push_back(static_cast<uint8_t>(v));
}
inline void put16(Bytes& b, uint32_t v) {
    put8(b, v >> 8);
    put8(b, v);
}
inline void put32(Bytes& b, uint32_t v) {
    put16(b, v >> 16);
    put16(b, v);
}
inline void put(Bytes& b, View v) {
    b.insert(b.end(), v.begin(), v.end());
}
inline void set16(Bytes& b, size_t at, size_t v) {
    b[at] = static_cast<uint8_t>(v >> 8);
    b[at + 1] = static_cast<uint8_t>(v);
}
inline uint16_t get16(const uint8_t* p) {
    return static_cast<uint16_t>(p[0] << 8 | p[1]);
}
inline uint32_t get32(const uint8_t* p) {
    return uint32_t{get16(p)} << 16 | get16(p + 2);
}

inline size_t begin_message(Bytes& b, Type t) {  // returns the offset of the message
    const size_t at = b.size();
    b.insert(b.end(), 16, 0xff);
    put16(b, 0);
    put8(b, t);
    return at;
}
inline void end_message(Bytes& b, size_t at) {
    set16(b, at + 16, b.size() - at);
}

inline void keepalive(Bytes& b) {
    end_message(b, begin_message(b, Keepalive));
}

inline void notification(Bytes& b, uint8_t code, uint8_t subcode) {
    const size_t at = begin_message(b, Notification);
    put8(b, code);
    put8(b, subcode);
    end_message(b, at);
}

struct OpenParams {
    uint32_t asn, router_id;
    uint16_t hold, gr_time;
    bool ipv6, enh, gr, restarting;
};

inline void open(Bytes& b, const OpenParams& p) {
    Bytes caps;
    auto capability = [&](uint8_t code, std::initializer_list<uint8_t> data) {
        put8(caps, code);
        put8(caps, static_cast<uint32_t>(data.size()));
        caps.insert(caps.end(), data);
    };
    capability(1, {0, 1, 0, 1});
    if (p.ipv6) capability(1, {0, 2, 0, 1});
    capability(2, {});
    if (p.enh) capability(5, {0, 1, 0, 1, 0, 2});
    if (p.gr) {
        put8(caps, 64);
        put8(caps, p.ipv6 ? 10 : 6);
        put16(caps, (p.restarting ? 0x8000u : 0u) | (p.gr_time & 0xfffu));
        put16(caps, 1), put8(caps, 1), put8(caps, 0x80);
        if (p.ipv6) put16(caps, 2), put8(caps, 1), put8(caps, 0x80);
    }
    put8(caps, 65), put8(caps, 4), put32(caps, p.asn);

    const size_t at = begin_message(b, Open);
    put8(b, 4);
    put16(b, p.asn > 65535 ? 23456 : p.asn);
    put16(b, p.hold);
    put32(b, p.router_id);
    put8(b, static_cast<uint32_t>(caps.size() + 2));
    put8(b, 2), put8(b, static_cast<uint32_t>(caps.size()));
    put(b, caps);
    end_message(b, at);
}

// Path attributes of one set of routes, without the next hop, which is a matter of the peer.
struct AttrBlock {
    Bytes bytes;
    size_t next_hop_at = 0;  // where NEXT_HOP belongs in the ascending order of type codes
};

struct AttrSpec {
    uint8_t origin = 0;
    std::vector<uint32_t> path;
    bool has_med = false, has_local_pref = false, atomic = false;
    uint32_t med = 0, local_pref = 100;
    uint32_t aggregator_as = 0, aggregator_id = 0;
    std::vector<uint32_t> communities;
    std::vector<std::array<uint32_t, 3>> large;
};

inline void attr_header(Bytes& b, uint8_t flags, uint8_t type, size_t len) {
    put8(b, len > 255 ? flags | 0x10u : flags);
    put8(b, type);
    if (len > 255)
        put16(b, static_cast<uint32_t>(len));
    else
        put8(b, static_cast<uint32_t>(len));
}

inline void encode_attrs(AttrBlock& out, const AttrSpec& s) {
    Bytes& b = out.bytes;
    b.clear();
    attr_header(b, 0x40, Origin, 1);
    put8(b, s.origin);
    attr_header(b, 0x40, AsPath, s.path.empty() ? 0 : 2 + 4 * s.path.size());
    if (!s.path.empty()) {
        put8(b, 2), put8(b, static_cast<uint32_t>(s.path.size()));
        for (uint32_t as : s.path) put32(b, as);
    }
    out.next_hop_at = b.size();
    if (s.has_med) attr_header(b, 0x80, Med, 4), put32(b, s.med);
    if (s.has_local_pref) attr_header(b, 0x40, LocalPref, 4), put32(b, s.local_pref);
    if (s.atomic) attr_header(b, 0x40, AtomicAggregate, 0);
    if (s.aggregator_as != 0)
        attr_header(b, 0xc0, Aggregator, 8), put32(b, s.aggregator_as), put32(b, s.aggregator_id);
    if (!s.communities.empty()) {
        attr_header(b, 0xc0, Communities, 4 * s.communities.size());
        for (uint32_t c : s.communities) put32(b, c);
    }
    if (!s.large.empty()) {
        attr_header(b, 0xc0, LargeCommunities, 12 * s.large.size());
        for (const auto& c : s.large)
            for (uint32_t w : c) put32(b, w);
    }
}

inline void put_nlri(Bytes& b, const Net& n) {
    b.push_back(n.len);
    b.insert(b.end(), n.bytes.begin(), n.bytes.begin() + static_cast<ptrdiff_t>(n.wire_size() - 1));
}

// Announce `nets` (all of one family) in as few UPDATEs as fit. MP_REACH_NLRI carries IPv6 routes
// and IPv4 routes with an IPv6 next hop.
inline void announce(Bytes& b, const AttrBlock& a, std::span<const Net> nets,
                     const Addr& next_hop) {
    while (!nets.empty()) {
        const bool mp = nets[0].v6 || next_hop.v6;
        const size_t at = begin_message(b, Update);
        put16(b, 0);
        const size_t attrs_at = b.size();
        put16(b, 0);
        size_t mp_len_at = 0;
        if (mp) {
            put8(b, 0x90), put8(b, MpReach);
            mp_len_at = b.size();
            put16(b, 0);
            put16(b, nets[0].v6 ? 2 : 1), put8(b, 1);
            Bytes nh(next_hop.bytes.begin(), next_hop.bytes.begin() + 16);
            if (!next_hop.v6) {  // IPv4-mapped
                nh.assign(16, 0);
                nh[10] = nh[11] = 0xff;
                std::copy_n(next_hop.bytes.begin(), 4, nh.begin() + 12);
            }
            put8(b, 16), put(b, nh), put8(b, 0);
        } else {
            put(b, View(a.bytes).first(a.next_hop_at));
            attr_header(b, 0x40, NextHop, 4);
            put(b, View(next_hop.bytes).first(4));
            put(b, View(a.bytes).subspan(a.next_hop_at));
            set16(b, attrs_at, b.size() - attrs_at - 2);
        }
        const size_t room = kMaxMessage - (mp ? a.bytes.size() : 0);
        if (b.size() - at + nets[0].wire_size() > room)
            die("path attributes too long for one UPDATE");
        size_t n = 0;
        for (; n < nets.size() && b.size() - at + nets[n].wire_size() <= room; ++n)
            put_nlri(b, nets[n]);
        if (mp) {
            set16(b, mp_len_at, b.size() - mp_len_at - 2);
            put(b, a.bytes);
            set16(b, attrs_at, b.size() - attrs_at - 2);
        }
        end_message(b, at);
        nets = nets.subspan(n);
    }
}

inline void withdraw(Bytes& b, const Net& n, bool as_mp) {
    const size_t at = begin_message(b, Update);
    if (!n.v6 && !as_mp) {
        put16(b, static_cast<uint32_t>(n.wire_size()));
        put_nlri(b, n);
        put16(b, 0);
    } else {
        put16(b, 0);
        put16(b, static_cast<uint32_t>(6 + n.wire_size()));
        put8(b, 0x80), put8(b, MpUnreach), put8(b, static_cast<uint32_t>(3 + n.wire_size()));
        put16(b, n.v6 ? 2 : 1), put8(b, 1);
        put_nlri(b, n);
    }
    end_message(b, at);
}

inline void end_of_rib(Bytes& b, bool v6) {
    const size_t at = begin_message(b, Update);
    put16(b, 0);
    put16(b, v6 ? 6 : 0);
    if (v6) put8(b, 0x80), put8(b, MpUnreach), put8(b, 3), put16(b, 2), put8(b, 1);
    end_message(b, at);
}

inline std::string notification_text(uint8_t code, uint8_t sub) {
    static const char* const codes[] = {"?",
                                        "Message Header Error",
                                        "OPEN Message Error",
                                        "UPDATE Message Error",
                                        "Hold Timer Expired",
                                        "Finite State Machine Error",
                                        "Cease",
                                        "ROUTE-REFRESH Message Error"};
    static const std::vector<std::vector<const char*>> subs = {
        {},
        {"Unspecific", "Connection Not Synchronized", "Bad Message Length", "Bad Message Type"},
        {"Unspecific", "Unsupported Version Number", "Bad Peer AS", "Bad BGP Identifier",
         "Unsupported Optional Parameter", "(deprecated)", "Unacceptable Hold Time",
         "Unsupported Capability", "(deprecated)", "(deprecated)", "(deprecated)", "Role Mismatch"},
        {"Unspecific", "Malformed Attribute List", "Unrecognized Well-known Attribute",
         "Missing Well-known Attribute", "Attribute Flags Error", "Attribute Length Error",
         "Invalid ORIGIN", "(deprecated)", "Invalid NEXT_HOP", "Optional Attribute Error",
         "Invalid Network Field", "Malformed AS_PATH"},
        {"Unspecific"},
        {"Unspecific", "Unexpected Message in OpenSent", "Unexpected Message in OpenConfirm",
         "Unexpected Message in Established"},
        {"Unspecific", "Maximum Number of Prefixes Reached", "Administrative Shutdown",
         "Peer De-configured", "Administrative Reset", "Connection Rejected",
         "Other Configuration Change", "Connection Collision Resolution", "Out of Resources",
         "Hard Reset", "BFD Down"},
        {"Unspecific", "Invalid Message Length"},
    };
    char buf[160];
    const char* c = code < std::size(codes) ? codes[code] : "?";
    const char* s = code < subs.size() && sub < subs[code].size() ? subs[code][sub] : "?";
    std::snprintf(buf, sizeof buf, "%u/%u %s: %s", code, sub, c, s);
    return buf;
}

}  // namespace bgp

}  // namespace swarm
