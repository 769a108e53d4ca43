#include <fcntl.h>
#include <unistd.h>

#include <algorithm>

#include "base/event_list.hpp"
#include "bgp/speaker_impl.hpp"

// Which connections are accepted, and for how long a peer that had one is remembered.
namespace torii::bgp {

namespace {

using namespace std::chrono_literals;

// Dynamic neighbors without a connection that are kept at the least; more if many may connect.
constexpr std::size_t kRemembered = 256;
constexpr unsigned kReportsASecond = 10;

}  // namespace

Peer* Speaker::Impl::find(const PeerKey& key) const {
    if (key.port == rib::kAnyPort && key.address.is_link_local()) {
        const auto at = peers_.lower_bound({key.address, 0});
        return at != peers_.end() && at->first.address == key.address ? at->second.get() : nullptr;
    }
    const auto at = by_key_.find(key.address.is_link_local() ? key : PeerKey{key.address});
    return at != by_key_.end() ? at->second : nullptr;
}

std::shared_ptr<Peer> Speaker::Impl::shared(const PeerKey& key) const {
    Peer* peer = find(key);
    return peer != nullptr ? peer->shared_from_this() : nullptr;
}

const ListenRange* Speaker::Impl::range_of(const IpAddress& address) const {
    const ListenRange* best = nullptr;
    for (const auto& range : settings_.ranges)
        if (range.prefix.contains(address) &&
            (best == nullptr || range.prefix.length() > best->prefix.length()))
            best = &range;
    return best;
}

const Link* Speaker::Impl::link_of(std::string_view interface) const {
    const auto at = std::ranges::find(settings_.links, interface, &Link::interface);
    return at != settings_.links.end() ? &*at : nullptr;
}

const Link* Speaker::Impl::link_of(rib::PortIndex port) const {
    const auto at = std::ranges::find(settings_.links, port, &Link::port);
    return at != settings_.links.end() ? &*at : nullptr;
}

const Link* Speaker::Impl::link_towards(const PeerKey& key) const {
    if (key.address.is_link_local()) return link_of(key.port);
    for (const auto& link : settings_.links)
        for (const auto& own : link.addresses)
            if (own.address.family() == key.address.family() &&
                Prefix{own.address, own.length}.contains(key.address))
                return &link;
    return nullptr;
}

bool Speaker::Impl::full(const ListenRange& range) const {
    const auto in_range = live_.find(range.prefix);
    return live_in_all_ >= settings_.listen_limit ||
           (range.limit != 0 && in_range != live_.end() && in_range->second >= range.limit);
}

// Room for a newcomer: of those that have not come up the oldest gives way.
bool Speaker::Impl::end_half_open(const ListenRange& range) {
    while (!opening_.empty()) {
        const auto peer = opening_.front().lock();
        opening_.pop_front();
        if (!peer || peer->established() || !peer->has_connection()) continue;
        peer->end_connections(cease_notification(cease::kOutOfResources));
        if (!full(range)) return true;
    }
    return false;
}

// The oldest that nothing keeps down, else the oldest that no operator does.
void Speaker::Impl::forget_oldest() {
    const auto droppable = [&](bool idle_too) {
        return std::ranges::find_if(
            remembered_, [&](const auto& item) { return idle_too || !item.second->kept_down(); });
    };
    auto at = droppable(false);
    if (at == remembered_.end()) at = droppable(true);
    if (at != remembered_.end()) drop(at->second->key(), cease::kPeerDeconfigured);
}

void Speaker::Impl::connected(Peer& peer, bool on) {
    auto& member = members_[&peer];
    if (on == (member.remembered == 0)) return;
    if (on) {
        remembered_.erase(std::exchange(member.remembered, 0));
        const auto* range = range_of(peer.address());
        member.range = range != nullptr ? range->prefix : Prefix{};
        ++live_[member.range];
        ++live_in_all_;
        return;
    }
    member.remembered = ++last_remembered_;
    remembered_[member.remembered] = &peer;
    --live_[member.range];
    --live_in_all_;
}

NeighborSettings Speaker::Impl::member_settings(const PeerKey& key,
                                                const GroupSettings& group) const {
    NeighborSettings out;
    out.address = key.address;
    out.port = key.port;
    if (const auto* link = link_of(key.port); link != nullptr && key.port != rib::kAnyPort)
        out.interface = link->interface;
    out.group = group.name;
    out.peer = group.peer;
    return out;
}

std::shared_ptr<Peer> Speaker::Impl::make_dynamic(const PeerKey& key, const ListenRange& range) {
    const auto group = std::ranges::find(settings_.groups, range.group, &GroupSettings::name);
    if (group == settings_.groups.end()) return nullptr;
    if (remembered_.size() >= std::max<std::size_t>(kRemembered, settings_.listen_limit / 4))
        forget_oldest();
    auto peer = std::make_shared<Peer>(*this, member_settings(key, *group), true);
    peers_[key] = peer;
    by_key_[key] = peer.get();
    const auto number = ++last_remembered_;
    members_[peer.get()] = {range.prefix, number};
    remembered_[number] = peer.get();
    peer->start();
    return peer;
}

std::optional<std::uint64_t> Speaker::Impl::may_report(EventId id) {
    auto& reported = reported_[id.name()];
    const auto now = timers_.now();
    if (now - reported.since >= 1s) {
        reported.since = now;
        reported.count = 0;
    }
    if (++reported.count <= kReportsASecond) return std::exchange(reported.suppressed, 0);
    ++reported.suppressed;
    return std::nullopt;
}

void Speaker::Impl::on_accept(const Accepted& connection) {
    set_stream_options(connection.socket);
    const auto& remote = connection.remote;
    const auto refuse = [&](const Notification& why, EventId id, std::string text) {
        ++refused_;
        if (const auto more = may_report(id)) {
            Event event{id, std::move(text), {{"neighbor", remote.address.to_string()}}};
            if (*more != 0) event.fields.emplace_back("unreported", std::to_string(*more));
            events_.emit(std::move(event));
        }
        Session::reject(sessions_, connection.socket, why);
    };
    if (stopping_) {
        close(connection.socket);
        return;
    }
    // Without its key the kernel would let anything in.
    if (std::ranges::any_of(unkeyed_, [&](const Prefix& p) { return p.contains(remote.address); }))
        return refuse(cease_notification(cease::kConnectionRejected), "BGP-MD5-FAILED",
                      "connection refused: the TCP MD5 key of the neighbor is not set");
    PeerKey key{remote.address, rib::kAnyPort};
    if (remote.address.is_link_local())
        if (const auto* link = link_of(connection.interface)) key.port = link->port;
    Peer* peer = find(key);
    std::shared_ptr<Peer> fresh;
    if (peer == nullptr || (peer->dynamic() && !peer->has_connection())) {
        const auto* range = peer == nullptr || peer->dynamic() ? range_of(remote.address) : nullptr;
        if (range == nullptr)
            return refuse(cease_notification(cease::kConnectionRejected), "BGP-CONNECTION-UNKNOWN",
                          "connection refused: no neighbor and no listen range has this address");
        if (!limit_warned_ && live_in_all_ * 4 >= std::size_t{settings_.listen_limit} * 3) {
            limit_warned_ = true;
            events_.emit({"BGP-LISTEN-LIMIT-NEAR",
                          std::to_string(live_in_all_) + " of " +
                              std::to_string(settings_.listen_limit) +
                              " allowed dynamic neighbors exist",
                          {}});
        }
        if (full(*range) && !end_half_open(*range))
            return refuse(cease_notification(cease::kConnectionRejected), "BGP-LISTEN-LIMIT",
                          "connection refused: limit of dynamic neighbors reached");
        // The oldest may have made room for it.
        peer = find(key);
        if (peer == nullptr) {
            fresh = make_dynamic(key, *range);
            peer = fresh.get();
        }
        if (peer == nullptr)
            return refuse(cease_notification(cease::kConnectionRejected), "BGP-CONNECTION-UNKNOWN",
                          "connection refused: the group of the listen range does not exist");
    }
    if (const auto why = peer->refusal_reason())
        return refuse(*why, "BGP-CONNECTION-REFUSED",
                      "connection refused: neighbor shut down, or waits after a prefix limit");
    ++accepted_;
    const auto keep = peer->shared_from_this();
    if (peer->dynamic() && !peer->has_connection()) opening_.push_back(keep);
    peer->accept(connection.socket, connection.local, remote);
    if (opening_.size() > 2 * std::size_t{settings_.listen_limit} + 1024)
        std::erase_if(opening_, [](const auto& weak) {
            const auto one = weak.lock();
            return !one || one->established() || !one->has_connection();
        });
}

void Speaker::Impl::adopt(int socket, const IpAddress& local, const IpAddress& remote,
                          std::string_view interface) {
    fcntl(socket, F_SETFL, fcntl(socket, F_GETFL) | O_NONBLOCK);
    on_accept({socket, {local, 179}, {remote, 0}, std::string{interface}});
}

void Speaker::Impl::forget(Peer& peer) {
    // Called by the peer itself: it goes when that call has ended.
    loop_.post([this, weak = peer.weak_from_this()] {
        const auto gone = weak.lock();
        if (gone && !gone->has_connection()) drop(gone->key(), cease::kPeerDeconfigured);
    });
}

void Speaker::Impl::drop(const PeerKey& key, std::uint8_t subcode) {
    const auto at = peers_.find(key);
    if (at == peers_.end()) return;
    const auto peer = at->second;
    peer->stop(cease_notification(subcode));
    if (const auto member = members_.find(peer.get()); member != members_.end()) {
        if (member->second.remembered == 0) connected(*peer, false);
        remembered_.erase(members_[peer.get()].remembered);
        members_.erase(peer.get());
    }
    by_key_.erase(key);
    peers_.erase(at);
}

}  // namespace torii::bgp
