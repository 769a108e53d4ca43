#pragma once

#include <string>

#include "base/mac.hpp"
#include "base/result.hpp"
#include "base/system_error.hpp"

namespace torii::dataplane {

// A netdev whose other end is this process; removed with it.
class Tap {
public:
    // Ethernet frames: the kernel's twin of a port.
    static Result<Tap, SystemError> twin(const std::string& name, const MacAddress& mac,
                                         std::uint16_t mtu);
    // IP packets: where the kernel sends what it has no link for.
    static Result<Tap, SystemError> tun(const std::string& name);

    Tap(Tap&& other) noexcept;
    Tap& operator=(Tap&& other) noexcept;
    Tap(const Tap&) = delete;
    ~Tap();

    int fd() const { return fd_; }
    unsigned netdev() const { return netdev_; }
    const std::string& name() const { return name_; }

private:
    Tap() = default;
    static Result<Tap, SystemError> open(const std::string& name, short flags);

    int fd_ = -1;
    unsigned netdev_ = 0;
    std::string name_;
};

}  // namespace torii::dataplane
