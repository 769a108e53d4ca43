#include "dataplane/kernel_path/host_link.hpp"

#include <net/if.h>
#include <net/if_arp.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>

namespace torii::dataplane {
namespace {

class ControlSocket {
public:
    ControlSocket() : fd_(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {}
    ~ControlSocket() {
        if (fd_ >= 0) ::close(fd_);
    }
    ControlSocket(const ControlSocket&) = delete;
    ControlSocket& operator=(const ControlSocket&) = delete;
    int call(unsigned long request, ifreq& data) const { return ::ioctl(fd_, request, &data); }

private:
    int fd_;
};

ifreq request_for(const std::string& name) {
    ifreq request{};
    std::copy_n(name.begin(), std::min<std::size_t>(name.size(), IFNAMSIZ - 1), request.ifr_name);
    return request;
}

// Sets and clears flags; what they were, or -1.
int change_flags(const std::string& name, int set, int clear) {
    const ControlSocket socket;
    auto request = request_for(name);
    if (socket.call(SIOCGIFFLAGS, request) < 0) return -1;
    const int before = request.ifr_flags;
    request.ifr_flags = static_cast<short>((before | set) & ~clear);
    return socket.call(SIOCSIFFLAGS, request) < 0 ? -1 : before;
}

std::string ip6_switch(const std::string& name) {
    return "/proc/sys/net/ipv6/conf/" + name + "/disable_ipv6";
}

}  // namespace

unsigned netdev_index(const std::string& name) {
    return ::if_nametoindex(name.c_str());
}

std::optional<NetdevState> netdev_state(const std::string& name) {
    const ControlSocket socket;
    auto flags = request_for(name), address = request_for(name);
    if (socket.call(SIOCGIFFLAGS, flags) < 0 || socket.call(SIOCGIFHWADDR, address) < 0)
        return std::nullopt;
    NetdevState state{.up = (flags.ifr_flags & IFF_UP) != 0, .mac = {}};
    std::copy_n(reinterpret_cast<const std::uint8_t*>(address.ifr_hwaddr.sa_data),
                state.mac.bytes.size(), state.mac.bytes.begin());
    return state;
}

Result<void, SystemError> set_netdev_up(const std::string& name) {
    if (change_flags(name, IFF_UP, 0) < 0) return Failure{last_system_error("set " + name + " up")};
    return {};
}

Result<void, SystemError> set_netdev_down(const std::string& name) {
    if (change_flags(name, 0, IFF_UP) < 0)
        return Failure{last_system_error("set " + name + " down")};
    return {};
}

Result<void, SystemError> set_netdev_mtu(const std::string& name, std::uint16_t mtu) {
    const ControlSocket socket;
    auto request = request_for(name);
    request.ifr_mtu = mtu;
    if (socket.call(SIOCSIFMTU, request) < 0)
        return Failure{last_system_error("set MTU of " + name)};
    return {};
}

Result<void, SystemError> set_netdev_mac(const std::string& name, const MacAddress& mac) {
    const ControlSocket socket;
    auto request = request_for(name);
    request.ifr_hwaddr.sa_family = ARPHRD_ETHER;
    std::copy(mac.bytes.begin(), mac.bytes.end(),
              reinterpret_cast<std::uint8_t*>(request.ifr_hwaddr.sa_data));
    if (socket.call(SIOCSIFHWADDR, request) < 0)
        return Failure{last_system_error("set MAC of " + name)};
    return {};
}

void write_sysctl(const std::string& path, const std::string& value) {
    std::ofstream{"/proc/sys/" + path} << value;
}

SilencedNetdev::SilencedNetdev(std::string name) : name_(std::move(name)) {
    std::ifstream{ip6_switch(name_)} >> ip6_;
    std::ofstream{ip6_switch(name_)} << "1";
    const int before = change_flags(name_, IFF_UP | IFF_NOARP, 0);
    had_arp_ = before >= 0 && (before & IFF_NOARP) == 0;
}

SilencedNetdev::~SilencedNetdev() {
    if (had_arp_) change_flags(name_, 0, IFF_NOARP);
    if (!ip6_.empty()) std::ofstream{ip6_switch(name_)} << ip6_;
}

}  // namespace torii::dataplane
