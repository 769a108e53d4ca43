#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "base/prefix_map.hpp"
#include "bgp/settings.hpp"

namespace torii::bgp {

// Which node may announce which prefix. A node that is in the table may
// announce what the table gives it; without a table entry the first
// node to announce a pod prefix owns it until it withdraws it, and a lease longer. Other nodes
// may announce neither a part nor a covering prefix of it; only declared ranges may be shared.
class Guard {
public:
    struct Verdict {
        enum class Why : std::uint8_t { Allowed, NotAssigned, Owned, NotShared } why = Why::Allowed;
        IpAddress owner;
        Prefix owned;
        bool allowed() const { return why == Why::Allowed; }
        std::string to_string(const Prefix& prefix) const;
    };

    explicit Guard(const Clock& clock) : clock_(clock) {}

    void configure(const GuardSettings& settings) { settings_ = settings; }
    bool active() const { return settings_.mode != GuardMode::Off; }
    bool enforces() const { return settings_.mode == GuardMode::Enforce; }

    // The prefixes that the cluster assigned to a node. An empty list removes the entry.
    void assign(const IpAddress& node, std::vector<Prefix> prefixes);

    Verdict check(const IpAddress& node, const Prefix& prefix) const;
    // The node announces it, and was allowed to.
    void claim(const IpAddress& node, const Prefix& prefix);
    // The node no longer does; its lease begins to run.
    void release(const IpAddress& node, const Prefix& prefix);
    void release_all(const IpAddress& node);

    // Forgets leases that have ended. True: something became free.
    bool expire();
    std::optional<Clock::TimePoint> next_expiry() const;

private:
    struct Claim {
        IpAddress node;
        Prefix prefix;
        std::optional<Clock::TimePoint> until;  // unset while it is announced
    };
    bool shared(const Prefix& prefix) const;
    void erase(std::uint32_t at);

    const Clock& clock_;
    GuardSettings settings_;
    std::map<IpAddress, std::vector<Prefix>> table_;
    PrefixMap<std::uint32_t> assigned_;  // index into assigned_to_
    std::vector<IpAddress> assigned_to_;
    PrefixMap<std::uint32_t> owned_;  // index into claims_
    std::vector<Claim> claims_;
    std::vector<std::uint32_t> free_;
    std::map<IpAddress, std::vector<std::uint32_t>> by_node_;
};

}  // namespace torii::bgp
