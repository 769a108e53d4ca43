#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <mutex>
#include <thread>

#include "mgmt/auth.hpp"
#include "mgmt/server.hpp"
#include "tests/unit/mgmt/fake_views.hpp"
#include "tests/unit/mgmt/wire_client.hpp"

// Settings that change while the server runs, and what it cannot have yet.
namespace torii::mgmt {
namespace {

class Sink final : public EventSink {
public:
    void emit(Event event) override {
        const std::lock_guard lock{mutex_};
        names_.emplace_back(event.id.name());
    }
    std::size_t count(std::string_view name) const {
        const std::lock_guard lock{mutex_};
        return static_cast<std::size_t>(std::ranges::count(names_, name));
    }

private:
    mutable std::mutex mutex_;
    std::vector<std::string> names_;
};

template <class F>
bool soon(F done) {
    for (int i = 0; i < 300; ++i) {
        if (done()) return true;
        std::this_thread::sleep_for(std::chrono::milliseconds{10});
    }
    return false;
}

// Holds a TCP port of loopback, as another process would.
class Occupied {
public:
    Occupied() : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
        sockaddr_in at{};
        at.sin_family = AF_INET;
        at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        socklen_t size = sizeof at;
        ::bind(socket_, reinterpret_cast<sockaddr*>(&at), size);
        ::listen(socket_, 1);
        ::getsockname(socket_, reinterpret_cast<sockaddr*>(&at), &size);
        port = ntohs(at.sin_port);
    }
    ~Occupied() { release(); }
    void release() {
        if (socket_ >= 0) ::close(socket_);
        socket_ = -1;
    }
    std::uint16_t port = 0;

private:
    int socket_;
};

bool can_connect(std::uint16_t port) {
    const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in at{};
    at.sin_family = AF_INET;
    at.sin_port = htons(port);
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const bool good = ::connect(socket, reinterpret_cast<sockaddr*>(&at), sizeof at) == 0;
    ::close(socket);
    return good;
}

class LiveSettingsTest : public testing::Test {
protected:
    void start() { server = Server::start(settings, router.views(), log, &events); }
    WireClient::Reply get(std::uint16_t port, const std::string& token) const {
        return WireClient::tcp(port).request(
            "GET", "/api/v1/status", "",
            token.empty() ? "" : "Authorization: Bearer " + token + "\r\n");
    }

    FakeRouter router;
    EventLog log;
    Sink events;
    ServerSettings settings;
    std::unique_ptr<Server> server;
};

TEST_F(LiveSettingsTest, ARevokedTokenIsRefusedAndAStreamOfItEnds) {
    const auto one = make_token(), two = make_token();
    settings.tcp = {{IpAddress::v4(0x7f000001), 0}};
    settings.tokens = {{"one", one.hash, Role::Admin}};
    start();
    const auto port = server->tcp_ports()[0];
    EXPECT_EQ(get(port, one.token).status, 200);
    auto stream = WireClient::tcp(port);
    stream.send("GET /api/v1/events?after=0 HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer " +
                one.token + "\r\nAccept: text/event-stream\r\n\r\n");
    EXPECT_NE(stream.read_until("\r\n\r\n").find("200"), std::string::npos);

    settings.tokens = {{"two", two.hash, Role::Admin}};
    server->configure(settings);
    EXPECT_TRUE(soon([&] { return get(port, one.token).status == 401; }));
    EXPECT_EQ(get(port, two.token).status, 200);
    EXPECT_EQ(stream.read_all().find("0\r\n\r\n"), std::string::npos) << "not taken for whole";
}

TEST_F(LiveSettingsTest, WithoutTokensAClientOnLoopbackOnlyReads) {
    settings.tcp = {{IpAddress::v4(0x7f000001), 0}};
    settings.unix_path = testing::TempDir() + "torii-live-" + std::to_string(::getpid()) + ".sock";
    start();
    const auto port = server->tcp_ports()[0];
    EXPECT_EQ(get(port, "").status, 200);
    EXPECT_EQ(WireClient::tcp(port).request("POST", "/api/v1/config/save").status, 403);
    EXPECT_EQ(WireClient::tcp(port).request("GET", "/api/v1/capture").status, 403);
    EXPECT_EQ(WireClient::unix(settings.unix_path).request("POST", "/api/v1/config/save").status,
              204);
}

TEST_F(LiveSettingsTest, AnAddressThatIsTakenIsToldAndServedWhenItIsFree) {
    Occupied other;
    settings.tcp = {{IpAddress::v4(0x7f000001), other.port}};
    settings.unix_path = testing::TempDir() + "torii-busy-" + std::to_string(::getpid()) + ".sock";
    start();
    ASSERT_EQ(server->problems().size(), 1u);
    EXPECT_NE(server->problems()[0].find(std::to_string(other.port)), std::string::npos);
    EXPECT_EQ(WireClient::unix(settings.unix_path).request("GET", "/healthz").status, 200);
    other.release();
    EXPECT_TRUE(soon([&] { return server->problems().empty(); }));
    EXPECT_EQ(get(other.port, "").status, 200);
    EXPECT_EQ(events.count("MGMT-LISTEN-FAILED"), 1u);
    EXPECT_EQ(events.count("MGMT-LISTENING"), 1u);
}

TEST_F(LiveSettingsTest, AListenerComesAndGoesWithTheSettings) {
    settings.tcp = {{IpAddress::v4(0x7f000001), 0}};
    start();
    const auto port = server->tcp_ports()[0];
    settings.tcp.clear();
    server->configure(settings);
    EXPECT_TRUE(soon([&] { return !can_connect(port); }));
}

TEST_F(LiveSettingsTest, ACertificateIsServedOnceItIsThereAndAgainWhenItsFileChanges) {
    const auto directory = testing::TempDir() + "torii-live-tls-" + std::to_string(::getpid());
    std::filesystem::create_directories(directory);
    const auto first = make_certificate(testing::TempDir(), "torii-gate");
    const auto second = make_certificate(testing::TempDir(), "torii-other");
    const TlsFiles files{directory + "/gate.crt", directory + "/gate.key", ""};
    const auto install = [&](const CertificateFiles& from) {
        using std::filesystem::copy_options;
        std::filesystem::copy_file(from.certificate, files.certificate,
                                   copy_options::overwrite_existing);
        std::filesystem::copy_file(from.key, files.key, copy_options::overwrite_existing);
    };
    const auto token = make_token();
    settings.tcp = {{IpAddress::v4(0x7f000001), 0}};
    settings.tokens = {{"ops", token.hash, Role::Admin}};
    settings.tls = files;
    start();
    EXPECT_TRUE(server->tcp_ports().empty()) << "never without the certificate";
    EXPECT_EQ(server->problems().size(), 2u);
    install(first);
    ASSERT_TRUE(soon([&] { return server->problems().empty(); }));
    const auto port = server->tcp_ports()[0];
    EXPECT_EQ(WireClient::tls(port, {}).request("GET", "/healthz").status, 200);
    install(second);
    EXPECT_TRUE(soon([&] { return events.count("MGMT-TLS-LOADED") >= 2; }));
    EXPECT_EQ(WireClient::tls(port, {}).request("GET", "/healthz").status, 200);
    // A file that cannot be used leaves the former certificate in service.
    std::filesystem::resize_file(files.certificate, 10);
    EXPECT_TRUE(soon([&] { return !server->problems().empty(); }));
    EXPECT_EQ(WireClient::tls(port, {}).request("GET", "/healthz").status, 200);
    std::filesystem::remove_all(directory);
}

}  // namespace
}  // namespace torii::mgmt
