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
template <class Items>
void sort_by_attributes(Items& items, bool by_class) {
    const auto key = [](const auto& item) {
        return std::uint64_t{item.attributes} << 32 | item.entry;
    };
    if (!by_class) return std::ranges::sort(items, {}, key), void();
    std::ranges::sort(items, [&](const auto& a, const auto& b) {
        return a.attributes == b.attributes && a.prefix != b.prefix ? a.prefix < b.prefix
                                                                    : key(a) < key(b);
    });
}

}  // namespace

UpdateGroup::UpdateGroup(ExportSettings settings, const RibTable& table, AttributePool& pool,
                         const NextHops& next_hops, const PeerTable& peers)
    : settings_(std::move(settings)),
      table_(table),
      pool_(pool),
      next_hops_(next_hops),
      peers_(peers),
      advertised_paths_(pool) {
    const bool can =
        settings_.family == Family::Ip6 || settings_.self.is_v4() || settings_.extended_next_hop;
    if (!settings_.default_originate || !can) return;
    Attributes a;
    for (const auto code : {Attribute::Origin, Attribute::AsPath}) a.set(code);
    a.origin = Origin::Igp;
    default_attributes_ = pool_.intern(a, 0);
}

UpdateGroup::~UpdateGroup() {
    if (default_attributes_ != 0) pool_.release(default_attributes_);
}

// Its number is none that a path of the table gets.
void UpdateGroup::send_default(Member& member, std::vector<std::uint8_t>& out) const {
    const Announcement route{Prefix::default_route(settings_.family), 0xffffffff};
    const UpdateFormat format{settings_.max_message, settings_.add_path};
    if (std::exchange(member.default_withdrawn, false))
        encode_withdrawals({&route, 1}, format, out);
    if (!std::exchange(member.default_due, false)) return;
    const auto attributes = transform(default_attributes_, 0, 0, false);
    if (attributes) encode_announcements({&route, 1}, *attributes, format, out);
}

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
    resend(peer, false);
}

void UpdateGroup::resend(PeerId peer, bool marked) {
    Member* member = find(peer);
    if (member == nullptr) return;
    begin_lagging(*member);
    member->default_due = originates();
    // RFC 7313 §4.2: not before the End-of-RIB that is still owed.
    if (marked && !member->end_of_rib && !member->refreshing) {
        auto begin = std::make_shared<std::vector<std::uint8_t>>();
        torii::bgp::encode(RouteRefresh{afi(settings_.family), 1, kSafiUnicast}, *begin);
        member->refreshing = true;
        member->sink->send(std::move(begin), 0);
    }
    if (settings_.filter->permits_none()) return;
    // What it has still to unlearn stays marked.
    Bits marks = primed_ ? advertised_ : Bits((table_.entries_end() + 63) / 64, ~std::uint64_t{0});
    if (const auto n = table_.entries_end(); !primed_ && n % 64 != 0)
        marks.back() = ~std::uint64_t{0} >> (64 - n % 64);
    if (member->marks.size() > marks.size()) marks.resize(member->marks.size());
    for (std::size_t i = 0; i < member->marks.size(); ++i) marks[i] |= member->marks[i];
    member->marks = std::move(marks);
    member->marked = 0;
    for (const auto word : member->marks)
        member->marked += static_cast<std::size_t>(std::popcount(word));
    member->cursor = 0;
}

void UpdateGroup::move_in(PeerId peer, UpdateSink& sink, const UpdateGroup& before) {
    add(peer, sink, false);
    Member& member = *find(peer);
    member.default_withdrawn = before.originates() && !originates();
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
    before.advertised_paths_.each([&](EntryId id, const auto& paths) {
        for (const auto& path : paths) member.gone[id].push_back(path.id);
    });
    if (const Member* old = before.member(peer); old != nullptr)
        for (const auto& [id, numbers] : old->gone)
            member.gone[id].insert(member.gone[id].end(), numbers.begin(), numbers.end());
    member.end_of_rib = before.member(peer) != nullptr && before.member(peer)->end_of_rib;
}

void UpdateGroup::remove(PeerId peer) {
    Member* member = find(peer);
    if (member == nullptr) return;
    if (member->lagging) --lagging_;
    by_peer_[peer] = nullptr;
    std::erase_if(members_, [&](const auto& m) { return m.get() == member; });
}

std::uint64_t UpdateGroup::encode(std::span<const Item> items, std::vector<Announcement>& withdrawn,
                                  PeerId except, std::vector<std::uint8_t>& out) const {
    const UpdateFormat format{settings_.max_message, settings_.add_path};
    announcements_.clear();
    for (std::size_t i = 0; i < items.size();) {
        const Item& first = items[i];
        run_.clear();
        for (; i < items.size() && items[i].attributes == first.attributes &&
               items[i].prefix == first.prefix && (settings_.ebgp || items[i].from == first.from);
             ++i)
            if (except == 0 || items[i].from != except)
                run_.push_back({table_.prefix(items[i].entry), items[i].path_id});
        if (run_.empty()) continue;
        const auto attributes = transform(first.attributes, first.from, first.prefix);
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
    last_asked_ = {};
    std::size_t runs = 0;
    for (const auto& change : changes) {
        const bool was = test(advertised_, change.entry);
        const bool now = exports(change.entry, change.after, change.from_after);
        if (!was && !now) continue;
        // Only asked again, because of what exports() goes by.
        if (was == now && change.before == change.after && change.from_before == change.from_after)
            continue;
        if (assign(advertised_, change.entry, now)) advertised_count_ += now ? 1 : -1u;
        if (now) {
            runs += items_.empty() || items_.back().attributes != change.after;
            items_.push_back(
                {change.entry, change.after, change.from_after, class_of(change.entry)});
            if (find(change.from_after) != nullptr &&
                (sources_.empty() || sources_.back() != change.from_after))
                sources_.push_back(change.from_after);
        } else {
            withdrawn_.push_back({table_.prefix(change.entry), 0});
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
    const bool by_class = settings_.policy != nullptr;
    if ((runs * 2 > items_.size() || by_class) && items_.size() > 2)
        sort_by_attributes(items_, by_class);

    std::shared_ptr<const std::vector<std::uint8_t>> shared;
    std::uint64_t messages = 0;
    for (const auto& member : members_) {
        if (member->lagging) continue;
        if (held_ || member->sink->queued() > kHighWater) {
            begin_lagging(*member);
            for (const auto& change : changes) mark(*member, change.entry, true);
            continue;
        }
        if (std::ranges::binary_search(sources_, member->peer)) {
            // Its own route is never advertised to it; one advertised before is withdrawn.
            own_withdrawn_ = withdrawn_;
            for (const auto& change : changes)
                if (change.from_after == member->peer && change.before != 0 &&
                    change.from_before != member->peer && !replaces(change.entry))
                    own_withdrawn_.push_back({table_.prefix(change.entry), 0});
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

// One marked entry of a member: the update to send for it now.
void UpdateGroup::take_entry(Member& member, EntryId id, bool first_pass) {
    const auto& entry = table_[id];
    const bool now = exports(id, entry.best, entry.best_peer);
    if (first_pass && assign(advertised_, id, now)) advertised_count_ += now ? 1 : -1u;
    if (now && entry.best_peer != member.peer)
        items_.push_back({id, entry.best, entry.best_peer, class_of(id)});
    else if (test(member.withdraw, id) && !replaces(id))
        own_withdrawn_.push_back({table_.prefix(id), 0});
}

bool UpdateGroup::advance(PeerId peer) {
    Member* member = find(peer);
    if (member == nullptr || !member->lagging) return false;
    const bool first_pass = !primed_;
    items_.clear();
    own_withdrawn_.clear();
    last_asked_ = {};
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
            if (settings_.add_path)
                take_paths(*member, id, first_pass);
            else
                take_entry(*member, id, first_pass);
            assign(member->withdraw, id, false);
        }
        if (member->marked != 0) ++member->cursor;
    }
    sort_by_attributes(items_, settings_.policy != nullptr);
    auto bytes = std::make_shared<std::vector<std::uint8_t>>();
    send_default(*member, *bytes);
    auto updates = encode(items_, own_withdrawn_, peer, *bytes);
    const bool done = member->marked == 0;
    const bool end = done && member->end_of_rib;
    if (done && std::exchange(member->refreshing, false))
        torii::bgp::encode(RouteRefresh{afi(settings_.family), 2, kSafiUnicast}, *bytes);
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
        member->gone = {};
    }
    // Last, because the sink may find that its connection is closed.
    UpdateSink& sink = *member->sink;
    if (!bytes->empty()) sink.send(std::move(bytes), updates);
    if (end) sink.end_of_rib_sent(settings_.family);
    return !done && sink.queued() <= kLowWater;
}

}  // namespace torii::bgp
