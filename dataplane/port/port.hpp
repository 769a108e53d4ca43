#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>

#include "base/result.hpp"
#include "base/system_error.hpp"
#include "dataplane/kernel_path/host_link.hpp"
#include "dataplane/packet/transmit_locks.hpp"
#include "dataplane/settings.hpp"
#include "dataplane/views.hpp"

struct rte_mempool;

namespace torii::dataplane {

class RteFlow;

// A DPDK port from its settings: found or made, configured with a transmit queue
// for each worker, started. Control thread only.
class Port {
public:
    // `offload`: uses rte_flow where the device has it, with queues of its own for
    // what is the gateway's as far as it has those too.
    static Result<std::unique_ptr<Port>, SystemError> open(const PortSettings& settings,
                                                           unsigned workers, rte_mempool* pool,
                                                           bool offload);
    // A sub-port: of the parent's device the frames of one VLAN. The parent outlives it.
    static std::unique_ptr<Port> on(const Port& parent, const PortSettings& settings);
    ~Port();  // stops and closes the device, unless it is the parent's
    Port(const Port&) = delete;
    Port& operator=(const Port&) = delete;

    const PortSettings& settings() const { return settings_; }
    std::uint16_t device() const { return device_; }
    const MacAddress& mac() const { return mac_; }
    std::uint16_t mtu() const { return settings_.mtu; }
    std::uint16_t rx_queues() const { return rx_queues_; }  // control's among them
    std::uint16_t tx_queues() const { return tx_queues_; }
    // None: the device has no rte_flow, or it is not wanted.
    RteFlow* flows() const { return flows_.get(); }
    bool hardware_checksum() const { return hardware_checksum_; }
    bool inserts_tags() const { return inserts_tags_; }
    // Of transmit queues, where there are fewer than workers; null: each has its own.
    const std::shared_ptr<TransmitLocks>& locks() const { return locks_; }
    const std::string& driver() const { return driver_; }
    const std::string& netdev() const { return netdev_; }  // empty: none below
    bool link_up() const;
    std::uint32_t speed_mbps() const;
    // How long half of a receive queue lasts at the speed of the link, in the smallest frames.
    // Nothing: the kernel queues in front of it, or the speed is not known.
    std::optional<std::chrono::nanoseconds> patience() const;
    void fill(PortView& view) const;

    Result<void, SystemError> set_mtu(std::uint16_t mtu);
    void set_filters(bool promiscuous, bool strict_rpf);
    // The device takes its link down, so that the peer sees it, where it can.
    void set_shutdown(bool shutdown);
    void set_addresses(std::vector<PortAddress> addresses) {
        settings_.addresses = std::move(addresses);
    }

private:
    Port() = default;
    Result<void, SystemError> attach(unsigned workers);
    Result<void, SystemError> configure(unsigned workers, rte_mempool* pool, bool offload);
    void spread_ordinary();

    PortSettings settings_;
    const Port* parent_ = nullptr;
    std::uint16_t device_ = 0xffff;
    std::string vdev_;  // made by us, to be removed by us
    std::string netdev_;
    std::string tap_;  // net_tap: its netdev, while it is in our namespace
    std::string driver_;
    MacAddress mac_;
    std::uint16_t rx_queues_ = 1;
    std::uint16_t tx_queues_ = 1;
    bool hardware_checksum_ = false;
    bool inserts_tags_ = false;
    bool mac_by_filter_ = true;  // false: the device filters by another MAC than ours
    std::shared_ptr<TransmitLocks> locks_;
    std::unique_ptr<RteFlow> flows_;
    std::unique_ptr<SilencedNetdev> silence_;
};

}  // namespace torii::dataplane
