#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "app/background_thread.hpp"
#include "app/config_change.hpp"
#include "app/drain.hpp"
#include "app/fib_proof.hpp"
#include "app/log.hpp"
#include "app/own_routes.hpp"
#include "app/readiness.hpp"
#include "app/restored_routes.hpp"
#include "app/revisions.hpp"
#include "app/task.hpp"
#include "base/histogram.hpp"
#include "base/loop.hpp"
#include "base/result.hpp"
#include "base/system_error.hpp"
#include "config/model.hpp"
#include "config/plan.hpp"
#include "rib/table.hpp"

namespace torii::bgp {
class Speaker;
}
namespace torii::dataplane {
class Dataplane;
}

namespace torii::app {

class NodeLiveness;

// Everything that runs, owned in the order in which it starts: event log, table,
// data plane, speaker, management. Stopping goes the list backwards.
//
// The control thread is the one that calls run(). Whatever another thread wants
// of the state it asks by ask(), which posts one bounded question.
class Gateway {
public:
    // `state_directory` keeps what outlives the process; "" keeps nothing.
    explicit Gateway(std::string config_file, std::string state_directory = "");
    ~Gateway();
    Gateway(const Gateway&) = delete;
    Gateway& operator=(const Gateway&) = delete;

    // Brings everything up. On failure what was started is stopped again.
    Result<void, SystemError> start(config::Model model);
    void run();                                // until stop() or SIGINT or SIGTERM; SIGHUP reloads
    void stop();                               // any thread
    void ask(std::function<void()> question);  // any thread; runs on the control thread
    // For coroutines: go on there.
    Elsewhere on_control();
    Elsewhere on_background();
    // Works out what moving to a configuration takes, and goes on on the control thread while
    // that still holds. `text` is the operator's own of it, or "".
    Task<ConfigChange> prepare(config::Model wanted, std::string text);

    // The rest is for the control thread only.

    // Makes the change.
    Applied apply(ConfigChange change, std::string author, std::string comment);
    // One static route of the running configuration, without a revision of its
    // own. Both answer whether the prefix had one before.
    bool put_static_route(config::StaticRoute route);
    bool erase_static_route(const Prefix& prefix);
    // The same for a source whose packets are dropped; put answers whether it is new.
    bool put_drop_source(const Prefix& source);
    bool erase_drop_source(const Prefix& source);
    // Reads the file again and applies the difference, when it has been parsed elsewhere. A
    // file that fails changes nothing and is logged. What was put by request and is not saved
    // stays. Refused while a commit waits to be confirmed.
    void reload();
    // Set by the owner of a commit that waits: whether there is one.
    void when_asked_for_trial(std::function<bool()> asked) { on_trial_ = std::move(asked); }

    // Takes the gateway out of service, or back: everything advertised carries
    // GRACEFUL_SHUTDOWN (RFC 8326) and /readyz reports not ready; forwarding goes on.
    void drain(std::optional<Drained> drained);
    const std::optional<Drained>& drained() const { return drained_; }
    const std::string& state_directory() const { return state_directory_; }

    // What is applied, and what was committed: their difference waits for a restart.
    const config::Model& running() const { return *running_; }
    std::shared_ptr<const config::Model> wanted() const { return wanted_; }
    // The operator's own text of what is wanted; "" after a request has changed that.
    const std::string& wanted_text() const { return wanted_text_; }
    // What was put by request since the last save or commit, to be put into another one.
    using Edit = std::function<void(config::Model&)>;
    const std::vector<Edit>& unsaved_edits() const { return unsaved_edits_; }
    const std::string& config_file() const { return config_file_; }
    std::uint64_t revision() const { return revision_; }
    const Revisions& revisions() const { return revisions_; }
    BackgroundThread& background() { return background_; }
    Loop& loop() { return loop_; }
    bool saved() const { return saved_; }
    // Changes since the revision that have no revision of their own.
    std::uint64_t edits() const { return edits_; }
    // What is wanted and only a restart applies; what is wanted and failed, with the reason.
    const std::vector<std::string>& waits_for_restart() const { return waits_for_restart_; }
    const std::map<std::string, std::string>& failed_ports() const { return failed_ports_; }
    void link_changed(rib::PortIndex port, bool up);
    bool has_link(rib::PortIndex port) const { return port < link_up_.size() && link_up_[port]; }
    const Readiness& readiness() const { return readiness_; }
    const FibProof& fib_proof() const { return fib_proof_; }
    void verify_fib(std::function<void(FibProof::Outcome)> done) {
        fib_proof_.verify(std::move(done));
    }
    const RestoredRoutes& restored() const { return restored_; }
    std::vector<std::string> management_problems() const;
    void mark_changed() { saved_ = false; }
    void mark_saved() {
        saved_ = true;
        unsaved_edits_.clear();
    }

    rib::Table& table() { return table_; }
    bgp::Speaker* speaker() { return speaker_.get(); }              // none without `bgp`
    dataplane::Dataplane* dataplane() { return dataplane_.get(); }  // none without ports
    EventSink& events() { return log_; }
    // From the last byte of an UPDATE to the write of the FIB.
    const LatencyHistogram& update_to_fib() const { return update_to_fib_; }
    std::string port_name(rib::PortIndex index) const;
    std::chrono::seconds uptime() const;

private:
    class Management;
    class Reachable;
    class NoSink;

    Result<void, SystemError> start_dataplane(const config::Model& model);
    Result<void, SystemError> start_speaker(const config::Model& model);
    std::optional<IpAddress> source_towards(const IpAddress& remote) const;
    std::set<IpAddress> returned_peers() const;
    bgp::SpeakerSettings with_history(bgp::SpeakerSettings settings) const;
    void note_restarts(std::vector<std::string> waits);
    void change_ports(const config::Model& wanted, Applied& out);
    void open_ports(config::Model& wanted, Applied& out);
    void retry_ports_later();
    void retry_ports();
    void change_port(rib::PortIndex index, const dataplane::PortSettings& had,
                     const dataplane::PortSettings& wanted, Applied& out);
    void apply_routes(const config::Model& wanted);
    void edit(Edit change);
    void schedule_pump();
    void pump();
    bool on_signal(int signal);  // false: no more of them
    void feed_watchdog();
    void shut_down();

    std::string config_file_, state_directory_;
    std::optional<Drained> drained_;
    // Shared with the background thread, which reads them: edit() copies what is shared.
    std::shared_ptr<config::Model> running_ = std::make_shared<config::Model>();
    std::shared_ptr<config::Model> wanted_ = running_;
    std::string wanted_text_;
    std::vector<Edit> unsaved_edits_;
    std::function<bool()> on_trial_;  // of the management, none without it
    std::map<std::string, std::string> failed_ports_;
    std::uint64_t revision_ = 0, edits_ = 0;
    BackgroundThread background_;
    Revisions revisions_;
    std::vector<std::string> waits_for_restart_;
    bool saved_ = true;
    std::chrono::steady_clock::time_point started_;
    bool stopping_ = false;
    bool pump_scheduled_ = false;

    mgmt::EventLog event_log_;
    Log log_;
    Loop loop_;
    Timer watchdog_{loop_};
    Timer port_retry_{loop_};
    Readiness readiness_{*this};
    FibProof fib_proof_{*this};
    Descriptor dataplane_events_{loop_};
    std::unique_ptr<Signals> signals_;
    rib::Table table_;
    LatencyHistogram update_to_fib_;
    OwnRoutes own_{table_};
    RestoredRoutes restored_{loop_, table_, log_};
    std::vector<bool> link_up_;
    std::unique_ptr<NodeLiveness> liveness_;
    std::unique_ptr<dataplane::Dataplane> dataplane_;
    std::unique_ptr<rib::RouteSink> no_sink_;
    std::unique_ptr<rib::NextHopTracker> always_reachable_;
    std::unique_ptr<bgp::Speaker> speaker_;
    std::unique_ptr<Management> management_;
};

}  // namespace torii::app

// Its functions that await are coroutines that nothing awaits.
template <class... Arguments>
struct std::coroutine_traits<void, torii::app::Gateway&, Arguments...> {
    using promise_type = torii::app::DetachedPromise;
};
