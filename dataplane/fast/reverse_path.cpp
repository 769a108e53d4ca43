#include "dataplane/fast/reverse_path.hpp"

#include <rte_mbuf.h>
#include <rte_prefetch.h>

#include "dataplane/packet/headers.hpp"
#include "dataplane/slow/slow_path.hpp"

namespace torii::dataplane {

unsigned check_sources(Worker& w, PortIndex in, const PortState& port, rte_mbuf** packets,
                       unsigned count) {
    for (unsigned i = 0; i < count; ++i) rte_prefetch0(rte_pktmbuf_mtod(packets[i], void*));
    unsigned kept = 0;
    for (unsigned i = 0; i < count; ++i) {
        auto* m = packets[i];
        const auto* frame = rte_pktmbuf_mtod(m, const std::uint8_t*);
        const auto type = m->data_len >= kEtherHeader ? read16(frame + 12) : std::uint16_t{0};
        const bool ip4 = type == kEtherIp4 && m->data_len >= kEtherHeader + kIp4Header;
        const bool ip6 = type == kEtherIp6 && m->data_len >= kEtherHeader + kIp6Header;
        if ((ip4 || ip6) && reverse_path_ok(w, in, frame + kEtherHeader, ip4)) {
            packets[kept++] = m;
            continue;
        }
        ++w.counters.rx[in].packets;
        w.counters.rx[in].bytes += m->pkt_len;
        slow_frame(w, in, port, m);
    }
    return kept;
}

}  // namespace torii::dataplane
