#include "app/gateway.hpp"

#include <algorithm>
#include <csignal>
#include <tuple>
#include <utility>

#include "app/management.hpp"
#include "app/node_liveness.hpp"
#include "app/systemd.hpp"
#include "app/uplinks.hpp"
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
    Management(Gateway& gateway, const config::Management& wanted)
        : views_(gateway),
          server_(mgmt::Server::start(server_settings(wanted), views_.views(), gateway.event_log_,
                                      &gateway.log_)) {}
    void configure(const config::Management& wanted) {
        server_->configure(server_settings(wanted));
    }
    std::vector<std::string> problems() const { return server_->problems(); }

private:
    ManagementViews views_;
    std::unique_ptr<mgmt::Server> server_;
};

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
    own_.set_connected(model, link_up_);
    apply_routes(model);
    if (model.bgp && dataplane_) {
        const auto bound = model.bgp->defaults.restart_time.value_or(
            *config::built_in_peer_settings().restart_time);
        restored_.ask_peers([this] { return returned_peers(); });
        restored_.start(kept_routes_file(model), routes_identity(model), bound);
    }
    pump();
    if (auto up = start_speaker(model); !up) return up;
    *running_ = std::move(model);
    wanted_text_ = config::own_text(config_file_);
    revision_ = revisions_.start(
        *running_, wanted_text_,
        {0, rfc3339(std::chrono::system_clock::now()), "startup", "", "read from " + config_file_});
    liveness_->configured();

    management_ = std::make_unique<Management>(*this, running_->management);
    log_.emit({"READY", "torii is ready", {}});
    service::ready(drained_ ? "drained" : "forwarding");
    if (drained_)
        log_.emit({"STILL-DRAINED",
                   "the gateway was drained before it restarted and stays drained",
                   {{"since", rfc3339(drained_->since)}, {"reason", drained_->reason}}});
    readiness_.configured(uplinks_of(*running_));
    readiness_.start();
    fib_proof_.start();
    feed_watchdog();
    return {};
}

std::vector<std::string> Gateway::management_problems() const {
    return management_ ? management_->problems() : std::vector<std::string>{};
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
        speaker_ = std::make_unique<bgp::Speaker>(loop_, restored_, table_, log_, clock);
    } else {
        no_sink_ = std::make_unique<NoSink>();
        always_reachable_ = std::make_unique<Reachable>();
        speaker_ =
            std::make_unique<bgp::Speaker>(loop_, *no_sink_, *always_reachable_, log_, clock);
    }
    speaker_->watch(liveness_.get());
    if (dataplane_)
        speaker_->set_source_finder([this](const IpAddress& to) { return source_towards(to); });
    speaker_->apply(with_history(speaker_settings(model, drained_.has_value())));
    own_.start_redistribution(*speaker_, dataplane_ != nullptr);
    return speaker_->start();
}

// What no configuration contains: whether this process forwards by the routes of the one before.
bgp::SpeakerSettings Gateway::with_history(bgp::SpeakerSettings settings) const {
    settings.forwarding_survived = !dataplane_ || restored_.took_over();
    return settings;
}

// Established, and done with their initial routes.
std::set<IpAddress> Gateway::returned_peers() const {
    std::set<IpAddress> out;
    if (!speaker_) return out;
    // Without graceful restart a peer need not send End-of-RIB.
    constexpr std::chrono::seconds kPatience{10};
    for (const auto& peer : speaker_->neighbors()) {
        if (peer.state != "Established") continue;
        const bool ended = std::ranges::all_of(peer.families, [](const bgp::FamilyView& family) {
            return !family.negotiated || family.end_of_rib_received;
        });
        const bool ends =
            std::ranges::find(peer.capabilities, "graceful-restart") != peer.capabilities.end();
        if (ended || (!ends && peer.uptime >= kPatience)) out.insert(peer.address);
    }
    return out;
}

// Our address on the port by which our routes leave to there.
std::optional<IpAddress> Gateway::source_towards(const IpAddress& remote) const {
    const auto prefix = table_.longest_match(remote);
    if (!prefix || remote.is_link_local()) return std::nullopt;
    for (const auto& row : table_.candidates(*prefix)) {
        if (!row.in_use) continue;
        const auto port = !row.resolved.empty()    ? row.resolved.front().port
                          : !row.next_hops.empty() ? row.next_hops.front().port
                                                   : rib::kAnyPort;
        if (port >= running_->ports.size()) return std::nullopt;
        // On the link itself the kernel chooses well.
        if (row.kind == rib::RouteKind::Attached) return std::nullopt;
        for (const auto& own : running_->ports[port].addresses)
            if (own.address.family() == remote.family() && !own.address.is_link_local())
                return own.address;
    }
    return std::nullopt;
}

Elsewhere Gateway::on_control() {
    return Elsewhere{[this](std::function<void()> work) { ask(std::move(work)); }};
}

Elsewhere Gateway::on_background() {
    return Elsewhere{[this](std::function<void()> work) { background_.run(std::move(work)); }};
}

Task<ConfigChange> Gateway::prepare(config::Model wanted, std::string text) {
    for (;;) {
        co_await on_control();
        const std::shared_ptr<const config::Model> running = running_, so_far = wanted_;
        const auto tag = std::tuple{revision_, edits_, drained_.has_value()};
        co_await on_background();
        auto change = work_out(*running, *so_far, wanted, text, std::get<2>(tag));
        co_await on_control();
        if (tag == std::tuple{revision_, edits_, drained_.has_value()}) co_return change;
    }
}

Applied Gateway::apply(ConfigChange change, std::string author, std::string comment) {
    Applied out{change.any, config::summary(change.plan), {}, {}};
    wanted_text_ = std::move(change.text);
    if (!change.any) return out;
    note_restarts(std::move(change.waits));
    auto& applied = change.applied;
    const auto ports = applied.ports.size();

    if (applied.log != running_->log) log_.configure(applied.log);
    if (dataplane_) {
        change_ports(applied, out);
        open_ports(applied, out);
        if (change.plan.empty() && applied.ports.size() == running_->ports.size()) {
            retry_ports_later();
            return out;
        }
    }
    own_.set_connected(applied, link_up_);
    if (dataplane_ && applied.neighbors != running_->neighbors)
        dataplane_->set_static_neighbors(static_neighbors(applied));
    apply_routes(applied);
    if (speaker_) {
        // They name ports by number, and one that was to be opened may be missing.
        if (applied.ports.size() != ports)
            change.speaker = speaker_settings(applied, drained_.has_value());
        // Without a `bgp` section: settings without neighbors end every session.
        for (const auto& done : speaker_->apply(with_history(std::move(change.speaker))))
            if (done.cost == bgp::ChangeCost::Reset) out.reset.push_back(done.what);
    } else if (applied.bgp) {
        if (const auto up = start_speaker(applied); !up) {
            out.failed.push_back("bgp: " + up.error().message());
            log_.emit({"BGP-START-FAILED", "BGP not started: " + up.error().message(), {}});
        }
    }
    restored_.set_identity(change.identity);
    if (management_ && applied.management != running_->management)
        management_->configure(applied.management);
    // Letting go of thousands of neighbors takes its time too: the last one to hold them is
    // the background thread.
    auto now = std::make_shared<config::Model>(std::move(applied));
    auto next = std::make_shared<config::Model>(std::move(change.wanted));
    background_.run([before = std::exchange(running_, std::move(now)),
                     so_far = std::exchange(wanted_, std::move(next))]() mutable {
        before.reset();
        so_far.reset();
    });
    liveness_->configured();
    readiness_.configured(std::move(change.uplinks));
    if (!failed_ports_.empty()) retry_ports_later();
    if (change.plan.empty()) return out;  // what had failed was tried again
    ++revision_;
    edits_ = 0;
    log_.emit({"CONFIG-APPLIED",
               "configuration applied: " + out.summary,
               {{"revision", std::to_string(revision_)}, {"author", author}}});
    revisions_.add(
        {revision_, rfc3339(std::chrono::system_clock::now()), std::move(author),
         std::move(comment), out.summary},
        std::move(change.revision), [this](const SystemError& error) {
            ask([this, error] { log_.emit({"REVISION-NOT-KEPT", error.message(), {}}); });
        });
    return out;
}

void Gateway::drain(std::optional<Drained> drained) {
    const bool news = drained.has_value() != drained_.has_value();
    // A repeated drain sets a new reason; the time stays.
    if (drained && drained_) drained->since = drained_->since;
    drained_ = std::move(drained);
    if (!news) return;
    if (speaker_) speaker_->apply(with_history(speaker_settings(*running_, drained_.has_value())));
    log_.emit({drained_ ? EventId{"DRAINED"} : EventId{"UNDRAINED"},
               drained_ ? "gateway drained: routes carry GRACEFUL_SHUTDOWN, /readyz fails"
                        : "drain ended",
               {{"reason", drained_ ? drained_->reason : ""}}});
    readiness_.look();
}

void Gateway::note_restarts(std::vector<std::string> waits) {
    const auto before = std::exchange(waits_for_restart_, std::move(waits));
    for (const auto& change : waits_for_restart_)
        if (std::ranges::find(before, change) == before.end())
            log_.emit({"CONFIG-NEEDS-RESTART",
                       "change takes effect when toriid restarts: " + change,
                       {}});
}

void Gateway::reload() {
    service::reloading();
    co_await on_background();
    auto loaded = config::load(config_file_);
    auto text = config::own_text(config_file_);
    co_await on_control();
    if (on_trial_ && on_trial_()) {
        log_.emit({"CONFIG-RELOAD-REFUSED",
                   "not reloaded: a commit waits to be confirmed; confirm it or abort it first",
                   {}});
    } else if (!loaded) {
        for (const auto& problem : loaded.error())
            log_.emit({"CONFIG-INVALID", problem.to_string(), {}});
    } else {
        const auto edits = unsaved_edits_;
        for (const auto& edit : edits) edit(loaded->model);
        if (!edits.empty()) text.clear();
        auto change = co_await prepare(std::move(loaded->model), std::move(text));
        apply(std::move(change), "SIGHUP", "the startup file");
        saved_ = unsaved_edits_.empty();
    }
    service::ready(drained_ ? "drained" : "forwarding");
}

void Gateway::change_ports(const config::Model& wanted, Applied& out) {
    for (std::size_t i = 0; i < running_->ports.size(); ++i)
        change_port(static_cast<rib::PortIndex>(i), port_settings(*running_, running_->ports[i]),
                    port_settings(wanted, wanted.ports[i]), out);
}

// Opens what is new. A port that cannot be is left out, so that it is tried again and the
// others' indexes stay those of the data plane.
void Gateway::open_ports(config::Model& wanted, Applied& out) {
    const auto failed_before = std::exchange(failed_ports_, {});
    for (std::size_t i = running_->ports.size(); i < wanted.ports.size();) {
        const auto& name = wanted.ports[i].name;
        const auto added = dataplane_->add_port(port_settings(wanted, wanted.ports[i]));
        if (added) {
            link_up_.push_back(dataplane_->link_up(*added));
            ++i;
            continue;
        }
        const auto& why = failed_ports_[name] = added.error().message();
        out.failed.push_back("port " + name + ": not opened: " + why);
        if (const auto had = failed_before.find(name);
            had == failed_before.end() || had->second != why)
            log_.emit({"PORT-FAILED", "port not opened: " + why, {{"port", name}}});
        wanted.ports.erase(wanted.ports.begin() + static_cast<std::ptrdiff_t>(i));
    }
}

// A device may come later, or be let go by another driver.
void Gateway::retry_ports_later() {
    constexpr std::chrono::seconds kInterval{5};
    port_retry_.start(kInterval, [this] { retry_ports(); });
}

void Gateway::retry_ports() {
    auto change = co_await prepare(*wanted_, wanted_text_);
    if (change.any && !stopping_) apply(std::move(change), "retry", "a port that had failed");
}

void Gateway::change_port(rib::PortIndex index, const dataplane::PortSettings& had,
                          const dataplane::PortSettings& wanted, Applied& out) {
    const auto complain = [&](EventId id, const char* key, const Result<void, SystemError>& done) {
        if (done) return;
        out.failed.push_back("port " + wanted.name + ": " + key + ": " + done.error().message());
        log_.emit({id, "not changed: " + done.error().message(), {{"port", wanted.name}}});
    };
    if (had.addresses != wanted.addresses)
        complain("PORT-ADDRESSES", "addresses", dataplane_->set_addresses(index, wanted.addresses));
    if (had.mtu != wanted.mtu) complain("PORT-MTU", "mtu", dataplane_->set_mtu(index, wanted.mtu));
    if (had.promiscuous != wanted.promiscuous || had.strict_rpf != wanted.strict_rpf)
        dataplane_->set_filters(index, wanted.promiscuous, wanted.strict_rpf);
    if (had.shutdown != wanted.shutdown) dataplane_->set_shutdown(index, wanted.shutdown);
}

void Gateway::apply_routes(const config::Model& wanted) {
    own_.set_static(wanted);
    if (dataplane_) {
        dataplane_->set_pools(wanted.pools);
        dataplane_->set_drop_sources(wanted.drop_sources);
        dataplane_->set_admission(policing(wanted.dataplane), wanted.dataplane.udp_services);
        dataplane_->set_unbalanced_after(wanted.dataplane.unbalanced_after);
    }
    own_.set_pools(wanted.pools);
}

// A change by request, of the configuration that is in force.
void Gateway::edit(Edit change) {
    for (auto* model : {&running_, &wanted_}) {
        // The background thread may be reading it.
        if (model->use_count() > 1) *model = std::make_shared<config::Model>(**model);
        change(**model);
    }
    unsaved_edits_.push_back(std::move(change));
    wanted_text_.clear();
    saved_ = false;
    ++edits_;
}

bool Gateway::put_static_route(config::StaticRoute route) {
    own_.put(static_route(*running_, route));
    const bool known = std::ranges::find(wanted_->routes, route.prefix,
                                         &config::StaticRoute::prefix) != wanted_->routes.end();
    edit([route = std::move(route)](config::Model& model) {
        const auto at = std::ranges::find(model.routes, route.prefix, &config::StaticRoute::prefix);
        if (at == model.routes.end())
            model.routes.push_back(route);
        else
            *at = route;
    });
    return known;
}

bool Gateway::erase_static_route(const Prefix& prefix) {
    const auto& routes = wanted_->routes;
    if (std::ranges::find(routes, prefix, &config::StaticRoute::prefix) == routes.end())
        return false;
    own_.remove(prefix);
    edit([prefix](config::Model& model) {
        std::erase_if(model.routes,
                      [&](const config::StaticRoute& route) { return route.prefix == prefix; });
    });
    return true;
}

bool Gateway::put_drop_source(const Prefix& source) {
    const auto& sources = wanted_->drop_sources;
    if (std::ranges::find(sources, source) != sources.end()) return false;
    edit([source](config::Model& model) {
        if (std::ranges::find(model.drop_sources, source) == model.drop_sources.end())
            model.drop_sources.push_back(source);
    });
    if (dataplane_) dataplane_->set_drop_sources(running_->drop_sources);
    return true;
}

bool Gateway::erase_drop_source(const Prefix& source) {
    const auto& sources = wanted_->drop_sources;
    if (std::ranges::find(sources, source) == sources.end()) return false;
    edit([source](config::Model& model) { std::erase(model.drop_sources, source); });
    if (dataplane_) dataplane_->set_drop_sources(running_->drop_sources);
    return true;
}

void Gateway::link_changed(rib::PortIndex port, bool up) {
    if (port >= link_up_.size() || link_up_[port] == up) return;
    link_up_[port] = up;
    own_.set_connected(*running_, link_up_);
    if (revision_ > 0) readiness_.look();
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
    constexpr std::size_t kSlice = 2048;
    bool more = table_.settle(kSlice);
    const auto delta = table_.take_delta(kSlice);
    more = more || table_.has_delta();
    if (dataplane_ && !delta.empty()) dataplane_->apply(delta);
    own_.follow(delta);
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
    return index < running_->ports.size() ? running_->ports[index].name : std::string{};
}

std::chrono::seconds Gateway::uptime() const {
    return std::chrono::duration_cast<std::chrono::seconds>(std::chrono::steady_clock::now() -
                                                            started_);
}

}  // namespace torii::app
