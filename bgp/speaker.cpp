#include "bgp/speaker.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>

#include "base/event_list.hpp"
#include "bgp/session/orphans.hpp"
#include "bgp/speaker_impl.hpp"

namespace torii::bgp {

namespace {

using namespace std::chrono_literals;

constexpr std::size_t kLeasesAtOnce = 64;

class CallTimer final : public Timed {
public:
    explicit CallTimer(std::function<std::optional<Clock::TimePoint>()> ended)
        : ended_(std::move(ended)) {}
    std::optional<Clock::TimePoint> on_time(Clock::TimePoint) override { return ended_(); }

private:
    std::function<std::optional<Clock::TimePoint>()> ended_;
};

}  // namespace

Speaker::Speaker(Loop& loop, rib::RouteSink& routes, rib::NextHopTracker& next_hops,
                 EventSink& events, const Clock& clock)
    : impl_(std::make_unique<Impl>(loop, routes, next_hops, events, clock)) {}
Speaker::~Speaker() = default;

std::vector<AppliedChange> Speaker::apply(SpeakerSettings wanted) {
    return impl_->apply(std::move(wanted));
}
const SpeakerSettings& Speaker::settings() const {
    return impl_->settings_;
}
Result<void, SystemError> Speaker::start() {
    return impl_->start();
}
void Speaker::stop(std::uint8_t subcode, std::function<void()> done) {
    impl_->stop(subcode, std::move(done));
}
void Speaker::originate(const Prefix& prefix, Origination origin) {
    impl_->originate(prefix, origin);
}
void Speaker::withdraw(const Prefix& prefix, Origination origin) {
    impl_->withdraw(prefix, origin);
}
bool Speaker::act_on_neighbor(const IpAddress& address, PeerAction action, std::string reason) {
    return impl_->act_on_neighbor(address, action, reason);
}
bool Speaker::act_on_group(std::string_view name, PeerAction action, std::string reason) {
    return impl_->act_on_group(name, action, reason);
}
std::vector<NeighborView> Speaker::neighbors() const {
    return impl_->neighbors();
}
std::optional<NeighborView> Speaker::neighbor(const IpAddress& address) const {
    return impl_->neighbor(address);
}
std::vector<GroupView> Speaker::groups() const {
    return impl_->groups();
}
std::optional<PathRow> Speaker::best_path(const Prefix& prefix) const {
    return impl_->best_path(prefix);
}
PathPage Speaker::paths(const PathQuery& query) const {
    return impl_->paths(query);
}
SpeakerCounters Speaker::counters() const {
    return impl_->counters();
}
std::vector<Clock::TimePoint> Speaker::drain_read_timestamps() {
    return impl_->rib_.drain_read_timestamps();
}
void Speaker::adopt(int socket, const IpAddress& local, const IpAddress& remote,
                    std::string_view interface) {
    impl_->adopt(socket, local, remote, interface);
}
void Speaker::assign_prefixes(const IpAddress& node, std::vector<Prefix> prefixes) {
    impl_->guard_.assign({node, rib::kAnyPort}, std::move(prefixes));
    impl_->reconsider_guarded();
}
void Speaker::set_source_finder(
    std::function<std::optional<IpAddress>(const IpAddress& remote)> find) {
    impl_->find_source_ = std::move(find);
}
void Speaker::watch(PeerListener* listener) {
    impl_->listener_ = listener;
}
void Speaker::set_liveness(const PeerKey& key, bool alive, const std::string& reason) {
    // Outlives what it does.
    if (const auto peer = impl_->shared(key)) peer->set_liveness(alive, reason);
}
void Speaker::dump_table(MrtDone done) {
    impl_->monitor_.dump_table(std::move(done));
}
Result<std::string, SystemError> Speaker::record_updates(seconds time, MrtDone done) {
    return impl_->monitor_.record_updates(time, std::move(done));
}
void Speaker::run_timers() {
    impl_->run_timers();
}

Speaker::Impl::Impl(Loop& loop, rib::RouteSink& routes, rib::NextHopTracker& next_hops,
                    EventSink& events, const Clock& clock)
    : loop_(loop),
      events_(events),
      timers_(loop, clock),
      sessions_(loop, timers_),
      rib_(loop, routes, next_hops),
      monitor_(loop, rib_, events),
      guard_(clock) {
    settings_.listen.clear();
    policies_.configure(settings_.prefix_lists, settings_.policies);
    rib_.on_claim_left([this](const PeerFacts& facts, const Prefix& prefix) {
        leave_guard({facts.address, facts.port}, prefix);
    });
}

Speaker::Impl::~Impl() {
    stopping_ = true;
    listener_ = nullptr;
    timers_.stop();
    for (const auto& listener : listeners_) listener->close();
    peers_.clear();
}

Result<void, SystemError> Speaker::Impl::start() {
    for (const auto& at : settings_.listen) reset_orphans(at.port);
    if (auto listening = listen(); !listening) return listening;
    started_ = true;
    update_keys();
    monitor_.start();
    begin_restart();
    for (const auto& [key, peer] : peers_) peer->start();
    return {};
}

// Opens what is missing and closes what is not wanted any more.
Result<void, SystemError> Speaker::Impl::listen() {
    std::vector<std::shared_ptr<Listener>> next;
    for (const auto& wanted : settings_.listen) {
        const auto at = std::ranges::find_if(listeners_, [&](const auto& l) {
            return l->local().address == wanted.address && l->local().port == wanted.port;
        });
        if (at != listeners_.end()) {
            next.push_back(*at);
            continue;
        }
        auto opened = Listener::open(loop_, {wanted.address, wanted.port},
                                     [this](const Accepted& c) { on_accept(c); });
        if (!opened) {
            for (const auto& listener : next)
                if (std::ranges::find(listeners_, listener) == listeners_.end()) listener->close();
            return Failure{opened.error()};
        }
        next.push_back(*opened);
    }
    for (const auto& listener : listeners_)
        if (std::ranges::find(next, listener) == next.end()) listener->close();
    listeners_ = std::move(next);
    return {};
}

// Which key the kernel asks for, by peer and by range (RFC 2385).
void Speaker::Impl::update_keys() {
    std::map<Prefix, std::string> wanted;
    for (const auto& range : settings_.ranges) {
        const auto group = std::ranges::find(settings_.groups, range.group, &GroupSettings::name);
        if (group != settings_.groups.end() && !group->peer.passwords.empty())
            wanted[range.prefix] = group->peer.passwords[0];
    }
    for (const auto& neighbor : settings_.neighbors)
        if (!neighbor.peer.passwords.empty())
            wanted[Prefix::host(neighbor.address)] = neighbor.peer.passwords[0];
    const auto before = std::exchange(unkeyed_, {});
    for (const auto& listener : listeners_)
        listener->set_keys(wanted, [&](const Prefix& prefix, const SystemError& error) {
            unkeyed_.insert(prefix);
            if (!before.contains(prefix))
                events_.emit(
                    {"BGP-MD5-FAILED",
                     "TCP MD5 key not set; connections from there are refused: " + error.message(),
                     {{"prefix", prefix.to_string()}}});
        });
    if (!unkeyed_.empty() && !key_timer_) {
        key_timer_ = std::make_shared<CallTimer>([this]() -> std::optional<Clock::TimePoint> {
            update_keys();
            if (!unkeyed_.empty()) return timers_.now() + 10s;
            key_timer_.reset();
            return std::nullopt;
        });
        timers_.schedule(key_timer_, timers_.now() + 10s);
    }
    if (wanted.empty()) {
        md5_watch_.reset();
    } else if (!md5_watch_) {
        md5_watch_ = std::make_shared<Md5Watch>(events_, read_md5_refusals);
        timers_.schedule(md5_watch_, timers_.now() + 1s);
    }
}

void Speaker::Impl::stop(std::uint8_t subcode, std::function<void()> done) {
    stopping_ = true;
    for (const auto& listener : listeners_) listener->close();
    listeners_.clear();
    bool any = false;
    for (const auto& [key, peer] : peers_) {
        any |= peer->has_connection();
        peer->stop(cease_notification(subcode));
    }
    // The farewells drain on their own; they are given a moment to do so.
    loop_.post_after(any ? 300ms : 0ms, std::move(done));
}

void Speaker::Impl::run_timers() {
    timers_.run_due();
}

const Companions& Speaker::Impl::companions(const IpAddress& local) {
    const auto at = companions_.find(local);
    if (at != companions_.end()) return at->second;
    if (companions_.size() > 1024) companions_.clear();
    return companions_[local] = companions_of(local);
}

void Speaker::Impl::originate(const Prefix& prefix, Origination origin) {
    own_[prefix].by.insert(origin);
    refresh_own(prefix);
}

void Speaker::Impl::withdraw(const Prefix& prefix, Origination origin) {
    const auto at = own_.find(prefix);
    if (at == own_.end()) return;
    at->second.by.erase(origin);
    refresh_own(prefix);
    if (at->second.by.empty()) own_.erase(at);
}

void Speaker::Impl::refresh_own(const Prefix& prefix) {
    auto& own = own_[prefix];
    const bool network = own.by.contains(Origination::Network);
    const bool wanted =
        network || (own.by.contains(Origination::Connected) && settings_.redistribute_connected) ||
        (own.by.contains(Origination::Static) && settings_.redistribute_static);
    if (wanted == own.announced && (!wanted || network == own.as_network)) return;
    own.announced = wanted;
    own.as_network = network;
    if (!wanted) return rib_.retract(prefix);
    Attributes a;
    a.origin = network ? Origin::Igp : Origin::Incomplete;
    a.set(Attribute::Origin);
    a.set(Attribute::AsPath);
    const auto id = rib_.pool().intern(a, 0);
    rib_.originate(prefix, id);
    rib_.pool().release(id);
}

void Speaker::Impl::refresh_all_own() {
    for (auto& [prefix, own] : own_)
        if (std::ranges::find(settings_.networks, prefix) == settings_.networks.end())
            own.by.erase(Origination::Network);
    for (const auto& prefix : settings_.networks) own_[prefix].by.insert(Origination::Network);
    for (const auto& [prefix, own] : own_) refresh_own(prefix);
    std::erase_if(own_, [](const auto& item) { return item.second.by.empty(); });
}

void Speaker::Impl::leave_guard(const PeerKey& node, const Prefix& prefix) {
    guard_.leave(node, prefix);
    const auto next = guard_.next_expiry();
    if (!next) return;
    if (!lease_timer_)
        lease_timer_ = std::make_shared<CallTimer>([this] {
            end_leases();
            return guard_.next_expiry();
        });
    timers_.schedule(lease_timer_, *next);
}

// What was refused because of another's claim may be welcome now: those that wait are asked
// in the order of their arrival, a few leases at a time.
void Speaker::Impl::end_leases() {
    for (const auto& waiting : guard_.expire(kLeasesAtOnce))
        if (Peer* peer = find(waiting.node)) peer->judge(waiting.prefix);
}

void Speaker::Impl::reconsider_guarded() {
    for (const auto& [key, peer] : peers_)
        if (peer->settings().guarded) peer->reconsider();
}

bool Speaker::Impl::act_on_neighbor(const IpAddress& address, PeerAction action,
                                    const std::string& reason) {
    const auto peer = shared({address, rib::kAnyPort});
    if (peer == nullptr) return false;
    peer->act(action, reason);
    return true;
}

bool Speaker::Impl::act_on_group(std::string_view name, PeerAction action,
                                 const std::string& reason) {
    if (std::ranges::find(settings_.groups, name, &GroupSettings::name) == settings_.groups.end())
        return false;
    std::vector<std::shared_ptr<Peer>> members;
    for (const auto& [key, peer] : peers_)
        if (peer->group() == name) members.push_back(peer);
    for (const auto& peer : members) peer->act(action, reason);
    return true;
}

// RFC 4724 §4.1: after a start, initial updates wait for End-of-RIB of the peers that keep our
// routes, so that none receives half of the table. Only configured neighbors are waited for,
// and only for the deferral time.
void Speaker::Impl::begin_restart() {
    const bool any = std::ranges::any_of(
        peers_, [](const auto& item) { return item.second->delays_initial_updates(); });
    if (!any || settings_.restart_deferral.count() == 0) return;
    restart_timer_ = std::make_shared<CallTimer>([this] {
        end_restart();
        return std::optional<Clock::TimePoint>{};
    });
    timers_.schedule(restart_timer_, timers_.now() + settings_.restart_deferral);
}

void Speaker::Impl::restart_progress() {
    if (restart_timer_ == nullptr) return;
    const bool waits = std::ranges::any_of(peers_, [](const auto& item) {
        return item.second->delays_initial_updates() && !item.second->sent_all_end_of_rib();
    });
    // Not from inside the peer's call.
    if (!waits)
        loop_.post([this, timer = std::weak_ptr{restart_timer_}] {
            if (timer.lock()) end_restart();
        });
}

void Speaker::Impl::end_restart() {
    if (restart_timer_ == nullptr) return;
    const auto timer = std::exchange(restart_timer_, nullptr);
    for (const auto& [key, peer] : peers_) peer->end_restart_deferral();
}

}  // namespace torii::bgp
