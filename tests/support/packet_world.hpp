#pragma once

#include <rte_mbuf.h>

#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "dataplane/fast/isa.hpp"
#include "dataplane/fib/bucket_table.hpp"
#include "dataplane/fib/fib4.hpp"
#include "dataplane/fib/fib6.hpp"
#include "dataplane/packet/soft_flow.hpp"
#include "dataplane/worker/worker.hpp"

namespace torii::support {

using Bytes = std::vector<std::uint8_t>;

// Two ports, one worker and its tables, with packets put in by hand and caught where
// they leave: the topology of tests/vectors/packets_bad.json. EAL is started by the
// first world of a process.
//
// With tags both are sub-ports of a third one, VLAN 100 and 200 of device 0: frames get
// their tag on the way in, and lose it before they are looked at.
class PacketWorld {
public:
    enum class Tags : std::uint8_t { None, InFrames, ByDevice };
    static constexpr dataplane::PortIndex kTrunk = 2;

    explicit PacketWorld(dataplane::LookupKind kind = dataplane::LookupKind::Auto,
                         Tags tags = Tags::None);
    ~PacketWorld();

    struct Sent {
        dataplane::PortIndex port;
        Bytes frame;
    };

    void set_mtu(dataplane::PortIndex port, std::uint16_t mtu);
    void set_room(std::uint16_t packets);  // that a device takes of a burst
    void add_address(dataplane::PortIndex port, const dataplane::PortAddress& address);
    void share_transmit_queues(std::size_t queues);  // so many of each device
    void set_strict_rpf(dataplane::PortIndex port, bool on);
    void set_shut(dataplane::PortIndex port, bool shut);
    void drop_sources(std::span<const Prefix> sources);  // in software, on both ports
    void set_hardware_checksum(bool on);  // the frames come with the NIC's verdict "good"
    void hop(dataplane::HopId id, const dataplane::Hop& hop) { hops.write(id, hop); }

    // A burst that came in by port 0. By kTrunk: with whatever tags are in the frames.
    void receive(std::span<const Bytes> frames, dataplane::PortIndex in = 0);
    void receive(const Bytes& frame) { receive({&frame, 1}); }

    std::vector<Sent> take_sent();
    void drop_sent();  // without a look at it
    std::vector<Bytes> take_punted();
    unsigned time_out_held();  // as if the neighbor never answered
    void drop_held();
    std::map<std::string, std::uint64_t> exits() const;  // drops and punts, by name
    std::uint64_t received() const, transmitted() const;
    unsigned buffers_in_use() const;

    dataplane::Quiescence quiescence{1};
    dataplane::Fib4 fib4{10'000, 1'000, quiescence};
    dataplane::Fib6 fib6{10'000, 1'000, quiescence};
    dataplane::HopTable hops{4096, quiescence};
    std::unique_ptr<dataplane::Worker> worker;
    dataplane::BgpSources bgp;  // where a test asks for it
    void use_bgp_sources() { tables_.bgp = &bgp; }
    dataplane::Policing policing;  // none, but for what a test limits

private:
    void publish();
    void make_sub_ports();
    Sent sent(dataplane::PortIndex device, rte_mbuf* m) const;
    dataplane::HopId neighbor(dataplane::PortIndex port, MacAddress mac);

    dataplane::Tables tables_;
    dataplane::OwnFilter own_;
    dataplane::Doorbell bell_;
    Tags tags_;
    dataplane::PortState ports_[3];
    std::vector<std::pair<dataplane::HopId, MacAddress>> neighbors_[2];
    std::vector<std::uint16_t> services_{3784, 3785, 4784};
    std::vector<rte_ring*> rings_;
    bool checksum_good_ = false;
};

}  // namespace torii::support
