#include "mgmt/cli/cli.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>

#include "base/event_list.hpp"
#include "mgmt/cli/client.hpp"
#include "mgmt/cli/json.hpp"
#include "mgmt/cli/table.hpp"
#include "tests/unit/mgmt/cli_fixture.hpp"

namespace torii::cli {
namespace {

TEST_F(CliTest, ListsNeighbors) {
    EXPECT_EQ(torii({"bgp", "neighbors"}), kOk) << err.str();
    EXPECT_TRUE(shows("*10.0.0.2  65001  nodes  Established    1h01m     3         2    10"))
        << out.str();
    EXPECT_TRUE(shows("hold timer expired"));
    EXPECT_TRUE(shows("2 neighbors, 1 established"));
}

TEST_F(CliTest, DrainsTheGateAndBringsItBack) {
    EXPECT_EQ(torii({"drain"}), kOk) << err.str();
    EXPECT_TRUE(shows("in service\nneighbors established: 1\n")) << out.str();
    EXPECT_EQ(torii({"drain", "on", "--reason", "new kernel"}), kOk) << err.str();
    EXPECT_TRUE(shows("drained since 2026-01-02T03:04:05Z: new kernel")) << out.str();
    EXPECT_EQ(torii({"--json", "drain"}), kOk);
    EXPECT_TRUE(shows(R"("drained":true)")) << out.str();
    EXPECT_EQ(torii({"drain", "off"}), kOk);
    EXPECT_TRUE(shows("in service")) << out.str();
    EXPECT_EQ(torii({"drain", "maybe"}), kUsage);
}

TEST_F(CliTest, WaitsUntilTrafficHasLeft) {
    EXPECT_EQ(torii({"drain", "on", "--wait", "10"}), kOk) << err.str();
    EXPECT_TRUE(shows("drained since")) << out.str();
    router.forwards_between_questions = 1000;
    EXPECT_EQ(torii({"--json", "drain", "on", "--wait", "1"}), kRefused);
    EXPECT_NE(err.str().find("still forwards 1000 packets/s"), std::string::npos) << err.str();
    EXPECT_TRUE(shows(R"("drained":true)")) << out.str();
}

TEST_F(CliTest, GathersWhatSupportNeedsWithoutSecrets) {
    router.report.reasons = {"password = [\"hunter2\"]"};
    EXPECT_EQ(torii({"tech-support", "-"}), kOk) << err.str();
    for (const auto* section : {"==== status", "==== configuration", "==== neighbors",
                                "==== events", "==== doctor", "==== host", "==== journal"})
        EXPECT_TRUE(shows(section)) << section;
    EXPECT_TRUE(shows("10.0.0.2")) << "the neighbors are not in it";
    EXPECT_FALSE(shows("hunter2")) << out.str();

    const auto file = testing::TempDir() + "torii-support-" + std::to_string(::getpid());
    EXPECT_EQ(torii({"--json", "tech-support", file}), kOk) << err.str();
    EXPECT_EQ(std::filesystem::status(file).permissions(),
              std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
    EXPECT_EQ(torii({"tech-support", file}), kRefused) << "it overwrote a file";
    std::filesystem::remove(file);
}

TEST_F(CliTest, ShowsPeersInTheColumnsOfCilium) {
    EXPECT_EQ(torii({"bgp", "peers"}), kOk);
    EXPECT_TRUE(
        shows("Local AS  Peer AS  Peer Address  Session State  Uptime  Family        "
              "Received  Advertised"))
        << out.str();
    EXPECT_TRUE(
        shows("64512     65001    10.0.0.2      established    1h01m   ipv4/unicast  2         5"))
        << out.str();
}

TEST_F(CliTest, ShowsOneNeighborAndWhy) {
    EXPECT_EQ(torii({"bgp", "neighbor", "10.0.0.2", "--why"}), kOk);
    EXPECT_TRUE(shows("group nodes (from the next session on)")) << out.str();
    EXPECT_EQ(torii({"bgp", "neighbor", "10.9.9.9"}), kRefused);
    EXPECT_EQ(err.str(), "error: no neighbor 10.9.9.9\n");
}

TEST_F(CliTest, ListsAndShowsRoutes) {
    EXPECT_EQ(torii({"route", "list"}), kOk);
    EXPECT_TRUE(shows("10.244.1.0/24")) << out.str();
    EXPECT_TRUE(shows("2 shown of 2 prefixes"));
    EXPECT_EQ(torii({"route", "show", "10.244.1.7"}), kOk);
    EXPECT_TRUE(shows("via 10.0.0.2 on nodes, 02:00:00:00:00:02")) << out.str();
    EXPECT_EQ(torii({"route", "show", "::1"}), kRefused);
}

TEST_F(CliTest, AddsAndDeletesAStaticRoute) {
    EXPECT_EQ(torii({"route", "add", "10.7.0.0/16", "--via", "10.0.0.2"}), kOk) << err.str();
    EXPECT_EQ(out.str(), "10.7.0.0/16: added\n");
    EXPECT_EQ(torii({"route", "add", "10.7.0.0/16", "--discard"}), kOk);
    EXPECT_EQ(out.str(), "10.7.0.0/16: replaced\n");
    EXPECT_EQ(torii({"route", "delete", "10.7.0.0/16"}), kOk);
    EXPECT_EQ(torii({"route", "delete", "10.7.0.0/16"}), kRefused);
    EXPECT_EQ(torii({"route", "add", "10.7.0.0/16"}), kRefused);
    EXPECT_EQ(torii({"route", "add", "10.8.0.0/16", "--via", "10.9.9.9"}), kRefused);
    EXPECT_EQ(err.str(), "error: 10.9.9.9 is an address of ours\n  via: ours\n");
}

TEST_F(CliTest, VerifiesTheForwardingTables) {
    EXPECT_EQ(torii({"verify"}), kOk) << err.str();
    EXPECT_EQ(out.str(), "compared: 12 prefixes, 3 groups, 4 neighbors\nfaults: 0\n");
    router.proof.fault_count = 1;
    router.proof.faults = {{"entry", "10.244.3.0", "group 7", "nothing"}};
    EXPECT_EQ(torii({"verify"}), kRefused);
    EXPECT_TRUE(shows("faults: 1, all corrected\n")) << out.str();
    EXPECT_TRUE(shows("10.244.3.0")) << out.str();
    EXPECT_EQ(torii({"--json", "verify"}), kRefused);
    EXPECT_TRUE(shows(R"("found":"nothing")")) << out.str();
}

TEST_F(CliTest, ShowsOffloadAndDropsSources) {
    EXPECT_EQ(torii({"offload"}), kOk) << err.str();
    EXPECT_TRUE(shows("nodes (net_ice): 1 of 2 rules in hardware, queue 1 for sessions"))
        << out.str();
    EXPECT_TRUE(shows("the port refused to take it: full"));
    EXPECT_TRUE(
        shows("0 of 1 rules in hardware, the driver has no rte_flow; workers dropped 1,234"));
    EXPECT_TRUE(shows("drop sources: 198.51.100.0/24\n"));
    EXPECT_EQ(torii({"offload", "--rules"}), kOk);
    EXPECT_TRUE(shows("ingress priority 1")) << out.str();
    EXPECT_EQ(torii({"--json", "offload"}), kOk);
    EXPECT_TRUE(shows(R"("place":"hardware")")) << out.str();
    EXPECT_EQ(torii({"offload", "drop", "203.0.113.0/24"}), kOk) << err.str();
    EXPECT_EQ(out.str(), "203.0.113.0/24: dropped from now on\n");
    EXPECT_EQ(torii({"offload", "drop", "203.0.113.0/24"}), kOk);
    EXPECT_EQ(out.str(), "203.0.113.0/24: was dropped already\n");
    EXPECT_EQ(torii({"offload", "undrop", "203.0.113.0/24"}), kOk);
    EXPECT_EQ(torii({"offload", "undrop", "203.0.113.0/24"}), kRefused);
}

TEST_F(CliTest, ShowsPortsNeighborsCountersAndStatus) {
    EXPECT_EQ(torii({"port", "list"}), kOk);
    EXPECT_TRUE(shows("123M")) << out.str();
    EXPECT_EQ(torii({"neighbor", "list"}), kOk);
    EXPECT_TRUE(shows("reachable"));
    EXPECT_EQ(torii({"liveness"}), kOk);
    EXPECT_TRUE(shows("BFD up, echo")) << out.str();
    EXPECT_EQ(torii({"liveness", "10.0.0.2"}), kOk);
    EXPECT_TRUE(shows("sends every 50 ms")) << out.str();
    EXPECT_EQ(torii({"liveness", "10.0.0.9"}), kRefused);
    EXPECT_EQ(torii({"counters"}), kOk);
    EXPECT_TRUE(shows("exit=forward  1,234,567")) << out.str();
    EXPECT_FALSE(shows("no_route"));
    EXPECT_EQ(torii({"counters", "--all"}), kOk);
    EXPECT_TRUE(shows("no_route"));
    EXPECT_EQ(torii({"status"}), kOk);
    router.report.ready = false;
    router.report.reasons = {"port nodes is down"};
    EXPECT_EQ(torii({"status"}), kNotReady);
    EXPECT_TRUE(shows("port nodes is down"));
}

TEST_F(CliTest, ShowsEvents) {
    log.append({"BGP-ADJCHANGE-UP", "10.0.0.2 is up", {}}, {});
    EXPECT_EQ(torii({"events"}), kOk);
    EXPECT_EQ(out.str(), "1970-01-01T00:00:00.000Z  notice   BGP-ADJCHANGE-UP  10.0.0.2 is up\n");
}

TEST_F(CliTest, ExplainsEventsWithoutARouter) {
    server.reset();
    EXPECT_EQ(torii({"events", "--explain", "LINK-DOWN"}), kOk) << err.str();
    EXPECT_TRUE(shows("LINK-DOWN  warning\nThe link of a port went down.")) << out.str();
    EXPECT_TRUE(shows("What to do: Check cable")) << out.str();
    EXPECT_EQ(torii({"events", "--explain", "fib-full"}), kOk);
    EXPECT_TRUE(shows("FIB-FULL  error\n")) << out.str();

    EXPECT_EQ(torii({"events", "--explain"}), kOk);
    for (const auto& kind : kEvents) EXPECT_TRUE(shows(std::string{kind.name}));
    EXPECT_EQ(torii({"events", "--explain", "--json"}), kOk);
    const auto all = list(parse_json(out.str()).value(), "events");
    ASSERT_EQ(all.size(), std::size(kEvents));
    EXPECT_EQ(text(all[0], "id"), kEvents[0].name);
    EXPECT_EQ(text(all[0], "action"), kEvents[0].action);
    EXPECT_EQ(torii({"events", "--json", "--explain", "LINK-DOWN"}), kOk);
    EXPECT_EQ(text(parse_json(out.str()).value(), "severity"), "warning");
}

TEST_F(CliTest, SuggestsTheNameOfAnUnknownEvent) {
    EXPECT_EQ(torii({"events", "--explain", "LINK-DWN"}), kUsage);
    EXPECT_EQ(err.str(), "error: no event LINK-DWN; did you mean LINK-DOWN?\n");
    EXPECT_EQ(torii({"events", "--explain", "XYZZY"}), kUsage);
    EXPECT_EQ(err.str(), "error: no event XYZZY; torii events --explain lists them\n");
}

TEST_F(CliTest, ActsOnNeighbors) {
    EXPECT_EQ(torii({"bgp", "shutdown", "10.0.0.2", "--reason", "new disk"}), kOk) << err.str();
    EXPECT_EQ(torii({"bgp", "drain", "nodes", "--group"}), kOk);
    EXPECT_EQ(router.actions, (std::vector<std::string>{"10.0.0.2 3 new disk", "group nodes 5 "}));
}

TEST_F(CliTest, DumpsTheTableAndRecordsUpdates) {
    EXPECT_EQ(torii({"bgp", "dump"}), kOk) << err.str();
    EXPECT_EQ(out.str(), "/var/lib/torii/mrt/rib.mrt: 3 prefixes, 5 paths, 700 bytes\n");
    EXPECT_EQ(torii({"bgp", "dump", "updates", "--for", "7"}), kOk) << err.str();
    EXPECT_EQ(out.str(), "/var/lib/torii/mrt/updates.mrt: recorded for 7 s\n");
    EXPECT_EQ(router.actions, std::vector<std::string>{"record 7"});
    EXPECT_EQ(torii({"--json", "bgp", "dump", "table"}), kOk) << err.str();
    EXPECT_TRUE(shows("\"records\":5")) << out.str();
    EXPECT_EQ(torii({"bgp", "dump", "everything"}), kUsage);
}

TEST_F(CliTest, HandlesConfigurations) {
    const auto file = testing::TempDir() + "torii-cli-" + std::to_string(::getpid()) + ".cfg";
    std::ofstream{file} << "good";
    EXPECT_EQ(torii({"config", "check", file}), kOk) << err.str();
    EXPECT_TRUE(shows("is good"));
    EXPECT_EQ(torii({"config", "diff", file}), kOk);
    EXPECT_TRUE(shows("neighbor 10.0.0.2: password  [reset]"));
    EXPECT_EQ(torii({"config", "commit", file, "--confirm", "60", "--comment", "x"}), kOk);
    EXPECT_TRUE(shows("rolls back by itself in 60 s")) << out.str();
    EXPECT_EQ(torii({"config", "confirm"}), kOk);
    EXPECT_EQ(torii({"config", "show"}), kOk);
    EXPECT_EQ(out.str(), "router = { };\n");
    EXPECT_EQ(torii({"config", "show", "--revision", "7"}), kOk);
    EXPECT_EQ(out.str(), "log = { };\n");
    EXPECT_EQ(torii({"config", "diff", "--revision", "7"}), kOk);
    EXPECT_TRUE(shows("route 203.0.113.0/24 goes\n1 route removed")) << out.str();
    EXPECT_EQ(torii({"config", "diff", file, "--revision", "7"}), kUsage);
    EXPECT_EQ(torii({"config", "commit", file, "--save", "--comment", "y"}), kOk);
    EXPECT_TRUE(router.actions.back().ends_with(": y, saved")) << router.actions.back();
    EXPECT_EQ(torii({"config", "history"}), kOk);
    EXPECT_TRUE(shows("7  2026-01-01T00:00:00Z  unix    first    1 route added")) << out.str();
    EXPECT_EQ(torii({"config", "rollback", "999"}), kRefused);
    EXPECT_EQ(torii({"config", "save"}), kOk);
    EXPECT_EQ(torii({"config", "reload"}), kOk);
    std::ofstream{file} << "bad";
    EXPECT_EQ(torii({"config", "check", file}), kRefused);
    EXPECT_NE(err.str().find("request:3: ports.a: unknown key bad"), std::string::npos)
        << err.str();
    EXPECT_EQ(torii({"config", "check", "/nowhere"}), kUsage);
}

TEST_F(CliTest, ImportsAndNamesWhatIsLeftOut) {
    EXPECT_EQ(torii({"import", "frr", "frr.conf"}), kOk);
    EXPECT_EQ(out.str(), "# ours, of frr.conf\n");
    EXPECT_EQ(
        err.str(),
        "frr.conf:7: lost: service x (not ours)\nfrr.conf: not carried over as it is: 1 lost\n");
    EXPECT_EQ(torii({"import", "frr", "frr.conf", "--json"}), kOk);
    EXPECT_TRUE(
        shows(R"("left_out":[{"line":7,"effect":"lost","text":"service x","why":"not ours"}])"))
        << out.str();
}

TEST_F(CliTest, EditsTheStartupFile) {
    const auto file = testing::TempDir() + "torii-edit-" + std::to_string(::getpid()) + ".cfg";
    const auto edited_by = [&](const char* script, std::vector<std::string> more = {}) {
        ::setenv("VISUAL", script, 1);
        std::ofstream{file} << "good, old";
        std::vector<std::string> arguments{"config", "edit", file, "--yes"};
        arguments.insert(arguments.end(), more.begin(), more.end());
        return torii(arguments);
    };
    const auto left_behind = [&] {
        const auto at = err.str().find("what you wrote is in ");
        return at == std::string::npos
                   ? ""
                   : err.str().substr(at + 21, err.str().find('\n', at) - at - 21);
    };
    EXPECT_EQ(edited_by("sed -i s/old/new/", {"--comment", "racks"}), kOk) << err.str();
    EXPECT_TRUE(shows("neighbor 10.0.0.2: password  [reset]")) << out.str();
    ASSERT_FALSE(router.actions.empty());
    EXPECT_EQ(router.committed, "good, new");
    EXPECT_TRUE(router.actions.back().ends_with(": racks, saved")) << router.actions.back();
    EXPECT_EQ(left_behind(), "");

    EXPECT_EQ(edited_by("sed -i s/old/new/", {"--confirm", "60"}), kOk) << err.str();
    EXPECT_TRUE(shows("rolls back by itself in 60 s")) << out.str();
    EXPECT_TRUE(shows("torii config abort\nrevision ")) << "not confirmed\n" << out.str();

    const auto before = router.actions.size();
    EXPECT_EQ(edited_by("true"), kOk);
    EXPECT_EQ(err.str(), "nothing was changed\n");
    EXPECT_EQ(edited_by("sed -i s/good/bad/"), kRefused);
    EXPECT_NE(err.str().find("unknown key bad"), std::string::npos) << err.str();
    EXPECT_EQ(std::filesystem::status(left_behind()).permissions(),
              std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
    std::filesystem::remove(left_behind());
    EXPECT_EQ(edited_by("false"), kRefused);
    EXPECT_EQ(router.actions.size(), before);
    EXPECT_EQ(torii({"config", "edit", "/nowhere", "--yes"}), kUsage);
    std::filesystem::remove(file);
}

TEST_F(CliTest, FollowsAPacket) {
    EXPECT_EQ(torii({"explain", "10.244.1.9", "--from", "192.0.2.9", "--proto", "udp"}), kOk)
        << err.str();
    EXPECT_TRUE(shows("exit: forward, prefix 10.244.1.0/24, next_hop 10.244.1.9, port nodes"))
        << out.str();
    EXPECT_TRUE(shows("lookup  10.244.1.0/24  longest of 2")) << out.str();
    EXPECT_EQ(torii({"explain", "nobody"}), kRefused);
    EXPECT_EQ(torii({"explain", "10.0.0.1", "--proto", "nothing"}), kRefused);
}

TEST_F(CliTest, ShowsTrafficAsItFlows) {
    EXPECT_EQ(torii({"top", "--interval", "0.1", "--count", "1"}), kOk) << err.str();
    EXPECT_TRUE(shows("PORT")) << out.str();
    EXPECT_TRUE(shows("TO NODE")) << out.str();
    EXPECT_TRUE(shows("busiest worker")) << out.str();
    EXPECT_EQ(torii({"--json", "top", "--interval", "0.1", "--count", "2"}), kOk) << err.str();
    EXPECT_EQ(std::ranges::count(out.str(), '\n'), 2) << out.str();
    EXPECT_TRUE(shows("\"nodes\":[")) << out.str();
    EXPECT_EQ(torii({"top", "--interval", "0"}), kUsage);
    server.reset();
    EXPECT_EQ(torii({"top", "--count", "1"}), kUnreachable);
}

TEST_F(CliTest, CapturesPacketsToAFile) {
    const auto file = testing::TempDir() + "torii-cli-" + std::to_string(::getpid()) + ".pcapng";
    EXPECT_EQ(torii({"capture", "-w", file, "--port", "uplink", "--exit", "ip4_no_route",
                     "--prefix", "10.0.0.0/8", "--count", "3"}),
              kOk)
        << err.str();
    EXPECT_TRUE(shows(file + ": ")) << out.str();
    std::ifstream in{file, std::ios::binary};
    const std::string all{std::istreambuf_iterator<char>{in}, {}};
    EXPECT_EQ(all.substr(0, 4), "\x0a\x0d\x0d\x0a");
    std::size_t packets = 0;
    for (auto at = all.find("ip4_no_route"); at != std::string::npos;
         at = all.find("ip4_no_route", at + 1))
        ++packets;
    EXPECT_EQ(packets, 3u);
    EXPECT_EQ(router.captured, "stopped");

    EXPECT_EQ(torii({"--json", "capture", "-w", file, "--count", "1"}), kOk) << err.str();
    EXPECT_TRUE(shows("\"bytes\":")) << out.str();
    EXPECT_EQ(torii({"capture", "-w", "-", "--count", "1"}), kOk);
    EXPECT_EQ(out.str().substr(0, 4), "\x0a\x0d\x0d\x0a");
    std::filesystem::remove(file);
    EXPECT_EQ(torii({"capture", "-w", file, "--exit", "nowhere"}), kRefused);
    EXPECT_FALSE(std::filesystem::exists(file));
    EXPECT_EQ(torii({"capture", "-w", "/nowhere/x", "--count", "1"}), kRefused);
    EXPECT_EQ(torii({"capture"}), kUsage);
    EXPECT_EQ(torii({"capture", "-w", file, "--snap", "0"}), kUsage);
}

// The commands below one, as its help lists them.
std::vector<std::string> listed(const std::string& help) {
    std::vector<std::string> out;
    auto at = help.find("Subcommands:\n");
    std::istringstream in{at == std::string::npos ? "" : help.substr(at)};
    std::string line;
    for (std::getline(in, line); std::getline(in, line) && line.starts_with("  ");)
        if (line[2] != ' ') out.push_back(line.substr(2, line.find(' ', 2) - 2));
    return out;
}

}  // namespace

std::vector<std::vector<std::string>> CliTest::commands() {
    std::vector<std::vector<std::string>> all{{}};
    for (std::size_t i = 0; i < all.size(); ++i) {
        auto arguments = all[i];
        arguments.push_back("--help");
        EXPECT_EQ(torii(arguments), kOk);
        for (const auto& name : listed(out.str())) {
            all.push_back(all[i]);
            all.back().push_back(name);
        }
    }
    return all;
}

namespace {

TEST_F(CliTest, HelpOfEachCommandIsOneScreen) {
    const auto all = commands();
    EXPECT_GT(all.size(), 45u);
    for (auto arguments : all) {
        arguments.push_back("--help");
        EXPECT_EQ(torii(arguments), kOk);
        EXPECT_LE(std::ranges::count(out.str(), '\n'), 40) << out.str();
        EXPECT_GT(std::ranges::count(out.str(), '\n'), 2);
    }
}

// A command as somebody types it, and a part of what it answers.
struct Typed {
    std::vector<std::string> command, arguments;
    const char* shows;
};

TEST_F(CliTest, EveryCommandAnswersPeopleAndPrograms) {
    const auto file = testing::TempDir() + "torii-cli-" + std::to_string(::getpid()) + ".cfg";
    const auto packets = file + ".pcapng";
    std::ofstream{file} << "good, old";
    ::setenv("VISUAL", "sed -i s/old/new/", 1);
    log.append({"BGP-ADJCHANGE-UP", "10.0.0.2 is up", {}}, {});
    const std::vector<Typed> typed{
        {{"bgp", "neighbors"}, {}, "Established"},
        {{"bgp", "neighbor"}, {"10.0.0.2"}, "65001"},
        {{"bgp", "peers"}, {}, "Session State"},
        {{"bgp", "groups"}, {}, "nodes"},
        {{"bgp", "dump"}, {}, "/var/lib/torii/mrt/rib.mrt: 3 prefixes"},
        {{"bgp", "clear"}, {"10.0.0.2"}, "10.0.0.2: clear"},
        {{"bgp", "soft-in"}, {"10.0.0.2"}, "10.0.0.2: soft-in"},
        {{"bgp", "soft-out"}, {"10.0.0.2"}, "10.0.0.2: soft-out"},
        {{"bgp", "shutdown"}, {"10.0.0.2", "--reason", "why"}, "10.0.0.2: shutdown"},
        {{"bgp", "enable"}, {"10.0.0.2"}, "10.0.0.2: enable"},
        {{"bgp", "drain"}, {"nodes", "--group"}, "nodes: drain"},
        {{"route", "list"}, {}, "2 shown of 2 prefixes"},
        {{"route", "show"}, {"10.244.1.1"}, "via 10.0.0.2 on nodes"},
        {{"route", "add"}, {"10.9.0.0/16", "--via", "10.0.0.2"}, "10.9.0.0/16: added"},
        {{"route", "delete"}, {"10.9.0.0/16"}, "10.9.0.0/16: removed"},
        {{"explain"}, {"10.244.1.1"}, "exit: forward"},
        {{"status"}, {}, "gate"},
        {{"doctor"}, {}, "CPU"},
        {{"tech-support"}, {"-"}, "==== status"},
        {{"drain"}, {}, "in service"},
        {{"drain", "on"}, {"--reason", "new kernel"}, "drained since"},
        {{"drain", "off"}, {}, "in service"},
        {{"port", "list"}, {}, "02:00:00:00:00:01"},
        {{"neighbor", "list"}, {}, "reachable"},
        {{"top"}, {"--interval", "0.1", "--count", "1"}, "TO NODE"},
        {{"capture"}, {"-w", packets, "--count", "1"}, "pcapng: "},
        {{"liveness"}, {}, "BFD up"},
        {{"offload"}, {}, "rules in hardware"},
        {{"verify"}, {}, "faults: 0"},
        {{"offload", "drop"}, {"203.0.113.0/24"}, "dropped from now on"},
        {{"offload", "undrop"}, {"203.0.113.0/24"}, "203.0.113.0/24"},
        {{"counters"}, {}, "1,234,567"},
        {{"events"}, {}, "10.0.0.2 is up"},
        {{"token", "add"}, {"grafana"}, "management.tokens"},
        {{"config", "show"}, {}, "router = { };"},
        {{"config", "check"}, {file}, "is good"},
        {{"config", "diff"}, {file}, "[reset]"},
        {{"config", "edit"}, {file, "--yes"}, "revision"},
        {{"config", "commit"}, {file}, "revision"},
        {{"config", "confirm"}, {}, "revision"},
        {{"config", "abort"}, {}, "revision"},
        {{"config", "rollback"}, {"7"}, "revision"},
        {{"config", "save"}, {}, "saved"},
        {{"config", "reload"}, {}, "revision"},
        {{"config", "history"}, {}, "1 route added"},
        {{"import", "frr"}, {"frr.conf"}, "# ours"},
    };
    for (const bool as_json : {false, true})
        for (const auto& [command, arguments, shown] : typed) {
            auto line = command;
            line.insert(line.end(), arguments.begin(), arguments.end());
            if (as_json) line.push_back("--json");
            const auto code = torii(line);
            EXPECT_TRUE(code == kOk || command[0] == "doctor") << testing::PrintToString(line);
            if (command[0] != "import" && command.back() != "edit") {
                EXPECT_EQ(err.str(), "") << testing::PrintToString(line);
            }
            EXPECT_FALSE(out.str().empty()) << testing::PrintToString(line);
            if (!as_json) {
                EXPECT_TRUE(shows(shown)) << testing::PrintToString(line) << '\n' << out.str();
                continue;
            }
            std::istringstream answers{out.str()};
            for (std::string answer; std::getline(answers, answer);) {
                const auto value = parse_json(answer);
                EXPECT_TRUE(value && value->kind == Json::Kind::Object)
                    << testing::PrintToString(line) << '\n'
                    << answer;
            }
        }

    // No command is without its line above.
    std::set<std::vector<std::string>> known;
    for (const auto& one : typed) known.insert(one.command);
    for (const auto& command : commands()) {
        const bool leads_on = std::ranges::any_of(known, [&](const auto& other) {
            return other.size() > command.size() &&
                   std::equal(command.begin(), command.end(), other.begin());
        });
        EXPECT_TRUE(leads_on || known.contains(command)) << testing::PrintToString(command);
    }
    std::filesystem::remove(file);
    std::filesystem::remove(packets);
}

// The words after `torii` in backticks name a command, up to the first that is none's name.
TEST_F(CliTest, HasEveryCommandThatTheListOfEventsNames) {
    const auto all = commands();
    const std::set<std::vector<std::string>> known{all.begin(), all.end()};
    const std::set<std::string> groups{"bgp", "config", "neighbor", "port", "route", "token"};
    std::size_t found = 0;
    for (const auto& kind : kEvents) {
        std::string text{kind.action};
        for (auto at = text.find("`torii "); at != std::string::npos; at = text.find("`torii ")) {
            text.erase(0, at + 7);
            const auto typed = text.substr(0, text.find('`'));
            std::istringstream words{typed};
            std::vector<std::string> command;
            for (std::string word; words >> word;) {
                command.push_back(word);
                if (known.contains(command)) continue;
                command.pop_back();
                break;
            }
            ASSERT_FALSE(command.empty()) << kind.name << ": " << typed;
            EXPECT_FALSE(command.size() == 1 && groups.contains(command[0]))
                << kind.name << ": " << typed;
            ++found;
        }
    }
    EXPECT_GT(found, 20u);
}

TEST_F(CliTest, RefusesAWrongCommandLine) {
    for (const std::vector<std::string>& command : {std::vector<std::string>{},
                                                    {"x"},
                                                    {"bgp"},
                                                    {"bgp", "neighbor"},
                                                    {"route", "add", "x", "--distance", "0"}})
        EXPECT_EQ(torii(command), kUsage);
}

TEST(Table, FitsTheTerminal) {
    Table table{{{"A"}, {"B", Align::Left, true}}};
    table.add({"1", std::string(100, 'x')});
    std::ostringstream out;
    table.print(out, 40);
    std::string line;
    for (std::istringstream in{out.str()}; std::getline(in, line);) EXPECT_LE(line.size(), 40u);
}

TEST(Table, ColoursStatesOnATerminalAlone) {
    Table table{{{"A"}, {"B"}}};
    table.add({"Established", "x"});
    table.add({"down", "y"});
    std::ostringstream file, terminal;
    table.print(file, 0);
    table.print(terminal, 80);
    EXPECT_EQ(file.str(), "A            B\nEstablished  x\ndown         y\n");
    EXPECT_EQ(terminal.str(),
              "A            B\n\x1b[32mEstablished\x1b[0m  x\n\x1b[31mdown\x1b[0m         y\n");
}

TEST(Table, LetsNoControlCharactersReachTheTerminal) {
    Table table{{{"A"}}};
    table.add({"\x1b[2J"});
    std::ostringstream out;
    table.print(out, 0);
    EXPECT_EQ(out.str().find('\x1b'), std::string::npos);
}

TEST(Numbers, AreReadable) {
    EXPECT_EQ(grouped(1234567), "1,234,567");
    EXPECT_EQ(grouped(12), "12");
    EXPECT_EQ(abbreviated(999), "999");
    EXPECT_EQ(abbreviated(1234), "1.2k");
    EXPECT_EQ(abbreviated(123456789), "123M");
    EXPECT_EQ(duration(42), "00:42");
    EXPECT_EQ(duration(90061), "1d01h");
}

}  // namespace
}  // namespace torii::cli
