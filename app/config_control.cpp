#include "app/config_control.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cstdio>

#include "app/gateway.hpp"
#include "config/config.hpp"
#include "config/plan.hpp"

namespace torii::app {
namespace {

std::vector<mgmt::ProblemDetail> details(const config::Problems& problems) {
    std::vector<mgmt::ProblemDetail> out;
    for (const auto& p : problems)
        out.push_back({p.file, p.line, p.path,
                       p.way_out.empty() ? p.message : p.message + " (" + p.way_out + ")",
                       p.gravity == config::Gravity::Warning});
    return out;
}

mgmt::ConfigDiff diff_of(const config::Model& running, const config::Model& wanted) {
    const auto plan = config::plan(running, wanted);
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

// Parsing happens on the thread that asks: a large file must not keep the
// control thread from its keepalives.
Result<config::Model, mgmt::Problem> parse(const std::string& text, const std::string& file) {
    auto loaded = load(text, file);
    if (!loaded)
        return Failure{mgmt::invalid("the configuration has errors; nothing was changed",
                                     details(loaded.error()))};
    return std::move(loaded->model);
}

// The old file or the new one, whole, whenever the power fails. Only its owner
// may read it: it may hold passwords.
Result<void, SystemError> replace_file(const std::string& path, const std::string& text) {
    const auto temporary = path + ".new";
    const int fd = open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0) return Failure{last_system_error("open " + temporary)};
    std::size_t at = 0;
    bool good = true;
    while (good && at < text.size()) {
        const auto n = write(fd, text.data() + at, text.size() - at);
        good = n > 0;
        if (good) at += static_cast<std::size_t>(n);
    }
    good = good && fsync(fd) == 0;
    auto error = last_system_error("write " + temporary);
    close(fd);
    if (good && std::rename(temporary.c_str(), path.c_str()) != 0) {
        error = last_system_error("rename to " + path);
        good = false;
    }
    if (!good) {
        unlink(temporary.c_str());
        return Failure{std::move(error)};
    }
    // The name is on disk once its directory is.
    const auto directory = path.substr(0, path.find_last_of('/') + 1);
    if (const int d = open(directory.empty() ? "." : directory.c_str(), O_RDONLY | O_CLOEXEC);
        d >= 0) {
        fsync(d);
        close(d);
    }
    return {};
}

}  // namespace

ConfigControl::ConfigControl(Gateway& gateway) : gateway_(gateway), confirm_timer_(gateway.io()) {}

void ConfigControl::running(bool with_defaults, mgmt::Done<mgmt::ConfigText> done) {
    gateway_.ask([this, with_defaults, done = std::move(done)] {
        done(mgmt::ConfigText{
            config::print(gateway_.running(), config::Secrets::Masked,
                          with_defaults ? config::Defaults::Shown : config::Defaults::Hidden),
            gateway_.revision(), gateway_.saved()});
    });
}

void ConfigControl::check(std::string text, mgmt::Done<std::vector<mgmt::ProblemDetail>> done) {
    const auto loaded =
        text.empty() ? config::load(gateway_.config_file()) : config::load_text(text, "candidate");
    done(details(loaded ? loaded->warnings : loaded.error()));
}

void ConfigControl::diff(std::string text, mgmt::Done<mgmt::ConfigDiff> done) {
    auto wanted = parse(text, gateway_.config_file());
    if (!wanted) return done(Failure{wanted.error()});
    gateway_.ask([this, wanted = std::move(*wanted), done = std::move(done)] {
        done(diff_of(gateway_.running(), wanted));
    });
}

void ConfigControl::reload(mgmt::Done<mgmt::CommitState> done) {
    auto wanted = parse("", gateway_.config_file());
    if (!wanted) return done(Failure{wanted.error()});
    gateway_.ask([this, wanted = std::move(*wanted), done = std::move(done)]() mutable {
        auto state = change_to(std::move(wanted), "reload", "");
        gateway_.mark_saved();
        done(std::move(state));
    });
}

mgmt::CommitState ConfigControl::change_to(config::Model wanted, std::string author,
                                           std::string comment) {
    const auto plan = gateway_.apply(std::move(wanted), std::move(author), std::move(comment));
    if (!plan.empty()) gateway_.mark_changed();
    return {gateway_.revision(), config::summary(plan), std::nullopt};
}

void ConfigControl::commit(std::string text, std::string author, std::string comment,
                           std::optional<std::chrono::seconds> confirm_within,
                           mgmt::Done<mgmt::CommitState> done) {
    auto wanted = parse(text, gateway_.config_file());
    if (!wanted) return done(Failure{wanted.error()});
    gateway_.ask([this, wanted = std::move(*wanted), author = std::move(author),
                  comment = std::move(comment), confirm_within, done = std::move(done)]() mutable {
        if (unconfirmed_)
            return done(Failure{mgmt::conflict(
                "another commit waits to be confirmed; confirm it or roll it back first")});
        const auto before = gateway_.revision();
        auto state = change_to(std::move(wanted), std::move(author), std::move(comment));
        if (confirm_within && gateway_.revision() != before) {
            unconfirmed_ = before;
            roll_back_unless_confirmed(*confirm_within);
            state.confirm_within = confirm_within;
        }
        done(std::move(state));
    });
}

void ConfigControl::roll_back_unless_confirmed(std::chrono::seconds within) {
    confirm_timer_.expires_after(within);
    confirm_timer_.async_wait([this](boost::system::error_code error) {
        if (error || !unconfirmed_) return;
        const auto* before = gateway_.revisions().find(*unconfirmed_);
        unconfirmed_.reset();
        if (before == nullptr) return;
        gateway_.events().emit({Severity::Warning,
                                "CONFIG-ROLLED-BACK",
                                "nobody confirmed the commit in time",
                                {{"to_revision", std::to_string(before->number)}}});
        gateway_.apply(config::Model{before->model}, "confirm timer", "not confirmed");
    });
}

void ConfigControl::confirm(mgmt::Done<mgmt::CommitState> done) {
    gateway_.ask([this, done = std::move(done)] {
        if (!unconfirmed_) return done(Failure{mgmt::conflict("no commit waits to be confirmed")});
        unconfirmed_.reset();
        confirm_timer_.cancel();
        done(mgmt::CommitState{gateway_.revision(), "confirmed", std::nullopt});
    });
}

void ConfigControl::roll_back(std::uint64_t revision, std::string author,
                              mgmt::Done<mgmt::CommitState> done) {
    gateway_.ask([this, revision, author = std::move(author), done = std::move(done)]() mutable {
        const auto* entry = gateway_.revisions().find(revision);
        if (entry == nullptr)
            return done(Failure{mgmt::not_found("revision " + std::to_string(revision) +
                                                " is not kept; see the list of revisions")});
        unconfirmed_.reset();
        confirm_timer_.cancel();
        done(change_to(config::Model{entry->model}, std::move(author),
                       "back to revision " + std::to_string(revision)));
    });
}

void ConfigControl::revisions(mgmt::Done<std::vector<mgmt::Revision>> done) {
    gateway_.ask([this, done = std::move(done)] {
        std::vector<mgmt::Revision> out;
        for (const auto& entry : gateway_.revisions().entries()) {
            out.push_back(
                {entry.number, rfc3339(entry.time), entry.author, entry.comment, entry.summary});
        }
        done(std::move(out));
    });
}

void ConfigControl::save(mgmt::Done<mgmt::Nothing> done) {
    gateway_.ask([this, done = std::move(done)] {
        auto text = config::print(gateway_.running(), config::Secrets::Shown);
        saver_ = std::jthread{[this, text = std::move(text), revision = gateway_.revision(), done] {
            const auto written = replace_file(gateway_.config_file(), text);
            gateway_.ask([this, written, revision, done] {
                if (!written)
                    return done(Failure{mgmt::Problem{500,
                                                      "not-saved",
                                                      "The configuration was not saved",
                                                      written.error().message(),
                                                      {}}});
                if (gateway_.revision() == revision) gateway_.mark_saved();
                done(mgmt::Nothing{});
            });
        }};
    });
}

}  // namespace torii::app
