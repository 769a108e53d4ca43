#include "dataplane/fast/drop_sources.hpp"

#include <rte_prefetch.h>

#include "dataplane/packet/soft_flow.hpp"
#include "dataplane/worker/transmit.hpp"

namespace torii::dataplane {

unsigned drop_sources(Worker& w, PortIndex in, const PortState& port, rte_mbuf** packets,
                      unsigned count) {
    for (unsigned i = 0; i < count; ++i) rte_prefetch0(rte_pktmbuf_mtod(packets[i], void*));
    unsigned kept = 0;
    for (unsigned i = 0; i < count; ++i) {
        auto* m = packets[i];
        if (port.soft->drops(rte_pktmbuf_mtod(m, const std::uint8_t*), m->data_len)) {
            ++w.counters.rx[in].packets;
            w.counters.rx[in].bytes += m->pkt_len;
            drop(w, in, m, Exit::DropList);
        } else {
            packets[kept++] = m;
        }
    }
    return kept;
}

}  // namespace torii::dataplane
