#include "mgmt/server.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <chrono>
#include <random>
#include <vector>

#include "base/event_list.hpp"
#include "mgmt/auth.hpp"
#include "tests/unit/mgmt/fake_views.hpp"
#include "tests/unit/mgmt/wire_client.hpp"

namespace torii::mgmt {
namespace {

class CollectingSink final : public EventSink {
public:
    void emit(Event event) override { events.push_back(std::move(event)); }
    std::vector<Event> events;
};

class ServerTest : public testing::Test {
protected:
    void start(ServerSettings settings = {}) {
        settings.tcp = {{IpAddress::v4(0x7f000001), 0}};
        settings.without_tokens = Role::Admin;  // these tests are not about roles
        server = Server::start(std::move(settings), router.views(), log, &audit);
        port = server->tcp_ports()[0];
    }
    WireClient client() const { return WireClient::tcp(port); }
    WireClient::Reply get(const std::string& target, const std::string& headers = "") const {
        return client().request("GET", target, "", headers);
    }

    FakeRouter router;
    EventLog log;
    CollectingSink audit;
    std::unique_ptr<Server> server;
    std::uint16_t port = 0;
};

TEST_F(ServerTest, AnswersOverTcp) {
    start();
    const auto reply = get("/api/v1/status");
    EXPECT_EQ(reply.status, 200);
    EXPECT_NE(reply.body.find("\"hostname\":\"gate\""), std::string::npos) << reply.body;
}

TEST_F(ServerTest, AnswersOverAUnixSocketWithItsModeAndReplacesADeadOne) {
    ServerSettings settings;
    settings.unix_path = testing::TempDir() + "torii-" + std::to_string(::getpid()) + ".sock";
    for (int round = 0; round < 2; ++round) {
        start(settings);
        struct stat status {};
        ASSERT_EQ(::stat(settings.unix_path.c_str(), &status), 0);
        EXPECT_EQ(status.st_mode & 0777, 0660u);
        EXPECT_EQ(WireClient::unix(settings.unix_path).request("GET", "/healthz").status, 200);
        server.reset();
    }
}

TEST_F(ServerTest, RefusesAWideBindWithoutTlsAndTokens) {
    ServerSettings settings;
    settings.tcp = {{IpAddress{}, 0}};
    const auto started = Server::start(settings, router.views(), log);
    EXPECT_TRUE(started->tcp_ports().empty());
    ASSERT_EQ(started->problems().size(), 1u);
    EXPECT_NE(started->problems()[0].find("needs TLS and tokens"), std::string::npos);
}

TEST_F(ServerTest, KeepsAConnectionForManyRequests) {
    start();
    auto connection = client();
    for (int i = 0; i < 50; ++i) EXPECT_EQ(connection.request("GET", "/healthz").status, 200);
}

TEST_F(ServerTest, AnswersHeadWithoutABody) {
    start();
    auto connection = client();
    EXPECT_EQ(connection.request("HEAD", "/api/v1/status").status, 200);
    EXPECT_EQ(connection.request("GET", "/healthz").body, "ok\n");
}

TEST_F(ServerTest, SaysWhatIsWrongAsAProblemDocument) {
    start();
    for (const auto& [target, status] : {std::pair{"/nothing", 404},
                                         {"/api/v1/routes?limit=0", 400},
                                         {"/api/v1/routes?limit=1001", 400},
                                         {"/api/v1/routes?limti=1", 400},
                                         {"/api/v1/routes?prefix=x", 400},
                                         {"/api/v1/routes?match=lpm", 400},
                                         {"/api/v1/routes?table=adj-in", 400},
                                         {"/api/v1/routes?cursor=10.0.0.1/8", 400},
                                         {"/api/v1/routes?prefix=%zz", 400},
                                         {"/api/v1/neighbors/%zz", 400},
                                         {"/api/v1/neighbors/10.9.9.9", 404},
                                         {"/api/v1/ports/x", 404},
                                         {"/api/v1/explain?dst=x", 400},
                                         {"/api/v1/events?severity=loud", 400}}) {
        const auto reply = get(target);
        EXPECT_EQ(reply.status, status) << target;
        EXPECT_NE(reply.header.find("application/problem+json"), std::string::npos) << target;
        EXPECT_NE(reply.body.find("\"type\":\"urn:torii:problem:"), std::string::npos) << target;
    }
}

TEST_F(ServerTest, NamesTheMethodsThatAreAllowed) {
    start();
    const auto reply = client().request("DELETE", "/api/v1/ports");
    EXPECT_EQ(reply.status, 405);
    EXPECT_NE(reply.header.find("Allow: GET"), std::string::npos);
}

TEST_F(ServerTest, AnswersAQuestionThatTheRouterDropsWith503) {
    start();
    router.drops = true;
    EXPECT_EQ(get("/api/v1/neighbors").status, 503);
}

TEST_F(ServerTest, AnswersAQuestionThatTakesTooLongWith504) {
    ServerSettings settings;
    settings.answer_timeout = std::chrono::milliseconds{300};
    start(settings);
    router.silent = true;
    EXPECT_EQ(get("/api/v1/neighbors").status, 504);
    for (auto& done : router.kept) done(std::vector<NeighborRow>{});  // late: nobody minds
    router.silent = false;
    EXPECT_EQ(get("/api/v1/neighbors").status, 200);
}

TEST_F(ServerTest, StopsWhileQuestionsAreOpen) {
    start();
    router.silent = true;
    auto connection = client();
    connection.send("GET /api/v1/neighbors HTTP/1.1\r\nHost: localhost\r\n\r\n");
    while (router.kept.empty()) std::this_thread::yield();
    server.reset();
    for (auto& done : router.kept) done(std::vector<NeighborRow>{});
}

TEST_F(ServerTest, RefusesABodyOrAHeaderThatIsTooLarge) {
    ServerSettings settings;
    settings.max_body = 1000;
    start(settings);
    EXPECT_EQ(
        client().request("PUT", "/api/v1/routes/static/10.0.0.0/8", std::string(2000, 'x')).status,
        413);
    EXPECT_EQ(get("/healthz", "X: " + std::string(20000, 'x') + "\r\n").status, 431);
}

TEST_F(ServerTest, TellsAClientThatAsksToGoOn) {
    start();
    auto connection = client();
    connection.send(
        "PUT /api/v1/routes/static/10.0.0.0/8 HTTP/1.1\r\nHost: localhost\r\n"
        "Expect: 100-continue\r\nContent-Length: 18\r\n\r\n");
    EXPECT_NE(connection.read_until("\r\n\r\n").find("100"), std::string::npos);
    connection.send("{\"kind\":\"discard\"}");
    EXPECT_EQ(connection.reply().status, 201);
}

TEST_F(ServerTest, SurvivesRandomBytes) {
    start();
    std::mt19937 random{42};
    for (int i = 0; i < 200; ++i) {
        std::string bytes(random() % 3000, '\0');
        for (char& c : bytes) c = static_cast<char>(random());
        if (i % 2) bytes = "GET /api/v1/routes?" + bytes;
        if (i % 3 == 0)
            bytes = "PUT /api/v1/routes/static/10.0.0.0/8 HTTP/1.1\r\nContent-Length: 9\r\n\r\n" +
                    bytes;
        auto connection = client();
        connection.send(bytes);
    }
    EXPECT_EQ(get("/healthz").status, 200);
}

TEST_F(ServerTest, SurvivesRandomJson) {
    start();
    std::mt19937 random{7};
    const std::vector<std::string> words{"{",           "}",
                                         "[",           "]",
                                         "\"via\"",     ":",
                                         ",",           "\"10.0.0.1\"",
                                         "1e999",       "null",
                                         "true",        "\"kind\"",
                                         "\"discard\"", "\"distance\"",
                                         "-1"};
    auto connection = client();
    for (int i = 0; i < 500; ++i) {
        std::string body;
        for (std::size_t n = random() % 12 + 1; n > 0; --n) body += words[random() % words.size()];
        const auto reply = connection.request("PUT", "/api/v1/routes/static/10.0.0.0/8", body);
        EXPECT_LT(reply.status, 500) << body;
        EXPECT_GE(reply.status, 200) << body;
    }
    EXPECT_EQ(
        client().request("PUT", "/api/v1/routes/static/10.0.0.0/8", std::string(5000, '[')).status,
        400);
}

TEST_F(ServerTest, MakesRoomForANewClientByClosingTheIdlestOne) {
    ServerSettings settings;
    settings.max_connections = 20;
    start(settings);
    std::vector<WireClient> slow;
    for (int i = 0; i < 60; ++i) {
        slow.push_back(client());
        slow.back().send("GET /api/v1/routes HT");
    }
    EXPECT_EQ(get("/healthz").status, 200);
}

TEST_F(ServerTest, ASlowHeaderEndsInTime) {
    ServerSettings settings;
    settings.header_timeout = std::chrono::milliseconds{50};
    start(settings);
    auto slow = client();
    slow.send("GET /healthz HTTP/1.1\r\nHost:");
    EXPECT_EQ(slow.read_all(), "");  // closed by the server
}

TEST_F(ServerTest, ServesAHealthyClientWhileAThousandReadNothing) {
    for (std::uint32_t i = 0; i < 3000; ++i)
        router.add((IpAddress::v4(0x0a000000 + (i << 8)).to_string() + "/24").c_str(), "10.0.0.2",
                   "bgp");
    start();
    std::vector<WireClient> slow;
    for (int i = 0; i < 1000; ++i) {
        slow.push_back(client());
        slow.back().send("GET /api/v1/routes?limit=1000 HTTP/1.1\r\nHost: localhost\r\n\r\n");
    }
    const auto begin = std::chrono::steady_clock::now();
    EXPECT_EQ(get("/healthz").status, 200);
    EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds{30});
}

TEST_F(ServerTest, RemembersTheAnswerToAnIdempotencyKey) {
    start();
    const auto put = [&](const std::string& key) {
        return client()
            .request("PUT", "/api/v1/routes/static/10.7.0.0/16", "{\"kind\":\"discard\"}",
                     "Idempotency-Key: " + key + "\r\n")
            .status;
    };
    EXPECT_EQ(put("a"), 201);
    EXPECT_EQ(put("a"), 201);  // the answer of before, not a second write
    EXPECT_EQ(put("b"), 200);
}

TEST_F(ServerTest, WritesAnAuditEventForEveryWriteAndNoneForReads) {
    start();
    get("/api/v1/routes");
    client().request("DELETE", "/api/v1/routes/static/10.0.0.0/8");
    server.reset();
    ASSERT_EQ(audit.events.size(), 1u);
    EXPECT_EQ(audit.events[0].id.name(), "MGMT-WRITE-REFUSED");
    EXPECT_EQ(audit.events[0].text, "DELETE /api/v1/routes/static/10.0.0.0/8");
    EXPECT_EQ(audit.events[0].fields[1].second, "404");
}

TEST_F(ServerTest, LetsNoOtherPageWriteThroughABrowser) {
    start();
    EXPECT_EQ(client()
                  .request("DELETE", "/api/v1/routes/static/10.0.0.0/8", "",
                           "Origin: http://evil.example\r\n")
                  .status,
              403);
    auto rebound = client();
    rebound.send("GET /api/v1/routes HTTP/1.1\r\nHost: evil.example:8080\r\n\r\n");
    EXPECT_EQ(rebound.reply().status, 403);
}

TEST_F(ServerTest, AsksForATokenAndGivesItsRole) {
    ServerSettings settings;
    const auto reader = make_token(), admin = make_token();
    settings.tokens = {{"grafana", reader.hash, Role::Read}, {"me", admin.hash, Role::Admin}};
    start(settings);
    const auto bearer = [](const std::string& token) {
        return "Authorization: Bearer " + token + "\r\n";
    };
    EXPECT_EQ(get("/healthz").status, 200);
    EXPECT_EQ(get("/api/v1/routes").status, 401);
    EXPECT_EQ(get("/api/v1/routes", bearer("wrong")).status, 401);
    EXPECT_EQ(get("/api/v1/routes", bearer(reader.token)).status, 200);
    EXPECT_EQ(client().request("POST", "/api/v1/config/reload", "", bearer(reader.token)).status,
              403);
    EXPECT_EQ(client().request("POST", "/api/v1/config/reload", "", bearer(admin.token)).status,
              200);
}

TEST_F(ServerTest, FollowsEventsAsTheyHappen) {
    start();
    log.append({"BGP-ADJCHANGE-UP", "10.0.0.2 is up", {{"peer", "10.0.0.2"}}}, {});
    auto connection = client();
    connection.send(
        "GET /api/v1/events?after=0 HTTP/1.1\r\nHost: localhost\r\n"
        "Accept: text/event-stream\r\n\r\n");
    EXPECT_NE(connection.read_until("10.0.0.2 is up").find("id: 1"), std::string::npos);
    log.append({"BGP-ADJCHANGE-DOWN", "10.0.0.2 is down", {}}, {});
    EXPECT_NE(connection.read_until("10.0.0.2 is down").find("id: 2"), std::string::npos);
}

TEST_F(ServerTest, FollowsAndListsEventsOfASeverityAlone) {
    start();
    log.append({"BGP-ADJCHANGE-UP", "10.0.0.2 is up", {}}, {});
    log.append({"BGP-ADJCHANGE-DOWN", "10.0.0.2 is down", {}}, {});
    const auto listed = client().request("GET", "/api/v1/events?after=0&severity=warning").body;
    EXPECT_EQ(listed.find("is up"), std::string::npos) << listed;
    EXPECT_NE(listed.find("is down"), std::string::npos) << listed;
    auto connection = client();
    connection.send(
        "GET /api/v1/events?after=0&severity=warning HTTP/1.1\r\nHost: localhost\r\n"
        "Accept: text/event-stream\r\n\r\n");
    const auto followed = connection.read_until("is down");
    EXPECT_EQ(followed.find("is up"), std::string::npos) << followed;
    EXPECT_EQ(client().request("GET", "/api/v1/events?severity=loud").status, 400);
}

}  // namespace
}  // namespace torii::mgmt
