#include "bgp/wire/attributes.hpp"

#include <algorithm>
#include <array>

#include "base/byte_reader.hpp"

namespace torii::bgp {

namespace {

using namespace attribute_flag;

struct Decoder {
    const DecodeContext& context;
    AttributeStorage& storage;
    DecodedAttributes& out;
    std::span<const std::uint8_t> as4_path;
    bool has_as4_path = false;
    bool has_as4_aggregator = false;
    std::uint32_t as4_aggregator_as = 0, as4_aggregator_id = 0;
};

// Answers what is wrong, or nothing.
using Complaint = std::string_view;

Complaint origin(ByteReader in, Decoder& d) {
    const auto value = in.u8();
    if (!in.done()) return "length is not 1";
    if (value > 2) return "unknown value";
    d.out.attributes.origin = static_cast<Origin>(value);
    return {};
}

Complaint as_path(ByteReader in, Decoder& d) {
    auto path = in.rest();
    if (!as_path_well_formed(path, d.context.four_octet_as ? 4 : 2)) return "malformed segments";
    if (!d.context.four_octet_as) {
        widen(path, d.storage.as_path);
        path = d.storage.as_path;
    }
    const auto facts = inspect(path);
    if (facts.has_zero) return "AS 0";  // RFC 7607
    // RFC 5065 §5: confederation segments have no business on other sessions.
    if (facts.has_confed) return "confederation segment";
    if (facts.has_set && !d.context.allow_as_set) return "AS_SET (RFC 9774)";
    if (d.context.ebgp && path.empty()) return "empty from an external peer";
    // RFC 4271 §6.3
    if (d.context.ebgp && d.context.enforce_first_as && facts.first != d.context.peer_as)
        return "first AS is not the peer's";
    d.out.attributes.as_path = path;
    return {};
}

bool usable(const IpAddress& next_hop) {
    if (next_hop.is_v4()) {
        const auto first = next_hop.byte(0);
        return first != 0 && first != 127 && first < 224;
    }
    return !next_hop.is_unspecified() && !next_hop.is_loopback() && !next_hop.is_multicast();
}

Complaint next_hop(ByteReader in, Decoder& d) {
    const auto address = IpAddress::v4(in.u32());
    if (!in.done()) return "length is not 4";
    // RFC 4760 §3: beside MP_REACH_NLRI it has no meaning.
    if (!usable(address)) d.out.next_hop_complaint = "not a unicast address";
    d.out.attributes.next_hop = address;
    return {};
}

template <auto Member>
Complaint number(ByteReader in, Decoder& d) {
    d.out.attributes.*Member = in.u32();
    return in.done() ? Complaint{} : "length is not 4";
}

Complaint atomic_aggregate(ByteReader in, Decoder&) {
    return in.empty() ? Complaint{} : "length is not 0";
}

Complaint aggregator(ByteReader in, Decoder& d) {
    auto& a = d.out.attributes;
    a.aggregator_as = d.context.four_octet_as ? in.u32() : in.u16();
    a.aggregator_id = in.u32();
    if (!in.done()) return d.context.four_octet_as ? "length is not 8" : "length is not 6";
    return a.aggregator_as == 0 ? "AS 0" : Complaint{};
}

template <auto Member, std::size_t Unit>
Complaint list(ByteReader in, Decoder& d) {
    if (in.empty() || in.size() % Unit != 0) return "length is not a multiple of its unit";
    d.out.attributes.*Member = in.rest();
    return {};
}

Complaint as4_path(ByteReader in, Decoder& d) {
    if (d.context.four_octet_as) return "from a four-octet peer";
    if (!as_path_well_formed(in.rest(), 4)) return "malformed segments";
    if (inspect(in.rest()).has_zero) return "AS 0";
    d.as4_path = in.rest();
    d.has_as4_path = true;
    return {};
}

Complaint as4_aggregator(ByteReader in, Decoder& d) {
    if (d.context.four_octet_as) return "from a four-octet peer";
    d.as4_aggregator_as = in.u32();
    d.as4_aggregator_id = in.u32();
    if (!in.done()) return "length is not 8";
    if (d.as4_aggregator_as == 0) return "AS 0";
    d.has_as4_aggregator = true;
    return {};
}

// Checked for its form only (RFC 9012 §13) and passed on.
Complaint tunnel_encapsulation(ByteReader in, Decoder&) {
    while (!in.empty()) {
        in.u16();
        in.take(in.u16());
    }
    return in.ok() ? Complaint{} : "truncated tunnel";
}

// RFC 7311 §3: TLVs, whose lengths count type and length too.
Complaint aigp(ByteReader in, Decoder&) {
    while (!in.empty()) {
        in.u8();
        const auto length = in.u16();
        if (length < 3) return "a TLV is shorter than its head";
        in.take(length - 3u);
    }
    return in.ok() ? Complaint{} : "truncated TLV";
}

struct Rule {
    Attribute code;
    std::string_view name;
    std::uint8_t flags;
    Recovery on_error;   // RFC 7606 §7
    bool internal_only;  // discarded when it comes from an external peer
    Complaint (*decode)(ByteReader, Decoder&);
};

constexpr std::uint8_t kWellKnown = kTransitive;
constexpr std::uint8_t kBothFlags = kOptional | kTransitive;
using enum Recovery;
using A = Attributes;

// All path attributes that this speaker supports, but for the two of RFC 4760
// that carry routes. To support one more is to add its line here and its field
// in Attributes.
constexpr std::array kRules{
    Rule{Attribute::Origin, "ORIGIN", kWellKnown, TreatAsWithdraw, false, origin},
    Rule{Attribute::AsPath, "AS_PATH", kWellKnown, TreatAsWithdraw, false, as_path},
    Rule{Attribute::NextHop, "NEXT_HOP", kWellKnown, TreatAsWithdraw, false, next_hop},
    Rule{Attribute::Med, "MULTI_EXIT_DISC", kOptional, TreatAsWithdraw, false, number<&A::med>},
    Rule{Attribute::LocalPref, "LOCAL_PREF", kWellKnown, TreatAsWithdraw, true,
         number<&A::local_pref>},
    Rule{Attribute::AtomicAggregate, "ATOMIC_AGGREGATE", kWellKnown, DiscardAttribute, false,
         atomic_aggregate},
    Rule{Attribute::Aggregator, "AGGREGATOR", kBothFlags, DiscardAttribute, false, aggregator},
    Rule{Attribute::Communities, "COMMUNITIES", kBothFlags, TreatAsWithdraw, false,
         list<&A::communities, 4>},
    Rule{Attribute::OriginatorId, "ORIGINATOR_ID", kOptional, TreatAsWithdraw, true,
         number<&A::originator_id>},
    Rule{Attribute::ClusterList, "CLUSTER_LIST", kOptional, TreatAsWithdraw, true,
         list<&A::cluster_list, 4>},
    Rule{Attribute::ExtendedCommunities, "EXTENDED_COMMUNITIES", kBothFlags, TreatAsWithdraw, false,
         list<&A::extended_communities, 8>},
    Rule{Attribute::As4Path, "AS4_PATH", kBothFlags, DiscardAttribute, false, as4_path},
    Rule{Attribute::As4Aggregator, "AS4_AGGREGATOR", kBothFlags, DiscardAttribute, false,
         as4_aggregator},
    Rule{Attribute::TunnelEncapsulation, "TUNNEL_ENCAPSULATION", kBothFlags, TreatAsWithdraw, false,
         tunnel_encapsulation},
    // RFC 7311 §3.2: between the routers of one AS, unless configured otherwise.
    Rule{Attribute::Aigp, "AIGP", kOptional, DiscardAttribute, true, aigp},
    Rule{Attribute::LargeCommunities, "LARGE_COMMUNITIES", kBothFlags, TreatAsWithdraw, false,
         list<&A::large_communities, 12>},
    Rule{Attribute::OnlyToCustomer, "ONLY_TO_CUSTOMER", kBothFlags, TreatAsWithdraw, false,
         number<&A::only_to_customer>},
};

constexpr std::uint8_t kNoRule = 0xff;
constexpr auto kRuleOf = [] {
    std::array<std::uint8_t, 256> at{};
    at.fill(kNoRule);
    for (std::size_t i = 0; i < kRules.size(); ++i)
        at[static_cast<std::size_t>(kRules[i].code)] = static_cast<std::uint8_t>(i);
    return at;
}();

Failure<Notification> reset(std::uint8_t subcode, std::span<const std::uint8_t> attribute = {}) {
    const auto data = attribute.first(std::min<std::size_t>(attribute.size(), 1024));
    return Failure{Notification{ErrorCode::UpdateMessage, subcode, {data.begin(), data.end()}}};
}

IpAddress address6(std::span<const std::uint8_t> bytes) {
    std::array<std::uint8_t, 16> out{};
    std::copy_n(bytes.begin(), 16, out.begin());
    return IpAddress::v6(out);
}

// RFC 4760 §3, RFC 2545 §3, RFC 8950 §3. False: the session must be reset,
// because the announced NLRI cannot be determined any more (RFC 7606 §5.3).
bool mp_reach(ByteReader in, Decoder& d) {
    const auto afi = in.u16();
    const auto safi = in.u8();
    const auto hop = in.take(in.u8()).rest();
    in.u8();  // reserved
    const auto family = unicast_family(afi, safi);
    // RFC 4760 §7: routes of families we did not agree on are ignored.
    if (!family || !d.context.families[index(*family)]) return true;
    if (!in.ok()) return false;

    MpReach reach;
    reach.nlri = {in.rest(), *family, d.context.add_path[index(*family)]};
    reach.link_local = IpAddress::v6({});
    const bool six = *family == Family::Ip6 || d.context.extended_next_hop;
    if (*family == Family::Ip4 && hop.size() == 4) {
        reach.next_hop = IpAddress::v4(ByteReader{hop}.u32());
    } else if (six && (hop.size() == 16 || hop.size() == 32)) {
        reach.next_hop = address6(hop);
        if (hop.size() == 32) reach.link_local = address6(hop.subspan(16));
    } else {
        return false;
    }
    if (!well_formed(reach.nlri)) return false;
    // The first of the two may be :: where only a link-local address exists.
    if (reach.next_hop.is_unspecified() && reach.link_local.is_link_local())
        reach.next_hop = reach.link_local;
    if (!usable(reach.next_hop))
        d.out.complain(TreatAsWithdraw, static_cast<std::uint8_t>(Attribute::MpReach),
                       "next hop is not a unicast address");
    d.out.reach = reach;
    return true;
}

bool mp_unreach(ByteReader in, Decoder& d) {
    const auto afi = in.u16();
    const auto safi = in.u8();
    if (!in.ok()) return false;
    const auto family = unicast_family(afi, safi);
    d.out.unreach_seen = true;
    if (!family || !d.context.families[index(*family)]) return true;
    const NlriList list{in.rest(), *family, d.context.add_path[index(*family)]};
    if (!well_formed(list)) return false;
    d.out.unreach = list;
    return true;
}

// RFC 6793 §4.2.3
void merge_as4(Decoder& d) {
    auto& a = d.out.attributes;
    if (d.context.four_octet_as) return;
    if (a.has(Attribute::Aggregator)) {
        if (a.aggregator_as != kAsTrans && (d.has_as4_aggregator || d.has_as4_path)) return;
        if (d.has_as4_aggregator) {
            a.aggregator_as = d.as4_aggregator_as;
            a.aggregator_id = d.as4_aggregator_id;
        }
    }
    if (!d.has_as4_path || !a.has(Attribute::AsPath)) return;
    merge_as4_path(a.as_path, d.as4_path, d.storage.merged);
    a.as_path = d.storage.merged;
    // The same as for an AS_PATH: a two-octet peer passes neither check by an AS4_PATH.
    const auto facts = inspect(a.as_path);
    const auto code = static_cast<std::uint8_t>(Attribute::As4Path);
    if (facts.has_set && !d.context.allow_as_set)
        d.out.complain(Recovery::TreatAsWithdraw, code, "AS_SET");
    if (d.context.ebgp && d.context.enforce_first_as && facts.first != d.context.peer_as)
        d.out.complain(Recovery::TreatAsWithdraw, code, "does not begin with the neighbor's AS");
}

void pass_on(std::uint8_t flags, std::uint8_t code, std::span<const std::uint8_t> value,
             std::uint8_t partial, AttributeStorage& storage) {
    ByteWriter out{storage.others};
    const bool longer = value.size() > 255;
    out.u8(static_cast<std::uint8_t>((flags & kBothFlags) | partial | (flags & kPartial) |
                                     (longer ? kExtendedLength : 0)));
    out.u8(code);
    if (longer)
        out.u16(static_cast<std::uint16_t>(value.size()));
    else
        out.u8(static_cast<std::uint8_t>(value.size()));
    out.bytes(value);
}

}  // namespace

bool Attributes::has_community(std::uint32_t value) const {
    if (!has(Attribute::Communities)) return false;
    for (ByteReader in{communities}; !in.empty();)
        if (in.u32() == value) return true;
    return false;
}

Decoded<DecodedAttributes> decode_attributes(std::span<const std::uint8_t> bytes,
                                             const DecodeContext& context,
                                             AttributeStorage& storage) {
    storage.clear();
    DecodedAttributes out;
    Decoder d{context, storage, out, {}, false, false, 0, 0};
    out.attributes.link_local = IpAddress::v6({});
    std::array<std::uint64_t, 4> seen{};
    ByteReader in{bytes};
    while (!in.empty()) {
        const auto whole = in.rest();
        const auto flags = in.u8();
        const auto code = in.u8();
        const std::size_t length = flags & kExtendedLength ? in.u16() : in.u8();
        const auto value = in.take(length);
        // RFC 7606 §4: past a broken length nothing more can be framed.
        if (!in.ok()) {
            if (code == static_cast<std::uint8_t>(Attribute::MpReach) && whole.size() > 2)
                return reset(update_error::kOptionalAttribute, whole);
            out.complain(TreatAsWithdraw, code, "length runs over the end");
            break;
        }
        const auto attribute = whole.first(whole.size() - in.size());
        const bool repeated = seen[code / 64] >> (code % 64) & 1;
        seen[code / 64] |= std::uint64_t{1} << (code % 64);
        const bool carries_routes = code == static_cast<std::uint8_t>(Attribute::MpReach) ||
                                    code == static_cast<std::uint8_t>(Attribute::MpUnreach);
        if (repeated) {
            // RFC 7606 §3 (g): of a repeated attribute the first counts.
            if (carries_routes) return reset(update_error::kMalformedAttributes);
            out.complain(DiscardAttribute, code, "appears twice");
            continue;
        }
        if (carries_routes) {
            if ((flags & kBothFlags) != kOptional)
                out.complain(TreatAsWithdraw, code, "wrong flags");
            const bool good = code == static_cast<std::uint8_t>(Attribute::MpReach)
                                  ? mp_reach(value, d)
                                  : mp_unreach(value, d);
            if (!good) return reset(update_error::kOptionalAttribute, attribute);
            continue;
        }
        if (kRuleOf[code] == kNoRule) {
            // RFC 4271 §5 and §9: an unrecognized attribute is passed on, marked partial, if it is
            // transitive, and dropped otherwise.
            if (!(flags & kOptional)) return reset(update_error::kUnrecognizedWellKnown, attribute);
            if (flags & kTransitive) pass_on(flags, code, value.rest(), kPartial, storage);
            continue;
        }
        const Rule& rule = kRules[kRuleOf[code]];
        // RFC 7606 §7.5, §7.9, §7.10: not from an external peer, whatever it holds.
        if (rule.internal_only && context.ebgp) {
            out.complain(DiscardAttribute, code, "from an external peer");
            continue;
        }
        if ((flags ^ rule.flags) & kBothFlags) {  // RFC 7606 §3 (c)
            out.complain(TreatAsWithdraw, code, "wrong flags");
            continue;
        }
        if (const auto complaint = rule.decode(value, d); !complaint.empty()) {
            out.complain(rule.on_error, code, complaint);
            continue;
        }
        out.attributes.set(rule.code);
        if (flags & kPartial && (flags & kBothFlags) == kBothFlags)
            out.attributes.partial |= std::uint64_t{1} << code;
        if (rule.code == Attribute::TunnelEncapsulation || rule.code == Attribute::Aigp)
            pass_on(flags, code, value.rest(), 0, storage);
    }
    merge_as4(d);
    // With AS numbers of four octets a path may be too long for any message.
    if (!fits(out.attributes))
        out.complain(TreatAsWithdraw, static_cast<std::uint8_t>(Attribute::AsPath),
                     "longer than 65535 octets");
    for (const auto code : {Attribute::As4Path, Attribute::As4Aggregator,
                            Attribute::TunnelEncapsulation, Attribute::Aigp})
        out.attributes.unset(code);
    out.attributes.others = storage.others;
    return out;
}

bool fits(const Attributes& a) {
    for (const auto& list :
         {a.as_path, a.communities, a.extended_communities, a.large_communities, a.cluster_list})
        if (list.size() > 0xffff) return false;
    return true;
}

std::string_view attribute_name(std::uint8_t code) {
    if (code == 14) return "MP_REACH_NLRI";
    if (code == 15) return "MP_UNREACH_NLRI";
    return kRuleOf[code] == kNoRule ? "unknown attribute" : kRules[kRuleOf[code]].name;
}

}  // namespace torii::bgp
