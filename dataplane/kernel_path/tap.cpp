#include "dataplane/kernel_path/tap.hpp"

#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

#include "dataplane/kernel_path/host_link.hpp"

namespace torii::dataplane {

Result<Tap, SystemError> Tap::open(const std::string& name, short flags) {
    if (name.empty() || name.size() >= IFNAMSIZ)
        return Failure{SystemError{"twin " + name + ": a netdev's name has 1 to 15 characters", 0}};
    if (netdev_index(name) != 0)
        return Failure{SystemError{
            "twin " + name + ": a netdev of this name exists; name the port otherwise", 0}};
    Tap tap;
    tap.name_ = name;
    tap.fd_ = ::open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
    if (tap.fd_ < 0) return Failure{last_system_error("open /dev/net/tun")};
    ifreq request{};
    std::copy(name.begin(), name.end(), request.ifr_name);
    request.ifr_flags = flags;
    if (::ioctl(tap.fd_, TUNSETIFF, &request) < 0)
        return Failure{last_system_error("make netdev " + name)};
    tap.netdev_ = netdev_index(name);
    return tap;
}

Result<Tap, SystemError> Tap::twin(const std::string& name, const MacAddress& mac,
                                   std::uint16_t mtu) {
    auto tap = open(name, IFF_TAP | IFF_NO_PI);
    if (!tap) return tap;
    // First of all: udev gives a new netdev a MAC of its own, unless it has been given one.
    if (auto done = set_netdev_mac(name, mac); !done) return Failure{done.error()};
    const auto ip6 = "net/ipv6/conf/" + name + "/", ip4 = "net/ipv4/conf/" + name + "/";
    write_sysctl(ip6 + "disable_ipv6", "0");
    write_sysctl(ip6 + "accept_ra", "0");
    write_sysctl(ip6 + "accept_dad", "0");
    write_sysctl(ip6 + "dad_transmits", "0");
    write_sysctl(ip6 + "router_solicitations", "0");
    write_sysctl(ip6 + "addr_gen_mode", "0");
    // RFC 4861 §7.2.4, RFC 4291 §2.6.1: we are a router in advertisements, and have the anycast
    // address of each network. The kernel forwards nothing itself without the switch for all.
    write_sysctl(ip6 + "forwarding", "1");
    write_sysctl(ip6 + "keep_addr_on_down", "1");
    // Answer for this port's addresses alone; let in what came another way than the
    // kernel's routes would lead.
    write_sysctl(ip4 + "arp_ignore", "1");
    write_sysctl(ip4 + "arp_announce", "2");
    write_sysctl(ip4 + "arp_notify", "1");
    write_sysctl(ip4 + "rp_filter", "0");
    write_sysctl(ip4 + "forwarding", "0");
    if (auto done = set_netdev_mtu(name, mtu); !done) return Failure{done.error()};
    if (auto done = set_netdev_up(name); !done) return Failure{done.error()};
    return tap;
}

Result<Tap, SystemError> Tap::tun(const std::string& name) {
    auto tun = open(name, IFF_TUN | IFF_NO_PI);
    if (!tun) return tun;
    write_sysctl("net/ipv6/conf/" + name + "/addr_gen_mode", "1");
    write_sysctl("net/ipv6/conf/" + name + "/router_solicitations", "0");
    write_sysctl("net/ipv4/conf/" + name + "/rp_filter", "0");
    if (auto done = set_netdev_up(name); !done) return Failure{done.error()};
    return tun;
}

Tap::Tap(Tap&& other) noexcept
    : fd_(std::exchange(other.fd_, -1)), netdev_(other.netdev_), name_(std::move(other.name_)) {}

Tap& Tap::operator=(Tap&& other) noexcept {
    std::swap(fd_, other.fd_);
    std::swap(netdev_, other.netdev_);
    std::swap(name_, other.name_);
    return *this;
}

Tap::~Tap() {
    if (fd_ >= 0) ::close(fd_);
}

}  // namespace torii::dataplane
