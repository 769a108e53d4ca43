#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "app/config_change.hpp"
#include "app/task.hpp"
#include "base/loop.hpp"
#include "config/model.hpp"
#include "config/store.hpp"
#include "mgmt/views.hpp"

namespace torii::app {

class Gateway;
struct Candidate;

// Configuration by the API: show, check, compare, load again; commit with a
// time to confirm in, after which it rolls back by itself, for every client and
// whether or not it is still connected. Parsing and disks are for the background
// thread, never for the control thread nor for the one that asks.
class ConfigControl final : public mgmt::ConfigControl {
public:
    explicit ConfigControl(Gateway& gateway);
    void running(bool with_defaults, mgmt::Done<mgmt::ConfigText> done) override;
    void text(mgmt::Done<mgmt::ConfigText> done) override;
    void check(std::string text, mgmt::Done<std::vector<mgmt::ProblemDetail>> done) override;
    void diff(std::string text, mgmt::Done<mgmt::ConfigDiff> done) override;
    void diff_to(std::uint64_t revision, mgmt::Done<mgmt::ConfigDiff> done) override;
    void reload(mgmt::ChangeRequest request, mgmt::Done<mgmt::CommitState> done) override;
    void commit(mgmt::CommitRequest request, mgmt::Done<mgmt::CommitState> done) override;
    void confirm(mgmt::Done<mgmt::CommitState> done) override;
    void abort(std::string author, mgmt::Done<mgmt::CommitState> done) override;
    void roll_back(std::uint64_t revision, mgmt::ChangeRequest request,
                   mgmt::Done<mgmt::CommitState> done) override;
    void save(mgmt::Done<mgmt::Nothing> done) override;
    void revisions(mgmt::Done<std::vector<mgmt::Revision>> done) override;
    void revision(std::uint64_t number, mgmt::Done<mgmt::ConfigText> done) override;

private:
    // A commit that is not confirmed yet.
    struct Trial {
        std::uint64_t revision;
        std::shared_ptr<const config::Model> before;
        std::string text_before;
        bool before_was_saved;
        bool save;  // when it is confirmed
        std::chrono::steady_clock::time_point until;
    };
    template <class T>
    using Answer = Result<T, mgmt::Problem>;

    mgmt::ConfigText state() const;
    Task<Answer<Candidate>> read(std::string text);
    Task<Answer<Candidate>> read_revision(std::uint64_t number);
    std::optional<mgmt::Problem> refused(const mgmt::ChangeRequest& request) const;
    mgmt::CommitState make(ConfigChange change, const mgmt::ChangeRequest& request,
                           std::string comment, bool save);
    Trial* trial();
    void end_trial();
    void roll_back_trial(std::string author, std::string comment,
                         mgmt::Done<mgmt::CommitState> done);
    Task<std::string> write_startup();

    Gateway& gateway_;
    Timer confirm_timer_;
    std::optional<Trial> trial_;
};

}  // namespace torii::app

// Its functions are coroutines that nothing awaits: they answer by their `done`.
template <class... Arguments>
struct std::coroutine_traits<void, torii::app::ConfigControl&, Arguments...> {
    using promise_type = torii::app::DetachedPromise;
};
