#include "dataplane/worker/capture.hpp"

#include <rte_mbuf.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "dataplane/packet/headers.hpp"

namespace torii::dataplane {
namespace {

// Whether the packet in a frame is about the prefix.
bool about(const std::uint8_t* frame, std::uint32_t length, const Prefix& prefix) {
    const auto* ip = frame + kEtherHeader;
    if (length < kEtherHeader + kIp4Header) return false;
    const auto type = read16(frame + 12);
    if (type == kEtherIp4 && prefix.family() == Family::Ip4)
        return prefix.contains(IpAddress::v4(read32(ip + 12))) ||
               prefix.contains(IpAddress::v4(read32(ip + 16)));
    if (type == kEtherIp6 && prefix.family() == Family::Ip6 && length >= kEtherHeader + kIp6Header)
        return prefix.contains(ip6_at(ip + 8)) || prefix.contains(ip6_at(ip + 24));
    return false;
}

}  // namespace

std::optional<std::size_t> capture_point(std::string_view name) {
    for (std::size_t point = 0; point <= kTransmitted; ++point)
        if (capture_point_name(point) == name) return point;
    return std::nullopt;
}

std::string_view capture_point_name(std::size_t point) {
    return point < kExits ? to_string(static_cast<Exit>(point)) : "transmit";
}

CaptureRing::CaptureRing(const CaptureFilter& filter)
    : filter_(filter),
      heads_(std::make_unique<Head[]>(kSlots)),
      bytes_(std::make_unique<std::uint8_t[]>(kSlots * kMostBytes)) {
    filter_.one_in = std::max(filter_.one_in, 1u);
    filter_.snap = std::clamp(filter_.snap, 1u, kMostBytes);
}

bool CaptureRing::wanted(const rte_mbuf* m, std::size_t point, PortIndex port) {
    if (!filter_.points[point] || (filter_.ports.any() && !filter_.ports[port])) return false;
    if (filter_.prefix &&
        !about(rte_pktmbuf_mtod(m, const std::uint8_t*), m->data_len, *filter_.prefix))
        return false;
    if (++skip_ < filter_.one_in) return false;
    skip_ = 0;
    return true;
}

void CaptureRing::offer(const rte_mbuf* m, std::size_t point, PortIndex port, std::uint64_t tsc) {
    if (!wanted(m, point, port)) return;
    const auto at = written_.load(std::memory_order_relaxed);
    if (at - taken_.load(std::memory_order_acquire) == kSlots) {
        lost_.fetch_add(1, std::memory_order_relaxed);
        return;
    }
    // Of a packet in several segments the first one: the headers are there.
    const auto kept = std::min<std::uint32_t>(m->data_len, filter_.snap);
    const auto slot = at % kSlots;
    heads_[slot] = {tsc, static_cast<std::uint32_t>(point), port, m->pkt_len, kept};
    std::memcpy(&bytes_[slot * kMostBytes], rte_pktmbuf_mtod(m, const std::uint8_t*), kept);
    written_.store(at + 1, std::memory_order_release);
}

bool CaptureRing::take(CapturedFrame& out) {
    const auto at = taken_.load(std::memory_order_relaxed);
    if (at == written_.load(std::memory_order_acquire)) return false;
    const auto slot = at % kSlots;
    const auto& head = heads_[slot];
    const auto* bytes = &bytes_[slot * kMostBytes];
    out = {head.tsc,
           head.point,
           static_cast<PortIndex>(head.port),
           head.length,
           {bytes, bytes + head.kept}};
    taken_.store(at + 1, std::memory_order_release);
    return true;
}

}  // namespace torii::dataplane
