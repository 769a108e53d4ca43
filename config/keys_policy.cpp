#include "config/key_builder.hpp"

// Keys of lists and route policies.
namespace torii::config {
const KeyTable& keys(Of<PrefixList>) {
    static constexpr KeyEntry kEntries[] = {
        field<&PrefixList::rules>(
            "rules",
            {.doc = "Rules in order: \"10.244.0.0/16 ge 24 le 24\", \"deny 0.0.0.0/0\", \"any\". "
                    "The first that matches decides; what none matches is denied.",
             .cost = Cost::Refresh}),

    };
    static const KeyTable table = with_shorthand(named_block<PrefixList>(kEntries));
    return table;
}

const KeyTable& keys(Of<AsPathList>) {
    static constexpr KeyEntry kEntries[] = {
        field<&AsPathList::rules>(
            "rules",
            {.doc = "Rules in order: \"neighbor 65001\", \"originated 65001\", \"contains "
                    "65001\", \"empty\", \"length le 5\", or a regular expression over \"65001 "
                    "65002 {1,2}\" in which \"_\" is the border of a number: \"^65001(_|$)\"; "
                    "\"deny ...\" for the opposite. The first that fits decides.",
             .cost = Cost::Refresh}),

    };
    static const KeyTable table = with_shorthand(named_block<AsPathList>(kEntries));
    return table;
}

const KeyTable& keys(Of<CommunityList>) {
    static constexpr KeyEntry kEntries[] = {
        field<&CommunityList::rules>(
            "rules",
            {.doc = "Rules in order: \"65000:1\", \"65000:*\", \"no-export\", a large one "
                    "\"65000:1:2\", an extended one \"rt:65000:1\", \"soo:65000:1\" or its "
                    "octets \"0x0002fde800000001\"; several in one text must all be there. "
                    "\"deny ...\" for the opposite. The first that fits decides.",
             .cost = Cost::Refresh}),

    };
    static const KeyTable table = with_shorthand(named_block<CommunityList>(kEntries));
    return table;
}

const KeyTable& keys(Of<TermMatch>) {
    using M = TermMatch;
    static constexpr KeyEntry kEntries[] = {
        field<&M::family>("family", {.doc = "Of this family.", .cost = Cost::Refresh}),
        field<&M::prefix>("prefix", {.doc = "Permitted by these prefix lists, read as one.",
                                     .cost = Cost::Refresh,
                                     .unset = "any"}),
        field<&M::as_path>("as_path", {.doc = "Rules as in as_path_lists, or names of such lists.",
                                       .cost = Cost::Refresh,
                                       .unset = "any"}),
        field<&M::community>("community",
                             {.doc = "Rules as in community_lists, or names of such lists.",
                              .cost = Cost::Refresh,
                              .unset = "any"}),
        field<&M::next_hop>(
            "next_hop",
            {.doc = "The next hop lies in one of these.", .cost = Cost::Refresh, .unset = "any"}),
        field<&M::med>("med", {.doc = "MULTI_EXIT_DISC is this.", .cost = Cost::Refresh}),
        field<&M::local_pref>("local_pref", {.doc = "LOCAL_PREF is this.", .cost = Cost::Refresh}),
        field<&M::origin>("origin", {.doc = "ORIGIN is this.", .cost = Cost::Refresh}),
        field<&M::from>("from",
                        {.doc = "Our own, or learnt by eBGP or iBGP.", .cost = Cost::Refresh}),

    };
    static const KeyTable table = block<TermMatch>(kEntries);
    return table;
}

const KeyTable& keys(Of<TermEdits>) {
    using E = TermEdits;
    static constexpr KeyEntry kEntries[] = {
        field<&E::local_pref>("local_pref", {.doc = "LOCAL_PREF.", .cost = Cost::Refresh}),
        field<&E::med>(
            "med",
            {.doc = "MULTI_EXIT_DISC: \"100\", \"+10\", \"-10\", or \"none\" to take it out.",
             .cost = Cost::Refresh}),
        field<&E::origin>("origin", {.doc = "ORIGIN.", .cost = Cost::Refresh}),
        field<&E::community>("community", {.doc = "These communities and no others; [ ] for none.",
                                           .cost = Cost::Refresh}),
        field<&E::add_community>("add_community",
                                 {.doc = "These communities too.", .cost = Cost::Refresh}),
        field<&E::remove_community>(
            "remove_community",
            {.doc = "Not these; \"65000:*\" for all that fit.", .cost = Cost::Refresh}),
        field<&E::prepend>(
            "prepend",
            {.doc = "Our own AS in front, so often.", .cost = Cost::Refresh, .limits = {0, 20}}),
        field<&E::prepend_as>(
            "prepend_as", {.doc = "These ASes in front, behind our own.", .cost = Cost::Refresh}),
        field<&E::next_hop>(
            "next_hop",
            {.doc = "Next hop: \"self\", \"unchanged\", \"peer\" (on import: the peer itself), "
                    "or an address.",
             .cost = Cost::Refresh}),
        field<&E::weight>(
            "weight",
            {.doc = "Share of an ECMP group.", .cost = Cost::Refresh, .limits = {1, 255}}),

    };
    static const KeyTable table = block<TermEdits>(kEntries);
    return table;
}

const KeyTable& keys(Of<PolicyTerm>) {
    static constexpr KeyEntry kEntries[] = {
        field<&PolicyTerm::name>(
            "name", {.doc = "Shown with what the term rejects.", .unset = "its number"}),
        field<&PolicyTerm::match>("match", {.doc = "All of this must hold."}),
        field<&PolicyTerm::set>("set", {.doc = "Edits of a route that matches."}),
        field<&PolicyTerm::action>(
            "action",
            {.doc = "\"next\" goes on with the next term, the edits made.", .cost = Cost::Refresh}),

    };
    static const KeyTable table = block<PolicyTerm>(kEntries);
    return table;
}

const KeyTable& keys(Of<Policy>) {
    static constexpr KeyEntry kEntries[] = {
        field<&Policy::terms>("terms", {.doc = "Read from the first on."}),

    };
    static const KeyTable table = with_shorthand(named_block<Policy>(kEntries));
    return table;
}

}  // namespace torii::config
