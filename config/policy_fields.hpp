#pragma once

#include "config/field.hpp"

namespace torii::config {

template <>
struct Fields<AsPathList> {
    static constexpr bool kShorthand = true;
    static constexpr std::tuple kAll{
        field("rules", &AsPathList::rules,
              {.doc = "Rules in order: \"neighbor 65001\", \"originated 65001\", \"contains "
                      "65001\", \"empty\", \"length le 5\", or a regular expression over \"65001 "
                      "65002 {1,2}\" in which \"_\" is the border of a number: \"^65001(_|$)\"; "
                      "\"deny ...\" for the opposite. The first that fits decides.",
               .cost = Cost::Refresh}),
    };
};

template <>
struct Fields<CommunityList> {
    static constexpr bool kShorthand = true;
    static constexpr std::tuple kAll{
        field("rules", &CommunityList::rules,
              {.doc = "Rules in order: \"65000:1\", \"65000:*\", \"no-export\", a large one "
                      "\"65000:1:2\", an extended one \"rt:65000:1\", \"soo:65000:1\" or its "
                      "octets \"0x0002fde800000001\"; several in one text must all be there. "
                      "\"deny ...\" for the opposite. The first that fits decides.",
               .cost = Cost::Refresh}),
    };
};

template <>
struct Fields<TermMatch> {
    using M = TermMatch;
    static constexpr std::tuple kAll{
        field("family", &M::family, {.doc = "Of this family.", .cost = Cost::Refresh}),
        field("prefix", &M::prefix,
              {.doc = "Permitted by these prefix lists, read as one.",
               .cost = Cost::Refresh,
               .unset = "any"}),
        field("as_path", &M::as_path,
              {.doc = "Rules as in as_path_lists, or names of such lists.",
               .cost = Cost::Refresh,
               .unset = "any"}),
        field("community", &M::community,
              {.doc = "Rules as in community_lists, or names of such lists.",
               .cost = Cost::Refresh,
               .unset = "any"}),
        field("next_hop", &M::next_hop,
              {.doc = "The next hop lies in one of these.", .cost = Cost::Refresh, .unset = "any"}),
        field("med", &M::med, {.doc = "MULTI_EXIT_DISC is this.", .cost = Cost::Refresh}),
        field("local_pref", &M::local_pref, {.doc = "LOCAL_PREF is this.", .cost = Cost::Refresh}),
        field("origin", &M::origin, {.doc = "ORIGIN is this.", .cost = Cost::Refresh}),
        field("from", &M::from,
              {.doc = "Our own, or learnt by eBGP or iBGP.", .cost = Cost::Refresh}),
    };
};

template <>
struct Fields<TermEdits> {
    using E = TermEdits;
    static constexpr std::tuple kAll{
        field("local_pref", &E::local_pref, {.doc = "LOCAL_PREF.", .cost = Cost::Refresh}),
        field("med", &E::med,
              {.doc = "MULTI_EXIT_DISC: \"100\", \"+10\", \"-10\", or \"none\" to take it out.",
               .cost = Cost::Refresh}),
        field("origin", &E::origin, {.doc = "ORIGIN.", .cost = Cost::Refresh}),
        field("community", &E::community,
              {.doc = "These communities and no others; [ ] for none.", .cost = Cost::Refresh}),
        field("add_community", &E::add_community,
              {.doc = "These communities too.", .cost = Cost::Refresh}),
        field("remove_community", &E::remove_community,
              {.doc = "Not these; \"65000:*\" for all that fit.", .cost = Cost::Refresh}),
        field("prepend", &E::prepend,
              {.doc = "Our own AS in front, so often.", .cost = Cost::Refresh, .limits = {0, 20}}),
        field("prepend_as", &E::prepend_as,
              {.doc = "These ASes in front, behind our own.", .cost = Cost::Refresh}),
        field("next_hop", &E::next_hop,
              {.doc = "Next hop: \"self\", \"unchanged\", \"peer\" (on import: the peer itself), "
                      "or an address.",
               .cost = Cost::Refresh}),
        field("weight", &E::weight,
              {.doc = "Share of an ECMP group.", .cost = Cost::Refresh, .limits = {1, 255}}),
    };
};

template <>
struct Fields<PolicyTerm> {
    static constexpr bool kNameIsKey = true;
    static constexpr std::tuple kAll{
        field("name", &PolicyTerm::name,
              {.doc = "Shown with what the term rejects.", .unset = "its number"}),
        field("match", &PolicyTerm::match, {.doc = "All of this must hold."}),
        field("set", &PolicyTerm::set, {.doc = "Edits of a route that matches."}),
        field(
            "action", &PolicyTerm::action,
            {.doc = "\"next\" goes on with the next term, the edits made.", .cost = Cost::Refresh}),
    };
};

template <>
struct Fields<Policy> {
    static constexpr bool kShorthand = true;
    static constexpr std::tuple kAll{
        field("terms", &Policy::terms, {.doc = "Read from the first on."}),
    };
};

}  // namespace torii::config
