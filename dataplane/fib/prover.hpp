#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/prefix.hpp"
#include "dataplane/fib/fib_fault.hpp"
#include "dataplane/fib/publisher.hpp"
#include "dataplane/fib/trie_sweep.hpp"
#include "rib/table.hpp"

namespace torii::dataplane {

// Compares what packets meet with what the RIB wants, from each prefix by its group to the
// neighbor's rewrite, over and over: every entry of the tables, not a sample. Heals what differs
// and reports it. Control thread only, in steps; a step compares nothing while the RIB has
// changes on their way.
class Prover {
public:
    // What a neighbor's hop should be; nothing: do not compare.
    using HopOf = std::function<std::optional<Hop>(const Neighbor&)>;
    using Report = std::function<void(const FibFault&)>;

    Prover(Publisher& publisher, HopOf hop_of, Report report);

    // Goes on for about `budget` comparisons, of which a thousand take a microsecond. True: a pass
    // ended with this step.
    bool step(rib::Table& table, std::size_t budget);
    // The next step begins a pass.
    void restart();
    const ProverCounters& counters() const { return counters_; }

private:
    enum class Stage : std::uint8_t { Hops, Neighbors, Groups, Ip4, Ip6, Count, Extra, End };
    struct Expected {
        Prefix prefix;
        HopId hop;
    };

    void fault(FaultKind kind, std::string where, std::string wanted, std::string found);
    void fixed_hops();
    // These return true when nothing is left to compare.
    bool neighbors(std::size_t budget);
    bool groups(rib::Table& table, std::size_t budget);
    bool prefixes(rib::Table& table, Family family, std::size_t& budget);
    bool sweep(rib::Table& table, Family family, const std::optional<IpAddress>& stop,
               std::size_t& budget);
    bool extras(rib::Table& table, std::size_t budget);

    void compare_group(rib::Table& table, rib::GroupId id);
    bool members_match(const Group& group, const rib::GroupChange& wanted) const;
    std::string hop_fault(const Group& group) const;
    std::optional<HopId> expected(rib::Table& table, const Prefix& prefix,
                                  const rib::FibAction& action);
    std::optional<HopId> wanted_hop(const Prefix& prefix, const rib::FibAction& action,
                                    HopId have) const;
    HopId rule(const Prefix& prefix) const;
    void compare_fallback(Family family, HopId hop);
    void compare_long(rib::Table& table, const Prefix& prefix, HopId hop);
    void entry(rib::Table& table, Family family, std::uint64_t at, std::uint32_t wanted,
               std::uint32_t found);
    bool counts_match(const rib::Table& table) const;
    bool is_wanted(const rib::Table& table, const Prefix& prefix) const;
    void remove_extra(const Prefix& prefix);
    std::string describe(HopId hop) const;
    std::string describe(const Hop& hop) const;

    Publisher& publisher_;
    HopOf hop_of_;
    Report report_;
    ProverCounters counters_;
    Stage stage_ = Stage::Hops;
    std::uint32_t index_ = 0;             // of neighbors and groups
    IpAddress at_;                        // prefixes from here on are still to be compared
    std::optional<std::uint64_t> rule4_;  // likewise the writers' rules
    Fib6::Cursor rule6_;
    std::vector<Expected> batch_;
};

}  // namespace torii::dataplane
