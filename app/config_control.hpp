#pragma once

#include <chrono>
#include <functional>
#include <optional>

#include "app/config_change.hpp"
#include "base/loop.hpp"
#include "config/model.hpp"
#include "mgmt/views.hpp"

namespace torii::app {

class Gateway;

// Configuration by the API: show, check, compare, load again; commit with a
// time to confirm in, after which it rolls back by itself, for every client and
// whether or not it is still connected. Parsing and disks are for the background
// thread, never for the control thread nor for the one that asks.
class ConfigControl final : public mgmt::ConfigControl {
public:
    explicit ConfigControl(Gateway& gateway);
    void running(bool with_defaults, mgmt::Done<mgmt::ConfigText> done) override;
    void check(std::string text, mgmt::Done<std::vector<mgmt::ProblemDetail>> done) override;
    void diff(std::string text, mgmt::Done<mgmt::ConfigDiff> done) override;
    void diff_to(std::uint64_t revision, mgmt::Done<mgmt::ConfigDiff> done) override;
    void reload(std::string author, mgmt::Done<mgmt::CommitState> done) override;
    void commit(mgmt::CommitRequest request, mgmt::Done<mgmt::CommitState> done) override;
    void confirm(mgmt::Done<mgmt::CommitState> done) override;
    void roll_back(std::uint64_t revision, std::string author,
                   mgmt::Done<mgmt::CommitState> done) override;
    void save(mgmt::Done<mgmt::Nothing> done) override;
    void revisions(mgmt::Done<std::vector<mgmt::Revision>> done) override;
    void revision(std::uint64_t number, mgmt::Done<mgmt::ConfigText> done) override;

private:
    // A commit that is not confirmed yet.
    struct Trial {
        std::uint64_t revision;
        config::Model before;
        bool before_was_saved;
        bool save;  // when it is confirmed
        std::chrono::steady_clock::time_point until;
    };

    void commit(const mgmt::CommitRequest& request, ConfigChange change,
                mgmt::Done<mgmt::CommitState> done);
    mgmt::CommitState make(ConfigChange change, std::string author, std::string comment);
    Trial* trial();
    void end_trial();
    void roll_back_unless_confirmed(std::chrono::seconds within);
    void save_and(mgmt::CommitState state, mgmt::Done<mgmt::CommitState> done);
    void write_startup(std::function<void(Result<void, mgmt::Problem>)> done);
    template <class T>
    void work_out(std::function<Result<config::Model, mgmt::Problem>()> read, mgmt::Done<T> done,
                  std::function<void(ConfigChange, mgmt::Done<T>)> then);
    Result<config::Model, mgmt::Problem> model_of(const std::string& text) const;
    Result<config::Model, mgmt::Problem> model_of_revision(std::uint64_t number) const;

    Gateway& gateway_;
    Timer confirm_timer_;
    std::optional<Trial> trial_;
    std::string committed_;  // the last text, with its comments: what save() would rather write
};

}  // namespace torii::app
