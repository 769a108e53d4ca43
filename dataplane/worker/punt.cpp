#include "dataplane/worker/punt.hpp"

#include <rte_ring.h>

#include "dataplane/packet/headers.hpp"
#include "dataplane/worker/buffer_note.hpp"
#include "dataplane/worker/ring.hpp"
#include "dataplane/worker/transmit.hpp"

namespace torii::dataplane {

namespace {

// Of the frame, for its share of what is admitted: the IP source, else the MAC.
std::uint64_t source_of(const rte_mbuf* m) {
    const auto* frame = rte_pktmbuf_mtod(m, const std::uint8_t*);
    switch (read16(frame + 12)) {
        case kEtherIp4:
            return raw32(frame + 26);
        case kEtherIp6:
            return raw64(frame + 22) * 0xd6e8feb86659fd93ULL ^ raw64(frame + 30);
        default:
            return raw64(frame + 4) & ~std::uint64_t{0xffff};
    }
}

}  // namespace

void punt(Worker& w, PortIndex in, const PortState& port, rte_mbuf* m, PuntClass c) {
    const auto index = static_cast<std::size_t>(c);
    if (!port.twin) return drop(w, in, m, Exit::PuntNoTwin);
    if (!w.policing->admit(in, c, source_of(m), w.now)) return drop(w, in, m, Exit::PuntPoliced);
    note(m).kind = BufferNote::Kind::Punted;
    note(m).port = in;
    // Before: afterwards the packet is owned by the reader of the ring.
    show(w, in, m, static_cast<std::size_t>(exit_of(c)));
    if (!ring_put(w.punt[index], m)) return drop(w, in, m, Exit::PuntFull);
    ++w.counters.exits[in][static_cast<std::size_t>(exit_of(c))];
    w.exception->ring();
}

}  // namespace torii::dataplane
