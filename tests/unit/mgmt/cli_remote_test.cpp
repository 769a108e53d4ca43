#include "mgmt/cli/json.hpp"
#include "tests/unit/mgmt/cli_fixture.hpp"
#include "tests/unit/mgmt/wire_client.hpp"

namespace torii::cli {
namespace {

TEST_F(CliTest, SaysWhenNobodyAnswers) {
    server.reset();
    EXPECT_EQ(torii({"status"}), kUnreachable);
    EXPECT_NE(err.str().find("is toriid running?"), std::string::npos);
    EXPECT_EQ(torii({"--url", "http://127.0.0.1:1", "status"}), kUnreachable);
    EXPECT_EQ(torii({"--url", "ftp://127.0.0.1:1", "status"}), kUnreachable);
}

TEST_F(CliTest, EndsWithTheSameCodeForPeopleAndPrograms) {
    router.report.ready = false;
    EXPECT_EQ(torii({"status"}), kNotReady);
    EXPECT_EQ(torii({"--json", "status"}), kNotReady);
    EXPECT_TRUE(shows(R"("ready":false)")) << out.str();
    EXPECT_EQ(torii({"--json", "route", "show", "::1"}), kRefused);
    EXPECT_EQ(torii({"--json", "route", "show", "10.99.0.0/16"}), kRefused);
    EXPECT_TRUE(shows(R"("routes":[])")) << out.str();
    EXPECT_EQ(torii({"--json", "liveness", "10.9.9.9"}), kRefused);
    EXPECT_TRUE(shows(R"("liveness":[])")) << out.str();
    EXPECT_EQ(torii({"--json", "bgp", "neighbor", "10.9.9.9"}), kRefused);
}

TEST_F(CliTest, ShowsAGatewayWithoutBgp) {
    router.report.asn = 0;
    router.report.hostname.clear();
    EXPECT_EQ(torii({"status"}), kOk);
    EXPECT_TRUE(out.str().starts_with("torii ")) << out.str();
    EXPECT_FALSE(shows("AS 0"));
    EXPECT_TRUE(shows("no BGP"));
}

TEST_F(CliTest, PrintsAsManyRoutesAsAskedForAsOneAnswer) {
    for (unsigned i = 0; i < 2500; ++i) {
        const auto prefix =
            "10." + std::to_string(100 + i / 256) + '.' + std::to_string(i % 256) + ".0/24";
        router.add(prefix.c_str(), "10.0.0.2", "bgp");
    }
    const auto rows = [&](const std::string& limit) {
        EXPECT_EQ(torii({"--json", "route", "list", "--limit", limit}), kOk) << err.str();
        const auto answer = parse_json(out.str());
        return answer ? list(*answer, "routes").size() : 0;
    };
    EXPECT_EQ(rows("2100"), 2100u);
    EXPECT_EQ(rows("5000"), 2502u);
    EXPECT_EQ(rows("10"), 10u);
}

TEST_F(CliTest, SpeaksToAUrlToo) {
    EXPECT_EQ(
        torii({"--url", "http://127.0.0.1:" + std::to_string(server->tcp_ports()[0]), "status"}),
        kOk)
        << err.str();
}

TEST_F(CliTest, SpeaksHttpsAndChecksTheCertificate) {
    const auto directory = testing::TempDir();
    const auto files = mgmt::make_certificate(directory, "localhost");
    const auto others = mgmt::make_certificate(directory, "gate2");
    mgmt::ServerSettings settings;
    settings.tcp = {{IpAddress::v4(0x7f000001), 0}};
    settings.tls = mgmt::TlsFiles{files.certificate, files.key, ""};
    auto secure = mgmt::Server::start(settings, router.views(), log);
    ASSERT_TRUE(secure->problems().empty()) << secure->problems()[0];
    const auto url = "https://localhost:" + std::to_string(secure->tcp_ports()[0]);
    EXPECT_EQ(torii({"--url", url, "--ca", files.certificate, "status"}), kOk) << err.str();
    EXPECT_EQ(torii({"--url", url, "--ca", files.certificate, "--json", "route", "list"}), kOk);
    EXPECT_TRUE(shows("10.244.1.0/24")) << out.str();

    EXPECT_EQ(torii({"--url", url, "status"}), kUnreachable) << "nothing vouches for it";
    EXPECT_NE(err.str().find("is not trusted"), std::string::npos) << err.str();
    EXPECT_NE(err.str().find("--ca FILE"), std::string::npos) << err.str();
    EXPECT_EQ(torii({"--url", url, "--ca", others.certificate, "status"}), kUnreachable);
    EXPECT_EQ(torii({"--url", url, "--ca", "/nowhere", "status"}), kUnreachable);
    const auto by_address = "https://127.0.0.1:" + std::to_string(secure->tcp_ports()[0]);
    EXPECT_EQ(torii({"--url", by_address, "--ca", files.certificate, "status"}), kUnreachable)
        << "it is the certificate of another name";
    EXPECT_EQ(torii({"--url", "https://localhost:" + std::to_string(server->tcp_ports()[0]), "--ca",
                     files.certificate, "status"}),
              kUnreachable)
        << "plain HTTP is no TLS";
}

TEST_F(CliTest, ShowsItsCertificateToAServerThatAsks) {
    const auto directory = testing::TempDir();
    const auto files = mgmt::make_certificate(directory, "localhost");
    const auto client = mgmt::make_certificate(directory, "operator");
    mgmt::ServerSettings settings;
    settings.tcp = {{IpAddress::v4(0x7f000001), 0}};
    settings.tls = mgmt::TlsFiles{files.certificate, files.key, client.certificate};
    auto secure = mgmt::Server::start(settings, router.views(), log);
    ASSERT_TRUE(secure->problems().empty()) << secure->problems()[0];
    const auto url = "https://localhost:" + std::to_string(secure->tcp_ports()[0]);
    EXPECT_EQ(torii({"--url", url, "--ca", files.certificate, "--cert", client.certificate, "--key",
                     client.key, "bgp", "peers"}),
              kOk)
        << err.str();
    EXPECT_EQ(torii({"--url", url, "--ca", files.certificate, "bgp", "peers"}), kUnreachable);
    EXPECT_EQ(torii({"--url", url, "--ca", files.certificate, "--key", client.key, "status"}),
              kUnreachable);
    EXPECT_NE(err.str().find("--key wants --cert too"), std::string::npos) << err.str();
}

}  // namespace
}  // namespace torii::cli
