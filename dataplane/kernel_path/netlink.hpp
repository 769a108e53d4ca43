#pragma once

#include <libmnl/libmnl.h>

#include <cstdint>
#include <functional>
#include <initializer_list>
#include <span>
#include <string>

#include "base/address.hpp"
#include "base/mac.hpp"
#include "base/result.hpp"
#include "base/system_error.hpp"

namespace torii::dataplane {

// What the kernel reports of a neighbor on one of its netdevs.
struct KernelNeighbor {
    unsigned netdev = 0;
    IpAddress address;
    MacAddress mac;
    enum class State : std::uint8_t { Reachable, Stale, Incomplete, Failed, Gone };
    State state = State::Gone;
};
struct KernelAddress {
    unsigned netdev = 0;
    IpAddress address;
    std::uint8_t length = 0;
    bool gone = false;
};
struct KernelLink {
    unsigned netdev = 0;
    bool gone = false;
    bool carrier = false;
};

// rtnetlink, as far as twins, neighbors and policy rules need it. Two sockets: one
// asks and waits for the kernel's answer, one receives changes and never blocks.
class Netlink {
public:
    static Result<Netlink, SystemError> open();
    Netlink(Netlink&& other) noexcept;
    Netlink& operator=(Netlink&&) = delete;
    ~Netlink();

    int descriptor() const;  // readable when changes wait

    Result<void, SystemError> add_address(unsigned netdev, const IpAddress& address,
                                          std::uint8_t length);
    Result<void, SystemError> remove_address(unsigned netdev, const IpAddress& address,
                                             std::uint8_t length);
    Result<void, SystemError> add_default_route(Family family, unsigned netdev,
                                                std::uint32_t table);
    // Packets from `source` that no route of the main table but a default one
    // matches use `table`.
    Result<void, SystemError> add_rules(const IpAddress& source, std::uint32_t table);
    void remove_rules(std::uint32_t table);  // all that torii ever made
    void remove_rules_from(const IpAddress& source, std::uint32_t table);

    // The kernel shall (again) find out where a neighbor is. Its table may be full of
    // unknown neighbors: an address asked for has a place beyond its limits, until removed.
    void resolve(unsigned netdev, const IpAddress& address);
    // The same for one whose MAC is known, which is asked first.
    void confirm(unsigned netdev, const IpAddress& address, const MacAddress& mac);
    void set_permanent(unsigned netdev, const IpAddress& address, const MacAddress& mac);
    void remove_neighbor(unsigned netdev, const IpAddress& address);

    // Everything known now; false, and each() was not called, where the kernel could not give it
    // whole. And what changed since the last call; false when changes were lost: dump again.
    // each() may call this object.
    bool dump_neighbors(const std::function<void(const KernelNeighbor&)>& each);
    bool dump_links(const std::function<void(const KernelLink&)>& each);
    bool dump_addresses(const std::function<void(const KernelAddress&)>& each);
    bool changes(const std::function<void(const KernelNeighbor&)>& neighbor,
                 const std::function<void(const KernelLink&)>& link,
                 const std::function<void(const KernelAddress&)>& address);

private:
    Netlink() = default;
    Result<void, SystemError> ask(nlmsghdr* message, const std::string& what);
    bool dump_once(int type, std::uint8_t family, const std::function<void(const nlmsghdr*)>& each);
    template <class T>
    bool dump(int type, std::initializer_list<std::uint8_t> families,
              const std::function<void(const T&)>& each);
    void neighbor(unsigned netdev, const IpAddress& address, const MacAddress* mac, int type,
                  std::uint16_t state, std::uint8_t flags);
    Result<void, SystemError> address(unsigned netdev, const IpAddress& a, std::uint8_t length,
                                      int type, std::uint16_t flags);
    Result<void, SystemError> rule(const IpAddress& source, std::uint32_t table,
                                   std::uint32_t priority, bool suppress, int type,
                                   std::uint16_t flags);

    mnl_socket* ask_ = nullptr;
    mnl_socket* hear_ = nullptr;
    std::uint32_t sequence_ = 0;
};

}  // namespace torii::dataplane
