#pragma once

#include <cstddef>
#include <cstdint>

namespace torii::bgp {

// Resets the TCP connections with this port on either side that no process owns any more: what
// a killed speaker left behind. Its peers learn of the death at once, and not by the last FIN,
// which may come after the next session has begun. Needs CAP_NET_ADMIN; returns how many.
std::size_t reset_orphans(std::uint16_t port);

}  // namespace torii::bgp
