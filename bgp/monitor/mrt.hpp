#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "base/prefix.hpp"
#include "bgp/wire/attributes.hpp"

// Records of MRT (RFC 6396, with ADD-PATH: RFC 8050), appended to a buffer.
namespace torii::bgp::mrt {

struct Peer {
    std::uint32_t identifier = 0;
    IpAddress address;
    std::uint32_t as = 0;
};

// The peers that the records behind it name by their index.
void put_peer_table(std::uint32_t time, std::uint32_t collector, std::string_view view,
                    std::span<const Peer> peers, std::vector<std::uint8_t>& out);

struct Entry {
    std::uint16_t peer = 0;        // index
    std::uint32_t originated = 0;  // time
    std::uint32_t path_id = 0;     // written with `add_path`
    Attributes attributes;         // four-octet ASes
    IpAddress next_hop;
};
// All paths of one prefix.
void put_rib(std::uint32_t time, std::uint32_t sequence, const Prefix& prefix, bool add_path,
             std::span<const Entry> entries, std::vector<std::uint8_t>& out);

// One end of a session each.
struct Ends {
    std::uint32_t peer_as = 0, local_as = 0;
    IpAddress peer, local;
};
// A message as it was received, header included. `four_octet_as` and `add_path`
// are the encodings of its session.
void put_message(std::uint32_t time, const Ends& ends, bool four_octet_as, bool add_path,
                 std::span<const std::uint8_t> message, std::vector<std::uint8_t>& out);
// States are numbered from 1, Idle, to 6, Established.
void put_state_change(std::uint32_t time, const Ends& ends, std::uint16_t before,
                      std::uint16_t after, std::vector<std::uint8_t>& out);

}  // namespace torii::bgp::mrt
