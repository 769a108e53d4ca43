#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "bgp/policy/prefix_filter.hpp"
#include "bgp/policy/route_policy.hpp"
#include "bgp/rib/advertised_paths.hpp"
#include "bgp/rib/peers.hpp"
#include "bgp/rib/table.hpp"
#include "bgp/wire/update.hpp"

namespace torii::bgp {

// All settings that shape what is advertised to a peer. Peers with equal values share an
// update group, whatever their peer groups are called.
struct ExportSettings {
    Family family = Family::Ip4;
    bool ebgp = true;
    bool reflector_client = false;
    bool route_server_client = false;
    bool next_hop_self = false;
    bool next_hop_unchanged = false;
    bool four_octet_as = true;
    bool extended_next_hop = false;
    bool add_path = false;
    bool as_override = false;
    bool graceful_shutdown = false;
    bool long_lived = false;  // RFC 9494: the members support LLGR_STALE
    // A default route of ours, in the place of the table's, whatever lists and policies permit.
    bool default_originate = false;
    RemovePrivateAs remove_private_as = RemovePrivateAs::Off;
    SendCommunities communities;
    std::optional<Role> role;  // ours
    std::uint32_t local_as = 0;
    std::uint32_t router_as = 0;
    std::uint32_t peer_as = 0;  // only where the export depends on it
    std::uint32_t cluster_id = 0;
    std::size_t max_message = kMaxMessage;
    IpAddress self;  // our own next hop of this family
    IpAddress link_local = IpAddress::v6({});
    std::chrono::seconds interval{0};            // least time between two publications
    std::vector<Prefix> summaries;               // aggregates that stand for what is inside
    std::shared_ptr<const PrefixFilter> filter;  // equal ones are one object
    std::shared_ptr<const RoutePolicy> policy;   // nothing: what the filter permits

    bool operator==(const ExportSettings& other) const;
};

// Where a group's messages go: one peer's session.
class UpdateSink {
public:
    virtual ~UpdateSink() = default;
    virtual void send(std::shared_ptr<const std::vector<std::uint8_t>> messages,
                      std::uint64_t updates) = 0;
    virtual std::size_t queued() const = 0;
    virtual void end_of_rib_sent(Family family) = 0;
};

// A prefix whose published best path is no longer what it was.
struct BestChange {
    EntryId entry = 0;
    AttributesId before = 0, after = 0;
    PeerId from_before = 0, from_after = 0;
};

// Peers of one family with equal advertisements: computed once, encoded once, sent
// to all. A slow or new member has marks instead: the prefixes that are still to be
// sent to it. Marks are bounded, and no other member waits.
class UpdateGroup {
public:
    static constexpr std::size_t kHighWater = 1024 * 1024;
    static constexpr std::size_t kLowWater = 256 * 1024;

    UpdateGroup(ExportSettings settings, const RibTable& table, AttributePool& pool,
                const NextHops& next_hops, const PeerTable& peers);
    ~UpdateGroup();
    UpdateGroup(const UpdateGroup&) = delete;
    UpdateGroup& operator=(const UpdateGroup&) = delete;

    const ExportSettings& settings() const { return settings_; }
    std::size_t members() const { return members_.size(); }
    bool empty() const { return members_.empty(); }
    std::uint32_t advertised() const { return advertised_count_ + (originates() ? 1 : 0); }
    bool is_advertised(EntryId id) const { return test(advertised_, id); }
    bool has_lagging() const { return lagging_ != 0; }

    // A new member is sent all routes, then End-of-RIB.
    void add(PeerId peer, UpdateSink& sink, bool end_of_rib);
    void remove(PeerId peer);
    // The same for a member with the advertisements of `before`: routes that this group
    // does not advertise are withdrawn.
    void move_in(PeerId peer, UpdateSink& sink, const UpdateGroup& before);
    // All routes again (a route refresh), between the markers of RFC 7313 §4 if
    // the peer supports them.
    void resend(PeerId peer, bool marked);

    // While held, changes are only noted; members receive them by advance().
    void hold(bool on) { held_ = on; }
    bool held() const { return held_; }
    template <class F>
    void each_lagging(F&& visit) const {
        for (const auto& member : members_)
            if (member->lagging) visit(member->peer);
    }

    void publish(std::span<const BestChange> changes);
    // The same for a group of ADD-PATH: entries whose paths may have changed.
    void publish_paths(std::span<const EntryId> entries);
    std::span<const AdvertisedPath> told(EntryId id) const { return advertised_paths_.of(id); }
    // Goes on with what a member has still to receive. True: there is more, and
    // the member can take it.
    bool advance(PeerId peer);

    bool exports(EntryId id, AttributesId attributes, PeerId from) const;
    // The attributes that this group advertises with a prefix of that class;
    // nothing: they cannot be sent.
    std::optional<OutgoingAttributes> transform(AttributesId attributes, PeerId from,
                                                RoutePolicy::Class prefix,
                                                bool by_policy = true) const;
    RoutePolicy::Class class_of(EntryId id) const;

private:
    using Bits = std::vector<std::uint64_t>;
    struct Member {
        PeerId peer = 0;
        UpdateSink* sink = nullptr;
        bool lagging = false;
        bool end_of_rib = false;
        bool refreshing = false;   // the second mark of RFC 7313 is owed
        bool default_due = false;  // to be sent, or withdrawn where it is not of this group
        bool default_withdrawn = false;
        Bits marks;     // to be looked at
        Bits withdraw;  // of these: withdrawn if not announced
        std::size_t marked = 0;
        std::size_t cursor = 0;  // word in marks
        // ADD-PATH: numbers that it may have received and that are no longer in use.
        boost::unordered_flat_map<EntryId, std::vector<std::uint32_t>> gone;
    };
    struct Item {
        EntryId entry;
        AttributesId attributes;
        PeerId from;
        RoutePolicy::Class prefix = 0;  // as the policy sees it
        std::uint32_t path_id = 0;
    };
    struct Asked {
        AttributesId attributes = 0;  // 0: nothing yet
        PeerId from = 0;
        RoutePolicy::Class prefix = 0;
        bool accepted = false;
    };

    static bool test(const Bits& bits, EntryId id) {
        return id / 64 < bits.size() && (bits[id / 64] >> (id % 64) & 1);
    }
    // Whether the default route is ours, and whether it can be sent at all (RFC 8950 §4).
    bool originates() const { return default_attributes_ != 0; }
    bool replaces(EntryId id) const { return originates() && table_.prefix(id).is_default(); }
    void send_default(Member& member, std::vector<std::uint8_t>& out) const;
    AsPathView rewritten(AsPathView before) const;
    PolicyRoute policy_route(AttributesId attributes, PeerId from) const;
    bool policy_accepts(EntryId id, AttributesId attributes, PeerId from) const;
    // The table's routes for an entry, as far as this group may advertise them.
    void collect_paths(EntryId id, std::vector<AdvertisedPath>& out) const;
    void take_entry(Member& member, EntryId id, bool first_pass);
    void take_paths(Member& member, EntryId id, bool first_pass);
    static void add_gone(Member& member, EntryId id, std::span<const std::uint32_t> numbers);
    static bool assign(Bits& bits, EntryId id, bool value);
    void mark(Member& member, EntryId id, bool was);
    void begin_lagging(Member& member);
    Member* find(PeerId peer);
    const Member* member(PeerId peer) const;
    // Messages for these, those learnt from `except` left out.
    std::uint64_t encode(std::span<const Item> items, std::vector<Announcement>& withdrawn,
                         PeerId except, std::vector<std::uint8_t>& out) const;

    const ExportSettings settings_;
    const RibTable& table_;
    AttributePool& pool_;
    const NextHops& next_hops_;
    const PeerTable& peers_;
    std::vector<std::unique_ptr<Member>> members_;
    std::vector<Member*> by_peer_;
    AttributesId default_attributes_ = 0;
    Bits advertised_;
    std::uint32_t advertised_count_ = 0;
    std::size_t lagging_ = 0;
    bool held_ = false;
    bool primed_ = false;               // advertised_paths_ covers the whole table
    AdvertisedPaths advertised_paths_;  // ADD-PATH alone

    // Reused from one publication to the next.
    std::vector<Item> items_;
    std::vector<Announcement> withdrawn_, own_withdrawn_;
    std::vector<PeerId> sources_;
    std::vector<AdvertisedPath> wanted_, news_;
    std::vector<std::uint32_t> gone_;
    mutable Asked last_asked_;  // of this publication
    mutable std::vector<Announcement> run_;
    mutable std::vector<std::uint8_t> announcements_;
};

}  // namespace torii::bgp
