#include <algorithm>

#include "base/byte_reader.hpp"
#include "bgp/wire/attributes.hpp"

namespace torii::bgp {

namespace {

using namespace attribute_flag;

void put_header(ByteWriter& out, std::uint8_t flags, Attribute code, std::size_t length) {
    const bool longer = length > 255;
    out.u8(static_cast<std::uint8_t>(flags | (longer ? kExtendedLength : 0)));
    out.u8(static_cast<std::uint8_t>(code));
    if (longer)
        out.u16(static_cast<std::uint16_t>(length));
    else
        out.u8(static_cast<std::uint8_t>(length));
}

void put(ByteWriter& out, std::uint8_t flags, Attribute code, std::span<const std::uint8_t> value) {
    put_header(out, flags, code, value.size());
    out.bytes(value);
}

void put(ByteWriter& out, std::uint8_t flags, Attribute code, std::uint32_t value) {
    put_header(out, flags, code, 4);
    out.u32(value);
}

constexpr std::uint8_t kBothFlags = kOptional | kTransitive;

}  // namespace

void encode_attributes(const Attributes& a, bool four_octet_as, bool with_next_hop,
                       std::vector<std::uint8_t>& buffer) {
    ByteWriter out{buffer};
    std::vector<std::uint8_t> narrowed;
    bool lossy = false;
    // RFC 4271 §5: once set, the partial bit stays.
    const auto both_flags = [&](Attribute code) {
        return static_cast<std::uint8_t>(
            kBothFlags | (a.partial >> static_cast<unsigned>(code) & 1 ? kPartial : 0));
    };
    if (a.has(Attribute::Origin)) {
        put_header(out, kTransitive, Attribute::Origin, 1);
        out.u8(static_cast<std::uint8_t>(a.origin));
    }
    if (a.has(Attribute::AsPath)) {
        if (four_octet_as) {
            put(out, kTransitive, Attribute::AsPath, a.as_path);
        } else {
            lossy = narrow(a.as_path, narrowed);
            put(out, kTransitive, Attribute::AsPath, narrowed);
        }
    }
    if (with_next_hop && a.next_hop.is_v4())
        put(out, kTransitive, Attribute::NextHop, a.next_hop.v4());
    if (a.has(Attribute::Med)) put(out, kOptional, Attribute::Med, a.med);
    if (a.has(Attribute::LocalPref)) put(out, kTransitive, Attribute::LocalPref, a.local_pref);
    if (a.has(Attribute::AtomicAggregate))
        put_header(out, kTransitive, Attribute::AtomicAggregate, 0);
    const bool big_aggregator = a.has(Attribute::Aggregator) && a.aggregator_as > 0xffff;
    if (a.has(Attribute::Aggregator)) {
        put_header(out, both_flags(Attribute::Aggregator), Attribute::Aggregator,
                   four_octet_as ? 8 : 6);
        if (four_octet_as)
            out.u32(a.aggregator_as);
        else
            out.u16(static_cast<std::uint16_t>(big_aggregator ? kAsTrans : a.aggregator_as));
        out.u32(a.aggregator_id);
    }
    if (a.has(Attribute::Communities))
        put(out, both_flags(Attribute::Communities), Attribute::Communities, a.communities);
    if (a.has(Attribute::OriginatorId))
        put(out, kOptional, Attribute::OriginatorId, a.originator_id);
    if (a.has(Attribute::ClusterList)) put(out, kOptional, Attribute::ClusterList, a.cluster_list);
    if (a.has(Attribute::ExtendedCommunities))
        put(out, both_flags(Attribute::ExtendedCommunities), Attribute::ExtendedCommunities,
            a.extended_communities);
    // RFC 6793 §4.2.2
    if (lossy) put(out, kBothFlags, Attribute::As4Path, a.as_path);
    if (!four_octet_as && big_aggregator) {
        put_header(out, kBothFlags, Attribute::As4Aggregator, 8);
        out.u32(a.aggregator_as);
        out.u32(a.aggregator_id);
    }
    if (a.has(Attribute::LargeCommunities))
        put(out, both_flags(Attribute::LargeCommunities), Attribute::LargeCommunities,
            a.large_communities);
    if (a.has(Attribute::OnlyToCustomer))
        put(out, both_flags(Attribute::OnlyToCustomer), Attribute::OnlyToCustomer,
            a.only_to_customer);
    out.bytes(a.others);
}

Attributes view_attributes(std::span<const std::uint8_t> canonical) {
    Attributes a;
    a.link_local = IpAddress::v6({});
    ByteReader in{canonical};
    std::uint8_t last = 0;
    while (!in.empty()) {
        const auto here = in.rest();
        const auto flags = in.u8();
        const auto code = in.u8();
        auto value = in.take(flags & kExtendedLength ? in.u16() : in.u8());
        if (!in.ok()) break;
        const auto known = static_cast<Attribute>(code);
        // Known ones ascend; what is passed on follows them.
        if (code <= last || code > static_cast<std::uint8_t>(Attribute::OnlyToCustomer)) {
            a.others = here;
            break;
        }
        switch (known) {
            case Attribute::Origin:
                a.origin = static_cast<Origin>(value.u8());
                break;
            case Attribute::AsPath:
                a.as_path = value.rest();
                break;
            case Attribute::NextHop:
                a.next_hop = IpAddress::v4(value.u32());
                break;
            case Attribute::Med:
                a.med = value.u32();
                break;
            case Attribute::LocalPref:
                a.local_pref = value.u32();
                break;
            case Attribute::AtomicAggregate:
                break;
            case Attribute::Aggregator:
                a.aggregator_as = value.u32();
                a.aggregator_id = value.u32();
                break;
            case Attribute::Communities:
                a.communities = value.rest();
                break;
            case Attribute::OriginatorId:
                a.originator_id = value.u32();
                break;
            case Attribute::ClusterList:
                a.cluster_list = value.rest();
                break;
            case Attribute::ExtendedCommunities:
                a.extended_communities = value.rest();
                break;
            case Attribute::LargeCommunities:
                a.large_communities = value.rest();
                break;
            case Attribute::OnlyToCustomer:
                a.only_to_customer = value.u32();
                break;
            default:
                a.others = here;
                return a;
        }
        last = code;
        a.set(known);
        if (flags & kPartial) a.partial |= std::uint64_t{1} << code;
    }
    return a;
}

}  // namespace torii::bgp
