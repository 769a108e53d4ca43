#include "bgp/rib/update_group.hpp"

#include <algorithm>
#include <bit>

#include "base/byte_reader.hpp"

namespace torii::bgp {

namespace {

constexpr std::size_t kSlice = 4096;  // prefixes looked at before others have their turn

std::uint64_t count_messages(std::span<const std::uint8_t> bytes) {
    std::uint64_t n = 0;
    while (bytes.size() >= kHeaderSize) {
        bytes = bytes.subspan(static_cast<std::size_t>(bytes[16] << 8 | bytes[17]));
        ++n;
    }
    return n;
}

// Those that share attributes together, in their old order.
constexpr auto by_attributes = [](const auto& item) {
    return std::uint64_t{item.attributes} << 32 | item.entry;
};

bool is_private_as(std::uint32_t as) {
    return (as >= 64512 && as <= 65534) || as >= 4200000000;
}

}  // namespace

bool ExportSettings::operator==(const ExportSettings& o) const {
    const auto values = [](const ExportSettings& s) {
        return std::tie(s.family, s.ebgp, s.reflector_client, s.route_server_client,
                        s.next_hop_self, s.next_hop_unchanged, s.four_octet_as, s.extended_next_hop,
                        s.add_path, s.as_override, s.graceful_shutdown, s.default_originate,
                        s.remove_private_as, s.communities, s.role, s.local_as, s.router_as,
                        s.peer_as, s.cluster_id, s.max_message, s.self, s.link_local);
    };
    return values(*this) == values(o) && (filter == o.filter || *filter == *o.filter);
}

UpdateGroup::UpdateGroup(ExportSettings settings, const RibTable& table, const AttributePool& pool,
                         const NextHops& next_hops, const PeerTable& peers)
    : settings_(std::move(settings)),
      table_(table),
      pool_(pool),
      next_hops_(next_hops),
      peers_(peers) {}

bool UpdateGroup::assign(Bits& bits, EntryId id, bool value) {
    if (id / 64 >= bits.size()) {
        if (!value) return false;
        bits.resize(std::max<std::size_t>(id / 64 + 1, bits.size() + bits.size() / 2));
    }
    const auto bit = std::uint64_t{1} << (id % 64);
    const bool before = bits[id / 64] & bit;
    bits[id / 64] = value ? bits[id / 64] | bit : bits[id / 64] & ~bit;
    return before != value;
}

const UpdateGroup::Member* UpdateGroup::member(PeerId peer) const {
    return peer < by_peer_.size() ? by_peer_[peer] : nullptr;
}

UpdateGroup::Member* UpdateGroup::find(PeerId peer) {
    return peer < by_peer_.size() ? by_peer_[peer] : nullptr;
}

void UpdateGroup::begin_lagging(Member& member) {
    if (member.lagging) return;
    member.lagging = true;
    member.cursor = 0;
    ++lagging_;
}

void UpdateGroup::mark(Member& member, EntryId id, bool was) {
    if (assign(member.marks, id, true)) ++member.marked;
    if (was) assign(member.withdraw, id, true);
}

void UpdateGroup::add(PeerId peer, UpdateSink& sink, bool end_of_rib) {
    auto member = std::make_unique<Member>();
    member->peer = peer;
    member->sink = &sink;
    member->end_of_rib = end_of_rib;
    if (peer >= by_peer_.size()) by_peer_.resize(peer + 1);
    by_peer_[peer] = member.get();
    members_.push_back(std::move(member));
    resend(peer);
}

void UpdateGroup::resend(PeerId peer) {
    Member* member = find(peer);
    if (member == nullptr) return;
    begin_lagging(*member);
    if (settings_.filter->permits_none()) return;
    if (primed_) {
        member->marks = advertised_;
        member->marked = advertised_count_;
    } else {
        const std::size_t n = table_.entries_end();
        member->marks.assign((n + 63) / 64, ~std::uint64_t{0});
        if (n % 64 != 0) member->marks.back() = ~std::uint64_t{0} >> (64 - n % 64);
        member->marked = n;
    }
    member->cursor = 0;
}

void UpdateGroup::move_in(PeerId peer, UpdateSink& sink, const UpdateGroup& before) {
    add(peer, sink, false);
    Member& member = *find(peer);
    for (std::size_t word = 0; word < before.advertised_.size(); ++word)
        for (auto bits = before.advertised_[word]; bits != 0; bits &= bits - 1)
            mark(member,
                 static_cast<EntryId>(word * 64 + static_cast<unsigned>(std::countr_zero(bits))),
                 true);
    if (const Member* old = before.member(peer); old != nullptr && old->lagging)
        for (std::size_t word = 0; word < old->withdraw.size(); ++word)
            for (auto bits = old->withdraw[word]; bits != 0; bits &= bits - 1)
                mark(
                    member,
                    static_cast<EntryId>(word * 64 + static_cast<unsigned>(std::countr_zero(bits))),
                    true);
    member.end_of_rib = before.member(peer) != nullptr && before.member(peer)->end_of_rib;
}

void UpdateGroup::remove(PeerId peer) {
    Member* member = find(peer);
    if (member == nullptr) return;
    if (member->lagging) --lagging_;
    by_peer_[peer] = nullptr;
    std::erase_if(members_, [&](const auto& m) { return m.get() == member; });
}

bool UpdateGroup::exports(EntryId id, AttributesId attributes, PeerId from) const {
    using namespace attributes_flag;
    if (attributes == 0) return false;
    const StoredAttributes& a = pool_[attributes];
    if (a.flags & (kNoAdvertise | kNoExport)) {
        if (a.flags & kNoAdvertise) return false;
        if (settings_.ebgp) return false;  // RFC 1997
    }
    const PeerFacts& source = peers_[from];
    // RFC 4271 §9.2 and RFC 4456 §6: what an internal peer taught goes to other
    // internal peers only by reflection, and one end of it must be a client.
    if (!settings_.ebgp && from != 0 && !source.ebgp && !source.reflector_client &&
        !settings_.reflector_client)
        return false;
    // RFC 9234 §5: what came with OTC goes down to customers alone.
    if (settings_.role && settings_.ebgp && a.flags & kHasOtc &&
        (*settings_.role == Role::Customer || *settings_.role == Role::Peer ||
         *settings_.role == Role::RouteServerClient))
        return false;
    return settings_.filter->permits_all() || settings_.filter->permits(table_.prefix(id));
}

std::optional<OutgoingAttributes> UpdateGroup::transform(AttributesId id, PeerId from) const {
    const StoredAttributes& stored = pool_[id];
    Attributes a = stored.view();
    const PeerFacts& source = peers_[from];
    const bool reflected = !settings_.ebgp && from != 0 && !source.ebgp;
    OutgoingAttributes out;

    // Next hop (RFC 4271 §5.1.3): ourselves towards external peers.
    const IpAddress& learnt = next_hops_[stored.next_hop].key.address;
    const bool keeps =
        stored.next_hop != 0 && !settings_.next_hop_self &&
        (settings_.next_hop_unchanged || settings_.route_server_client || !settings_.ebgp);
    out.next_hop = keeps ? learnt : settings_.self;
    if (!keeps) out.link_local = settings_.link_local;
    if (settings_.family == Family::Ip4 && out.next_hop.is_v6() && !settings_.extended_next_hop)
        return std::nullopt;

    thread_local std::vector<std::uint8_t> path, kept_path, outer, clusters, communities;
    if (settings_.ebgp && !settings_.route_server_client) {
        path.clear();
        if (settings_.remove_private_as != RemovePrivateAs::Off || settings_.as_override) {
            kept_path.clear();
            ByteReader in{a.as_path};
            ByteWriter rewritten{kept_path};
            while (!in.empty()) {
                const auto type = in.u8();
                const auto n = in.u8();
                const auto start = kept_path.size();
                rewritten.u8(type);
                const auto count_at = rewritten.mark8();
                std::size_t kept = 0;
                for (unsigned i = 0; i < n; ++i) {
                    auto as = in.u32();
                    if (settings_.as_override && as == settings_.peer_as)
                        as = settings_.local_as;
                    else if (is_private_as(as) &&
                             settings_.remove_private_as == RemovePrivateAs::Replace)
                        as = settings_.local_as;
                    else if (is_private_as(as) &&
                             settings_.remove_private_as != RemovePrivateAs::Off)
                        continue;
                    rewritten.u32(as);
                    ++kept;
                }
                if (kept == 0)
                    kept_path.resize(start);
                else
                    rewritten.patch8(count_at, kept);
            }
            a.as_path = kept_path;
        }
        if (settings_.local_as != settings_.router_as) {
            outer.clear();
            prepend(a.as_path, settings_.router_as, 1, outer);
            a.as_path = outer;
        }
        prepend(a.as_path, settings_.local_as, 1, path);
        a.as_path = path;
        a.set(Attribute::AsPath);
        // RFC 4271 §5.1.4 and §5.1.5: neither leaves the AS.
        if (from != 0) a.unset(Attribute::Med);
        a.unset(Attribute::LocalPref);
    }
    if (settings_.ebgp) {
        a.unset(Attribute::OriginatorId);
        a.unset(Attribute::ClusterList);
        if (settings_.role && !a.has(Attribute::OnlyToCustomer) &&
            (*settings_.role == Role::Provider || *settings_.role == Role::Peer ||
             *settings_.role == Role::RouteServer)) {
            a.set(Attribute::OnlyToCustomer);
            a.only_to_customer = settings_.router_as;
        }
    } else {
        if (!a.has(Attribute::LocalPref)) {
            a.set(Attribute::LocalPref);
            a.local_pref = kDefaultLocalPref;
        }
        if (reflected) {  // RFC 4456 §8
            if (!a.has(Attribute::OriginatorId)) {
                a.set(Attribute::OriginatorId);
                a.originator_id = source.identifier;
            }
            clusters.clear();
            ByteWriter{clusters}.u32(settings_.cluster_id);
            clusters.insert(clusters.end(), a.cluster_list.begin(), a.cluster_list.end());
            a.cluster_list = clusters;
            a.set(Attribute::ClusterList);
        }
    }
    if (settings_.graceful_shutdown) {
        communities.assign(a.communities.begin(), a.communities.end());
        ByteWriter{communities}.u32(community::kGracefulShutdown);
        a.communities = communities;
        a.set(Attribute::Communities);
    }
    if (!settings_.communities.standard && !settings_.graceful_shutdown)
        a.unset(Attribute::Communities);
    if (!settings_.communities.extended) a.unset(Attribute::ExtendedCommunities);
    if (!settings_.communities.large) a.unset(Attribute::LargeCommunities);

    a.next_hop = out.next_hop;
    const bool with_next_hop = settings_.family == Family::Ip4 && out.next_hop.is_v4();
    out.bytes.reserve(stored.size + 32u);  // what we add is an AS or two and a next hop
    encode_attributes(a, settings_.four_octet_as, with_next_hop, out.bytes);
    return out;
}

std::uint64_t UpdateGroup::encode(std::span<const Item> items, std::vector<Announcement>& withdrawn,
                                  PeerId except, std::vector<std::uint8_t>& out) const {
    const UpdateFormat format{settings_.max_message, settings_.add_path};
    const auto path_id = settings_.add_path ? 1u : 0u;
    announcements_.clear();
    for (std::size_t i = 0; i < items.size();) {
        const Item& first = items[i];
        run_.clear();
        for (; i < items.size() && items[i].attributes == first.attributes &&
               (settings_.ebgp || items[i].from == first.from);
             ++i)
            if (except == 0 || items[i].from != except)
                run_.push_back({table_.prefix(items[i].entry), path_id});
        if (run_.empty()) continue;
        const auto attributes = transform(first.attributes, first.from);
        // RFC 8654 §4: what does not fit is withdrawn from this peer.
        if (!attributes || encode_announcements(run_, *attributes, format, announcements_) != 0)
            withdrawn.insert(withdrawn.end(), run_.begin(), run_.end());
    }
    if (!withdrawn.empty()) encode_withdrawals(withdrawn, format, out);
    out.insert(out.end(), announcements_.begin(), announcements_.end());
    return count_messages(out);
}

void UpdateGroup::publish(std::span<const BestChange> changes) {
    if (settings_.filter->permits_none() || members_.empty()) return;
    items_.clear();
    withdrawn_.clear();
    sources_.clear();
    const auto path_id = settings_.add_path ? 1u : 0u;
    std::size_t runs = 0;
    for (const auto& change : changes) {
        const bool was = test(advertised_, change.entry);
        const bool now = exports(change.entry, change.after, change.from_after);
        if (!was && !now) continue;
        if (assign(advertised_, change.entry, now)) advertised_count_ += now ? 1 : -1u;
        if (now) {
            runs += items_.empty() || items_.back().attributes != change.after;
            items_.push_back({change.entry, change.after, change.from_after});
            if (find(change.from_after) != nullptr &&
                (sources_.empty() || sources_.back() != change.from_after))
                sources_.push_back(change.from_after);
        } else {
            withdrawn_.push_back({table_.prefix(change.entry), path_id});
        }
        if (lagging_ != 0)
            for (const auto& member : members_)
                if (member->lagging) mark(*member, change.entry, was);
    }
    if (items_.empty() && withdrawn_.empty()) return;
    if (lagging_ == members_.size()) return;
    std::ranges::sort(sources_);
    sources_.erase(std::unique(sources_.begin(), sources_.end()), sources_.end());
    // Prefixes that share attributes go out together, also when others came in
    // between.
    if (runs * 2 > items_.size() && items_.size() > 2) std::ranges::sort(items_, {}, by_attributes);

    std::shared_ptr<const std::vector<std::uint8_t>> shared;
    std::uint64_t messages = 0;
    for (const auto& member : members_) {
        if (member->lagging) continue;
        if (member->sink->queued() > kHighWater) {
            begin_lagging(*member);
            for (const auto& change : changes) mark(*member, change.entry, true);
            continue;
        }
        if (std::ranges::binary_search(sources_, member->peer)) {
            // Never told what it taught us; what it was told before, it unlearns.
            own_withdrawn_ = withdrawn_;
            for (const auto& change : changes)
                if (change.from_after == member->peer && change.before != 0 &&
                    change.from_before != member->peer)
                    own_withdrawn_.push_back({table_.prefix(change.entry), path_id});
            auto own = std::make_shared<std::vector<std::uint8_t>>();
            const auto n = encode(items_, own_withdrawn_, member->peer, *own);
            if (n != 0) member->sink->send(std::move(own), n);
            continue;
        }
        if (!shared) {
            auto bytes = std::make_shared<std::vector<std::uint8_t>>();
            own_withdrawn_ = withdrawn_;
            messages = encode(items_, own_withdrawn_, 0, *bytes);
            shared = std::move(bytes);
        }
        if (messages != 0) member->sink->send(shared, messages);
    }
}

bool UpdateGroup::advance(PeerId peer) {
    Member* member = find(peer);
    if (member == nullptr || !member->lagging) return false;
    const auto path_id = settings_.add_path ? 1u : 0u;
    const bool first_pass = !primed_;
    items_.clear();
    own_withdrawn_.clear();
    for (std::size_t words = 0;
         member->marked != 0 && items_.size() + own_withdrawn_.size() < kSlice &&
         words <= 16 * kSlice / 64;
         ++words) {
        if (member->cursor >= member->marks.size()) member->cursor = 0;
        auto& word = member->marks[member->cursor];
        while (word != 0) {
            const auto bit = static_cast<unsigned>(std::countr_zero(word));
            word &= word - 1;
            --member->marked;
            const auto id = static_cast<EntryId>(member->cursor * 64 + bit);
            const auto& entry = table_[id];
            const bool now = exports(id, entry.best, entry.best_peer);
            if (first_pass && assign(advertised_, id, now)) advertised_count_ += now ? 1 : -1u;
            if (now && entry.best_peer != peer)
                items_.push_back({id, entry.best, entry.best_peer});
            else if (test(member->withdraw, id))
                own_withdrawn_.push_back({table_.prefix(id), path_id});
            assign(member->withdraw, id, false);
        }
        if (member->marked != 0) ++member->cursor;
    }
    std::ranges::sort(items_, {}, by_attributes);
    auto bytes = std::make_shared<std::vector<std::uint8_t>>();
    auto updates = encode(items_, own_withdrawn_, peer, *bytes);
    const bool done = member->marked == 0;
    const bool end = done && member->end_of_rib;
    if (end) {
        encode_end_of_rib(settings_.family, *bytes);
        ++updates;
        member->end_of_rib = false;
    }
    if (done) {
        if (first_pass) primed_ = true;
        member->lagging = false;
        --lagging_;
        Bits{}.swap(member->marks);
        Bits{}.swap(member->withdraw);
    }
    // Last, because the sink may find that its connection is gone.
    UpdateSink& sink = *member->sink;
    if (updates != 0) sink.send(std::move(bytes), updates);
    if (end) sink.end_of_rib_sent(settings_.family);
    return !done && sink.queued() <= kLowWater;
}

}  // namespace torii::bgp
