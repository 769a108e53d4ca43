#pragma once

#include "mgmt/views.hpp"

namespace torii::app {

class Gateway;

// Configuration by the API: show, check, compare, load again.
class ConfigControl final : public mgmt::ConfigControl {
public:
    explicit ConfigControl(Gateway& gateway) : gateway_(gateway) {}
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
    Gateway& gateway_;
};

}  // namespace torii::app
