#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <queue>
#include <set>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "base/prefix_map.hpp"
#include "bgp/settings.hpp"

namespace torii::bgp {

// Which node may announce which prefix. A node that is in the table may
// announce what the table gives it; without a table entry the first
// node to announce a pod prefix owns it for as long as it has a path of it, and a lease longer.
// Other nodes may announce neither a part nor a covering prefix of it; only declared ranges may
// be shared. Those that announce it all the same wait, and follow in the order of their arrival.
//
// A view of the table: arrive() and leave() follow the paths, whatever brings or removes them.
// Control thread only.
class Guard {
public:
    struct Verdict {
        enum class Why : std::uint8_t {
            Allowed,
            NotAssigned,
            Owned,
            NotShared,
            TooShort,
            OverQuota
        } why = Why::Allowed;
        IpAddress owner;
        Prefix owned;
        bool allowed() const { return why == Why::Allowed; }
        std::string to_string(const Prefix& prefix) const;
    };
    // A path that may be welcome now.
    struct Waiting {
        PeerKey node;
        Prefix prefix;
        std::uint64_t arrived = 0;  // lower: earlier
    };

    explicit Guard(const Clock& clock) : clock_(clock) {}

    void configure(const GuardSettings& settings) { settings_ = settings; }
    bool active() const { return settings_.mode != GuardMode::Off; }
    bool enforces() const { return settings_.mode == GuardMode::Enforce; }

    // The prefixes that the cluster assigned to a node. An empty list removes the entry.
    void assign(const PeerKey& node, std::vector<Prefix> prefixes);

    Verdict check(const PeerKey& node, const Prefix& prefix) const;
    // One more path, or one less, of the node. With the last one the lease of its claim begins.
    void arrive(const PeerKey& node, const Prefix& prefix);
    void leave(const PeerKey& node, const Prefix& prefix);
    // The node is allowed to announce what has arrived: it owns it if no node does.
    void claim(const PeerKey& node, const Prefix& prefix);

    // What was refused as one too many waits until the node owns less.
    void wait(const PeerKey& node, const Prefix& prefix) { over_quota_[node].insert(prefix); }

    // Ends leases that are over, at most so many, and returns what they kept out.
    std::vector<Waiting> expire(std::size_t most);
    std::optional<Clock::TimePoint> next_expiry() const;
    std::size_t size() const { return known_.size(); }

private:
    struct Presence {
        PeerKey node;
        std::uint32_t paths = 0;
        std::uint64_t arrived = 0;
    };
    struct Entry {
        Prefix prefix;
        std::optional<PeerKey> owner;
        std::optional<Clock::TimePoint> until;   // unset while the owner has a path
        std::optional<Clock::TimePoint> queued;  // when the heap asks for it
        std::vector<Presence> present;
    };
    struct Lease {
        Clock::TimePoint until;
        Prefix prefix;
        bool operator<(const Lease& other) const { return until > other.until; }
    };
    bool shared(const Prefix& prefix) const;
    Entry* find(const Prefix& prefix);
    void erase_if_unused(const Prefix& prefix);
    bool too_short(const Prefix& prefix) const;
    void disown(Entry& entry, std::vector<Waiting>& out);

    const Clock& clock_;
    GuardSettings settings_;
    std::map<PeerKey, std::vector<Prefix>> table_;
    PrefixMap<std::uint32_t> assigned_;  // index into assigned_to_
    std::vector<PeerKey> assigned_to_;
    PrefixMap<std::uint32_t> known_;  // index into entries_
    std::vector<Entry> entries_;
    std::vector<std::uint32_t> free_;
    std::priority_queue<Lease> leases_;       // one an entry, at its time or before it
    std::map<PeerKey, std::uint32_t> owned_;  // how many
    std::map<PeerKey, std::set<Prefix>> over_quota_;
    std::uint64_t arrivals_ = 0;
};

}  // namespace torii::bgp
