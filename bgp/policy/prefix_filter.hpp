#pragma once

#include <memory>
#include <string>
#include <vector>

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

    friend bool operator==(const PrefixFilter&, const PrefixFilter&) = default;

private:
    bool all_ = false, none_ = false, unspoken_ = false;
    std::vector<PrefixList> lists_;
};

// Never a unicast destination: loopback, multicast, reserved.
bool is_martian(const Prefix& prefix);

}  // namespace torii::bgp
