#include "bgp/monitor/mrt.hpp"

#include <algorithm>

#include "base/byte_writer.hpp"

namespace torii::bgp::mrt {

namespace {

constexpr std::uint16_t kTableDumpV2 = 13, kBgp4mp = 16;
constexpr std::uint16_t kPeerIndexTable = 1, kRibIp4 = 2, kRibIp6 = 4, kRibIp4AddPath = 8,
                        kRibIp6AddPath = 10;
constexpr std::uint16_t kMessage = 1, kMessageAs4 = 4, kStateChangeAs4 = 5, kMessageAddPath = 8,
                        kMessageAs4AddPath = 9;

// RFC 6396 §2: the header; the length follows when the record has ended.
class Record {
public:
    Record(ByteWriter& out, std::uint32_t time, std::uint16_t type, std::uint16_t subtype)
        : out_(out) {
        out_.u32(time);
        out_.u16(type);
        out_.u16(subtype);
        at_ = out_.size();
        out_.u32(0);
    }
    ~Record() {
        const auto size = out_.size() - at_ - 4;
        out_.patch16(at_, size >> 16);
        out_.patch16(at_ + 2, size & 0xffff);
    }
    Record(const Record&) = delete;
    Record& operator=(const Record&) = delete;

private:
    ByteWriter& out_;
    std::size_t at_;
};

void put_address(ByteWriter& out, const IpAddress& address) {
    if (address.is_v4())
        out.u32(address.v4());
    else
        out.bytes(address.bytes());
}

void put_ends(ByteWriter& out, const Ends& ends, bool four_octet_as) {
    if (four_octet_as) {
        out.u32(ends.peer_as);
        out.u32(ends.local_as);
    } else {
        out.u16(static_cast<std::uint16_t>(std::min(ends.peer_as, 0xffffu)));
        out.u16(static_cast<std::uint16_t>(std::min(ends.local_as, 0xffffu)));
    }
    out.u16(0);  // interface index
    out.u16(afi(ends.peer.family()));
    put_address(out, ends.peer);
    // Both have the family of the session.
    put_address(out, ends.local.family() == ends.peer.family() ? ends.local
                     : ends.peer.is_v4()                       ? IpAddress{}
                                                               : IpAddress::v6({}));
}

// RFC 6396 §4.3.4: MP_REACH_NLRI is cut down to its next hop.
void put_mp_next_hop(ByteWriter& out, const IpAddress& next_hop) {
    out.u8(attribute_flag::kOptional);
    out.u8(static_cast<std::uint8_t>(Attribute::MpReach));
    out.u8(17);
    out.u8(16);
    if (next_hop.is_v4()) {
        out.fill(10, 0);
        out.u16(0xffff);
        out.u32(next_hop.v4());
    } else {
        out.bytes(next_hop.bytes());
    }
}

}  // namespace

void put_peer_table(std::uint32_t time, std::uint32_t collector, std::string_view view,
                    std::span<const Peer> peers, std::vector<std::uint8_t>& buffer) {
    ByteWriter out{buffer};
    const Record record{out, time, kTableDumpV2, kPeerIndexTable};
    out.u32(collector);
    out.u16(static_cast<std::uint16_t>(view.size()));
    for (const char c : view) out.u8(static_cast<std::uint8_t>(c));
    out.u16(static_cast<std::uint16_t>(peers.size()));
    for (const auto& peer : peers) {
        out.u8(static_cast<std::uint8_t>(2 | (peer.address.is_v6() ? 1 : 0)));  // four-octet AS
        out.u32(peer.identifier);
        put_address(out, peer.address);
        out.u32(peer.as);
    }
}

void put_rib(std::uint32_t time, std::uint32_t sequence, const Prefix& prefix, bool add_path,
             std::span<const Entry> entries, std::vector<std::uint8_t>& buffer) {
    ByteWriter out{buffer};
    const bool v4 = prefix.family() == Family::Ip4;
    const Record record{
        out, time, kTableDumpV2,
        add_path ? (v4 ? kRibIp4AddPath : kRibIp6AddPath) : (v4 ? kRibIp4 : kRibIp6)};
    out.u32(sequence);
    put_nlri(out, prefix);
    out.u16(static_cast<std::uint16_t>(entries.size()));
    for (const auto& entry : entries) {
        out.u16(entry.peer);
        out.u32(entry.originated);
        if (add_path) out.u32(entry.path_id);
        const auto at = out.mark16();
        auto attributes = entry.attributes;
        attributes.next_hop = entry.next_hop;
        const bool plain = v4 && entry.next_hop.is_v4();
        encode_attributes(attributes, true, plain, buffer);
        if (!plain) put_mp_next_hop(out, entry.next_hop);
        out.patch16(at, std::min<std::size_t>(out.size() - at - 2, 0xffff));
    }
}

void put_message(std::uint32_t time, const Ends& ends, bool four_octet_as, bool add_path,
                 std::span<const std::uint8_t> message, std::vector<std::uint8_t>& buffer) {
    ByteWriter out{buffer};
    const Record record{out, time, kBgp4mp,
                        add_path ? (four_octet_as ? kMessageAs4AddPath : kMessageAddPath)
                                 : (four_octet_as ? kMessageAs4 : kMessage)};
    put_ends(out, ends, four_octet_as);
    out.bytes(message);
}

void put_state_change(std::uint32_t time, const Ends& ends, std::uint16_t before,
                      std::uint16_t after, std::vector<std::uint8_t>& buffer) {
    ByteWriter out{buffer};
    const Record record{out, time, kBgp4mp, kStateChangeAs4};
    put_ends(out, ends, true);
    out.u16(before);
    out.u16(after);
}

}  // namespace torii::bgp::mrt
