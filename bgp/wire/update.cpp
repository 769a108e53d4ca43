#include "bgp/wire/update.hpp"

#include "base/byte_reader.hpp"

namespace torii::bgp {

namespace {

Failure<Notification> reset(std::uint8_t subcode) {
    return Failure{Notification{ErrorCode::UpdateMessage, subcode, {}}};
}

// RFC 4271 §6.3 and RFC 7606 §3 (d): without these nothing can be announced.
void check_mandatory(const DecodeContext& context, Update& update) {
    if (update.recovery == Recovery::TreatAsWithdraw) return;
    const auto missing = [&](Attribute code) {
        if (update.attributes.has(code)) return false;
        update.recovery = Recovery::TreatAsWithdraw;
        update.culprit = static_cast<std::uint8_t>(code);
        update.complaint = "missing";
        return true;
    };
    if (missing(Attribute::Origin) || missing(Attribute::AsPath)) return;
    if (!update.announced.empty() && missing(Attribute::NextHop)) return;
    if (!context.ebgp) missing(Attribute::LocalPref);
}

}  // namespace

Decoded<Update> decode_update(std::span<const std::uint8_t> body, const DecodeContext& context,
                              AttributeStorage& storage) {
    ByteReader in{body};
    const auto withdrawn = in.take(in.u16()).rest();
    if (!in.ok()) return reset(update_error::kMalformedAttributes);
    const auto attributes = in.take(in.u16()).rest();
    // RFC 7606 §3 (b): the lengths of the message itself must hold; the NLRI
    // begins where they end, whatever is wrong inside the attributes.
    if (!in.ok()) return reset(update_error::kMalformedAttributes);

    Update update;
    const bool add_path = context.add_path[index(Family::Ip4)];
    update.withdrawn = {withdrawn, Family::Ip4, add_path};
    update.announced = {in.rest(), Family::Ip4, add_path};
    if (withdrawn.empty() && attributes.empty() && in.empty()) {
        update.end_of_rib = Family::Ip4;  // RFC 4724 §2
        return update;
    }

    auto decoded = decode_attributes(attributes, context, storage);
    if (!decoded) return Failure{decoded.error()};
    update.attributes = decoded->attributes;
    update.reach = decoded->reach;
    update.unreach = decoded->unreach;
    update.recovery = decoded->recovery;
    update.culprit = decoded->culprit;
    update.complaint = decoded->complaint;
    if (!decoded->next_hop_complaint.empty() && !update.announced.empty() &&
        update.recovery != Recovery::TreatAsWithdraw) {
        update.recovery = Recovery::TreatAsWithdraw;
        update.culprit = static_cast<std::uint8_t>(Attribute::NextHop);
        update.complaint = decoded->next_hop_complaint;
    }

    if (!well_formed(update.withdrawn) || !well_formed(update.announced))
        return reset(update_error::kInvalidNetworkField);

    if (update.announces()) {
        check_mandatory(context, update);
    } else if (update.recovery == Recovery::TreatAsWithdraw && update.withdrawn.empty() &&
               !update.unreach) {
        // RFC 7606 §5.2: there is nothing that could be withdrawn instead.
        return reset(update_error::kMalformedAttributes);
    }
    if (update.unreach && update.unreach->empty() && update.attributes.present == 0 &&
        !update.reach && update.withdrawn.empty() && update.announced.empty())
        update.end_of_rib = update.unreach->family;
    // Routes of a family that was not agreed on.
    if (!context.families[index(Family::Ip4)]) update.withdrawn.bytes = update.announced.bytes = {};
    return update;
}

void encode_end_of_rib(Family family, std::vector<std::uint8_t>& buffer) {
    ByteWriter out{buffer};
    const auto begin = begin_message(out, MessageType::Update);
    out.u16(0);
    if (family == Family::Ip4) {
        out.u16(0);
    } else {
        out.u16(6);
        out.u8(attribute_flag::kOptional);
        out.u8(static_cast<std::uint8_t>(Attribute::MpUnreach));
        out.u8(3);
        out.u16(kAfiIp6);
        out.u8(kSafiUnicast);
    }
    finish_message(out, begin);
}

namespace {

// As many prefixes as fit below `limit`, counted from `begin`. Measured first
// and written at once: this is the inner loop of every fan-out.
std::size_t put_prefixes(std::vector<std::uint8_t>& out, std::size_t begin, std::size_t limit,
                         std::span<const Announcement> prefixes, bool add_path) {
    std::size_t n = 0, size = out.size();
    for (; n < prefixes.size(); ++n) {
        const auto next = size + nlri_size(prefixes[n].prefix, add_path);
        if (next - begin > limit) break;
        size = next;
    }
    std::size_t at = out.size();
    out.resize(size);
    for (const auto& [prefix, path_id] : prefixes.first(n)) {
        if (add_path)
            for (int shift = 24; shift >= 0; shift -= 8)
                out[at++] = static_cast<std::uint8_t>(path_id >> shift);
        out[at++] = prefix.length();
        const std::size_t bytes = (prefix.length() + 7u) / 8;
        for (std::size_t i = 0; i < bytes; ++i) out[at++] = prefix.address().byte(i);
    }
    return n;
}

// The optional, extended-length header of an MP attribute; the length follows.
std::size_t begin_mp(ByteWriter& out, Attribute code, Family family) {
    out.u8(attribute_flag::kOptional | attribute_flag::kExtendedLength);
    out.u8(static_cast<std::uint8_t>(code));
    const auto at = out.mark16();
    out.u16(afi(family));
    out.u8(kSafiUnicast);
    return at;
}

}  // namespace

std::size_t encode_announcements(std::span<const Announcement> prefixes,
                                 const OutgoingAttributes& attributes, const UpdateFormat& format,
                                 std::vector<std::uint8_t>& buffer) {
    ByteWriter out{buffer};
    std::size_t left_out = 0;
    while (!prefixes.empty()) {
        const Family family = prefixes[0].prefix.family();
        const bool mp = family == Family::Ip6 || attributes.next_hop.is_v6();
        const auto begin = begin_message(out, MessageType::Update);
        out.u16(0);
        const auto attributes_at = out.mark16();
        std::size_t n = 0;
        if (!mp) {
            out.bytes(attributes.bytes);
            out.patch16(attributes_at,
                        std::min<std::size_t>(out.size() - attributes_at - 2, 0xffff));
            n = put_prefixes(buffer, begin, format.max_message, prefixes, format.add_path);
        } else {
            // RFC 7606 §5.1: MP_REACH_NLRI should be the first attribute.
            const auto length_at = begin_mp(out, Attribute::MpReach, family);
            const bool both = !attributes.link_local.is_unspecified();
            out.u8(both ? 32 : 16);
            if (attributes.next_hop.is_v4()) {
                out.fill(10, 0);
                out.u16(0xffff);
                out.u32(attributes.next_hop.v4());
            } else {
                out.bytes(attributes.next_hop.bytes());
            }
            if (both) out.bytes(attributes.link_local.bytes());
            out.u8(0);
            if (attributes.bytes.size() < format.max_message)
                n = put_prefixes(buffer, begin, format.max_message - attributes.bytes.size(),
                                 prefixes, format.add_path);
            out.patch16(length_at, out.size() - length_at - 2);
            out.bytes(attributes.bytes);
            out.patch16(attributes_at,
                        std::min<std::size_t>(out.size() - attributes_at - 2, 0xffff));
        }
        if (n == 0) {
            buffer.resize(begin);
            ++left_out;
            prefixes = prefixes.subspan(1);
            continue;
        }
        finish_message(out, begin);
        prefixes = prefixes.subspan(n);
    }
    return left_out;
}

void encode_withdrawals(std::span<const Announcement> prefixes, const UpdateFormat& format,
                        std::vector<std::uint8_t>& buffer) {
    ByteWriter out{buffer};
    while (!prefixes.empty()) {
        const Family family = prefixes[0].prefix.family();
        const auto begin = begin_message(out, MessageType::Update);
        std::size_t n = 0;
        if (family == Family::Ip4) {
            const auto length_at = out.mark16();
            n = put_prefixes(buffer, begin, format.max_message - 2, prefixes, format.add_path);
            out.patch16(length_at, out.size() - length_at - 2);
            out.u16(0);
        } else {
            out.u16(0);
            const auto attributes_at = out.mark16();
            const auto length_at = begin_mp(out, Attribute::MpUnreach, family);
            n = put_prefixes(buffer, begin, format.max_message, prefixes, format.add_path);
            out.patch16(length_at, out.size() - length_at - 2);
            out.patch16(attributes_at, out.size() - attributes_at - 2);
        }
        finish_message(out, begin);
        prefixes = prefixes.subspan(n);
    }
}

}  // namespace torii::bgp
