#include "app/config_control.hpp"

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

// Parsing happens on the thread that asks: a large file must not keep the
// control thread from its keepalives.
Result<config::Model, mgmt::Problem> parse(const std::string& text, const std::string& file) {
    auto loaded = text.empty() ? config::load(file) : config::load_text(text, "candidate");
    if (!loaded)
        return Failure{mgmt::invalid("the configuration has errors; nothing was changed",
                                     details(loaded.error()))};
    return std::move(loaded->model);
}

}  // namespace

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
        const auto plan = gateway_.apply(std::move(wanted));
        gateway_.mark_saved();
        done(mgmt::CommitState{gateway_.revision(), config::summary(plan), std::nullopt});
    });
}

}  // namespace torii::app
