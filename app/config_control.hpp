#pragma once

#include <boost/asio/steady_timer.hpp>
#include <optional>
#include <thread>

#include "config/model.hpp"
#include "mgmt/views.hpp"

namespace torii::app {

class Gateway;

// Configuration by the API: show, check, compare, load again; commit with a
// time to confirm in, after which it rolls back by itself.
class ConfigControl final : public mgmt::ConfigControl {
public:
    explicit ConfigControl(Gateway& gateway);
    void running(bool with_defaults, mgmt::Done<mgmt::ConfigText> done) override;
    void check(std::string text, mgmt::Done<std::vector<mgmt::ProblemDetail>> done) override;
    void diff(std::string text, mgmt::Done<mgmt::ConfigDiff> done) override;
    void reload(mgmt::Done<mgmt::CommitState> done) override;
    void commit(std::string text, std::string author, std::string comment,
                std::optional<std::chrono::seconds> confirm_within,
                mgmt::Done<mgmt::CommitState> done) override;
    void confirm(mgmt::Done<mgmt::CommitState> done) override;
    void roll_back(std::uint64_t revision, std::string author,
                   mgmt::Done<mgmt::CommitState> done) override;
    void save(mgmt::Done<mgmt::Nothing> done) override;
    void revisions(mgmt::Done<std::vector<mgmt::Revision>> done) override;

private:
    mgmt::CommitState change_to(config::Model wanted, std::string author, std::string comment);
    void roll_back_unless_confirmed(std::chrono::seconds within);

    Gateway& gateway_;
    boost::asio::steady_timer confirm_timer_;
    std::optional<std::uint64_t> unconfirmed_;  // the revision to go back to
    std::jthread saver_;                        // fsync takes its time
};

}  // namespace torii::app
