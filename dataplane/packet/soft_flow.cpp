#include "dataplane/packet/soft_flow.hpp"

#include <algorithm>

#include "dataplane/packet/headers.hpp"

namespace torii::dataplane {
namespace {

AddressSet::Key key_of(const IpAddress& address) {
    if (address.is_v4()) return {std::uint64_t{address.v4()} << 32, 0};
    const auto* bytes = address.bytes().data();
    return {read64(bytes), read64(bytes + 8)};
}

AddressSet::Key last_of(const Prefix& prefix) {
    auto key = key_of(prefix.address());
    const unsigned length = prefix.length();
    key.low |= length <= 64    ? ~std::uint64_t{0}
               : length == 128 ? 0
                               : ~std::uint64_t{0} >> (length - 64);
    if (length < 64) key.high |= ~std::uint64_t{0} >> length;
    return key;
}

std::vector<Prefix> of_family(std::span<const Prefix> prefixes, Family family) {
    std::vector<Prefix> out;
    std::ranges::copy_if(prefixes, std::back_inserter(out),
                         [family](const Prefix& p) { return p.family() == family; });
    return out;
}

}  // namespace

AddressSet::AddressSet(std::vector<Prefix> prefixes) {
    // In order a prefix follows the one it lies in, so that ends never overlap half.
    std::ranges::sort(prefixes);
    for (const auto& prefix : prefixes) {
        const Range range{key_of(prefix.address()), last_of(prefix)};
        for (auto head = range.first.high >> 48; head <= range.last.high >> 48; ++head)
            near_.set(head);
        if (!ranges_.empty() && range.last <= ranges_.back().last) continue;
        ranges_.push_back(range);
    }
}

bool AddressSet::search(const Key& address) const noexcept {
    const auto after = std::ranges::upper_bound(ranges_, address, {}, &Range::first);
    return after != ranges_.begin() && address <= std::prev(after)->last;
}

SoftFlow::SoftFlow(std::span<const Prefix> drop_sources)
    : ip4_(of_family(drop_sources, Family::Ip4)), ip6_(of_family(drop_sources, Family::Ip6)) {}

bool SoftFlow::drops(const std::uint8_t* frame, std::uint32_t length) const noexcept {
    if (length < kEtherHeader + kIp4Header) return false;
    const auto* ip = frame + kEtherHeader;
    switch (read16(frame + 12)) {
        case kEtherIp4:
            return ip4_.contains({std::uint64_t{read32(ip + 12)} << 32, 0});
        case kEtherIp6:
            return length >= kEtherHeader + kIp6Header &&
                   ip6_.contains({read64(ip + 8), read64(ip + 16)});
        default:
            return false;
    }
}

}  // namespace torii::dataplane
