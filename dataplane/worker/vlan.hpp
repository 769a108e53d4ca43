#pragma once

#include <rte_mbuf.h>

#include "dataplane/packet/headers.hpp"
#include "dataplane/worker/worker.hpp"

// Tags of IEEE 802.1Q. They are taken out where a burst comes in and put in where one
// leaves: all that is between sees untagged frames of ports and sub-ports.
namespace torii::dataplane {

// Takes the tag out of a frame that holds one in its first segment.
inline void take_tag_out(rte_mbuf* m) {
    auto* frame = rte_pktmbuf_mtod(m, std::uint8_t*);
    std::uint8_t macs[12];
    std::memcpy(macs, frame, sizeof macs);
    std::memcpy(frame + kVlanTag, macs, sizeof macs);
    rte_pktmbuf_adj(m, kVlanTag);
}

// The exit of a tag that leads nowhere.
inline Exit exit_of_tag(std::uint16_t id) {
    // IEEE 802.1Q §9.6: 4095 is reserved.
    return id == kVlanId ? Exit::L2BadVlan : Exit::L2UnknownVlan;
}

// A burst of a port that has sub-ports: what has one's tag goes on as that one's burst.
void forward_by_tag(Worker& w, PortIndex in, const PortState& port, rte_mbuf** packets,
                    unsigned count);

// A burst of a port that is shut down: counted, and gone.
void receive_nothing(Worker& w, PortIndex in, rte_mbuf** packets, unsigned count);

// A burst as it comes out of a port's queue.
inline void forward(Worker& w, PortIndex in, const PortState& port, rte_mbuf** packets,
                    unsigned count) {
    if (__builtin_expect(port.shut, 0))
        receive_nothing(w, in, packets, count);
    else if (__builtin_expect(port.sub_ports == nullptr, 1))
        w.forward(w, in, port, packets, count);
    else
        forward_by_tag(w, in, port, packets, count);
}

// Puts the tag of a sub-port in, or has its device do so. Returns how many packets are
// left: one without room for it leaves, and its length is taken off `bytes`.
unsigned put_tags_in(Worker& w, const PortState& port, rte_mbuf** packets, unsigned count,
                     std::uint64_t& bytes);

}  // namespace torii::dataplane
