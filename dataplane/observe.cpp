#include <rte_cycles.h>

#include <algorithm>

#include "dataplane/parts.hpp"

// Captures and traces: packets as operators see them.
namespace torii::dataplane {

bool Dataplane::start_capture(const CaptureFilter& filter) {
    auto& p = *parts_;
    if (!p.captures.empty() || p.workers.empty()) return false;
    for (auto& w : p.workers) {
        p.captures.push_back(std::make_shared<CaptureRing>(filter));
        w->capture.store(p.captures.back().get(), std::memory_order_release);
    }
    return true;
}

std::vector<CapturedFrame> Dataplane::take_captured(std::size_t most) {
    std::vector<CapturedFrame> out;
    CapturedFrame frame;
    for (auto& ring : parts_->captures)
        while (out.size() < most && ring->take(frame)) out.push_back(std::move(frame));
    std::ranges::sort(out, {}, &CapturedFrame::tsc);
    return out;
}

std::uint64_t Dataplane::captures_lost() const {
    std::uint64_t lost = 0;
    for (const auto& ring : parts_->captures) lost += ring->lost();
    return lost;
}

Dataplane::CycleClock Dataplane::cycle_clock() {
    return {rte_rdtsc(), rte_get_tsc_hz()};
}

void Dataplane::stop_capture() {
    auto& p = *parts_;
    for (auto& w : p.workers) w->capture.store(nullptr, std::memory_order_release);
    // A worker may be in the middle of an offer.
    for (auto& ring : p.captures) p.retired.retire(std::move(ring));
    p.captures.clear();
}

std::optional<TraceView> Dataplane::trace(const TracePacket& packet) {
    auto& p = *parts_;
    if (p.workers.empty()) return std::nullopt;
    if (!p.tracer)
        p.tracer = std::make_unique<Tracer>(*p.workers.front(), p.hops.pool().limit() + 1);
    return p.tracer->trace(packet);
}

}  // namespace torii::dataplane
