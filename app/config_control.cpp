#include "app/config_control.hpp"

#include <algorithm>
#include <utility>

#include "app/gateway.hpp"
#include "base/event_list.hpp"
#include "config/config.hpp"
#include "config/plan.hpp"
#include "config/secrets.hpp"

namespace torii::app {

// A configuration that was read and found good, and the text of it.
struct Candidate {
    config::Model model;
    std::string text;  // "": no single text does
};

namespace {

std::vector<mgmt::ProblemDetail> details(const config::Problems& problems) {
    std::vector<mgmt::ProblemDetail> out;
    for (const auto& p : problems)
        out.push_back({p.file, p.line, p.path,
                       p.hint.empty() ? p.message : p.message + " (" + p.hint + ")",
                       p.gravity == config::Gravity::Warning});
    return out;
}

mgmt::ConfigDiff diff_of(const ConfigChange& change) {
    mgmt::ConfigDiff diff;
    diff.summary = config::summary(change.plan);
    for (const auto& one : change.plan)
        diff.changes.push_back(
            {config::describe(one), std::string{to_string(config::cost_of(one))}});
    return diff;
}

mgmt::Problem on_trial() {
    return mgmt::conflict(
        "a commit waits to be confirmed; confirm it, abort it or roll it back first");
}

mgmt::Problem not_saved(const std::string& why) {
    return {500, "not-saved", "The configuration was not saved", why, {}};
}

// Why a text cannot become the startup file; "" when it can.
std::string spread_over(const std::string& file) {
    const auto others = config::companions_of(file);
    if (others.empty()) return "";
    return "the startup configuration is spread over " + file + " and " +
           std::to_string(others.size()) + " files such as " + others[0] +
           "; write the change there and reload, or move them away first";
}

bool allows(const std::string& if_match, const std::string& tag) {
    return if_match.empty() || if_match == "*" || if_match.find(tag) != std::string::npos;
}

}  // namespace

ConfigControl::ConfigControl(Gateway& gateway) : gateway_(gateway), confirm_timer_(gateway.loop()) {
    gateway_.when_asked_for_trial([this] { return trial() != nullptr; });
}

mgmt::ConfigText ConfigControl::state() const {
    mgmt::ConfigText out{"", gateway_.revision(), gateway_.edits(), gateway_.saved(), {}};
    if (trial_ && trial_->revision == gateway_.revision())
        out.confirm_within = std::chrono::ceil<std::chrono::seconds>(
            trial_->until - std::chrono::steady_clock::now());
    return out;
}

void ConfigControl::running(bool with_defaults, mgmt::Done<mgmt::ConfigText> done) {
    co_await gateway_.on_control();
    auto answer = state();
    const auto wanted = gateway_.wanted();
    co_await gateway_.on_background();
    answer.text = config::print(*wanted, config::Secrets::Masked,
                                with_defaults ? config::Defaults::Shown : config::Defaults::Hidden);
    done(std::move(answer));
}

void ConfigControl::text(mgmt::Done<mgmt::ConfigText> done) {
    co_await gateway_.on_control();
    auto answer = state();
    const auto wanted = gateway_.wanted();
    const auto own = gateway_.wanted_text();
    co_await gateway_.on_background();
    const auto masked = own.empty() ? std::nullopt : config::mask(own, *wanted);
    answer.text = masked ? *masked : config::print(*wanted);
    done(std::move(answer));
}

// The model of a text, or the startup file where there is none. From any thread; goes on on the
// background thread.
auto ConfigControl::read(std::string text) -> Task<Answer<Candidate>> {
    const auto bad = [](const config::Problems& problems) {
        return Failure{
            mgmt::invalid("the configuration has errors; nothing was changed", details(problems))};
    };
    if (text.empty()) {
        co_await gateway_.on_background();
        auto loaded = config::load(gateway_.config_file());
        if (!loaded) co_return bad(loaded.error());
        co_return Candidate{std::move(loaded->model), config::own_text(gateway_.config_file())};
    }
    if (text.find(config::kMaskedSecret) != std::string::npos) {
        co_await gateway_.on_control();
        const auto known = gateway_.wanted();
        co_await gateway_.on_background();
        auto whole = config::unmask(text, "candidate", *known);
        if (!whole) co_return bad(whole.error());
        text = std::move(*whole);
    } else {
        co_await gateway_.on_background();
    }
    auto loaded = config::load_text(text, "candidate");
    if (!loaded) co_return bad(loaded.error());
    co_return Candidate{std::move(loaded->model), std::move(text)};
}

auto ConfigControl::read_revision(std::uint64_t number) -> Task<Answer<Candidate>> {
    co_await gateway_.on_background();
    const auto text = gateway_.revisions().text(number);
    if (!text)
        co_return Failure{
            mgmt::not_found(text.error().message() + "; torii config history lists them")};
    auto loaded = config::load_text(*text, "revision " + std::to_string(number));
    if (!loaded)
        co_return Failure{mgmt::invalid("the revision is no good configuration any more",
                                        details(loaded.error()))};
    co_return Candidate{std::move(loaded->model), *text};
}

void ConfigControl::check(std::string text, mgmt::Done<std::vector<mgmt::ProblemDetail>> done) {
    co_await gateway_.on_control();
    const auto known = gateway_.wanted();
    co_await gateway_.on_background();
    if (text.empty()) {
        const auto loaded = config::load(gateway_.config_file());
        done(details(loaded ? loaded->warnings : loaded.error()));
        co_return;
    }
    const auto whole = config::unmask(text, "candidate", *known);
    if (!whole) {
        done(details(whole.error()));
        co_return;
    }
    const auto loaded = config::load_text(*whole, "candidate");
    done(details(loaded ? loaded->warnings : loaded.error()));
}

void ConfigControl::diff(std::string text, mgmt::Done<mgmt::ConfigDiff> done) {
    auto candidate = co_await read(std::move(text));
    if (!candidate) {
        done(Failure{candidate.error()});
        co_return;
    }
    const auto change = co_await gateway_.prepare(std::move(candidate->model), std::string{});
    done(diff_of(change));
}

void ConfigControl::diff_to(std::uint64_t revision, mgmt::Done<mgmt::ConfigDiff> done) {
    auto candidate = co_await read_revision(revision);
    if (!candidate) {
        done(Failure{candidate.error()});
        co_return;
    }
    const auto change = co_await gateway_.prepare(std::move(candidate->model), std::string{});
    done(diff_of(change));
}

// Why a change is not made; asked where it would be, so that of two with one tag only the
// first is.
std::optional<mgmt::Problem> ConfigControl::refused(const mgmt::ChangeRequest& request) const {
    if (trial_ && trial_->revision == gateway_.revision()) return on_trial();
    const auto tag = mgmt::entity_tag(gateway_.revision(), gateway_.edits());
    if (allows(request.if_match, tag)) return std::nullopt;
    return mgmt::Problem{412,
                         "precondition-failed",
                         "Changed meanwhile",
                         "the configuration in force is " + tag + "; read it again",
                         {}};
}

mgmt::CommitState ConfigControl::make(ConfigChange change, const mgmt::ChangeRequest& request,
                                      std::string comment, bool save) {
    Trial trial{0, gateway_.wanted(), gateway_.wanted_text(), gateway_.saved(), save, {}};
    const auto before = gateway_.revision();
    auto applied = gateway_.apply(std::move(change), request.author, std::move(comment));
    if (gateway_.revision() != before) gateway_.mark_changed();
    mgmt::CommitState out{gateway_.revision(), gateway_.edits(), std::move(applied.summary)};
    out.reset = std::move(applied.reset);
    out.failed = std::move(applied.failed);
    out.waits = gateway_.waits_for_restart();
    if (request.confirm_within && gateway_.revision() != before) {
        trial.revision = gateway_.revision();
        trial.until = std::chrono::steady_clock::now() + *request.confirm_within;
        trial_ = std::move(trial);
        confirm_timer_.start(*request.confirm_within, [this] {
            roll_back_trial("confirm timer", "the commit was not confirmed",
                            [](const Answer<mgmt::CommitState>&) {});
        });
        out.confirm_within = request.confirm_within;
    }
    return out;
}

void ConfigControl::reload(mgmt::ChangeRequest request, mgmt::Done<mgmt::CommitState> done) {
    auto candidate = co_await read("");
    if (!candidate) {
        done(Failure{candidate.error()});
        co_return;
    }
    co_await gateway_.on_control();
    // What was put by request and is not in the file stays.
    const auto edits = gateway_.unsaved_edits();
    for (const auto& edit : edits) edit(candidate->model);
    if (!edits.empty()) candidate->text.clear();
    auto change =
        co_await gateway_.prepare(std::move(candidate->model), std::move(candidate->text));
    if (auto why = refused(request)) {
        done(Failure{std::move(*why)});
        co_return;
    }
    auto state = make(std::move(change), request, "the startup file", false);
    if (gateway_.unsaved_edits().empty()) gateway_.mark_saved();
    done(std::move(state));
}

void ConfigControl::commit(mgmt::CommitRequest request, mgmt::Done<mgmt::CommitState> done) {
    auto candidate = co_await read(request.text);
    if (!candidate) {
        done(Failure{candidate.error()});
        co_return;
    }
    // What cannot be saved is refused before anything is applied.
    std::optional<config::FileReplacement> file;
    if (request.save) {
        if (auto why = spread_over(gateway_.config_file()); !why.empty()) {
            done(Failure{mgmt::conflict(why)});
            co_return;
        }
        auto prepared = config::FileReplacement::prepare(gateway_.config_file(), candidate->text);
        if (!prepared) {
            done(Failure{not_saved(prepared.error().message() + "; nothing was changed")});
            co_return;
        }
        if (!request.confirm_within) file.emplace(std::move(*prepared));
    }
    auto change =
        co_await gateway_.prepare(std::move(candidate->model), std::move(candidate->text));
    if (auto why = refused(request)) {
        done(Failure{std::move(*why)});
        co_return;
    }
    auto state = make(std::move(change), request, request.comment, request.save);
    if (file) {
        co_await gateway_.on_background();
        const auto written = file->commit();
        co_await gateway_.on_control();
        if (!written)
            state.not_saved = written.error().message();
        else if (gateway_.revision() == state.revision && gateway_.edits() == state.edits)
            gateway_.mark_saved();
    }
    done(std::move(state));
}

// A later change of the configuration, by a retry for example, ends the trial.
ConfigControl::Trial* ConfigControl::trial() {
    if (trial_ && trial_->revision != gateway_.revision()) {
        end_trial();
    }
    return trial_ ? &*trial_ : nullptr;
}

void ConfigControl::end_trial() {
    trial_.reset();
    confirm_timer_.cancel();
}

// Gives back what the commit changed; what was put by request meanwhile stays.
void ConfigControl::roll_back_trial(std::string author, std::string comment,
                                    mgmt::Done<mgmt::CommitState> done) {
    const auto* on = trial();
    if (!on) {
        done(Failure{mgmt::conflict("no commit waits to be confirmed")});
        co_return;
    }
    const auto revision = on->revision;
    const auto before = on->before;
    auto text = on->text_before;
    const auto edits = gateway_.unsaved_edits();
    co_await gateway_.on_background();
    auto model = *before;
    for (const auto& edit : edits) edit(model);
    if (!edits.empty()) text.clear();
    auto change = co_await gateway_.prepare(std::move(model), std::move(text));
    // A confirm may have arrived while the change was computed.
    on = trial();
    if (!on || on->revision != revision) {
        done(Failure{mgmt::conflict("the commit was confirmed meanwhile")});
        co_return;
    }
    const bool saved = on->before_was_saved && edits.empty();
    end_trial();
    mgmt::ChangeRequest request;
    request.author = author;
    auto state = make(std::move(change), request, comment, false);
    gateway_.events().emit({"CONFIG-ROLLED-BACK",
                            author == "confirm timer"
                                ? "commit not confirmed in time; previous configuration applied"
                                : "commit aborted; previous configuration applied",
                            {{"from_revision", std::to_string(revision)}, {"author", author}}});
    if (saved) gateway_.mark_saved();
    done(std::move(state));
}

void ConfigControl::abort(std::string author, mgmt::Done<mgmt::CommitState> done) {
    co_await gateway_.on_control();
    roll_back_trial(std::move(author), "the commit was aborted", std::move(done));
}

void ConfigControl::confirm(mgmt::Done<mgmt::CommitState> done) {
    co_await gateway_.on_control();
    const auto* on = trial();
    if (!on) {
        done(Failure{mgmt::conflict("no commit waits to be confirmed")});
        co_return;
    }
    const bool save = on->save;
    end_trial();
    mgmt::CommitState state{gateway_.revision(), gateway_.edits(), "confirmed"};
    if (save) state.not_saved = co_await write_startup();
    done(std::move(state));
}

void ConfigControl::roll_back(std::uint64_t revision, mgmt::ChangeRequest request,
                              mgmt::Done<mgmt::CommitState> done) {
    auto candidate = co_await read_revision(revision);
    if (!candidate) {
        done(Failure{candidate.error()});
        co_return;
    }
    auto change =
        co_await gateway_.prepare(std::move(candidate->model), std::move(candidate->text));
    // Going back is a end to a trial too.
    if (trial()) {
        end_trial();
    }
    if (auto why = refused(request)) {
        done(Failure{std::move(*why)});
        co_return;
    }
    done(make(std::move(change), request, "back to revision " + std::to_string(revision), false));
}

void ConfigControl::revisions(mgmt::Done<std::vector<mgmt::Revision>> done) {
    co_await gateway_.on_control();
    std::vector<mgmt::Revision> out;
    const auto& notes = gateway_.revisions().notes();
    std::ranges::transform(
        notes.rbegin(), notes.rend(), std::back_inserter(out),
        [](const config::RevisionNote& note) {
            return mgmt::Revision{note.number, note.time, note.author, note.comment, note.summary};
        });
    done(std::move(out));
}

void ConfigControl::revision(std::uint64_t number, mgmt::Done<mgmt::ConfigText> done) {
    const auto candidate = co_await read_revision(number);
    if (candidate)
        done(mgmt::ConfigText{config::print(candidate->model), number, 0, true, {}});
    else
        done(Failure{candidate.error()});
}

void ConfigControl::save(mgmt::Done<mgmt::Nothing> done) {
    co_await gateway_.on_control();
    if (trial()) {
        done(Failure{on_trial()});
        co_return;
    }
    const auto why = co_await write_startup();
    if (why.empty())
        done(mgmt::Nothing{});
    else
        done(Failure{why.starts_with("the startup configuration is spread") ? mgmt::conflict(why)
                                                                            : not_saved(why)});
}

// Makes what is wanted the startup configuration; from and to the control thread. "" or the
// reason why not. The operator's own text goes before our print of it; files of the same meaning
// already are not touched.
Task<std::string> ConfigControl::write_startup() {
    const auto wanted = gateway_.wanted();
    auto text = gateway_.wanted_text();
    const auto revision = gateway_.revision(), edits = gateway_.edits();
    const auto& file = gateway_.config_file();
    co_await gateway_.on_background();
    std::string why;
    const auto loaded = config::load(file);
    const bool same = loaded && loaded->model == *wanted;
    if (!same || (!text.empty() && text != config::own_text(file))) {
        why = same ? "" : spread_over(file);
        if (why.empty() && config::companions_of(file).empty()) {
            if (text.empty()) text = config::print(*wanted, config::Secrets::Shown);
            if (const auto written = config::replace_file(file, text); !written)
                why = written.error().message();
        }
    }
    co_await gateway_.on_control();
    if (why.empty() && gateway_.revision() == revision && gateway_.edits() == edits)
        gateway_.mark_saved();
    co_return why;
}

}  // namespace torii::app
