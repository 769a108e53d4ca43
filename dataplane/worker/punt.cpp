#include "dataplane/worker/punt.hpp"

#include <rte_ring.h>

#include "dataplane/worker/buffer_note.hpp"
#include "dataplane/worker/ring.hpp"
#include "dataplane/worker/transmit.hpp"

namespace torii::dataplane {

void punt(Worker& w, PortIndex in, const PortState& port, rte_mbuf* m, PuntClass c) {
    const auto index = static_cast<std::size_t>(c);
    if (!port.twin) return drop(w, in, m, Exit::PuntNoTwin);
    if (!w.policers[in][index].admit(w.now)) return drop(w, in, m, Exit::PuntPoliced);
    note(m).kind = BufferNote::Kind::Punted;
    note(m).port = in;
    // Before: afterwards the packet is owned by the reader of the ring.
    show(w, in, m, static_cast<std::size_t>(exit_of(c)));
    if (!ring_put(w.punt[index], m)) return drop(w, in, m, Exit::PuntFull);
    ++w.counters.exits[in][static_cast<std::size_t>(exit_of(c))];
    w.exception->ring();
}

}  // namespace torii::dataplane
