#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <sstream>

#include "mgmt/router.hpp"
#include "tests/unit/mgmt/fake_views.hpp"

namespace torii::mgmt {
namespace {

// Handlers without a server: what they post runs at once.
class ApiTest : public testing::Test {
protected:
    Response ask(const std::string& method, const std::string& target, const std::string& body = "",
                 std::vector<std::pair<std::string, std::string>> headers = {}) {
        Request request;
        request.method = method;
        request.path = target.substr(0, target.find('?'));
        if (const auto q = target.find('?'); q != std::string::npos)
            request.query = *parse_query(target.substr(q + 1));
        request.body = body;
        request.headers = std::move(headers);
        request.role = role;
        request.who = "test";
        std::optional<Response> answer;
        dispatch(api, request, [&](Response response) { answer = std::move(response); });
        EXPECT_TRUE(answer) << "no answer to " << target;
        return answer.value_or(Response{});
    }
    FakeRouter router;
    EventLog log;
    Role role = Role::Admin;
    Api api{router.views(), log, [](const std::function<void()>& work) { work(); }};
};

TEST_F(ApiTest, PagesRoutesByCursorWithoutLossOrRepetition) {
    for (int i = 0; i < 25; ++i)
        router.add(("10.0." + std::to_string(i) + ".0/24").c_str(), "10.0.0.2", "bgp");
    std::size_t rows = 0;
    std::string cursor;
    for (int page = 0; page < 3; ++page) {
        const auto body = ask("GET", "/api/v1/routes?limit=10" + cursor).body;
        for (auto at = body.find("\"prefix\""); at != std::string::npos;
             at = body.find("\"prefix\"", at + 1))
            ++rows;
        const auto next = body.find("\"next_cursor\":\"");
        if (next == std::string::npos) break;
        cursor = "&cursor=" + body.substr(next + 15, body.find('"', next + 15) - next - 15);
    }
    EXPECT_EQ(rows, 25u);
}

TEST_F(ApiTest, FindsTheRouteThatAPacketFollows) {
    router.add("0.0.0.0/0", "192.0.2.2", "static");
    router.add("10.244.0.0/16", "10.0.0.3", "static");
    router.add("10.244.1.0/24", "10.0.0.2", "bgp");
    const auto found = ask("GET", "/api/v1/routes?prefix=10.244.1.9&match=lpm");
    EXPECT_NE(found.body.find("\"prefix\":\"10.244.1.0/24\""), std::string::npos) << found.body;
    EXPECT_EQ(found.body.find("10.244.0.0/16"), std::string::npos);
    EXPECT_EQ(ask("GET", "/api/v1/routes?prefix=::1&match=lpm").status, 404u);
    EXPECT_NE(ask("GET", "/api/v1/routes?prefix=10.0.0.0/8&longer=true").body.find("10.244.1.0/24"),
              std::string::npos);
    EXPECT_EQ(ask("GET", "/api/v1/routes?source=bgp").body.find("static"), std::string::npos);
}

TEST_F(ApiTest, StreamsTheWholeTableALineARow) {
    for (int i = 0; i < 2500; ++i)
        router.add((IpAddress::v4(0x0a000000u + static_cast<unsigned>(i) * 256).to_string() + "/24")
                       .c_str(),
                   "10.0.0.2", "bgp");
    auto response = ask("GET", "/api/v1/routes", "", {{"accept", "application/x-ndjson"}});
    std::size_t lines = 0;
    bool ended = false;
    while (!ended)
        response.pieces([&](std::optional<std::string> piece) {
            ended = !piece;
            if (piece) lines += static_cast<std::size_t>(std::ranges::count(*piece, '\n'));
        });
    EXPECT_EQ(lines, 2500u);
}

TEST_F(ApiTest, StreamsOnWhereAFilterFindsNothingForLong) {
    for (int i = 0; i < 40; ++i)
        router.add(("10.0." + std::to_string(i) + ".0/24").c_str(), "10.0.0.2", "bgp");
    router.add("192.0.2.0/24", "10.0.0.3", "static");
    router.looks_at = 4;
    auto response =
        ask("GET", "/api/v1/routes?source=static", "", {{"accept", "application/x-ndjson"}});
    std::string first;
    response.pieces([&](std::optional<std::string> piece) { first = piece.value_or(""); });
    EXPECT_NE(first.find("192.0.2.0/24"), std::string::npos);
    response.pieces([&](const std::optional<std::string>& piece) { EXPECT_FALSE(piece); });
}

TEST_F(ApiTest, StreamsNoMoreThanOnePageAheadOfItsReader) {
    for (int i = 0; i < 2500; ++i)
        router.add((IpAddress::v4(0x0a000000u + static_cast<unsigned>(i) * 256).to_string() + "/24")
                       .c_str(),
                   "10.0.0.2", "bgp");
    auto response = ask("GET", "/api/v1/routes", "", {{"accept", "application/x-ndjson"}});
    for (std::size_t taken = 1; taken < 4; ++taken) {
        response.pieces([](const std::optional<std::string>& piece) { EXPECT_TRUE(piece); });
        EXPECT_EQ(router.route_questions, taken + 1);
    }
}

TEST_F(ApiTest, PutsAndDeletesStaticRoutes) {
    EXPECT_EQ(ask("PUT", "/api/v1/routes/static/10.5.0.0/16", R"({"via":["10.0.0.2"]})").status,
              201u);
    EXPECT_EQ(ask("PUT", "/api/v1/routes/static/10.5.0.0%2F16", R"({"via":"10.0.0.3"})").status,
              200u);
    EXPECT_EQ(ask("DELETE", "/api/v1/routes/static/10.5.0.0/16").status, 204u);
    EXPECT_EQ(ask("DELETE", "/api/v1/routes/static/10.5.0.0/16").status, 404u);
}

TEST_F(ApiTest, RefusesAStaticRouteThatIsWrongAndSaysWhy) {
    for (const auto* body :
         {"", "[]", "{}", "{\"via\":[]}", "{\"via\":[1]}", "{\"kind\":\"x\"}",
          "{\"kind\":\"discard\",\"via\":[\"10.0.0.2\"]}", "{\"vai\":[]}",
          "{\"kind\":\"discard\",\"distance\":256}", "{\"kind\":\"discard\",\"distance\":\"1\"}",
          "{\"via\":[\"10.9.9.9\"]}"}) {
        const auto response = ask("PUT", "/api/v1/routes/static/10.5.0.0/16", body);
        EXPECT_TRUE(response.status == 400 || response.status == 422) << body;
        EXPECT_NE(response.body.find("\"detail\":"), std::string::npos) << body;
    }
    EXPECT_NE(
        ask("PUT", "/api/v1/routes/static/10.5.0.1/16", "{}").body.find("did you mean 10.5.0.0/16"),
        std::string::npos);
}

TEST_F(ApiTest, SaysWhichRuleLivesWhereAndWhy) {
    const auto body = ask("GET", "/api/v1/offload").body;
    for (const auto* part :
         {R"("driver":"net_ice","rte_flow":true,"urgent_queue":1,"control_queue":2)",
          R"("match":"tcp to 10.0.0.1 port 179","action":"queue","place":"hardware",)"
          R"("rule":"ingress priority 1","packets":12345)",
          R"("place":"software","reason":"the port refused to take it: full")",
          R"("rte_flow":false,"reason":"the driver has no rte_flow","dropped_by_workers":1234)",
          R"("drop_sources":["198.51.100.0/24"])"})
        EXPECT_NE(body.find(part), std::string::npos) << part << '\n' << body;
}

TEST_F(ApiTest, PutsAndDeletesDropSources) {
    EXPECT_EQ(ask("PUT", "/api/v1/drop-sources/203.0.113.0/24").status, 201u);
    EXPECT_EQ(ask("PUT", "/api/v1/drop-sources/203.0.113.0%2F24").status, 200u);
    EXPECT_EQ(ask("PUT", "/api/v1/drop-sources/203.0.113.1/24").status, 400u);
    EXPECT_EQ(ask("DELETE", "/api/v1/drop-sources/203.0.113.0/24").status, 204u);
    EXPECT_EQ(ask("DELETE", "/api/v1/drop-sources/203.0.113.0/24").status, 404u);
    role = Role::Read;
    EXPECT_EQ(ask("PUT", "/api/v1/drop-sources/203.0.113.0/24").status, 403u);
}

TEST_F(ApiTest, ActsOnNeighborsAndGroups) {
    EXPECT_EQ(ask("POST", "/api/v1/neighbors/10.0.0.2/shutdown", R"({"reason":"new disk"})").status,
              204u);
    EXPECT_EQ(ask("POST", "/api/v1/peer-groups/nodes/clear").status, 204u);
    EXPECT_EQ(ask("POST", "/api/v1/neighbors/10.0.0.2/explode").status, 404u);
    EXPECT_EQ(router.actions, (std::vector<std::string>{"10.0.0.2 3 new disk", "group nodes 0 "}));
}

TEST_F(ApiTest, DrainsByPutAndEndsByDelete) {
    EXPECT_NE(ask("GET", "/api/v1/drain").body.find(R"("drained":false)"), std::string::npos);
    const auto begun = ask("PUT", "/api/v1/drain", R"({"reason":"new kernel"})");
    EXPECT_EQ(begun.status, 200u);
    EXPECT_NE(begun.body.find(R"("reason":"new kernel")"), std::string::npos) << begun.body;
    EXPECT_EQ(ask("PUT", "/api/v1/drain", R"({"why":1})").status, 400u);
    role = Role::Read;
    EXPECT_EQ(ask("DELETE", "/api/v1/drain").status, 403u);
    EXPECT_TRUE(router.drain_state.drained);
    role = Role::Operate;
    EXPECT_EQ(ask("DELETE", "/api/v1/drain").status, 200u);
    EXPECT_FALSE(router.drain_state.drained);
}

TEST_F(ApiTest, AReaderCannotWrite) {
    role = Role::Read;
    EXPECT_EQ(ask("PUT", "/api/v1/routes/static/10.5.0.0/16", R"({"kind":"discard"})").status,
              403u);
    EXPECT_EQ(ask("POST", "/api/v1/config/commit", "x").status, 403u);
    role = Role::Operate;
    EXPECT_EQ(ask("PUT", "/api/v1/routes/static/10.5.0.0/16", R"({"kind":"discard"})").status,
              201u);
    EXPECT_EQ(ask("POST", "/api/v1/config/commit", "x").status, 403u);
}

TEST_F(ApiTest, ChecksComparesCommitsAndConfirmsAConfiguration) {
    EXPECT_EQ(ask("POST", "/api/v1/config/check", "good").body, R"({"valid":true,"warnings":[]})");
    const auto bad = ask("POST", "/api/v1/config/check", "bad");
    EXPECT_EQ(bad.status, 422u);
    EXPECT_NE(bad.body.find(R"("line":3,"path":"ports.a","message":"unknown key bad")"),
              std::string::npos);
    EXPECT_NE(ask("POST", "/api/v1/config/diff", "x").body.find("1 neighbor reset"),
              std::string::npos);
    const auto done =
        ask("POST", "/api/v1/config/commit", R"({"text":"x","comment":"why","confirm_within":60})",
            {{"content-type", "application/json"}, {"if-match", "\"7\""}});
    EXPECT_EQ(done.status, 200u);
    EXPECT_NE(done.body.find("\"confirm_within\":60"), std::string::npos) << done.body;
    EXPECT_EQ(router.actions.back(), "commit by test: why");
    EXPECT_EQ(ask("POST", "/api/v1/config/confirm").status, 200u);
}

TEST_F(ApiTest, ACommitOnTopOfAnotherOnesIsRefused) {
    EXPECT_EQ(ask("POST", "/api/v1/config/commit", "x", {{"if-match", "\"6\""}}).status, 412u);
    EXPECT_TRUE(router.actions.empty());
}

TEST_F(ApiTest, SaysThatTheConfigurationIsUnchanged) {
    EXPECT_EQ(ask("GET", "/api/v1/config").body, "router = { };\n");
    EXPECT_EQ(ask("GET", "/api/v1/config", "", {{"if-none-match", "\"7\""}}).status, 304u);
    router.edits = 2;  // a route was put
    EXPECT_EQ(ask("GET", "/api/v1/config", "", {{"if-none-match", "\"7\""}}).status, 200u);
    EXPECT_EQ(ask("GET", "/api/v1/config", "", {{"if-none-match", "\"7.2\""}}).status, 304u);
}

TEST_F(ApiTest, ShowsAndComparesEarlierConfigurations) {
    EXPECT_EQ(ask("GET", "/api/v1/config/revisions/7").body, "log = { };\n");
    EXPECT_EQ(ask("GET", "/api/v1/config/revisions/7", "", {{"accept", "application/json"}}).body,
              R"({"revision":7,"saved":true,"text":"log = { };\n"})");
    EXPECT_EQ(ask("GET", "/api/v1/config/revisions/8").status, 404u);
    EXPECT_EQ(ask("GET", "/api/v1/config/revisions/x").status, 400u);
    EXPECT_EQ(ask("GET", "/api/v1/config/revisions/18446744073709551616").status, 400u);
    EXPECT_EQ(
        ask("POST", "/api/v1/config/diff?revision=7", "").body,
        R"({"summary":"1 route removed","changes":[{"what":"route 203.0.113.0/24 goes","cost":"none"}]})");
    EXPECT_EQ(ask("POST", "/api/v1/config/diff?revision=-1", "").status, 400u);
}

TEST_F(ApiTest, AProbeGetsAStatusCodeAndAReason) {
    EXPECT_EQ(ask("GET", "/readyz").status, 200u);
    router.report.ready = false;
    router.report.reasons = {"port nodes is down"};
    EXPECT_EQ(ask("GET", "/readyz").status, 503u);
    EXPECT_EQ(ask("GET", "/readyz").body, "port nodes is down\n");
    EXPECT_EQ(ask("GET", "/healthz").status, 200u);
}

TEST_F(ApiTest, WritesMetricsInPrometheusFormat) {
    const auto text = ask("GET", "/metrics").body;
    EXPECT_NE(text.find("# TYPE torii_exit_packets_total counter"), std::string::npos) << text;
    EXPECT_NE(text.find("torii_exit_packets_total{exit=\"forward\"} 1234567"), std::string::npos)
        << text;
    EXPECT_NE(text.find("torii_update_to_fib_seconds_bucket{le=\"0.001\"} 3"), std::string::npos)
        << text;
    EXPECT_NE(text.find("torii_update_to_fib_seconds_bucket{le=\"+Inf\"} 4"), std::string::npos)
        << text;
}

TEST_F(ApiTest, ServesALookingGlassInBirdwatchersShape) {
    router.add("10.244.1.0/24", "10.0.0.2", "bgp");
    EXPECT_NE(ask("GET", "/lg/status").body.find("\"router_id\":\"10.0.0.1\""), std::string::npos);
    EXPECT_NE(ask("GET", "/lg/protocols/bgp").body.find("\"10.0.0.2\":{\"protocol\":\"10.0.0.2\""),
              std::string::npos);
    EXPECT_NE(ask("GET", "/lg/routes/protocol/10.0.0.2").body.find("\"truncated\":false"),
              std::string::npos);
    EXPECT_NE(
        ask("GET", "/lg/routes/protocol/10.0.0.2").body.find("\"communities\":[[\"65001\",\"1\"]]"),
        std::string::npos);
    EXPECT_NE(ask("GET", "/lg/route/net/10.244.1.7").body.find("10.244.1.0/24"), std::string::npos);
}

TEST_F(ApiTest, ServesADashboardThatNeedsNothingFromElsewhere) {
    const auto page = ask("GET", "/");
    EXPECT_EQ(page.status, 200u);
    for (const auto* path : {"/", "/web/style.css", "/web/app.js"}) {
        const auto file = ask("GET", path);
        EXPECT_EQ(file.status, 200u) << path;
        auto text = file.body;
        for (auto at = text.find("http://www.w3.org/"); at != std::string::npos;
             at = text.find("http://www.w3.org/"))
            text.erase(at, 7);  // a namespace, not an address
        EXPECT_EQ(text.find("http://"), std::string::npos) << path;
        EXPECT_EQ(text.find("https://"), std::string::npos) << path;
    }
}

TEST_F(ApiTest, EveryEndpointAnswersEvenWithoutViews) {
    const Api bare{Views{}, log, [](const std::function<void()>& work) { work(); }};
    for (const auto& endpoint : all_endpoints()) {
        Request request;
        request.method = std::string{endpoint.method};
        request.role = Role::Admin;
        for (const char* name :
             {"prefix", "address", "name", "action", "revision", "protocol", "net"})
            request.parameters.emplace_back(name,
                                            std::string{name} == "prefix" ? "10.0.0.0/8" : "1");
        bool answered = false;
        endpoint.handler(bare, request, [&](const Response& response) {
            answered = true;
            EXPECT_GE(response.status, 200u);
        });
        EXPECT_TRUE(answered) << endpoint.pattern;
    }
}

TEST_F(ApiTest, TheContractNamesEveryEndpoint) {
    std::ifstream in{TORII_SOURCE_DIR "/mgmt/openapi.yaml"};
    std::stringstream text;
    text << in.rdbuf();
    for (const auto& endpoint : all_endpoints()) {
        std::string path{endpoint.pattern};
        if (path == "/" || path.starts_with("/web/")) continue;  // for people
        if (const auto dots = path.find("..."); dots != std::string::npos) path.erase(dots, 3);
        const auto at = text.str().find("\n  " + path + ":\n");
        ASSERT_NE(at, std::string::npos) << path;
        auto block = text.str().substr(at + 1);
        block = block.substr(0, block.find("\n  /", 1));
        std::string method{endpoint.method};
        for (char& c : method) c = static_cast<char>(std::tolower(c));
        EXPECT_NE(block.find("\n    " + method + ":"), std::string::npos) << method << ' ' << path;
    }
    EXPECT_EQ(ask("GET", "/openapi.yaml").body, text.str());
}

}  // namespace
}  // namespace torii::mgmt
