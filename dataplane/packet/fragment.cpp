#include "dataplane/packet/fragment.hpp"

#include <algorithm>

#include "dataplane/packet/headers.hpp"

namespace torii::dataplane {

Fragmenter::Fragmenter(std::span<const std::uint8_t> packet, std::uint32_t mtu)
    : packet_(packet), mtu_(mtu), header_((packet[0] & 15u) * 4) {}

// Of the options only those with the copied flag go into later fragments.
std::uint32_t Fragmenter::write_header(std::uint8_t* out) const {
    const auto* ip = packet_.data();
    if (at_ == 0) {
        std::copy_n(ip, header_, out);
        return header_;
    }
    std::copy_n(ip, kIp4Header, out);
    std::uint32_t length = kIp4Header;
    for (std::uint32_t at = kIp4Header; at < header_;) {
        const auto type = ip[at];
        if (type == 0) break;
        const std::uint32_t size = type == 1 ? 1u : std::max<std::uint32_t>(ip[at + 1], 2);
        if (at + size > header_) break;
        if (type & 0x80) {
            std::copy_n(ip + at, size, out + length);
            length += size;
        }
        at += size;
    }
    while (length % 4 != 0) out[length++] = 0;
    out[0] = static_cast<std::uint8_t>(0x40 | length / 4);
    return length;
}

std::uint32_t Fragmenter::next(std::uint8_t* out) {
    const auto payload = static_cast<std::uint32_t>(packet_.size()) - header_;
    if (at_ >= payload) return 0;
    const auto header = write_header(out);
    const auto room = (mtu_ - header) & ~7u;
    const auto length = std::min(room, payload - at_);
    std::copy_n(packet_.data() + header_ + at_, length, out + header);

    const auto field = read16(packet_.data() + 6);
    const bool more = at_ + length < payload || (field & kMoreFragments) != 0;
    write16(out + 2, header + length);
    write16(out + 6, ((field & kFragmentOffset) + at_ / 8) | (more ? kMoreFragments : 0u));
    write16(out + 10, 0);
    write16(out + 10, checksum(out, header));
    at_ += length;
    return header + length;
}

}  // namespace torii::dataplane
