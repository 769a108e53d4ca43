#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "base/address.hpp"
#include "bgp/wire/as_path.hpp"
#include "bgp/wire/message.hpp"
#include "bgp/wire/nlri.hpp"

namespace torii::bgp {

// What RFC 7606 makes of a broken attribute, mildest first. A session reset is
// not among them: that is a Notification.
enum class Recovery : std::uint8_t { None, DiscardAttribute, TreatAsWithdraw };

// The path attributes of one route, reachability itself left out. A view: the
// spans lie in the message, in an AttributeStorage or in the attribute pool.
// Lists hold their wire form; AS paths have four-octet ASes always.
struct Attributes {
    std::uint64_t present = 0;  // bit n: attribute code n
    std::uint64_t partial = 0;  // the same for those that a speaker on the way passed on unread
    Origin origin = Origin::Incomplete;
    AsPathView as_path;
    IpAddress next_hop;
    IpAddress link_local;  // RFC 2545; :: when there is none
    std::uint32_t med = 0;
    std::uint32_t local_pref = 0;
    std::uint32_t aggregator_as = 0;
    std::uint32_t aggregator_id = 0;
    std::uint32_t originator_id = 0;
    std::uint32_t only_to_customer = 0;
    std::uint16_t weight = 0;  // ours, never on the wire: share of an ECMP group; 0: the peer's
    std::span<const std::uint8_t> communities;
    std::span<const std::uint8_t> extended_communities;
    std::span<const std::uint8_t> large_communities;
    std::span<const std::uint8_t> cluster_list;
    std::span<const std::uint8_t> others;  // whole attributes to be passed on

    constexpr bool has(Attribute code) const { return present >> static_cast<unsigned>(code) & 1; }
    constexpr void set(Attribute code) {
        present |= std::uint64_t{1} << static_cast<unsigned>(code);
    }
    constexpr void unset(Attribute code) {
        present &= ~(std::uint64_t{1} << static_cast<unsigned>(code));
    }
    bool has_community(std::uint32_t value) const;
};

// Backs what a decoded view cannot find in the message itself. Reused from one
// message to the next, so that decoding does not allocate.
struct AttributeStorage {
    std::vector<std::uint8_t> as_path;
    std::vector<std::uint8_t> merged;
    std::vector<std::uint8_t> others;
    void clear() {
        as_path.clear();
        merged.clear();
        others.clear();
    }
};

// What a decoder depends on of the session.
struct DecodeContext {
    bool four_octet_as = true;
    bool ebgp = true;
    bool extended_next_hop = false;
    std::array<bool, kFamilies> families{true, true};
    std::array<bool, kFamilies> add_path{};
    std::uint32_t peer_as = 0;
    bool enforce_first_as = true;
    bool allow_as_set = false;
};

struct MpReach {
    NlriList nlri;
    IpAddress next_hop;
    IpAddress link_local;
};

struct DecodedAttributes {
    Attributes attributes;
    std::optional<MpReach> reach;  // of a negotiated family
    std::optional<NlriList> unreach;
    bool unreach_seen = false;  // of any family
    Recovery recovery = Recovery::None;
    std::uint8_t culprit = 0;             // code of the worst attribute
    std::string_view complaint;           // what was wrong with it
    std::string_view next_hop_complaint;  // of NEXT_HOP, which counts for IPv4 routes alone

    void complain(Recovery what, std::uint8_t code, std::string_view why) {
        if (what < recovery || recovery == Recovery::TreatAsWithdraw) return;
        recovery = what;
        culprit = code;
        complaint = why;
    }
};

// All attributes of an UPDATE. Missing ones are checked by the caller, which has the NLRI.
Decoded<DecodedAttributes> decode_attributes(std::span<const std::uint8_t> bytes,
                                             const DecodeContext& context,
                                             AttributeStorage& storage);

// Appends the attributes in ascending order of their codes, NEXT_HOP only when
// it is an IPv4 address and asked for.
void encode_attributes(const Attributes& attributes, bool four_octet_as, bool with_next_hop,
                       std::vector<std::uint8_t>& out);

// The view of what encode_attributes(.., true, ..) wrote. Trusts its input.
Attributes view_attributes(std::span<const std::uint8_t> canonical);

// Whether each attribute has a length that can be written.
bool fits(const Attributes& attributes);

std::string_view attribute_name(std::uint8_t code);

}  // namespace torii::bgp
