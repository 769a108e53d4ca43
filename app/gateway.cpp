#include "app/gateway.hpp"

#include <algorithm>
#include <csignal>
#include <utility>

#include "app/management.hpp"
#include "app/node_liveness.hpp"
#include "app/systemd.hpp"
#include "base/event_list.hpp"
#include "bgp/speaker.hpp"
#include "config/config.hpp"
#include "dataplane/dataplane.hpp"

namespace torii::app {

// Without ports torii is a route server or reflector: nothing to forward, and
// next hops are the peers' business.
class Gateway::Reachable final : public rib::NextHopTracker {
public:
    rib::Reachability track(const IpAddress&) override { return {true, 0}; }
    void untrack(const IpAddress&) override {}
    void listen(Listener) override {}
};
class Gateway::NoSink final : public rib::RouteSink {
public:
    void put(const Prefix&, const rib::RouteSpec&) override {}
    void remove(const Prefix&, rib::Source) override {}
};

class Gateway::Management {
public:
    explicit Management(Gateway& gateway) : views_(gateway) {}
    Result<void, SystemError> start(const config::Management& wanted, const mgmt::EventLog& events,
                                    EventSink& audit) {
        auto server = mgmt::Server::start(server_settings(wanted), views_.views(), events, &audit);
        if (!server) return Failure{server.error()};
        server_ = std::move(*server);
        return {};
    }

private:
    ManagementViews views_;
    std::unique_ptr<mgmt::Server> server_;
};

namespace {

// Whether a running process cannot make a change. Of a port it can change what
// the data plane has a call for.
bool needs_restart(const config::Change& change) {
    if (std::holds_alternative<config::RemovePort>(change)) return true;
    if (const auto* port = std::get_if<config::ChangePort>(&change)) {
        constexpr std::string_view kLive[] = {"addresses", "mtu", "shutdown", "description"};
        return std::ranges::any_of(port->keys, [&](const std::string& key) {
            return std::ranges::find(kLive, key) == std::end(kLive);
        });
    }
    return config::cost_of(change) == config::Cost::Restart;
}

}  // namespace

Gateway::Gateway(std::string config_file, std::string state_directory)
    : config_file_(std::move(config_file)),
      state_directory_(std::move(state_directory)),
      drained_(kept_drain(state_directory_)),
      revisions_(background_, state_directory_),
      started_(std::chrono::steady_clock::now()),
      log_(event_log_),
      liveness_(std::make_unique<NodeLiveness>(*this)) {
    table_.when_changed([this] { schedule_pump(); });
}

Gateway::~Gateway() {
    shut_down();
}

Result<void, SystemError> Gateway::start(config::Model model) {
    model.sort_ports();
    log_.configure(model.log);
    log_.emit({"START",
               "torii " TORII_VERSION " starts",
               {{"config", config_file_}, {"ports", std::to_string(model.ports.size())}}});
    signals_ = std::make_unique<Signals>(loop_, std::initializer_list<int>{SIGINT, SIGTERM, SIGHUP},
                                         [this](int signal) { return on_signal(signal); });

    if (auto up = start_dataplane(model); !up) return up;
    apply_ports(model);
    apply_routes(model);
    pump();
    if (auto up = start_speaker(model); !up) return up;
    running_ = std::move(model);
    revision_ = revisions_.start(running_, {0, rfc3339(std::chrono::system_clock::now()), "startup",
                                            "", "read from " + config_file_});
    liveness_->configured();

    management_ = std::make_unique<Management>(*this);
    if (auto up = management_->start(running_.management, event_log_, log_); !up) return up;
    log_.emit({"READY", "torii is ready", {}});
    service::ready(drained_ ? "drained" : "forwarding");
    if (drained_)
        log_.emit({"STILL-DRAINED",
                   "the gateway was drained before it restarted and stays drained",
                   {{"since", rfc3339(drained_->since)}, {"reason", drained_->reason}}});
    feed_watchdog();
    return {};
}

Result<void, SystemError> Gateway::start_dataplane(const config::Model& model) {
    if (model.ports.empty()) return {};
    auto wanted = dataplane_settings(model);
    table_.limit_backups(wanted.capacity.next_hops / 4);
    auto up = dataplane::Dataplane::start(std::move(wanted), log_);
    if (!up) return Failure{up.error()};
    dataplane_ = std::move(*up);
    dataplane_->listen(liveness_.get());
    for (std::size_t i = 0; i < model.ports.size(); ++i)
        link_up_.push_back(dataplane_->link_up(static_cast<rib::PortIndex>(i)));
    dataplane_events_.assign(dataplane_->descriptor());
    dataplane_events_.while_readable([this] {
        if (!stopping_) dataplane_->poll();
        return !stopping_;
    });
    return {};
}

Result<void, SystemError> Gateway::start_speaker(const config::Model& model) {
    if (!model.bgp) return {};
    static const SteadyClock clock;
    if (dataplane_) {
        speaker_ = std::make_unique<bgp::Speaker>(loop_, table_, table_, log_, clock);
    } else {
        no_sink_ = std::make_unique<NoSink>();
        always_reachable_ = std::make_unique<Reachable>();
        speaker_ =
            std::make_unique<bgp::Speaker>(loop_, *no_sink_, *always_reachable_, log_, clock);
    }
    speaker_->watch(liveness_.get());
    speaker_->apply(speaker_settings(model, drained_.has_value()));
    for (const auto& [prefix, route] : own_connected_)
        if (route.kind == rib::RouteKind::Attached)
            speaker_->originate(prefix, bgp::Origination::Connected);
    for (const auto& [prefix, route] : own_static_)
        speaker_->originate(prefix, bgp::Origination::Static);
    return speaker_->start();
}

void Gateway::prepare(config::Model wanted, std::function<void(ConfigChange)> then) {
    ask([this, wanted = std::make_shared<const config::Model>(std::move(wanted)),
         then = std::move(then)]() mutable { prepare(std::move(wanted), std::move(then)); });
}

// On the control thread.
void Gateway::prepare(std::shared_ptr<const config::Model> wanted,
                      std::function<void(ConfigChange)> then) {
    background_.run([this, wanted = std::move(wanted), then = std::move(then),
                     running = std::make_shared<const config::Model>(running_),
                     revision = revision_, edits = edits_,
                     drained = drained_.has_value()]() mutable {
        auto change = std::make_shared<ConfigChange>(work_out(*running, *wanted, drained));
        ask([this, wanted = std::move(wanted), then = std::move(then), revision, edits, drained,
             change = std::move(change)]() mutable {
            const bool holds =
                revision == revision_ && edits == edits_ && drained == drained_.has_value();
            if (!holds) return prepare(std::move(wanted), std::move(then));
            then(std::move(*change));
        });
    });
}

Applied Gateway::apply(ConfigChange change, std::string author, std::string comment) {
    const auto& changes = change.plan;
    Applied applied{!changes.empty(), config::summary(changes)};
    if (!applied.any) return applied;
    note_restarts(changes);
    auto& wanted = change.wanted;
    const auto ports = wanted.ports.size();

    if (wanted.log != running_.log) log_.configure(wanted.log);
    if (dataplane_) {
        change_ports(wanted);
        open_ports(wanted);
    }
    apply_ports(wanted);
    apply_routes(wanted);
    if (speaker_) {
        // They name ports by number, and one that was to be opened may be missing.
        if (wanted.ports.size() != ports)
            change.speaker = speaker_settings(wanted, drained_.has_value());
        // Without a `bgp` section: settings without neighbors end every session.
        speaker_->apply(std::move(change.speaker));
    } else if (!speaker_ && wanted.bgp) {
        if (const auto up = start_speaker(wanted); !up)
            log_.emit({"BGP-START-FAILED", "BGP not started: " + up.error().message(), {}});
    }
    // Letting go of thousands of neighbors takes its time too.
    background_.run([before = std::make_shared<const config::Model>(std::exchange(
                         running_, std::move(wanted)))]() mutable { before.reset(); });
    liveness_->configured();
    ++revision_;
    edits_ = 0;
    log_.emit({"CONFIG-APPLIED",
               "configuration applied: " + applied.summary,
               {{"revision", std::to_string(revision_)}, {"author", author}}});
    revisions_.add(
        {revision_, rfc3339(std::chrono::system_clock::now()), std::move(author),
         std::move(comment), applied.summary},
        std::move(change.text), [this](const SystemError& error) {
            ask([this, error] { log_.emit({"REVISION-NOT-KEPT", error.message(), {}}); });
        });
    return applied;
}

void Gateway::drain(std::optional<Drained> drained) {
    const bool news = drained.has_value() != drained_.has_value();
    // A repeated drain sets a new reason; the time stays.
    if (drained && drained_) drained->since = drained_->since;
    drained_ = std::move(drained);
    if (!news) return;
    if (speaker_) speaker_->apply(speaker_settings(running_, drained_.has_value()));
    log_.emit({drained_ ? EventId{"DRAINED"} : EventId{"UNDRAINED"},
               drained_ ? "gateway drained: routes carry GRACEFUL_SHUTDOWN, /readyz fails"
                        : "drain ended",
               {{"reason", drained_ ? drained_->reason : ""}}});
}

void Gateway::note_restarts(const config::Plan& changes) {
    for (const auto& change : changes) {
        if (!needs_restart(change)) continue;
        waits_for_restart_.push_back(config::describe(change));
        log_.emit({"CONFIG-NEEDS-RESTART",
                   "change takes effect when toriid restarts: " + waits_for_restart_.back(),
                   {}});
    }
}

void Gateway::reload() {
    service::reloading();
    const auto over = [this] { service::ready(drained_ ? "drained" : "forwarding"); };
    background_.run([this, over] {
        auto loaded = config::load(config_file_);
        if (!loaded)
            return ask([this, over, problems = std::move(loaded.error())] {
                for (const auto& problem : problems)
                    log_.emit({"CONFIG-INVALID", problem.to_string(), {}});
                over();
            });
        prepare(std::move(loaded->model), [this, over](ConfigChange change) {
            apply(std::move(change), "SIGHUP", "the startup file");
            saved_ = true;
            over();
        });
    });
}

// What a running data plane cannot change of a port the plan has already called a restart.
void Gateway::change_ports(const config::Model& wanted) {
    for (std::size_t i = 0; i < running_.ports.size(); ++i)
        change_port(static_cast<rib::PortIndex>(i), port_settings(running_, running_.ports[i]),
                    port_settings(wanted, wanted.ports[i]));
}

// Opens what is new. A port that cannot be is left out, so that it is tried again with the
// next configuration and the others' indexes stay those of the data plane.
void Gateway::open_ports(config::Model& wanted) {
    for (std::size_t i = running_.ports.size(); i < wanted.ports.size();) {
        const auto added = dataplane_->add_port(port_settings(wanted, wanted.ports[i]));
        if (added) {
            link_up_.push_back(dataplane_->link_up(*added));
            ++i;
            continue;
        }
        log_.emit({"PORT-FAILED",
                   "port not opened: " + added.error().message(),
                   {{"port", wanted.ports[i].name}}});
        wanted.ports.erase(wanted.ports.begin() + static_cast<std::ptrdiff_t>(i));
    }
}

// The networks of ports that are up, and our addresses on all of them.
void Gateway::apply_ports(const config::Model& wanted) {
    std::map<Prefix, OwnRoute> connected;
    for (std::size_t i = 0; i < wanted.ports.size(); ++i) {
        const auto& port = wanted.ports[i];
        const auto index = static_cast<rib::PortIndex>(i);
        if (wanted.is_shut_down(port) || (i < link_up_.size() && !link_up_[i])) continue;
        for (auto& route : connected_routes(port, index)) {
            // Two ports on one network: the first one has it.
            connected.try_emplace(route.prefix, route);
        }
    }
    // Our own addresses answer on every port, also while theirs is down.
    for (std::size_t i = 0; i < wanted.ports.size(); ++i)
        for (auto& route : connected_routes(wanted.ports[i], static_cast<rib::PortIndex>(i)))
            if (route.kind == rib::RouteKind::Local) connected[route.prefix] = route;

    for (const auto& [prefix, route] : own_connected_) {
        if (connected.contains(prefix)) continue;
        table_.remove(prefix, rib::Source::Connected);
        if (speaker_) speaker_->withdraw(prefix, bgp::Origination::Connected);
    }
    for (const auto& [prefix, route] : connected) {
        const auto had = own_connected_.find(prefix);
        if (had != own_connected_.end() && had->second == route) continue;
        table_.put(prefix, route.spec());
        if (speaker_ && route.kind == rib::RouteKind::Attached)
            speaker_->originate(prefix, bgp::Origination::Connected);
    }
    own_connected_ = std::move(connected);
    if (dataplane_ && revision_ > 0 && wanted.neighbors != running_.neighbors)
        dataplane_->set_static_neighbors(static_neighbors(wanted));
}

void Gateway::change_port(rib::PortIndex index, const dataplane::PortSettings& had,
                          const dataplane::PortSettings& wanted) {
    const auto complain = [&](EventId id, const Result<void, SystemError>& done) {
        if (!done)
            log_.emit({id, "not changed: " + done.error().message(), {{"port", wanted.name}}});
    };
    if (had.addresses != wanted.addresses)
        complain("PORT-ADDRESSES", dataplane_->set_addresses(index, wanted.addresses));
    if (had.mtu != wanted.mtu) complain("PORT-MTU", dataplane_->set_mtu(index, wanted.mtu));
    if (had.shutdown != wanted.shutdown) dataplane_->set_shutdown(index, wanted.shutdown);
}

void Gateway::apply_routes(const config::Model& wanted) {
    std::map<Prefix, OwnRoute> routes;
    for (const auto& route : wanted.routes)
        routes.insert_or_assign(route.prefix, static_route(wanted, route));

    std::vector<Prefix> gone;
    for (const auto& [prefix, route] : own_static_)
        if (!routes.contains(prefix)) gone.push_back(prefix);
    for (const auto& prefix : gone) remove_route(prefix);
    for (const auto& [prefix, route] : routes) {
        const auto had = own_static_.find(prefix);
        if (had == own_static_.end() || had->second != route) put_route(route);
    }
    apply_pools(wanted);
    if (dataplane_) dataplane_->set_drop_sources(wanted.drop_sources);
}

// Unassigned addresses of a pool are answered with ICMP unreachable. A static route for
// the whole pool takes precedence.
void Gateway::apply_pools(const config::Model& wanted) {
    for (const auto& pool : running_.pools)
        if (std::ranges::find(wanted.pools, pool) == wanted.pools.end() &&
            !own_static_.contains(pool))
            table_.remove(pool, rib::Source::Static);
    for (const auto& pool : wanted.pools)
        if (!own_static_.contains(pool)) put_pool(pool);
    if (!dataplane_ || running_.pools == wanted.pools) return;
    dataplane_->set_pools(wanted.pools);
    for (const auto* pools : {&std::as_const(running_).pools, &wanted.pools})
        for (const auto& pool : *pools) table_.repeat(pool);
}

void Gateway::put_pool(const Prefix& pool) {
    constexpr std::uint8_t kLast = 255;
    table_.put(pool, {rib::Source::Static, kLast, rib::RouteKind::Unreachable, {}});
}

void Gateway::put_route(const OwnRoute& route) {
    table_.put(route.prefix, route.spec());
    if (speaker_) speaker_->originate(route.prefix, bgp::Origination::Static);
    own_static_.insert_or_assign(route.prefix, route);
}

void Gateway::remove_route(const Prefix& prefix) {
    table_.remove(prefix, rib::Source::Static);
    if (speaker_) speaker_->withdraw(prefix, bgp::Origination::Static);
    own_static_.erase(prefix);
    if (std::ranges::find(running_.pools, prefix) != running_.pools.end()) put_pool(prefix);
}

void Gateway::edited() {
    saved_ = false;
    ++edits_;
}

bool Gateway::put_static_route(config::StaticRoute route) {
    put_route(static_route(running_, route));
    edited();
    const auto at = std::ranges::find(running_.routes, route.prefix, &config::StaticRoute::prefix);
    if (at == running_.routes.end()) {
        running_.routes.push_back(std::move(route));
        return false;
    }
    *at = std::move(route);
    return true;
}

bool Gateway::erase_static_route(const Prefix& prefix) {
    const auto at = std::ranges::find(running_.routes, prefix, &config::StaticRoute::prefix);
    if (at == running_.routes.end()) return false;
    remove_route(prefix);
    running_.routes.erase(at);
    edited();
    return true;
}

bool Gateway::put_drop_source(const Prefix& source) {
    if (std::ranges::find(running_.drop_sources, source) != running_.drop_sources.end())
        return false;
    running_.drop_sources.push_back(source);
    edited();
    if (dataplane_) dataplane_->set_drop_sources(running_.drop_sources);
    return true;
}

bool Gateway::erase_drop_source(const Prefix& source) {
    if (std::erase(running_.drop_sources, source) == 0) return false;
    edited();
    if (dataplane_) dataplane_->set_drop_sources(running_.drop_sources);
    return true;
}

void Gateway::link_changed(rib::PortIndex port, bool up) {
    if (port >= link_up_.size() || link_up_[port] == up) return;
    link_up_[port] = up;
    apply_ports(running_);
}

void Gateway::schedule_pump() {
    if (std::exchange(pump_scheduled_, true)) return;
    ask([this] {
        pump_scheduled_ = false;
        pump();
    });
}

// The table's changes on their way into the data plane, a slice at a time.
void Gateway::pump() {
    const bool more = table_.settle();
    auto delta = table_.take_delta();
    if (dataplane_ && !delta.empty()) dataplane_->apply(delta);
    if (more) return schedule_pump();
    if (!dataplane_ || !speaker_) return;
    const auto now = std::chrono::steady_clock::now();
    for (const auto read : speaker_->drain_read_timestamps()) update_to_fib_.add(now - read);
}

bool Gateway::on_signal(int signal) {
    if (signal == SIGHUP) {
        reload();
        return true;
    }
    log_.emit({"STOP", "torii stops", {{"signal", std::to_string(signal)}}});
    stop();
    return false;
}

// The service manager is notified that all is well only while every worker makes
// progress; that this handler runs is the evidence for the control thread.
void Gateway::feed_watchdog() {
    const auto interval = service::watchdog_interval();
    if (!interval) return;
    if (!dataplane_ || dataplane_->workers_alive()) service::alive();
    watchdog_.start(*interval, [this] { feed_watchdog(); });
}

void Gateway::run() {
    loop_.run();
}

void Gateway::ask(std::function<void()> question) {
    loop_.post(std::move(question));
}

void Gateway::stop() {
    ask([this] {
        if (std::exchange(stopping_, true)) return;
        service::stopping();
        const auto finish = [this] { loop_.stop(); };
        constexpr std::uint8_t kAdministrativeShutdown = 2;
        if (speaker_)
            speaker_->stop(kAdministrativeShutdown, finish);
        else
            finish();
    });
}

void Gateway::shut_down() {
    background_.finish();
    management_.reset();
    speaker_.reset();
    if (dataplane_) {
        dataplane_events_.release();
        dataplane_->stop();
        dataplane_.reset();
    }
}

std::string Gateway::port_name(rib::PortIndex index) const {
    return index < running_.ports.size() ? running_.ports[index].name : std::string{};
}

std::chrono::seconds Gateway::uptime() const {
    return std::chrono::duration_cast<std::chrono::seconds>(std::chrono::steady_clock::now() -
                                                            started_);
}

}  // namespace torii::app
