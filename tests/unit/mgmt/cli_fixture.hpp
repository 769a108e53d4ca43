#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <sstream>
#include <string>
#include <vector>

#include "mgmt/cli/cli.hpp"
#include "mgmt/server.hpp"
#include "tests/unit/mgmt/fake_views.hpp"

namespace torii::cli {

// The command line in front of a server with made-up data.
class CliTest : public testing::Test {
protected:
    void SetUp() override {
        router.add("10.244.1.0/24", "10.0.0.2", "bgp");
        router.add("0.0.0.0/0", "192.0.2.2", "static");
        mgmt::ServerSettings settings;
        settings.unix_path = socket;
        settings.tcp = {{IpAddress::v4(0x7f000001), 0}};
        settings.without_tokens = mgmt::Role::Admin;  // these tests are not about roles
        server = mgmt::Server::start(settings, router.views(), log);
        ASSERT_TRUE(server->problems().empty()) << server->problems()[0];
    }
    int torii(std::vector<std::string> arguments) {
        arguments.insert(arguments.begin(), {"--socket", socket});
        out.str("");
        err.str("");
        return run(std::move(arguments), out, err, local);
    }
    // Every command that there is, those that only lead to others included.
    std::vector<std::vector<std::string>> commands();
    bool shows(const std::string& text) const { return out.str().find(text) != std::string::npos; }

    mgmt::FakeRouter router;
    mgmt::EventLog log;
    std::string socket = testing::TempDir() + "torii-cli-" + std::to_string(::getpid()) + ".sock";
    std::unique_ptr<mgmt::Server> server;
    std::ostringstream out, err;
    LocalCommands local{[](const std::string& from, bool) {
        return Imported{kOk, "# ours, of " + from + '\n', {{7, "service x", "not ours"}}, {}};
    }};
};

}  // namespace torii::cli
