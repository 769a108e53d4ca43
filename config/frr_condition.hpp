#pragma once

#include <optional>
#include <string>
#include <vector>

#include "config/frr_lists.hpp"
#include "config/frr_names.hpp"
#include "config/frr_route_map.hpp"
#include "config/policy.hpp"

namespace torii::config {

// A list with the name that it had in the file; "" for one that was computed.
template <class Rule>
struct FrrNamed {
    std::string name;
    std::vector<Rule> rules;
};

// What a route must be, in torii's words: all of it must hold.
struct FrrCondition {
    bool never = false;
    std::optional<FrrNamed<PrefixRule>> prefix;
    std::optional<FrrNamed<CommunityRule>> community;
    std::optional<FrrNamed<AsPathRule>> as_path;
    std::optional<std::vector<Prefix>> next_hop;
    std::optional<std::uint32_t> med, local_pref;
    std::optional<RouteOrigin> origin;

    bool always() const {
        return !never && !prefix && !community && !as_path && !next_hop && !med && !local_pref &&
               !origin;
    }
    // Asks for nothing that an edit could change.
    bool of_prefixes() const {
        return !never && !community && !as_path && !next_hop && !med && !local_pref && !origin;
    }
    // Both must hold. False: there are no words for that, and *this is unchanged.
    [[nodiscard]] bool and_also(const FrrCondition& other);
    TermMatch to_match(FrrNames& names, Family family) const;
};

// FRR takes the MED off before the map towards eBGP runs.
enum class FrrDirection : std::uint8_t { In, ToInternal, ToExternal };

// What a clause asks for: the part that has words here, and why the rest has none.
struct FrrMatches {
    FrrCondition condition;
    std::vector<std::pair<FrrLine, std::string>> odd;
};
FrrMatches frr_matches(const FrrClause& clause, const FrrLists& lists, Family family,
                       FrrDirection direction);

// What a clause edits.
struct FrrEdits {
    TermEdits edits;
    std::vector<std::pair<FrrLine, std::string>> odd;   // it must not be left out
    std::vector<std::pair<FrrLine, std::string>> lost;  // concerns the choice of paths alone
};
FrrEdits frr_edits(const FrrClause& clause, const FrrLists& lists, Family family);

// `first`, then `second`, as one. Nothing where there are no words for both.
std::optional<TermEdits> frr_both(const TermEdits& first, const TermEdits& second);

// `condition` of a route that `edits` were made to, as one of the route before. Nothing
// where that depends on more than is written.
std::optional<FrrCondition> frr_before(const FrrCondition& condition, const TermEdits& edits);

// What passes both lists, as one list.
std::vector<PrefixRule> frr_intersection(const std::vector<PrefixRule>& a,
                                         const std::vector<PrefixRule>& b);

}  // namespace torii::config
