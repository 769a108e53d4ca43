#pragma once

#include <utility>
#include <vector>

#include "bgp/policy/import.hpp"
#include "bgp/rib/loc_rib.hpp"

namespace torii::bgp {

// What one peer's import policy makes of one set of received attributes: once
// for each class of prefixes, whatever their number. Holds what it answers.
class ImportRun {
public:
    // `from` is where packets to the peer itself go.
    ImportRun(const ImportPolicy& policy, LocRib& rib, Family family, PeerId peer,
              const NextHopKey& from, AttributesId received, std::uint32_t account);
    ~ImportRun();
    ImportRun(const ImportRun&) = delete;
    ImportRun& operator=(const ImportRun&) = delete;

    AttributesId received() const { return received_; }
    // The attributes to use; 0: the policy rejects the prefix.
    AttributesId of(const Prefix& prefix) { return plain_ ? received_ : edited(prefix); }
    // Which term rejected it.
    std::string explain(const Prefix& prefix) const;

private:
    PolicyRoute route() const;
    bool stays_inside() const;
    AttributesId edited(const Prefix& prefix);
    AttributesId make(RoutePolicy::Class prefix);

    const ImportPolicy& policy_;
    LocRib& rib_;
    const Family family_;
    const PeerId peer_;
    const NextHopKey from_;
    const AttributesId received_;
    const std::uint32_t account_;  // of the pool
    const bool plain_;             // nothing is edited, nothing rejected
    std::vector<std::pair<RoutePolicy::Class, AttributesId>> made_;
};

}  // namespace torii::bgp
