#include "dataplane/worker/vlan.hpp"

#include <rte_prefetch.h>

#include "dataplane/worker/transmit.hpp"

namespace torii::dataplane {
namespace {

PortIndex leave(Worker& w, PortIndex in, rte_mbuf* m, Exit exit) {
    ++w.counters.rx[in].packets;
    w.counters.rx[in].bytes += m->pkt_len;
    drop(w, in, m, exit);
    return rib::kAnyPort;
}

// The port that a packet's tag maps to; the tag is out then. kAnyPort: the packet has left.
PortIndex take_out(Worker& w, PortIndex in, const PortState& port, rte_mbuf* m) {
    const bool stripped = (m->ol_flags & RTE_MBUF_F_RX_VLAN_STRIPPED) != 0;
    std::uint16_t id = m->vlan_tci & kVlanId;
    if (!stripped) {
        constexpr std::uint32_t kTagged = kEtherHeader + kVlanTag;
        if (__builtin_expect(m->data_len < kTagged && m->nb_segs > 1, 0) &&
            rte_pktmbuf_linearize(m) != 0)
            return leave(w, in, m, Exit::NoBuffer);
        const auto* frame = rte_pktmbuf_mtod(m, const std::uint8_t*);
        if (m->data_len < kEtherHeader || read16(frame + 12) != kEtherVlan) return in;
        if (m->data_len < kTagged) return leave(w, in, m, Exit::RxRunt);
        id = read16(frame + 14) & kVlanId;
    }
    // 0 is a mere priority.
    const auto to = id == 0 ? in : port.sub_ports->of[id];
    if (to == rib::kAnyPort) return leave(w, in, m, exit_of_tag(id));
    if (!stripped) take_tag_out(m);
    return to;
}

void hand_on(Worker& w, PortIndex in, rte_mbuf** packets, unsigned count) {
    const auto* port = w.tables->ports[in].load(std::memory_order_acquire);
    if (__builtin_expect(port == nullptr, 0)) {
        for (unsigned i = 0; i < count; ++i) leave(w, in, packets[i], Exit::LinkDown);
    } else if (__builtin_expect(port->shut, 0)) {
        receive_nothing(w, in, packets, count);
    } else {
        w.forward(w, in, *port, packets, count);
    }
}

}  // namespace

void receive_nothing(Worker& w, PortIndex in, rte_mbuf** packets, unsigned count) {
    for (unsigned i = 0; i < count; ++i) leave(w, in, packets[i], Exit::PortShut);
}

void forward_by_tag(Worker& w, PortIndex in, const PortState& port, rte_mbuf** packets,
                    unsigned count) {
    PortIndex to[kBurst];
    for (unsigned i = 0; i < count; ++i) rte_prefetch0(rte_pktmbuf_mtod(packets[i], void*));
    unsigned left = 0;
    unsigned differ = 0;
    for (unsigned i = 0; i < count; ++i) {
        const auto where = take_out(w, in, port, packets[i]);
        if (__builtin_expect(where == rib::kAnyPort, 0)) continue;
        packets[left] = packets[i];
        to[left] = where;
        differ |= static_cast<unsigned>(where ^ to[0]);
        ++left;
    }
    // One burst a port, in the order in which they came.
    while (left != 0 && differ != 0) {
        rte_mbuf* run[kBurst];
        const auto first = to[0];
        unsigned taken = 0, rest = 0;
        for (unsigned i = 0; i < left; ++i) {
            if (to[i] == first) {
                run[taken++] = packets[i];
            } else {
                packets[rest] = packets[i];
                to[rest++] = to[i];
            }
        }
        left = rest;
        hand_on(w, first, run, taken);
    }
    if (left != 0) hand_on(w, to[0], packets, left);
}

unsigned put_tags_in(Worker& w, const PortState& port, rte_mbuf** packets, unsigned count,
                     std::uint64_t& bytes) {
    if (port.inserts_tags) {
        for (unsigned i = 0; i < count; ++i) {
            packets[i]->ol_flags |= RTE_MBUF_F_TX_VLAN;
            packets[i]->vlan_tci = port.vlan;
        }
        return count;
    }
    unsigned left = 0;
    for (unsigned i = 0; i < count; ++i) {
        auto* m = packets[i];
        const auto length = m->pkt_len;
        auto* frame = reinterpret_cast<std::uint8_t*>(rte_pktmbuf_prepend(m, kVlanTag));
        if (__builtin_expect(frame == nullptr, 0)) {
            bytes -= length;
            drop(w, kFromKernel, m, Exit::NoBuffer);
            continue;
        }
        std::uint8_t macs[12];
        std::memcpy(macs, frame + kVlanTag, sizeof macs);
        std::memcpy(frame, macs, sizeof macs);
        write16(frame + 12, kEtherVlan);
        write16(frame + 14, port.vlan);
        packets[left++] = m;
    }
    return left;
}

}  // namespace torii::dataplane
