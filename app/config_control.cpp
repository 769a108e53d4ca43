#include "app/config_control.hpp"

#include <algorithm>
#include <memory>

#include "app/gateway.hpp"
#include "base/event_list.hpp"
#include "config/config.hpp"
#include "config/plan.hpp"
#include "config/store.hpp"

namespace torii::app {
namespace {

std::vector<mgmt::ProblemDetail> details(const config::Problems& problems) {
    std::vector<mgmt::ProblemDetail> out;
    for (const auto& p : problems)
        out.push_back({p.file, p.line, p.path,
                       p.hint.empty() ? p.message : p.message + " (" + p.hint + ")",
                       p.gravity == config::Gravity::Warning});
    return out;
}

mgmt::ConfigDiff diff_of(const config::Plan& plan) {
    mgmt::ConfigDiff diff;
    diff.summary = config::summary(plan);
    for (const auto& change : plan)
        diff.changes.push_back(
            {config::describe(change), std::string{to_string(config::cost_of(change))}});
    return diff;
}

// The text, or the startup file where there is none.
Result<config::Loaded, config::Problems> load(const std::string& text, const std::string& file) {
    return text.empty() ? config::load(file) : config::load_text(text, "candidate");
}

mgmt::Problem on_trial() {
    return mgmt::conflict("a commit waits to be confirmed; confirm it or roll it back first");
}

mgmt::Problem not_saved(const std::string& why) {
    return {500, "not-saved", "The configuration was not saved", why, {}};
}

}  // namespace

ConfigControl::ConfigControl(Gateway& gateway)
    : gateway_(gateway), confirm_timer_(gateway.loop()) {}

void ConfigControl::running(bool with_defaults, mgmt::Done<mgmt::ConfigText> done) {
    gateway_.ask([this, with_defaults, done = std::move(done)] {
        auto model = std::make_shared<const config::Model>(gateway_.running());
        mgmt::ConfigText answer{"", gateway_.revision(), gateway_.edits(), gateway_.saved(), {}};
        if (const auto* on = trial())
            answer.confirm_within = std::chrono::ceil<std::chrono::seconds>(
                on->until - std::chrono::steady_clock::now());
        gateway_.background().run([with_defaults, model, answer = std::move(answer),
                                   done]() mutable {
            answer.text =
                config::print(*model, config::Secrets::Masked,
                              with_defaults ? config::Defaults::Shown : config::Defaults::Hidden);
            done(std::move(answer));
        });
    });
}

void ConfigControl::check(std::string text, mgmt::Done<std::vector<mgmt::ProblemDetail>> done) {
    gateway_.background().run([this, text = std::move(text), done = std::move(done)] {
        const auto loaded = load(text, gateway_.config_file());
        done(details(loaded ? loaded->warnings : loaded.error()));
    });
}

// What moving to another configuration takes, once that has been read.
template <class T>
void ConfigControl::work_out(std::function<Result<config::Model, mgmt::Problem>()> read,
                             mgmt::Done<T> done,
                             std::function<void(ConfigChange, mgmt::Done<T>)> then) {
    gateway_.background().run(
        [this, read = std::move(read), done = std::move(done), then = std::move(then)] {
            auto model = read();
            if (!model) return done(Failure{model.error()});
            gateway_.prepare(std::move(*model),
                             [done, then](ConfigChange change) { then(std::move(change), done); });
        });
}

// The text, or the startup file where there is none. On the background thread.
Result<config::Model, mgmt::Problem> ConfigControl::model_of(const std::string& text) const {
    auto loaded = load(text, gateway_.config_file());
    if (!loaded)
        return Failure{mgmt::invalid("the configuration has errors; nothing was changed",
                                     details(loaded.error()))};
    return std::move(loaded->model);
}

void ConfigControl::diff(std::string text, mgmt::Done<mgmt::ConfigDiff> done) {
    work_out<mgmt::ConfigDiff>(
        [this, text = std::move(text)] { return model_of(text); }, std::move(done),
        [](const ConfigChange& change, const mgmt::Done<mgmt::ConfigDiff>& tell) {
            tell(diff_of(change.plan));
        });
}

void ConfigControl::diff_to(std::uint64_t revision, mgmt::Done<mgmt::ConfigDiff> done) {
    work_out<mgmt::ConfigDiff>(
        [this, revision] { return model_of_revision(revision); }, std::move(done),
        [](const ConfigChange& change, const mgmt::Done<mgmt::ConfigDiff>& tell) {
            tell(diff_of(change.plan));
        });
}

void ConfigControl::reload(std::string author, mgmt::Done<mgmt::CommitState> done) {
    work_out<mgmt::CommitState>(
        [this] { return model_of(""); }, std::move(done),
        [this, author = std::move(author)](ConfigChange change,
                                           const mgmt::Done<mgmt::CommitState>& tell) {
            if (trial()) return tell(Failure{on_trial()});
            auto state = make(std::move(change), author, "the startup file");
            gateway_.mark_saved();
            tell(std::move(state));
        });
}

mgmt::CommitState ConfigControl::make(ConfigChange change, std::string author,
                                      std::string comment) {
    auto applied = gateway_.apply(std::move(change), std::move(author), std::move(comment));
    if (applied.any) gateway_.mark_changed();
    return {gateway_.revision(), gateway_.edits(), std::move(applied.summary), {}};
}

void ConfigControl::commit(mgmt::CommitRequest request, mgmt::Done<mgmt::CommitState> done) {
    const auto asked = std::make_shared<const mgmt::CommitRequest>(std::move(request));
    work_out<mgmt::CommitState>(
        [this, asked] { return model_of(asked->text); }, std::move(done),
        [this, asked](ConfigChange change, mgmt::Done<mgmt::CommitState> tell) {
            commit(*asked, std::move(change), std::move(tell));
        });
}

void ConfigControl::commit(const mgmt::CommitRequest& request, ConfigChange change,
                           mgmt::Done<mgmt::CommitState> done) {
    if (trial()) return done(Failure{on_trial()});
    const auto before = gateway_.revision();
    // The one that is replaced, for the case that no confirm arrives.
    auto had = request.confirm_within ? gateway_.running() : config::Model{};
    const bool was_saved = gateway_.saved();
    auto state = make(std::move(change), request.author, request.comment);
    committed_ = request.text;
    if (request.confirm_within && gateway_.revision() != before) {
        const auto until = std::chrono::steady_clock::now() + *request.confirm_within;
        trial_ = Trial{gateway_.revision(), std::move(had), was_saved, request.save, until};
        roll_back_unless_confirmed(*request.confirm_within);
        state.confirm_within = request.confirm_within;
    } else if (request.save) {
        return save_and(std::move(state), std::move(done));
    }
    done(std::move(state));
}

// A later change of the configuration, by a signal for example, ends the trial.
ConfigControl::Trial* ConfigControl::trial() {
    if (trial_ && trial_->revision != gateway_.revision()) end_trial();
    return trial_ ? &*trial_ : nullptr;
}

void ConfigControl::end_trial() {
    trial_.reset();
    confirm_timer_.cancel();
}

void ConfigControl::roll_back_unless_confirmed(std::chrono::seconds within) {
    confirm_timer_.start(within, [this] {
        if (!trial()) return;
        auto before = std::move(trial_->before);
        gateway_.prepare(std::move(before), [this, revision = trial_->revision,
                                             saved =
                                                 trial_->before_was_saved](ConfigChange change) {
            // A confirm may have arrived while the change was computed.
            if (const auto* on = trial(); !on || on->revision != revision) return;
            end_trial();
            gateway_.apply(std::move(change), "confirm timer", "the commit was not confirmed");
            gateway_.events().emit({"CONFIG-ROLLED-BACK",
                                    "commit not confirmed in time; previous configuration applied",
                                    {{"from_revision", std::to_string(revision)}}});
            saved ? gateway_.mark_saved() : gateway_.mark_changed();
        });
    });
}

void ConfigControl::confirm(mgmt::Done<mgmt::CommitState> done) {
    gateway_.ask([this, done = std::move(done)]() mutable {
        const auto* on = trial();
        if (!on) return done(Failure{mgmt::conflict("no commit waits to be confirmed")});
        const bool save = on->save;
        end_trial();
        mgmt::CommitState state{gateway_.revision(), gateway_.edits(), "confirmed", {}};
        if (save) return save_and(std::move(state), std::move(done));
        done(std::move(state));
    });
}

// On the background thread.
Result<config::Model, mgmt::Problem> ConfigControl::model_of_revision(std::uint64_t number) const {
    const auto text = gateway_.revisions().text(number);
    if (!text)
        return Failure{
            mgmt::not_found(text.error().message() + "; torii config history lists them")};
    auto loaded = config::load_text(*text, "revision " + std::to_string(number));
    if (!loaded)
        return Failure{mgmt::invalid("the revision is no good configuration any more",
                                     details(loaded.error()))};
    return std::move(loaded->model);
}

void ConfigControl::roll_back(std::uint64_t revision, std::string author,
                              mgmt::Done<mgmt::CommitState> done) {
    work_out<mgmt::CommitState>(
        [this, revision] { return model_of_revision(revision); }, std::move(done),
        [this, revision, author = std::move(author)](ConfigChange change,
                                                     const mgmt::Done<mgmt::CommitState>& tell) {
            end_trial();
            tell(make(std::move(change), author, "back to revision " + std::to_string(revision)));
        });
}

void ConfigControl::revisions(mgmt::Done<std::vector<mgmt::Revision>> done) {
    gateway_.ask([this, done = std::move(done)] {
        std::vector<mgmt::Revision> out;
        const auto& notes = gateway_.revisions().notes();
        std::ranges::transform(notes.rbegin(), notes.rend(), std::back_inserter(out),
                               [](const config::RevisionNote& note) {
                                   return mgmt::Revision{note.number, note.time, note.author,
                                                         note.comment, note.summary};
                               });
        done(std::move(out));
    });
}

void ConfigControl::revision(std::uint64_t number, mgmt::Done<mgmt::ConfigText> done) {
    gateway_.background().run([this, number, done = std::move(done)] {
        const auto model = model_of_revision(number);
        if (!model) return done(Failure{model.error()});
        done(mgmt::ConfigText{config::print(*model), number, 0, true, {}});
    });
}

void ConfigControl::save(mgmt::Done<mgmt::Nothing> done) {
    gateway_.ask([this, done = std::move(done)] {
        if (trial()) return done(Failure{on_trial()});
        write_startup([done](Result<void, mgmt::Problem> written) {
            if (!written) return done(Failure{written.error()});
            done(mgmt::Nothing{});
        });
    });
}

void ConfigControl::save_and(mgmt::CommitState state, mgmt::Done<mgmt::CommitState> done) {
    write_startup([state = std::move(state), done = std::move(done)](auto written) {
        if (!written) return done(Failure{written.error()});
        done(state);
    });
}

// The text that was committed goes before our own print of it: it has the
// operators' comments.
void ConfigControl::write_startup(std::function<void(Result<void, mgmt::Problem>)> done) {
    auto model = std::make_shared<const config::Model>(gateway_.running());
    gateway_.background().run([this, model, text = committed_, revision = gateway_.revision(),
                               edits = gateway_.edits(), done = std::move(done)]() mutable {
        const auto& file = gateway_.config_file();
        if (const auto parts = config::parts_of(file); !parts.empty())
            return done(Failure{
                mgmt::conflict("the startup configuration is spread over " + file + " and " +
                               std::to_string(parts.size()) + " files such as " + parts[0] +
                               "; write the change there and reload, or move them away first")});
        const auto loaded = config::load_text(text, "");
        if (!loaded || loaded->model != *model)
            text = config::print(*model, config::Secrets::Shown);
        if (const auto written = config::replace_file(file, text); !written)
            return done(Failure{not_saved(written.error().message())});
        gateway_.ask([this, revision, edits, done = std::move(done)] {
            if (gateway_.revision() == revision && gateway_.edits() == edits) gateway_.mark_saved();
            done({});
        });
    });
}

}  // namespace torii::app
