#include "dataplane/port/port.hpp"

#include <net/if.h>
#include <rte_dev.h>
#include <rte_errno.h>
#include <rte_ethdev.h>

#include <algorithm>
#include <utility>

#include "dataplane/offload/rte_flow.hpp"
#include "dataplane/port/eal.hpp"

namespace torii::dataplane {
namespace {

Failure<SystemError> failed(const PortSettings& settings, const std::string& what, int number) {
    return Failure{SystemError{"port " + settings.name + " (" + settings.device + "): " + what,
                               number < 0 ? -number : number}};
}

bool is_virtual_device(const std::string& device) {
    return device.starts_with("net_") || device.starts_with("eth_");
}

// The value of `key=` in a virtual device's arguments.
std::string argument(const std::string& device, const std::string& key) {
    const auto at = device.find("," + key + "=");
    if (at == std::string::npos) return {};
    const auto begin = at + key.size() + 2;
    return device.substr(begin, device.find(',', begin) - begin);
}

// Drivers on top of a netdev that the host's stack sees too: a MAC of our own
// keeps the two apart.
bool shares_netdev(const std::string& driver) {
    return driver == "net_af_packet" || driver == "net_af_xdp" || driver == "net_tap" ||
           driver == "net_pcap";
}

MacAddress own_mac(MacAddress device) {
    device.bytes[0] = static_cast<std::uint8_t>((device.bytes[0] & 0xfc) | 0x02) ^ 0x04;
    device.bytes[5] ^= 0x5a;
    return device;
}

}  // namespace

Result<std::unique_ptr<Port>, SystemError> Port::open(const PortSettings& settings,
                                                      unsigned workers, rte_mempool* pool,
                                                      bool offload) {
    std::unique_ptr<Port> port{new Port};
    port->settings_ = settings;
    if (auto done = port->attach(workers); !done) return Failure{done.error()};
    if (auto done = port->configure(workers, pool, offload); !done) return Failure{done.error()};
    return port;
}

std::unique_ptr<Port> Port::on(const Port& parent, const PortSettings& settings) {
    std::unique_ptr<Port> port{new Port};
    port->settings_ = settings;
    port->parent_ = &parent;
    port->device_ = parent.device_;
    port->netdev_ = parent.netdev_;
    port->tap_ = parent.tap_;
    port->driver_ = parent.driver_;
    port->mac_ = parent.mac_;
    port->rx_queues_ = 0;  // the parent's are polled
    port->tx_queues_ = parent.tx_queues_;
    port->hardware_checksum_ = parent.hardware_checksum_;
    port->inserts_tags_ = parent.inserts_tags_;
    port->locks_ = parent.locks_;
    return port;
}

Port::~Port() {
    if (parent_ != nullptr) return;
    flows_.reset();
    if (device_ != 0xffff) {
        rte_eth_dev_stop(device_);
        rte_eth_dev_close(device_);
    }
    if (!vdev_.empty()) rte_eal_hotplug_remove("vdev", vdev_.c_str());
}

Result<void, SystemError> Port::attach(unsigned workers) {
    auto device = settings_.device;
    if (is_pci_address(device)) {
        if (rte_eth_dev_get_port_by_name(device.c_str(), &device_) == 0) return {};
        if (const int error = rte_dev_probe(device.c_str()); error < 0)
            return failed(settings_, "probe", error);
    } else {
        if (!is_virtual_device(device)) {
            if (netdev_index(device) == 0) return failed(settings_, "no such netdev", 0);
            // Frames beyond 2,048 octets need room in the ring.
            const bool jumbo = settings_.mtu > 1900;
            device = "net_af_packet_" + device + ",iface=" + device +
                     ",qpairs=" + std::to_string(workers) +
                     (jumbo ? ",blocksz=65536,framesz=16384,framecnt=2048"
                            : ",blocksz=65536,framesz=2048,framecnt=8192") +
                     ",qdisc_bypass=1";
        }
        netdev_ = argument(device, "iface");
        const auto comma = device.find(',');
        const auto name = device.substr(0, comma);
        const auto arguments = comma == std::string::npos ? "" : device.substr(comma + 1);
        // net_tap makes its netdev itself; the others want it there and up.
        if (!netdev_.empty() && !name.starts_with("net_tap")) {
            if (netdev_index(netdev_) == 0) return failed(settings_, "no netdev " + netdev_, 0);
            silence_ = std::make_unique<SilencedNetdev>(netdev_);
        }
        // Given to EAL itself by --vdev: it is there already.
        if (rte_eth_dev_get_port_by_name(name.c_str(), &device_) != 0) {
            if (const int error = rte_eal_hotplug_add("vdev", name.c_str(), arguments.c_str());
                error < 0)
                return failed(settings_, "make device", error);
            vdev_ = name;
        }
        if (rte_eth_dev_get_port_by_name(name.c_str(), &device_) != 0)
            return failed(settings_, "the driver made no port", ENODEV);
        return {};
    }
    if (rte_eth_dev_get_port_by_name(device.c_str(), &device_) != 0)
        return failed(settings_, "no driver took it", ENODEV);
    return {};
}

Result<void, SystemError> Port::configure(unsigned workers, rte_mempool* pool, bool offload) {
    rte_eth_dev_info info{};
    if (const int error = rte_eth_dev_info_get(device_, &info); error != 0)
        return failed(settings_, "ask device", error);
    driver_ = info.driver_name;
    const auto wanted_rx =
        settings_.rx_queues != 0 ? settings_.rx_queues : static_cast<std::uint16_t>(workers);
    rx_queues_ = std::min(wanted_rx, info.max_rx_queues);
    tx_queues_ = std::max(settings_.tx_queues, static_cast<std::uint16_t>(workers));
    tx_queues_ = std::min(tx_queues_, info.max_tx_queues);
    // af_packet cannot start with fewer queues one way than the other.
    if (driver_ == "net_af_packet") rx_queues_ = tx_queues_;

    // virtio, vmxnet3 and VFs may have fewer than there are workers: those share.
    if (tx_queues_ < workers) locks_ = std::make_shared<TransmitLocks>(tx_queues_);

    rte_eth_conf conf{};
    hardware_checksum_ = (info.rx_offload_capa & RTE_ETH_RX_OFFLOAD_IPV4_CKSUM) != 0;
    conf.rxmode.offloads =
        info.rx_offload_capa & (RTE_ETH_RX_OFFLOAD_IPV4_CKSUM |
                                RTE_ETH_RX_OFFLOAD_SCATTER * (settings_.mtu > 1500 ? 1u : 0u));
    // Nothing but fast free: with more i40e, ice and ixgbe send by their slow function. A buffer
    // holds any frame, and what comes in several segments is joined.
    conf.txmode.offloads = info.tx_offload_capa & RTE_ETH_TX_OFFLOAD_MBUF_FAST_FREE;
    if (settings_.trunk) {
        conf.rxmode.offloads |= info.rx_offload_capa & RTE_ETH_RX_OFFLOAD_VLAN_STRIP;
        conf.txmode.offloads |= info.tx_offload_capa & RTE_ETH_TX_OFFLOAD_VLAN_INSERT;
        inserts_tags_ = (conf.txmode.offloads & RTE_ETH_TX_OFFLOAD_VLAN_INSERT) != 0;
    }
    if (rx_queues_ > 1 && info.flow_type_rss_offloads != 0) {
        conf.rxmode.mq_mode = RTE_ETH_MQ_RX_RSS;
        conf.rx_adv_conf.rss_conf.rss_hf =
            info.flow_type_rss_offloads & (RTE_ETH_RSS_IP | RTE_ETH_RSS_TCP | RTE_ETH_RSS_UDP);
    }
    if (info.max_mtu >= settings_.mtu && info.min_mtu <= settings_.mtu)
        conf.rxmode.mtu = settings_.mtu;
    if (const int error = rte_eth_dev_configure(device_, rx_queues_, tx_queues_, &conf); error != 0)
        return failed(settings_, "configure", error);
    FlowQueues queues{rx_queues_, 0};
    const bool flows = offload && RteFlow::known_to(device_);
    if (flows && info.max_rx_queues >= rx_queues_ + kLanes) {
        queues.lanes = kLanes;
        rx_queues_ = static_cast<std::uint16_t>(rx_queues_ + kLanes);
        // net_tap has as many one way as the other.
        if (driver_ == "net_tap") tx_queues_ = rx_queues_;
        if (const int error = rte_eth_dev_configure(device_, rx_queues_, tx_queues_, &conf);
            error != 0)
            return failed(settings_, "configure queues of control traffic", error);
    }
    auto rx = settings_.rx_descriptors, tx = settings_.tx_descriptors;
    if (const int error = rte_eth_dev_adjust_nb_rx_tx_desc(device_, &rx, &tx); error != 0)
        return failed(settings_, "descriptors", error);
    const auto socket = static_cast<unsigned>(rte_eth_dev_socket_id(device_));
    auto of_queue = info.default_rxconf;
    of_queue.offloads = conf.rxmode.offloads;
    // A full queue drops, in place of keeping frames of all others waiting (ixgbe, igb).
    of_queue.rx_drop_en = rx_queues_ > 1;
    for (std::uint16_t q = 0; q < rx_queues_; ++q)
        if (const int error = rte_eth_rx_queue_setup(device_, q, rx, socket, &of_queue, pool);
            error != 0)
            return failed(settings_, "receive queue", error);
    for (std::uint16_t q = 0; q < tx_queues_; ++q)
        if (const int error = rte_eth_tx_queue_setup(device_, q, tx, socket, nullptr); error != 0)
            return failed(settings_, "transmit queue", error);

    rte_ether_addr address{};
    rte_eth_macaddr_get(device_, &address);
    std::copy_n(address.addr_bytes, 6, mac_.bytes.begin());
    const auto of_device = mac_;
    if (settings_.mac)
        mac_ = *settings_.mac;
    else if (shares_netdev(driver_))
        mac_ = own_mac(mac_);
    if (mac_ != of_device && !shares_netdev(driver_)) {
        std::copy(mac_.bytes.begin(), mac_.bytes.end(), address.addr_bytes);
        // Where the device cannot, promiscuous mode below does as well.
        [[maybe_unused]] const int ignored = rte_eth_dev_default_mac_addr_set(device_, &address);
    }
    if (const int error = rte_eth_dev_set_mtu(device_, settings_.mtu);
        error != 0 && error != -ENOTSUP)
        return failed(settings_, "set MTU", error);
    if (const int error = rte_eth_dev_start(device_); error != 0)
        return failed(settings_, "start", error);
    mac_by_filter_ = mac_ == of_device;
    set_filters(settings_.promiscuous, settings_.strict_rpf);
    rte_eth_allmulticast_enable(device_);
    if (flows) {
        flows_ = std::make_unique<RteFlow>(device_, queues);
        if (queues.lanes != 0) spread_ordinary();
    }
    // net_tap's netdev is owned by the host behind it: its own stack stays awake.
    if (driver_ == "net_tap") tap_ = std::exchange(netdev_, {});
    return {};
}

// RSS reaches all queues until its table defines fewer; a device without a table
// gets a rule that defines the same.
void Port::spread_ordinary() {
    const auto ordinary = flows_->queues().ordinary;
    rte_eth_dev_info info{};
    if (rte_eth_dev_info_get(device_, &info) != 0) return;
    if (info.reta_size == 0) {
        flows_->steer_rest();
        return;
    }
    if (ordinary == 1) return;  // there was no RSS to begin with
    std::vector<rte_eth_rss_reta_entry64> table((info.reta_size + RTE_ETH_RETA_GROUP_SIZE - 1u) /
                                                RTE_ETH_RETA_GROUP_SIZE);
    for (unsigned i = 0; i < info.reta_size; ++i) {
        auto& group = table[i / RTE_ETH_RETA_GROUP_SIZE];
        group.mask |= std::uint64_t{1} << i % RTE_ETH_RETA_GROUP_SIZE;
        group.reta[i % RTE_ETH_RETA_GROUP_SIZE] = static_cast<std::uint16_t>(i % ordinary);
    }
    // Where it cannot be changed the ordinary share the others' queues: no harm, no gain.
    [[maybe_unused]] const int ignored =
        rte_eth_dev_rss_reta_update(device_, table.data(), info.reta_size);
}

bool Port::link_up() const {
    // A tap that was moved to its host's namespace cannot be asked from ours.
    if (!tap_.empty() && if_nametoindex(tap_.c_str()) == 0) return true;
    rte_eth_link link{};
    return rte_eth_link_get_nowait(device_, &link) == 0 && link.link_status == RTE_ETH_LINK_UP;
}

std::uint32_t Port::speed_mbps() const {
    rte_eth_link link{};
    if (rte_eth_link_get_nowait(device_, &link) != 0) return 0;
    return link.link_speed == RTE_ETH_SPEED_NUM_UNKNOWN ? 0 : link.link_speed;
}

std::optional<std::chrono::nanoseconds> Port::patience() const {
    if (parent_ != nullptr || shares_netdev(driver_)) return std::nullopt;
    const std::uint64_t mbps = speed_mbps();
    if (mbps == 0) return std::nullopt;
    constexpr std::uint64_t kSmallestFrame = 84 * 8;  // bits, with preamble and gap
    return std::chrono::nanoseconds{settings_.rx_descriptors / 2 * kSmallestFrame * 1000 / mbps};
}

void Port::fill(PortView& view) const {
    view.name = settings_.name;
    view.parent = settings_.parent;
    view.vlan = settings_.vlan;
    view.device = parent_ != nullptr ? parent_->settings_.device : settings_.device;
    view.driver = driver_;
    view.mac = mac_;
    view.mtu = settings_.mtu;
    view.addresses = settings_.addresses;
    view.rx_queues = parent_ != nullptr ? parent_->rx_queues_ : rx_queues_;
    view.tx_queues = tx_queues_;
    view.hardware_checksum = hardware_checksum_;
    view.speed_mbps = speed_mbps();
    if (parent_ != nullptr) return;
    rte_eth_stats stats{};
    if (rte_eth_stats_get(device_, &stats) == 0) {
        view.rx_missed = stats.imissed + stats.rx_nombuf;
        view.rx_errors = stats.ierrors;
        view.tx_errors = stats.oerrors;
    }
}

void Port::set_filters(bool promiscuous, bool strict_rpf) {
    settings_.promiscuous = promiscuous;
    settings_.strict_rpf = strict_rpf;
    if (parent_ != nullptr) return;
    [[maybe_unused]] const int ignored = promiscuous || !mac_by_filter_
                                             ? rte_eth_promiscuous_enable(device_)
                                             : rte_eth_promiscuous_disable(device_);
}

void Port::set_shutdown(bool shutdown) {
    settings_.shutdown = shutdown;
    if (parent_ != nullptr) return;
    [[maybe_unused]] const int ignored =
        shutdown ? rte_eth_dev_set_link_down(device_) : rte_eth_dev_set_link_up(device_);
}

Result<void, SystemError> Port::set_mtu(std::uint16_t mtu) {
    if (parent_ != nullptr) {
        settings_.mtu = mtu;
        return {};
    }
    if (const int error = rte_eth_dev_set_mtu(device_, mtu); error != 0 && error != -ENOTSUP)
        return failed(settings_, "set MTU", error);
    settings_.mtu = mtu;
    return {};
}

}  // namespace torii::dataplane
