// MRT files as another implementation reads them: bgpdump.
#include <sys/stat.h>

#include <cstdio>
#include <filesystem>
#include <thread>

#include "tests/unit/bgp/raw_peer.hpp"

namespace torii::bgp::test {
namespace {

using namespace std::chrono_literals;
namespace fs = std::filesystem;

struct Mrt : testing::Test {
    void SetUp() override {
        char name[] = "/tmp/torii-mrt-XXXXXX";
        directory = mkdtemp(name);
        auto s = settings();
        s.mrt.directory = directory;
        s.networks = {prefix("192.0.2.0/24")};
        s.neighbors = {neighbor("10.99.0.1", 65001), neighbor("10.99.0.2", 65002)};
        world.speaker->apply(s);
        ASSERT_TRUE(world.speaker->start());
    }
    void TearDown() override { fs::remove_all(directory); }

    // Runs the speaker until the answer is there; the disk has its own pace.
    MrtFile written(const std::function<void(Speaker::MrtDone)>& ask) {
        std::optional<Result<MrtFile, SystemError>> answer;
        ask([&](Result<MrtFile, SystemError> result) { answer = std::move(result); });
        for (int i = 0; i < 2000 && !answer; ++i) {
            world.settle();
            if (!answer) std::this_thread::sleep_for(5ms);
        }
        if (!answer || !*answer) {
            ADD_FAILURE() << (answer ? answer->error().message() : "no answer");
            return {};
        }
        return **answer;
    }
    static std::string bgpdump(const std::string& file) {
        std::string out;
        FILE* pipe = popen(("bgpdump -m " + file + " 2>/dev/null").c_str(), "r");
        char line[4096];
        while (pipe != nullptr && fgets(line, sizeof line, pipe) != nullptr) out += line;
        if (pipe != nullptr) pclose(pipe);
        return out;
    }
    bool in(const std::string& text, const std::string& part) {
        return text.find(part) != std::string::npos;
    }
    std::string directory;
    World world;
};

TEST_F(Mrt, TableDumpsAreReadByBgpdump) {
    const auto a = world.up("10.99.0.1", 65001), b = world.up("10.99.0.2", 65002);
    a->send(announce({"10.244.1.0/24", "10.244.2.0/24"}, {65001, 64999}, "10.99.0.1"));
    b->send(announce({"10.244.1.0/24"}, {65002}, "10.99.0.2"));
    b->send(announce({"fd00:1::/64"}, {65002}, "fd99::2"));
    world.settle();
    const auto file = written([&](auto done) { world.speaker->dump_table(std::move(done)); });
    EXPECT_EQ(file.prefixes, 4u);
    EXPECT_EQ(file.records, 5u);
    EXPECT_EQ(file.bytes, fs::file_size(file.file));
    const auto text = bgpdump(file.file);
    EXPECT_TRUE(in(text, "|B|10.99.0.1|65001|10.244.1.0/24|65001 64999|IGP|10.99.0.1|")) << text;
    EXPECT_TRUE(in(text, "|B|10.99.0.2|65002|10.244.1.0/24|65002|IGP|10.99.0.2|")) << text;
    EXPECT_TRUE(in(text, "|B|10.99.0.2|65002|fd00:1::/64|65002|IGP|fd99::2|")) << text;
    EXPECT_TRUE(in(text, "192.0.2.0/24")) << text;
}

TEST_F(Mrt, UpdatesAreReadByBgpdump) {
    const auto a = world.up("10.99.0.1", 65001);
    std::optional<Result<MrtFile, SystemError>> answer;
    ASSERT_TRUE(
        world.speaker->record_updates(1s, [&](auto result) { answer = std::move(result); }));
    a->send(announce({"10.244.1.0/24"}, {65001}, "10.99.0.1"));
    a->send(withdraw({"10.244.1.0/24"}));
    world.settle();
    a->close();
    world.settle();
    for (int i = 0; i < 1000 && !answer; ++i) {
        world.settle();
        std::this_thread::sleep_for(5ms);
    }
    ASSERT_TRUE(answer && *answer);
    EXPECT_EQ((*answer)->records, 3u);
    const auto text = bgpdump((*answer)->file);
    EXPECT_TRUE(in(text, "|A|10.99.0.1|65001|10.244.1.0/24|65001|IGP|10.99.0.1|")) << text;
    EXPECT_TRUE(in(text, "|W|10.99.0.1|65001|10.244.1.0/24")) << text;
    EXPECT_TRUE(in(text, "|STATE|10.99.0.1|65001|6|1")) << text;
}

TEST_F(Mrt, ADirectoryThatIsNotThereIsMade) {
    auto s = world.speaker->settings();
    s.mrt.directory = directory + "/made/for/it";
    world.speaker->apply(s);
    world.speaker->dump_table([](auto) {});
    EXPECT_TRUE(fs::is_directory(s.mrt.directory));
}

TEST_F(Mrt, ADirectoryThatCannotBeIsNamed) {
    auto s = world.speaker->settings();
    s.mrt.directory = "/dev/null/nowhere";
    world.speaker->apply(s);
    std::optional<Result<MrtFile, SystemError>> answer;
    world.speaker->dump_table([&](auto result) { answer = std::move(result); });
    ASSERT_TRUE(answer);
    ASSERT_FALSE(*answer);
    EXPECT_TRUE(in(answer->error().message(), "nowhere"));
    EXPECT_TRUE(world.events.has("BGP-MRT-FAILED"));
}

}  // namespace
}  // namespace torii::bgp::test
