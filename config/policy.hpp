#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/as_path_pattern.hpp"
#include "base/community.hpp"
#include "base/prefix.hpp"
#include "config/peer_settings.hpp"

// Route policies as operators write them. Named lists of AS paths and of
// communities are read where their names stand.
namespace torii::config {

// "[permit|deny] PATTERN", or the name of one of as_path_lists.
struct AsPathRule {
    bool permit = true;
    std::string list;  // "": the pattern counts
    AsPathPattern pattern;
    static std::optional<AsPathRule> parse(std::string_view text);
    std::string to_string() const;
    friend bool operator==(const AsPathRule&, const AsPathRule&) = default;
};

// "[permit|deny] COMMUNITY ...": all of them; or the name of one of community_lists.
struct CommunityRule {
    bool permit = true;
    std::string list;
    std::vector<CommunityPattern> all;
    static std::optional<CommunityRule> parse(std::string_view text);
    std::string to_string() const;
    friend bool operator==(const CommunityRule&, const CommunityRule&) = default;
};

struct AsPathList {
    std::string name;
    std::vector<AsPathRule> rules;
    friend bool operator==(const AsPathList&, const AsPathList&) = default;
};
struct CommunityList {
    std::string name;
    std::vector<CommunityRule> rules;
    friend bool operator==(const CommunityList&, const CommunityList&) = default;
};

enum class RouteOrigin : std::uint8_t { Igp, Egp, Incomplete };
enum class RouteFrom : std::uint8_t { Own, External, Internal };

struct TermMatch {
    std::optional<Family> family;
    std::optional<std::vector<std::string>> prefix;  // names of prefix lists
    std::vector<AsPathRule> as_path;
    std::vector<CommunityRule> community;
    std::vector<Prefix> next_hop;
    std::optional<std::uint32_t> med;
    std::optional<std::uint32_t> local_pref;
    std::optional<RouteOrigin> origin;
    std::optional<RouteFrom> from;
    friend bool operator==(const TermMatch&, const TermMatch&) = default;
};

// "100", "+10", "-10", "none"
struct MedEdit {
    enum class Kind : std::uint8_t { Set, Add, Subtract, Remove };
    Kind kind = Kind::Set;
    std::uint32_t number = 0;
    static std::optional<MedEdit> parse(std::string_view text);
    std::string to_string() const;
    friend bool operator==(const MedEdit&, const MedEdit&) = default;
};

// "self", "unchanged", "peer", an address
struct NextHopEdit {
    enum class Kind : std::uint8_t { Self, Unchanged, Peer, Address };
    Kind kind = Kind::Self;
    IpAddress address;
    static std::optional<NextHopEdit> parse(std::string_view text);
    std::string to_string() const;
    friend bool operator==(const NextHopEdit&, const NextHopEdit&) = default;
};

struct TermEdits {
    std::optional<std::uint32_t> local_pref;
    std::optional<MedEdit> med;
    std::optional<RouteOrigin> origin;
    std::optional<std::vector<CommunityPattern>> community;
    std::vector<CommunityPattern> add_community;
    std::vector<CommunityPattern> remove_community;
    std::uint8_t prepend = 0;
    std::vector<Asn> prepend_as;
    std::optional<NextHopEdit> next_hop;
    std::optional<std::uint16_t> weight;
    friend bool operator==(const TermEdits&, const TermEdits&) = default;
};

enum class TermAction : std::uint8_t { Accept, Reject, Next };

struct PolicyTerm {
    std::optional<std::string> name;
    TermMatch match;
    TermEdits set;
    TermAction action = TermAction::Accept;
    friend bool operator==(const PolicyTerm&, const PolicyTerm&) = default;
};

// The first term that matches decides; what none decides is rejected.
struct Policy {
    std::string name;
    std::vector<PolicyTerm> terms;
    friend bool operator==(const Policy&, const Policy&) = default;
};

}  // namespace torii::config
