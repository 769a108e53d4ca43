#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/as_path_pattern.hpp"
#include "base/community.hpp"
#include "base/prefix.hpp"

// Route policies as settings: terms that are read from the first on. All that a
// term asks for must hold; then its edits are made and its action decides. What
// no term decides is rejected.
namespace torii::bgp {

struct AsPathRule {
    bool permit = true;
    AsPathPattern pattern;
    friend bool operator==(const AsPathRule&, const AsPathRule&) = default;
};

// A route that has a match for every pattern of `all`.
struct CommunityRule {
    bool permit = true;
    std::vector<CommunityPattern> all;
    friend bool operator==(const CommunityRule&, const CommunityRule&) = default;
};

// The source of the route.
enum class RouteFrom : std::uint8_t { Own, External, Internal };

// What is not set is not asked for. Of rules the first that fits decides, and
// what none fits does not match.
struct TermMatch {
    std::optional<Family> family;
    std::optional<std::vector<std::string>> prefix_lists;
    std::vector<AsPathRule> as_path;
    std::vector<CommunityRule> communities;
    std::vector<Prefix> next_hops;  // the next hop lies in one of them
    std::optional<std::uint32_t> med, local_pref;
    std::optional<std::uint8_t> origin;  // as on the wire
    std::optional<RouteFrom> from;
    friend bool operator==(const TermMatch&, const TermMatch&) = default;
};

struct MedEdit {
    enum class Kind : std::uint8_t { Set, Add, Subtract, Remove };
    Kind kind = Kind::Set;
    std::uint32_t number = 0;
    friend bool operator==(const MedEdit&, const MedEdit&) = default;
};

struct NextHopEdit {
    enum class Kind : std::uint8_t { Self, Unchanged, Peer, Address, None };
    Kind kind = Kind::Self;
    IpAddress address;
    friend bool operator==(const NextHopEdit&, const NextHopEdit&) = default;
};

struct TermEdits {
    std::optional<std::uint32_t> local_pref;
    std::optional<MedEdit> med;
    std::optional<std::uint8_t> origin;
    std::optional<std::vector<CommunityPattern>> communities;  // these and no others
    std::vector<CommunityPattern> remove_communities;
    std::vector<CommunityPattern> add_communities;
    std::uint8_t prepend = 0;                 // our own AS, so often
    std::vector<std::uint32_t> prepend_ases;  // behind it
    std::optional<NextHopEdit> next_hop;
    std::optional<std::uint16_t> weight;  // share of an ECMP group
    friend bool operator==(const TermEdits&, const TermEdits&) = default;
};

enum class TermAction : std::uint8_t { Accept, Reject, Next };

struct PolicyTerm {
    std::string name;  // "": shown by its number
    TermMatch match;
    TermEdits edits;
    TermAction action = TermAction::Accept;
    friend bool operator==(const PolicyTerm&, const PolicyTerm&) = default;
};

struct PolicySettings {
    std::string name;
    std::vector<PolicyTerm> terms;
    friend bool operator==(const PolicySettings&, const PolicySettings&) = default;
};

}  // namespace torii::bgp
