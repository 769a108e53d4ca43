#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "bgp/policy/prefix_filter.hpp"
#include "bgp/settings.hpp"
#include "bgp/wire/attributes.hpp"

namespace torii::bgp {

// A route on its way through a policy. The attributes are a view until an edit
// makes them anew in `edited`.
struct PolicyRoute {
    Attributes attributes;
    Family family = Family::Ip4;
    IpAddress next_hop;
    RouteFrom from = RouteFrom::External;
    std::uint32_t own_as = 0;  // what we prepend
    std::uint32_t local_pref = 0;
    // What was done to it.
    bool changed = false;
    bool med_set = false;
    NextHopEdit next_hop_edit{NextHopEdit::Kind::None, {}};
};

// Backs what edits have made. Reused from one route to the next; `route` must
// not outlive it.
struct PolicyStorage {
    std::vector<std::uint8_t> as_path, standard, extended, large, scratch;
};

// The policies of one peer and direction, read as one. Immutable, but for what
// it remembers of prefixes: those that the prefix lists of all terms treat
// alike are of one class, and what holds for one of a class holds for all. The
// result of a set of attributes is therefore computed once for each class.
class RoutePolicy {
public:
    struct Verdict {
        bool accept = false;
        const PolicyTerm* term = nullptr;  // nothing: no term decided
    };
    using Class = std::uint32_t;

    // Policies by name; one that does not exist decides nothing. Nothing for no names.
    static std::shared_ptr<const RoutePolicy> of(const std::vector<std::string>& names,
                                                 const std::vector<PolicySettings>& known,
                                                 const std::vector<PrefixList>& lists);

    Class classify(const Prefix& prefix) const;
    Verdict run(Class prefix, PolicyRoute& route, PolicyStorage& storage) const;
    // "policy from-nodes, term 2 (pods): rejected", for a route that is.
    std::string explain(Class prefix, PolicyRoute route, PolicyStorage& storage) const;

    // What is done is compared, not what it is called.
    friend bool operator==(const RoutePolicy& a, const RoutePolicy& b);

private:
    struct Step {
        PolicyTerm term;
        std::size_t policy = 0;  // in names_
        std::size_t number = 0;  // from 1, in its policy
        std::optional<std::size_t> filter;
    };
    bool matches(const Step& step, Class prefix, const PolicyRoute& route,
                 std::optional<AsPathPattern::Path>& path) const;

    std::vector<std::string> names_;
    std::vector<Step> steps_;
    std::vector<std::shared_ptr<const PrefixFilter>> filters_;
    mutable std::map<std::vector<bool>, Class> class_of_;
    mutable std::vector<std::vector<bool>> classes_;  // by filter: its result
};

}  // namespace torii::bgp
