#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/prefix_map.hpp"
#include "rib/fib_delta.hpp"
#include "rib/groups.hpp"
#include "rib/next_hop_sets.hpp"
#include "rib/resolver.hpp"
#include "rib/route.hpp"

namespace torii::rib {

// One candidate of one prefix, as shown to operators.
struct RouteRow {
    Prefix prefix;
    Source source = Source::Static;
    std::uint8_t distance = 0;
    RouteKind kind = RouteKind::Forward;
    bool in_use = false;  // the one the data plane has
    bool usable = false;  // its next hops resolve
    std::vector<NextHop> next_hops;
    std::vector<FibNextHop> resolved;
    std::vector<FibNextHop> backup;  // of the one in use
    std::chrono::seconds age{0};     // since it came, or changed
};

// The routes of every source, the best of them per prefix, and the changes
// that the data plane has not received yet. Control thread only; put() and remove()
// record the change, settle() processes changes in bounded slices, take_delta() returns
// the difference.
class Table final : public RouteSink, public NextHopTracker {
public:
    Table();

    void put(const Prefix& prefix, const RouteSpec& route) override;
    void remove(const Prefix& prefix, Source source) override;

    Reachability track(const IpAddress& next_hop) override { return resolver_.track(next_hop); }
    void untrack(const IpAddress& next_hop) override { resolver_.untrack(next_hop); }
    void listen(Listener listener) override { listener_ = std::move(listener); }
    bool reaches(const IpAddress& neighbor, PortIndex port) const override {
        return resolver_.reaches(neighbor, port);
    }
    void listen_ports(PortListener listener) override { port_listener_ = std::move(listener); }

    // A port is up, which each is until this call, or not: next hops on it do not count then.
    void set_port(PortIndex port, bool up);

    // A neighbor that liveness found dead, or alive again: next hops that lead to it do not
    // count until then, whatever their source.
    void set_liveness(const IpAddress& neighbor, PortIndex port, bool alive);

    // How many groups of the data plane may have a backup.
    void limit_backups(std::size_t groups) { groups_.limit_backups(groups); }

    // Every prefix inside is sent to the data plane again.
    void repeat(const Prefix& within);

    // For comparing the data plane with this table. Nothing is on its way there:
    bool settled() const {
        return !has_delta() && !rescan_from_ && changed_ports_.empty() && resolver_.settled();
    }
    // What the data plane should have, in order from `first` on, as take_delta() published it; only
    // while settled(). Calls visit(prefix, action), which returns true to go on; no action: not
    // in the data plane. A group that is not what its routes want is given as Groups::kNone.
    template <class F>
    void walk_published(const Prefix& first, F&& visit) const {
        // Some ahead, so that their candidates come from memory side by side.
        std::array<std::pair<Prefix, Entry>, 32> ahead;
        std::size_t count = 0;
        bool more = true;
        const auto visit_all = [&] {
            for (std::size_t i = 0; i < count && more; ++i)
                more = visit(ahead[i].first, published(ahead[i].second));
            count = 0;
        };
        index_.walk_from(first, [&](const Prefix& prefix, const Entry& entry) {
            if (entry.head != kEnd) __builtin_prefetch(&candidates_[entry.head]);
            ahead[count++] = {prefix, entry};
            if (count == ahead.size()) visit_all();
            return more;
        });
        if (more) visit_all();
    }
    // The same of the prefixes that contain an address, shortest first.
    template <class F>
    void walk_published_covering(const IpAddress& address, F&& visit) const {
        index_.walk_covering(Prefix::host(address), [&](const Prefix& prefix, const Entry& entry) {
            return visit(prefix, published(entry));
        });
    }
    std::optional<FibAction> published(const Prefix& prefix) const {
        const auto* entry = index_.find(prefix);
        return entry != nullptr ? published(*entry) : std::nullopt;
    }
    // How many prefixes of a family the data plane should have.
    std::size_t published(Family family) const {
        return published_[static_cast<std::size_t>(family)];
    }
    // Nothing: no prefix uses the group. Identifiers are below group_limit().
    std::optional<GroupChange> published_group(GroupId id) const;
    std::size_t group_limit() const { return groups_.limit(); }
    // The prefix, or the group, goes to the data plane again with the next delta.
    void send_again(const Prefix& prefix);
    void send_again(GroupId id);
    // Whether any route wants the neighbor as a next hop, dead or not.
    bool wants(const IpAddress& neighbor) const { return resolver_.knows(neighbor); }

    // Called when there is something to settle or to hand on again after the last
    // take_delta(); from inside put() or remove(), so it may only take a note.
    void when_changed(std::function<void()> wake) { wake_ = std::move(wake); }

    // Looks at about `budget` prefixes at the most. True: call again soon.
    bool settle(std::size_t budget = 20'000);
    bool has_delta() const;
    // At most so many prefixes, the oldest changes first.
    FibDelta take_delta(std::size_t most = ~std::size_t{0});

    std::size_t prefixes() const { return index_.size(); }
    std::size_t routes(Source source) const { return counts_[static_cast<std::size_t>(source)]; }
    std::size_t next_hop_sets() const { return sets_.in_use(); }

    // The candidates of one prefix, best first.
    std::vector<RouteRow> candidates(const Prefix& prefix) const;
    // The longest prefix in use that covers an address.
    std::optional<Prefix> longest_match(const IpAddress& address) const;

    // Visits prefixes in order from `first` on with a callable that takes
    // (Prefix, std::vector<RouteRow>) and returns true to go on.
    template <class F>
    void walk_from(const Prefix& first, F&& visit) const {
        index_.walk_from(first, [&](const Prefix& prefix, const Entry& entry) {
            return visit(prefix, rows(prefix, entry.head));
        });
    }

private:
    using CandidateId = std::uint32_t;
    using SetId = NextHopSets::Id;
    static constexpr CandidateId kEnd = ~CandidateId{0};
    static constexpr SetId kNoSet = NextHopSets::kNone;

    // In the place of a group: the data plane has the prefix, without one.
    static constexpr GroupId kNoGroup = Groups::kNone - 1;
    struct Entry {
        CandidateId head = kEnd;
        GroupId group = Groups::kNone;  // last published to the data plane; kNone: nothing
    };
    // A prefix's candidates hang together, lowest distance first.
    struct Candidate {
        SetId set = kNoSet, backup = kNoSet;
        CandidateId next = kEnd;
        std::uint32_t since = 0;  // seconds of the monotonic clock
        PortIndex port = kAnyPort;
        Source source = Source::Static;
        std::uint8_t distance = 0;
        RouteKind kind = RouteKind::Forward;

        // Apart from where it stands.
        bool same_output(const Candidate& other) const {
            return set == other.set && backup == other.backup && port == other.port &&
                   source == other.source && distance == other.distance && kind == other.kind;
        }
    };
    // What the data plane does with a prefix: a candidate, by one of its sets, and the
    // set that comes next.
    struct Choice {
        CandidateId candidate = kEnd;
        SetId set = kNoSet, backup = kNoSet;
    };

    CandidateId allocate();
    SetId acquire(std::span<const NextHop> next_hops);
    void release(SetId set);
    void drop(CandidateId* at);
    bool leads_on(SetId set) const { return set != kNoSet && sets_[set].usable(); }
    bool usable(const Candidate& candidate) const;
    CandidateId in_use(CandidateId head) const;
    Choice choose(CandidateId head) const;
    static FibAction action_of(const Candidate& candidate, GroupId group);
    std::optional<FibAction> published(const Entry& entry) const;
    std::optional<FibAction> decide(const Prefix& prefix, Entry& entry);
    void leave(const Prefix& prefix, GroupId group);
    GroupChange change_of(GroupId id) const;
    std::optional<Resolver::Via> lookup(const IpAddress& address,
                                        const std::function<bool(NextHopSets::Id)>& excluded) const;
    std::vector<RouteRow> rows(const Prefix& prefix, CandidateId head) const;
    void changed(const Prefix& prefix, GroupId left = Groups::kNone);
    void rescan(std::size_t budget);

    NextHopSets sets_;
    Resolver resolver_;
    Groups groups_;
    PrefixMap<Entry> index_;
    std::vector<Candidate> candidates_;
    std::vector<CandidateId> free_;
    std::array<std::size_t, kSources> counts_{};
    std::array<std::size_t, 2> published_{};  // by family
    Listener listener_;
    PortListener port_listener_;
    std::vector<PortIndex> changed_ports_;
    std::function<void()> wake_;
    bool awake_ = false;

    // What the data plane may differ in, and the group that a removed prefix has there.
    struct Dirty {
        Prefix prefix;
        GroupId left = Groups::kNone;
    };
    std::deque<Dirty> dirty_;
    std::vector<SetId> changed_sets_;
    std::vector<GroupId> groups_again_;  // asked for by send_again()
    std::vector<SetId> flipped_;         // their prefixes choose again
    std::vector<SetId> flipped_again_;   // while that went on: once more from the beginning
    std::optional<Prefix> rescan_from_;
};

}  // namespace torii::rib
