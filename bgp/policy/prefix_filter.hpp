#pragma once

#include <compare>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/prefix_map.hpp"
#include "bgp/settings.hpp"

namespace torii::bgp {

// Prefix lists of one peer and direction, read as one: the first rule that
// matches decides, what no rule matches is denied. Immutable once made.
class PrefixFilter {
public:
    struct Verdict {
        bool permit = false;
        const PrefixList* list = nullptr;  // nothing: no rule matched
        const PrefixRule* rule = nullptr;
    };

    // Every prefix; no prefix, because no list is configured (RFC 8212).
    static std::shared_ptr<const PrefixFilter> everything();
    static std::shared_ptr<const PrefixFilter> unspoken();  // RFC 8212
    // Lists by name; one that does not exist denies.
    static std::shared_ptr<const PrefixFilter> of(const std::vector<std::string>& names,
                                                  const std::vector<PrefixList>& known);

    bool permits(const Prefix& prefix) const { return all_ || (!none_ && match(prefix).permit); }
    Verdict match(const Prefix& prefix) const;
    bool permits_all() const { return all_; }
    bool permits_none() const { return none_; }
    // "pods: deny 0.0.0.0/0", for a prefix that is denied.
    std::string explain(const Prefix& prefix, std::string_view direction) const;

    friend bool operator==(const PrefixFilter& a, const PrefixFilter& b) {
        return a.all_ == b.all_ && a.none_ == b.none_ && a.unspoken_ == b.unspoken_ &&
               a.lists_ == b.lists_;
    }

private:
    struct Place {
        std::uint32_t list = 0, rule = 0;
        friend auto operator<=>(const Place&, const Place&) = default;
    };
    void make_index();
    const PrefixRule& at(const Place& place) const { return lists_[place.list].rules[place.rule]; }

    bool all_ = false, none_ = false, unspoken_ = false;
    std::vector<PrefixList> lists_;
    // The rules by their prefixes, each prefix's in order, and those for any prefix: long lists
    // are not read from the beginning for each route.
    PrefixMap<std::uint32_t> index_;
    std::vector<std::vector<Place>> places_;
    std::optional<Place> any_;  // the first one; nothing behind it counts
};

// Never a unicast destination: loopback, multicast, reserved.
bool is_martian(const Prefix& prefix);

}  // namespace torii::bgp
