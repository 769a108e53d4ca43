#include "config/store.hpp"

#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <random>
#include <thread>

#include "config/config.hpp"
#include "tests/support/sanitized.hpp"

namespace torii::config {
namespace {

class StoreTest : public testing::Test {
protected:
    void SetUp() override {
        std::filesystem::remove_all(directory);
        std::filesystem::create_directories(directory);
    }
    void TearDown() override { std::filesystem::remove_all(directory); }
    // In memory where there is such a place: a killed process loses nothing of what it
    // wrote, and a disk that others use makes this wait for minutes.
    std::string directory =
        (std::filesystem::exists("/dev/shm") ? "/dev/shm/" : testing::TempDir()) + "torii-store-" +
        std::to_string(::getpid());
};

RevisionNote note(std::uint64_t number) {
    return {number, "2026-01-02T03:04:05Z", "token ops", "why", "1 route added"};
}

TEST_F(StoreTest, GivesBackWhatItKept) {
    RevisionStore store{directory + "/revisions"};
    EXPECT_TRUE(store.list().empty());
    ASSERT_TRUE(store.put(note(7), "log = { level = \"debug\"; };\n"));
    ASSERT_TRUE(store.put(note(12), ""));

    const RevisionStore again{directory + "/revisions"};
    EXPECT_EQ(again.list(), (std::vector{note(7), note(12)}));
    const auto text = again.text(7);
    ASSERT_TRUE(text);
    const auto loaded = load_text(*text, "revision 7");
    ASSERT_TRUE(loaded);
    EXPECT_EQ(loaded->model.log.level, LogLevel::Debug);
    EXPECT_FALSE(again.text(8));
}

TEST_F(StoreTest, KeepsInMemoryWithoutADirectory) {
    RevisionStore store{""};
    for (std::uint64_t n = 1; n <= RevisionStore::kKept + 3; ++n)
        ASSERT_TRUE(store.put(note(n), std::to_string(n)));
    EXPECT_EQ(store.list().size(), RevisionStore::kKept);
    EXPECT_EQ(store.list().front().number, 4u);
    EXPECT_EQ(*store.text(5), "5");
    EXPECT_FALSE(store.text(3));
}

TEST_F(StoreTest, ForgetsTheOldest) {
    RevisionStore store{directory};
    for (std::uint64_t n = 1; n <= RevisionStore::kKept + 3; ++n)
        ASSERT_TRUE(store.put(note(n), ""));
    EXPECT_EQ(store.list().size(), RevisionStore::kKept);
    EXPECT_EQ(store.list().front().number, 4u);
    EXPECT_FALSE(std::filesystem::exists(directory + "/3.cfg"));
}

TEST_F(StoreTest, ACommentCannotBecomeConfiguration) {
    RevisionStore store{directory};
    auto evil = note(1);
    evil.comment = "x\nmanagement = { socket = \"\"; };\n";
    ASSERT_TRUE(store.put(evil, "log = { };\n"));
    const auto loaded = load_text(*store.text(1), "revision 1");
    ASSERT_TRUE(loaded);
    EXPECT_EQ(loaded->model.management, Model{}.management);
    EXPECT_EQ(store.list()[0].comment, "x management = { socket = \"\"; }; ");
}

TEST_F(StoreTest, LeavesAloneWhatIsNoRevision) {
    std::ofstream{directory + "/3.cfg"} << "bgp = { asn = 1; };\n";
    std::ofstream{directory + "/notes.cfg"} << "";
    std::ofstream{directory + "/9.cfg.new"} << "half";
    RevisionStore store{directory};
    EXPECT_TRUE(store.list().empty());
    EXPECT_FALSE(store.text(3));
    EXPECT_TRUE(std::filesystem::exists(directory + "/3.cfg"));
    EXPECT_FALSE(std::filesystem::exists(directory + "/9.cfg.new"));
}

TEST_F(StoreTest, SaysWhatFailed) {
    std::ofstream{directory + "/file"} << "";
    RevisionStore store{directory + "/file/below"};
    EXPECT_FALSE(store.put(note(1), ""));
    const auto written = replace_file(directory + "/missing/x.cfg", "");
    ASSERT_FALSE(written);
    EXPECT_NE(written.error().message().find("/missing/x.cfg"), std::string::npos);
}

TEST_F(StoreTest, KeepsTheModeOfWhatItReplaces) {
    const auto file = directory + "/torii.cfg";
    const auto mode = [&] { return std::filesystem::status(file).permissions(); };
    using std::filesystem::perms;
    ASSERT_TRUE(replace_file(file, "new"));
    EXPECT_EQ(mode(), perms{0600});
    std::filesystem::permissions(file, perms{0640});
    ASSERT_TRUE(replace_file(file, "again"));
    EXPECT_EQ(mode(), perms{0640});
}

// Two configurations that nobody takes for each other, nor half of one for a whole.
std::string startup(int kind, int neighbors) {
    std::string out = "bgp = { asn = " + std::to_string(64512 + kind) +
                      "; router_id = \"10.9.9.9\";\n  neighbors = (\n";
    for (int n = 0; n < neighbors; ++n)
        out += "    { address = \"10." + std::to_string(kind) + '.' + std::to_string(n / 250) +
               '.' + std::to_string(n % 250 + 1) + "\"; remote_as = 65001; },\n";
    return out.erase(out.size() - 2) + "\n  );\n};\n";
}

// What toriid does for each commit that is saved, for ever; counts those that are done.
[[noreturn]] void commit_for_ever(const std::string& directory, const std::string (&texts)[2],
                                  std::atomic<unsigned>& done) {
    RevisionStore store{directory + "/revisions"};
    const auto kept = store.list();
    for (std::uint64_t n = kept.empty() ? 1 : kept.back().number + 1;; ++n) {
        if (!store.put(note(n), texts[n % 2]) ||
            !replace_file(directory + "/torii.cfg", texts[n % 2]))
            std::_Exit(1);
        ++done;
    }
}

TEST_F(StoreTest, KilledAtAnyInstantTheStartupFileLoads) {
    // With sanitizers a fork and a load take a quarter of a second.
    constexpr int kKills = kSanitized ? 20 : 200;
    const std::string texts[] = {startup(0, 200), startup(1, 150)};
    const Model models[] = {load_text(texts[0], "0")->model, load_text(texts[1], "1")->model};
    ASSERT_TRUE(replace_file(directory + "/torii.cfg", texts[0]));
    std::mt19937 random{5};
    std::uniform_int_distribution<int> microseconds{0, 8000};
    std::uint64_t newest = 0;
    void* shared = mmap(nullptr, sizeof(std::atomic<unsigned>), PROT_READ | PROT_WRITE,
                        MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    ASSERT_NE(shared, MAP_FAILED);
    auto& done = *new (shared) std::atomic<unsigned>{0};
    for (int i = 0; i < kKills; ++i) {
        done = 0;
        const auto child = fork();
        ASSERT_GE(child, 0);
        if (child == 0) commit_for_ever(directory, texts, done);
        // However busy the machine is, not before there is something to break.
        while (done == 0 && waitpid(child, nullptr, WNOHANG) == 0)
            std::this_thread::sleep_for(std::chrono::microseconds{100});
        std::this_thread::sleep_for(std::chrono::microseconds{microseconds(random)});
        kill(child, SIGKILL);
        int status = 0;
        ASSERT_EQ(waitpid(child, &status, 0), child);
        ASSERT_TRUE(WIFSIGNALED(status)) << "the writer failed by itself";

        const auto loaded = load(directory + "/torii.cfg");
        ASSERT_TRUE(loaded) << "kill " << i << ": " << loaded.error()[0].to_string();
        ASSERT_TRUE(loaded->model == models[0] || loaded->model == models[1]) << "kill " << i;

        const RevisionStore store{directory + "/revisions"};
        const auto kept = store.list();
        if (kept.empty()) continue;
        ASSERT_GE(kept.back().number, newest);
        newest = kept.back().number;
        const auto text = store.text(newest);
        ASSERT_TRUE(text);
        ASSERT_TRUE(text->ends_with(texts[newest % 2])) << "revision " << newest << " is no whole";
    }
    munmap(shared, sizeof(std::atomic<unsigned>));
    EXPECT_GE(newest, static_cast<std::uint64_t>(kKills));
}

}  // namespace
}  // namespace torii::config
