#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/mac.hpp"
#include "base/result.hpp"
#include "base/system_error.hpp"

namespace torii::dataplane {

struct NetdevState {
    bool up = false;  // administratively
    MacAddress mac;
};

// The host's netdevs, as far as ioctl and sysctl reach.
unsigned netdev_index(const std::string& name);  // 0: there is none
std::optional<NetdevState> netdev_state(const std::string& name);
Result<void, SystemError> set_netdev_up(const std::string& name);
Result<void, SystemError> set_netdev_down(const std::string& name);
Result<void, SystemError> set_netdev_mtu(const std::string& name, std::uint16_t mtu);
Result<void, SystemError> set_netdev_mac(const std::string& name, const MacAddress& mac);
void write_sysctl(const std::string& path, const std::string& value);  // absent ones are skipped

// Keeps the host's stack off a netdev whose frames are ours: no ARP, no IPv6. With
// af_packet both would otherwise answer each frame once. Undone on destruction.
class SilencedNetdev {
public:
    explicit SilencedNetdev(std::string name);
    ~SilencedNetdev();
    SilencedNetdev(const SilencedNetdev&) = delete;
    SilencedNetdev& operator=(const SilencedNetdev&) = delete;

private:
    std::string name_;
    bool had_arp_ = false;
    std::string ip6_;
};

}  // namespace torii::dataplane
