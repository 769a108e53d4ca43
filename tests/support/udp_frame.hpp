#pragma once

#include <algorithm>
#include <cstdint>
#include <iterator>

#include "dataplane/packet/headers.hpp"
#include "tests/support/packet_world.hpp"

namespace torii::support {

// UDP from `from` to `to`, not to be fragmented.
inline Bytes udp_frame(std::uint32_t from, std::uint32_t to, std::uint16_t length = 46) {
    using namespace dataplane;
    Bytes f(kEtherHeader + length, 0);
    const std::uint8_t head[]{2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 1, 1, 8, 0, 0x45};
    std::copy(std::begin(head), std::end(head), f.begin());
    write16(&f[16], length);
    write16(&f[20], 0x4000);
    f[22] = 64;
    f[23] = kUdp;
    write32(&f[26], from);
    write32(&f[30], to);
    write16(&f[24], checksum(&f[14], kIp4Header));
    return f;
}

}  // namespace torii::support
