// What a client sees of a connection, with and without TLS.
#include <gtest/gtest.h>
#include <openssl/ssl.h>

#include <chrono>
#include <string>
#include <vector>

#include "mgmt/auth.hpp"
#include "tests/unit/mgmt/fake_views.hpp"
#include "tests/unit/mgmt/wire_client.hpp"

namespace torii::mgmt {
namespace {

using std::chrono::milliseconds;

// Runs each test over TCP and over TLS.
class TransportTest : public testing::TestWithParam<bool> {
protected:
    void start(ServerSettings settings = {}) {
        settings.tcp = {{IpAddress::v4(0x7f000001), 0}};
        if (GetParam()) settings.tls = TlsFiles{ours.certificate, ours.key, ""};
        settings.without_tokens = Role::Admin;  // these tests are not about roles
        server = Server::start(std::move(settings), router.views(), log);
        ASSERT_TRUE(server->problems().empty()) << server->problems()[0];
        port = server->tcp_ports()[0];
    }
    WireClient client() const {
        return GetParam() ? WireClient::tls(port, {}) : WireClient::tcp(port);
    }
    void add_routes(std::uint32_t count) {
        for (std::uint32_t i = 0; i < count; ++i)
            router.add((IpAddress::v4(0x0a000000 + (i << 8)).to_string() + "/24").c_str(),
                       "10.0.0.2", "bgp");
    }

    FakeRouter router;
    EventLog log;
    CertificateFiles ours = make_certificate(testing::TempDir(), "torii-gate");
    std::unique_ptr<Server> server;
    std::uint16_t port = 0;
};

INSTANTIATE_TEST_SUITE_P(Over, TransportTest, testing::Bool(),
                         [](const auto& which) { return which.param ? "Tls" : "Tcp"; });

TEST_P(TransportTest, KeepsAConnectionForManyRequests) {
    start();
    auto connection = client();
    for (int i = 0; i < 50; ++i) ASSERT_EQ(connection.request("GET", "/healthz").status, 200);
}

TEST_P(TransportTest, AnswersRequestsSentAtOnceInTheirOrder) {
    start();
    auto connection = client();
    constexpr int kMany = 3000;
    std::string all;
    for (int i = 0; i < kMany; ++i)
        all += i % 2 ? "GET /nothing HTTP/1.1\r\nHost: localhost\r\n\r\n"
                     : "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n";
    ASSERT_TRUE(connection.send(all));
    for (int i = 0; i < kMany; ++i) ASSERT_EQ(connection.reply().status, i % 2 ? 404 : 200) << i;
}

TEST_P(TransportTest, SendsAndTakesMoreThanABuffer) {
    add_routes(3000);
    start();
    auto connection = client();
    for (int i = 0; i < 3; ++i)
        EXPECT_GT(connection.request("GET", "/api/v1/routes?limit=1000").body.size(), 100'000u);
    const auto reply = connection.request("PUT", "/api/v1/routes/static/10.0.0.0/8",
                                          std::string(3 << 20, ' ') + "{\"kind\":\"discard\"}");
    EXPECT_EQ(reply.status, 201) << reply.body;
}

TEST_P(TransportTest, ClosesWhenTheClientWantsNoMore) {
    start();
    auto connection = client();
    connection.send("GET /healthz HTTP/1.0\r\nHost: localhost\r\n\r\n");
    const auto all = connection.read_all();
    EXPECT_TRUE(all.starts_with("HTTP/1.0 200 OK\r\n")) << all;
    EXPECT_TRUE(all.ends_with("ok\n")) << all;
    auto second = client();
    second.send("GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    EXPECT_NE(second.read_all().find("Connection: close\r\n"), std::string::npos);
    auto third = client();
    EXPECT_EQ(third.request("GET", "/healthz").status, 200);
    third.send_no_more();
    EXPECT_EQ(third.read_all(), "");
}

TEST_P(TransportTest, ASlowHeaderEndsInTime) {
    ServerSettings settings;
    settings.header_timeout = milliseconds{100};
    start(settings);
    auto slow = client();
    slow.send("GET /healthz HTTP/1.1\r\nHost:");
    EXPECT_EQ(slow.read_all(), "");
}

TEST_P(TransportTest, ASlowBodyEndsInTime) {
    ServerSettings settings;
    settings.idle_timeout = milliseconds{100};
    start(settings);
    auto slow = client();
    slow.send(
        "PUT /api/v1/routes/static/10.0.0.0/8 HTTP/1.1\r\nHost: localhost\r\n"
        "Content-Length: 18\r\n\r\n{");
    EXPECT_EQ(slow.read_all(), "");
}

TEST_P(TransportTest, AnIdleConnectionEndsInTimeButNotWhileItsAnswerIsWaitedFor) {
    ServerSettings settings;
    settings.idle_timeout = milliseconds{100};
    settings.answer_timeout = milliseconds{400};
    start(settings);
    auto connection = client();
    router.silent = true;
    EXPECT_EQ(connection.request("GET", "/api/v1/neighbors").status, 504);
    EXPECT_EQ(connection.request("GET", "/healthz").status, 200);
    EXPECT_EQ(connection.read_all(), "");
}

TEST_P(TransportTest, AClientThatReadsNothingEndsInTime) {
    add_routes(3000);
    ServerSettings settings;
    settings.idle_timeout = milliseconds{300};
    settings.max_connections = 1;  // so that its end can be seen
    start(settings);
    auto slow = client();
    std::string all;
    for (int i = 0; i < 200; ++i)
        all += "GET /api/v1/routes?limit=1000 HTTP/1.1\r\nHost: localhost\r\n\r\n";
    slow.send(all);
    std::size_t got = 0;
    // By the time it reads, it has been closed: not all answers are there.
    ::usleep(900'000);
    while (slow.reply().status == 200) ++got;
    EXPECT_LT(got, 200u);
}

TEST_P(TransportTest, ARefusalReachesAClientThatIsStillSending) {
    ServerSettings settings;
    settings.max_body = 1000;
    start(settings);
    auto connection = client();
    connection.send(
        "PUT /api/v1/routes/static/10.0.0.0/8 HTTP/1.1\r\nHost: localhost\r\n"
        "Content-Length: 100000\r\n\r\n" +
        std::string(20'000, 'x'));
    EXPECT_EQ(connection.reply().status, 413);
}

TEST_P(TransportTest, SaysWhatIsNoHttp) {
    start();
    auto connection = client();
    connection.send("HELO gate\r\n\r\n");
    const auto reply = connection.reply();
    EXPECT_EQ(reply.status, 400);
    EXPECT_NE(reply.body.find("not HTTP"), std::string::npos) << reply.body;
    EXPECT_EQ(connection.read_all(), "");
}

TEST_P(TransportTest, StopsWhileConnectionsAreOpen) {
    start();
    auto idle = client(), half = client(), stream = client();
    half.send("GET /healthz HT");
    stream.send(
        "GET /api/v1/events?after=0 HTTP/1.1\r\nHost: localhost\r\n"
        "Accept: text/event-stream\r\n\r\n");
    EXPECT_NE(stream.read_until("\r\n\r\n").find("200"), std::string::npos);
    server.reset();
    EXPECT_EQ(idle.read_all(), "");
    EXPECT_EQ(half.read_all(), "");
}

class TlsTest : public testing::Test {
protected:
    Result<void, SystemError> start(TlsFiles files, ServerSettings settings = {}) {
        settings.tcp = {{IpAddress::v4(0x7f000001), 0}};
        settings.tls = std::move(files);
        server = Server::start(std::move(settings), router.views(), log);
        if (const auto problems = server->problems(); !problems.empty())
            return Failure{SystemError{problems[0]}};
        port = server->tcp_ports()[0];
        return {};
    }
    TlsFiles files(std::string client_ca = "") const {
        return {ours.certificate, ours.key, std::move(client_ca)};
    }

    FakeRouter router;
    EventLog log;
    CertificateFiles ours = make_certificate(testing::TempDir(), "torii-gate"),
                     theirs = make_certificate(testing::TempDir(), "torii-client");
    std::unique_ptr<Server> server;
    std::uint16_t port = 0;
};

TEST_F(TlsTest, AHandshakeThatDoesNotEndIsEndedInTime) {
    ServerSettings settings;
    settings.header_timeout = milliseconds{100};
    ASSERT_TRUE(start(files(), settings));
    auto silent = WireClient::tcp(port), half = WireClient::tcp(port);
    half.send(std::string{"\x16\x03\x01", 3});  // the beginning of a record
    EXPECT_EQ(silent.read_all(), "");
    EXPECT_EQ(half.read_all(), "");
}

TEST_F(TlsTest, ClosesOnWhoSpeaksPlainHttp) {
    ASSERT_TRUE(start(files()));
    auto plain = WireClient::tcp(port);
    plain.send("GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n");
    EXPECT_EQ(plain.read_all().find("HTTP/1.1"), std::string::npos);
    EXPECT_EQ(WireClient::tls(port, {}).request("GET", "/healthz").status, 200);
}

TEST_F(TlsTest, SpeaksNoVersionBefore12) {
    ASSERT_TRUE(start(files()));
    EXPECT_FALSE(WireClient::tls(port, {"", "", TLS1_1_VERSION}).good());
    EXPECT_TRUE(WireClient::tls(port, {"", "", TLS1_2_VERSION}).good());
    EXPECT_TRUE(WireClient::tls(port, {"", "", TLS1_3_VERSION}).good());
}

TEST_F(TlsTest, AsksForAClientsCertificateWhereOneIsConfigured) {
    ASSERT_TRUE(start(files(theirs.certificate)));
    EXPECT_EQ(WireClient::tls(port, {}).request("GET", "/api/v1/status").status, 0);
    EXPECT_EQ(
        WireClient::tls(port, {ours.certificate, ours.key}).request("GET", "/api/v1/status").status,
        0);
    EXPECT_EQ(WireClient::tls(port, {theirs.certificate, theirs.key})
                  .request("GET", "/api/v1/status")
                  .status,
              200);
}

TEST_F(TlsTest, NamesTheFileThatCannotBeUsed) {
    const auto missing = start({"/nonexistent.crt", ours.key, ""});
    ASSERT_FALSE(missing);
    EXPECT_TRUE(missing.error().message().find("certificate /nonexistent.crt: ") !=
                std::string::npos)
        << missing.error().message();
    const auto other = start({ours.certificate, theirs.key, ""});
    ASSERT_FALSE(other);
    EXPECT_TRUE(other.error().message().find("key " + theirs.key + ": ") != std::string::npos)
        << other.error().message();
    const auto ca = start(files(testing::TempDir() + "nonexistent-ca.crt"));
    ASSERT_FALSE(ca);
    EXPECT_TRUE(ca.error().message().find("client CA ") != std::string::npos)
        << ca.error().message();
}

TEST_F(TlsTest, SurvivesClientsThatGoAwayAtAnyPoint) {
    ASSERT_TRUE(start(files()));
    const std::string hello{"\x16\x03\x01\x00\x05\x01\x00\x00\x01\x00", 10};
    for (std::size_t size = 0; size <= hello.size(); ++size)
        WireClient::tcp(port).send(std::string_view{hello}.substr(0, size));
    for (int i = 0; i < 20; ++i) {
        auto gone = WireClient::tls(port, {});
        gone.send("GET /api/v1/routes?limit=1000 HTTP/1.1\r\nHost: localhost\r\n\r\n");
    }
    EXPECT_EQ(WireClient::tls(port, {}).request("GET", "/healthz").status, 200);
}

}  // namespace
}  // namespace torii::mgmt
