#pragma once

#include <algorithm>
#include <cstdint>
#include <random>

#include "base/mac.hpp"
#include "dataplane/fib/fib6.hpp"
#include "dataplane/packet/headers.hpp"
#include "tests/support/emulated_port.hpp"

namespace torii::bench {

// The frames of a benchmark: small UDP packets to our port 0, every flow another.

using namespace dataplane;
using support::EmulatedPort;

inline std::mt19937_64 rng{1};

inline std::uint32_t random_below(std::uint64_t n) {
    return static_cast<std::uint32_t>(rng() % n);
}
inline MacAddress port_mac(unsigned port) {
    return {{2, 0, 0, 0, 0, static_cast<std::uint8_t>(port + 1)}};
}

inline EmulatedPort::Template ip4_frame(std::uint32_t destination) {
    EmulatedPort::Template f(60, 0);
    std::copy_n(port_mac(0).bytes.begin(), 6, f.begin());
    f[6] = 2;
    f[11] = 0x77;
    write16(&f[12], kEtherIp4);
    f[14] = 0x45;
    write16(&f[16], 46);
    f[22] = 64;
    f[23] = kUdp;
    write32(&f[26], 0xc6120000 | random_below(1 << 16));
    write32(&f[30], destination);
    write16(&f[34], 1024 + random_below(60'000));
    write16(&f[36], 4000);
    write16(&f[38], 26);
    write16(&f[24], checksum(&f[14], 20));
    return f;
}
inline EmulatedPort::Template ip6_frame(const Ip6& destination) {
    EmulatedPort::Template f(64, 0);
    std::copy_n(port_mac(0).bytes.begin(), 6, f.begin());
    f[6] = 2;
    f[11] = 0x77;
    write16(&f[12], kEtherIp6);
    f[14] = 0x60;
    write16(&f[18], 10);
    f[20] = kUdp;
    f[21] = 64;
    write32(&f[22], 0x20010db8);
    write32(&f[34], random_below(1 << 30));
    write32(&f[38], static_cast<std::uint32_t>(destination.high >> 32));
    write32(&f[42], static_cast<std::uint32_t>(destination.high));
    write32(&f[46], static_cast<std::uint32_t>(destination.low >> 32));
    write32(&f[50], static_cast<std::uint32_t>(destination.low));
    write16(&f[54], 1024 + random_below(60'000));
    write16(&f[58], 10);
    return f;
}

}  // namespace torii::bench
