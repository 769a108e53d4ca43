#include <algorithm>

#include "bgp/rib/update_group.hpp"

// Groups of ADD-PATH (RFC 7911): all paths in use are advertised, each by its path identifier.
namespace torii::bgp {

void UpdateGroup::collect_paths(EntryId id, std::vector<AdvertisedPath>& out) const {
    out.clear();
    for (const Path& path : table_.paths(id)) {
        if (path.attributes == 0 || !peers_[path.peer].alive ||
            !next_hops_[pool_[path.attributes].next_hop].state.reachable)
            continue;
        if (exports(id, path.attributes, path.peer))
            out.push_back({0, path.peer, path.path_id, path.attributes});
    }
}

// A member that reads nothing while paths come and go is owed each number once.
void UpdateGroup::add_gone(Member& member, EntryId id, std::span<const std::uint32_t> numbers) {
    if (numbers.empty()) return;
    auto& owed = member.gone[id];
    if (owed.size() + numbers.size() > owed.capacity()) {
        std::ranges::sort(owed);
        owed.erase(std::unique(owed.begin(), owed.end()), owed.end());
        owed.reserve(2 * owed.size() + numbers.size());
    }
    owed.insert(owed.end(), numbers.begin(), numbers.end());
}

void UpdateGroup::publish_paths(std::span<const EntryId> entries) {
    if (settings_.filter->permits_none() || members_.empty()) return;
    items_.clear();
    withdrawn_.clear();
    sources_.clear();
    last_asked_ = {};
    for (const EntryId id : entries) {
        collect_paths(id, wanted_);
        const bool was = !advertised_paths_.of(id).empty();
        advertised_paths_.change(id, wanted_, news_, gone_);
        if (was == wanted_.empty() && assign(advertised_, id, !wanted_.empty()))
            advertised_count_ += wanted_.empty() ? -1u : 1;
        if (news_.empty() && gone_.empty()) continue;
        for (const auto& path : news_) {
            items_.push_back({id, path.attributes, path.peer, class_of(id), path.id});
            if (find(path.peer) != nullptr) sources_.push_back(path.peer);
        }
        for (const auto number : gone_) withdrawn_.push_back({table_.prefix(id), number});
        if (lagging_ == 0) continue;
        for (const auto& member : members_) {
            if (!member->lagging) continue;
            mark(*member, id, false);
            add_gone(*member, id, gone_);
        }
    }
    if ((items_.empty() && withdrawn_.empty()) || lagging_ == members_.size()) return;
    std::ranges::sort(sources_);
    std::ranges::sort(items_, {}, [](const Item& item) {
        return std::tuple{item.attributes, item.prefix, item.entry, item.path_id};
    });
    std::shared_ptr<const std::vector<std::uint8_t>> shared;
    std::uint64_t messages = 0;
    for (const auto& member : members_) {
        if (member->lagging) continue;
        if (held_ || member->sink->queued() > kHighWater) {
            begin_lagging(*member);
            for (const auto& item : items_) mark(*member, item.entry, false);
            for (const EntryId id : entries) mark(*member, id, false);
            for (std::size_t i = 0; i < withdrawn_.size(); ++i)
                if (const auto id = table_.find(withdrawn_[i].prefix))
                    add_gone(*member, *id, {&withdrawn_[i].path_id, 1});
            continue;
        }
        const bool source = std::ranges::binary_search(sources_, member->peer);
        if (source || !shared) {
            auto bytes = std::make_shared<std::vector<std::uint8_t>>();
            own_withdrawn_ = withdrawn_;
            const auto n = encode(items_, own_withdrawn_, source ? member->peer : 0, *bytes);
            if (source) {
                if (n != 0) member->sink->send(std::move(bytes), n);
                continue;
            }
            messages = n;
            shared = std::move(bytes);
        }
        if (messages != 0) member->sink->send(shared, messages);
    }
}

void UpdateGroup::take_paths(Member& member, EntryId id, bool first_pass) {
    if (first_pass) {
        collect_paths(id, wanted_);
        advertised_paths_.change(id, wanted_, news_, gone_);
        if (assign(advertised_, id, !wanted_.empty()))
            advertised_count_ += wanted_.empty() ? -1u : 1;
        // What has changed since another member passed here, that one has to be sent too.
        if (!news_.empty() || !gone_.empty())
            for (const auto& other : members_) {
                if (other.get() == &member) continue;
                begin_lagging(*other);
                mark(*other, id, false);
                add_gone(*other, id, gone_);
            }
    }
    const auto told = advertised_paths_.of(id);
    for (const auto& path : told)
        if (path.peer != member.peer)
            items_.push_back({id, path.attributes, path.peer, class_of(id), path.id});
    const auto gone = member.gone.find(id);
    if (gone == member.gone.end()) return;
    for (const auto number : gone->second) {
        const auto at = std::ranges::find(told, number, &AdvertisedPath::id);
        if (at == told.end() || at->peer == member.peer)
            own_withdrawn_.push_back({table_.prefix(id), number});
    }
    member.gone.erase(gone);
}

}  // namespace torii::bgp
