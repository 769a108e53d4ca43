#include "dataplane/liveness/monitor.hpp"
#include "dataplane/worker/ring.hpp"

#include <rte_ring.h>

#include <algorithm>
#include <random>

namespace torii::dataplane::liveness {
namespace {

using namespace std::chrono_literals;

// A BFD session that stays down while the node gives other signs of life was taken out
// of service at the other end: after this long it counts no more.
constexpr auto kForgive = 3s;

}  // namespace

Monitor::Monitor(std::uint32_t limit, Retire retire, Wake verdict_changed)
    : roster_(std::min<std::uint32_t>(limit, 0x10000)),
      retire_(std::move(retire)),
      wake_(std::move(verdict_changed)),
      by_slot_(roster_.size, nullptr),
      random_(std::random_device{}() * std::uint64_t{0x9e3779b97f4a7c15} + 1) {
    for (std::uint32_t slot = roster_.size; slot-- > 0;) free_slots_.push_back(slot);
}

Monitor::~Monitor() = default;

Watched* Monitor::find(PortIndex port, const IpAddress& address) {
    const auto at = watched_.find(Key{port, address});
    return at != watched_.end() ? at->second.get() : nullptr;
}

Watched* Monitor::open(PortIndex port, const IpAddress& address, const LivenessProfile& profile,
                       const std::vector<unsigned>& owners) {
    if (auto* known = find(port, address)) return known;
    if (free_slots_.empty() || owners.empty()) return nullptr;
    const auto owner = *std::ranges::min_element(
        owners, {}, [this](unsigned worker) { return lanes_[worker].sessions; });
    const auto slot = free_slots_.back();
    free_slots_.pop_back();
    std::mt19937_64 random{random_};
    const auto high = static_cast<std::uint32_t>(random() % 0xffff + 1);
    auto watched = std::make_unique<Watched>();
    watched->session =
        std::make_shared<Session>(slot, high << 16 | slot, random(), port, address, owner);
    random_ = random();
    watched->profile = profile;
    watched->since = Clock::now();
    for (const auto link : {port, rib::kAnyPort})
        if (const auto known = routing_.find(Key{link, address}); known != routing_.end())
            watched->evidence.routing = known->second;
    ++lanes_[owner].sessions;
    auto* const made = watched.get();
    by_slot_[slot] = made;
    roster_.by_slot[slot].store(made->session.get(), std::memory_order_release);
    watched_.emplace(Key{port, address}, std::move(watched));
    directory_dirty_ = true;
    return made;
}

void Monitor::close(Watched& watched) {
    const auto at = watched_.find(Key{watched.session->port, watched.session->address});
    if (at == watched_.end()) return;
    ending_.push_back(std::move(at->second));
    watched_.erase(at);
    directory_dirty_ = true;
    watched.ending = true;
    watched.session->wanted.store(nullptr, std::memory_order_release);
    if (watched.plans.empty()) return finish(watched);
    send_order(watched);
}

// The worker has let go of it; others may still hold the pointer for a moment.
void Monitor::finish(Watched& watched) {
    const auto slot = watched.session->slot;
    roster_.by_slot[slot].store(nullptr, std::memory_order_release);
    by_slot_[slot] = nullptr;
    free_slots_.push_back(slot);
    --lanes_[watched.session->owner].sessions;
    publish_directory();
    for (auto& plan : watched.plans) retire_(std::move(plan));
    retire_(watched.session);
    std::erase_if(ending_, [&](const auto& w) { return w.get() == &watched; });
}

void Monitor::publish_directory() {
    if (!std::exchange(directory_dirty_, false)) return;
    std::vector<Session*> sessions;
    for (const auto& [key, watched] : watched_) sessions.push_back(watched->session.get());
    auto next = std::make_shared<const Directory>(sessions);
    roster_.directory.store(next.get(), std::memory_order_release);
    if (directory_ != nullptr) retire_(directory_);
    directory_ = std::move(next);
}

// ---- plans

void Monitor::order(Watched& watched) {
    if (!watched.wire || watched.ending) return;
    const auto& session = *watched.session;
    auto plan = std::make_shared<Plan>();
    plan->watch = watched.profile.watch;
    plan->port = session.port;
    plan->routed = session.port == rib::kAnyPort;
    plan->least_ttl = watched.least_ttl;
    if (plan->routed) plan->watch.detect = Detect::Off;
    if (plan->watch.detect != Detect::Off) {
        plan->probe = probe_frame(*watched.wire);
        // Nodes do not forward what is local to the link (RFC 4291 §2.5.6).
        if (!watched.wire->local.is_link_local())
            plan->echo = echo_frame(*watched.wire, session, plan->watch);
    }
    if (watched.profile.bfd) {
        plan->bfd = true;
        plan->bfd_shutdown = watched.profile.bfd_shutdown;
        plan->bfd_settings = *watched.profile.bfd;
        const auto source = static_cast<std::uint16_t>(bfd::kSourcePort +
                                                       session.slot % (65536 - bfd::kSourcePort));
        plan->control = control_headers(*watched.wire, source,
                                        plan->routed ? bfd::kMultihopPort : bfd::kControlPort);
    }
    watched.evidence.watched = plan->watch.detect != Detect::Off;
    watched.evidence.bfd = plan->bfd && !plan->bfd_shutdown;
    if (!watched.evidence.bfd) watched.evidence.bfd_was_up = false;
    watched.plans.push_back(plan);
    watched.session->wanted.store(plan.get(), std::memory_order_release);
    send_order(watched);
}

void Monitor::send_order(Watched& watched) {
    auto* ring = lanes_[watched.session->owner].orders;
    watched.queued = !ring_put(ring, watched.session.get());
    if (!watched.queued) ++watched.session->orders_sent;
}

void Monitor::locate(Watched& watched, const Wire& wire) {
    const auto same = watched.wire && watched.wire->to == wire.to &&
                      watched.wire->from == wire.from && watched.wire->local == wire.local;
    if (same) return;
    watched.wire = wire;
    order(watched);
}

void Monitor::change(Watched& watched, const LivenessProfile& profile) {
    if (watched.profile == profile) return;
    watched.profile = profile;
    order(watched);
    judge_again(watched);
}

void Monitor::set_least_ttl(Watched& watched, std::uint8_t ttl) {
    if (watched.least_ttl == ttl) return;
    watched.least_ttl = ttl;
    order(watched);
}

// ---- evidence

void Monitor::link(PortIndex port, bool up) {
    std::vector<Watched*> there;
    each([&](Watched& watched) {
        if (watched.session->port == port) there.push_back(&watched);
    });
    for (auto* watched : there) {
        watched->evidence.link = up;
        judge_again(*watched);
    }
}

void Monitor::resolved(Watched& watched, bool known) {
    if (watched.evidence.resolved == known) return;
    watched.evidence.resolved = known;
    judge_again(watched);
}

void Monitor::routing(PortIndex port, const IpAddress& address, RoutingSession session) {
    if (session == RoutingSession::None)
        routing_.erase(Key{port, address});
    else
        routing_[Key{port, address}] = session;
    const auto set = [&](Watched& watched) {
        const bool came_up =
            session == RoutingSession::Up && watched.evidence.routing != RoutingSession::Up;
        watched.evidence.routing = session;
        // A session that was made since speaks for the node.
        if (came_up && watched.evidence.status.bfd != bfd::State::Up)
            watched.evidence.bfd_was_up = false;
        judge_again(watched);
    };
    if (port != rib::kAnyPort) {
        if (auto* watched = find(port, address)) set(*watched);
        return;
    }
    std::vector<Watched*> there;
    each([&](Watched& watched) {
        if (watched.session->address == address) there.push_back(&watched);
    });
    for (auto* watched : there) set(*watched);
}

void Monitor::take(Session& session) {
    session.reported.store(false, std::memory_order_release);
    auto* watched = by_slot_[session.slot];
    if (watched == nullptr || watched->session.get() != &session) return;
    // No worker reads plans older than the one that is adopted.
    const auto* adopted = session.adopted.load(std::memory_order_acquire);
    if (watched->ending) {
        if (adopted == nullptr && session.in_no_ring()) finish(*watched);
        return;
    }
    while (watched->plans.size() > 1 && watched->plans.front().get() != adopted) {
        retire_(std::move(watched->plans.front()));
        watched->plans.erase(watched->plans.begin());
    }
    const auto status = session.read();
    auto& e = watched->evidence;
    const bool bfd_was = e.status.bfd == bfd::State::Up;
    e.status = status;
    if (e.bfd && status.bfd == bfd::State::Up) e.bfd_was_up = true;
    if (status.bfd_remote == bfd::State::AdminDown) e.bfd_was_up = false;
    if (bfd_was && status.bfd != bfd::State::Up) watched->bfd_fell = Clock::now();
    // It failed and came back between two looks: the verdict missed it, damping counts it.
    if (status.deaths != watched->deaths_seen && !watched->dead() &&
        judge(e).verdict == NeighborVerdict::Up && watched->profile.dampen)
        watched->damper.died(Clock::now());
    watched->deaths_seen = status.deaths;
    judge_again(*watched);
}

void Monitor::poll() {
    constexpr unsigned kBurst = 64;
    for (auto& lane : lanes_) {
        void* sessions[kBurst];
        unsigned n = 0;
        do {
            n = ring_take(lane.reports, sessions, kBurst);
            for (unsigned i = 0; i < n; ++i) take(*static_cast<Session*>(sessions[i]));
        } while (n == kBurst);
    }
    publish_directory();
}

void Monitor::tick() {
    const auto now = Clock::now();
    std::vector<Watched*> again;
    each([&](Watched& watched) {
        if (watched.queued) send_order(watched);
        auto& e = watched.evidence;
        const bool lives = e.watched && e.status.watch == Watch::State::Up;
        if (e.bfd && e.bfd_was_up && e.status.bfd != bfd::State::Up && lives &&
            now - watched.bfd_fell > kForgive) {
            e.bfd_was_up = false;
            again.push_back(&watched);
        } else if (watched.dead() && watched.damper.held_until() != Clock::time_point{}) {
            again.push_back(&watched);
        }
    });
    std::vector<Watched*> over;
    for (auto& watched : ending_) {
        const auto& session = *watched->session;
        if (watched->queued)
            send_order(*watched);
        else if (session.adopted.load(std::memory_order_acquire) == nullptr && session.in_no_ring())
            over.push_back(watched.get());
    }
    for (auto* watched : over) finish(*watched);
    for (auto* watched : again) judge_again(*watched);
    publish_directory();
}

void Monitor::judge_again(Watched& watched) {
    const auto now = Clock::now();
    auto next = judge(watched.evidence);
    const auto before = watched.judgement.verdict;
    if (watched.dead() && next.verdict != NeighborVerdict::Down &&
        now < watched.damper.held_until())
        next = {NeighborVerdict::Down, "it came and went; held back until it has been quiet"};
    if (next == watched.judgement) return;
    watched.judgement = std::move(next);
    if (watched.judgement.verdict == before) return;
    watched.since = now;
    if (watched.dead()) {
        ++deaths_;
        if (watched.profile.dampen) watched.damper.died(now);
        if (watched.damper.held_until() > now) ++damped_;
    } else if (before == NeighborVerdict::Down) {
        ++returns_;
    }
    wake_(watched, before);
}

// ---- views

std::vector<LivenessView> Monitor::views() const {
    const auto now = Clock::now();
    const auto load = [](const auto& value) { return value.load(std::memory_order_relaxed); };
    std::vector<LivenessView> out;
    for (const auto& [key, watched] : watched_) {
        const auto& w = *watched;
        const auto& g = w.session->gauges;
        const auto& status = w.evidence.status;
        auto& view = out.emplace_back();
        view.port = key.first;
        view.address = key.second;
        view.verdict = w.judgement.verdict;
        view.reason = w.judgement.reason;
        view.since = std::chrono::duration_cast<std::chrono::seconds>(now - w.since);
        view.deaths = w.damper.deaths();
        if (w.dead() && w.damper.held_until() > now)
            view.held =
                std::chrono::duration_cast<std::chrono::milliseconds>(w.damper.held_until() - now);
        view.method = to_string(status.method);
        constexpr std::string_view kWatch[] = {"unknown", "up", "down"};
        view.watch = w.evidence.watched ? kWatch[static_cast<std::size_t>(status.watch)] : "off";
        view.routing = to_string(w.evidence.routing);
        view.link = w.evidence.link;
        view.worker = w.session->owner;
        view.echoes_sent = load(g.echoes_sent);
        view.echoes_returned = load(g.echoes_returned);
        view.probes_sent = load(g.probes_sent);
        view.probes_answered = load(g.probes_answered);
        view.echo_rtt = load(g.echo_rtt);
        if (!w.profile.bfd) continue;
        view.bfd = BfdView{to_string(status.bfd),        to_string(status.bfd_remote),
                           to_string(status.diagnostic), to_string(status.remote_diagnostic),
                           w.session->discriminator,     load(g.remote_discriminator),
                           load(g.transmit_interval),    load(g.detection_time),
                           load(g.remote_min_tx),        load(g.remote_min_rx),
                           load(g.remote_multiplier),    status.independent,
                           w.profile.bfd->key.any(),     load(g.bfd_sent),
                           load(g.bfd_received)};
    }
    std::ranges::sort(out, {}, [](const LivenessView& v) { return std::pair{v.port, v.address}; });
    return out;
}

LivenessCounters Monitor::counters() const {
    LivenessCounters out;
    for (const auto& [key, watched] : watched_) {
        const auto verdict = watched->judgement.verdict;
        ++(verdict == NeighborVerdict::Up     ? out.up
           : verdict == NeighborVerdict::Down ? out.down
                                              : out.unknown);
    }
    out.deaths = deaths_;
    out.returns = returns_;
    out.damped = damped_;
    return out;
}

}  // namespace torii::dataplane::liveness
