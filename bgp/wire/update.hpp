#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "bgp/wire/attributes.hpp"

namespace torii::bgp {

// An UPDATE, checked. Withdrawals come first, then announcements; a prefix in
// both is announced (RFC 4271 §4.3).
struct Update {
    NlriList withdrawn;  // IPv4
    NlriList announced;  // IPv4, with attributes.next_hop
    std::optional<NlriList> unreach;
    std::optional<MpReach> reach;
    Attributes attributes;
    Recovery recovery = Recovery::None;
    std::uint8_t culprit = 0;
    std::string_view complaint;
    std::optional<Family> end_of_rib;

    bool announces() const { return !announced.empty() || (reach && !reach->nlri.empty()); }
};

Decoded<Update> decode_update(std::span<const std::uint8_t> body, const DecodeContext& context,
                              AttributeStorage& storage);

void encode_end_of_rib(Family family, std::vector<std::uint8_t>& out);

// The attributes of what is announced together, ready to be sent.
struct OutgoingAttributes {
    std::vector<std::uint8_t> bytes;  // all but MP_REACH_NLRI
    IpAddress next_hop;
    IpAddress link_local = IpAddress::v6({});
};

struct Announcement {
    Prefix prefix;
    std::uint32_t path_id = 0;
};
struct UpdateFormat {
    std::size_t max_message = kMaxMessage;
    bool add_path = false;
};

// As few UPDATEs as possible. What does not fit into one message at all is
// left out and counted in the answer (RFC 8654 §4: withdraw it instead).
std::size_t encode_announcements(std::span<const Announcement> prefixes,
                                 const OutgoingAttributes& attributes, const UpdateFormat& format,
                                 std::vector<std::uint8_t>& out);
void encode_withdrawals(std::span<const Announcement> prefixes, const UpdateFormat& format,
                        std::vector<std::uint8_t>& out);

}  // namespace torii::bgp
