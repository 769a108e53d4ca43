#include "app/drain.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

namespace torii::app {
namespace {

class DrainTest : public testing::Test {
protected:
    void SetUp() override { std::filesystem::create_directories(directory); }
    void TearDown() override { std::filesystem::remove_all(directory); }
    std::string directory = testing::TempDir() + "torii-drain-" + std::to_string(::getpid());
};

TEST_F(DrainTest, OutlivesTheProcess) {
    EXPECT_FALSE(kept_drain(directory));
    const auto since = std::chrono::system_clock::from_time_t(1'700'000'000);
    keep_drain(directory, Drained{since, "new kernel\nand disks"});
    const auto kept = kept_drain(directory);
    ASSERT_TRUE(kept);
    EXPECT_EQ(kept->since, since);
    EXPECT_EQ(kept->reason, "new kernel\nand disks");
    keep_drain(directory, std::nullopt);
    EXPECT_FALSE(kept_drain(directory));
}

TEST_F(DrainTest, AFileThatWasTamperedWithStillDrains) {
    for (const std::string content : {"", "yesterday", "\n\n", "17", "99999999999999999999999\n"}) {
        std::ofstream{directory + "/drained"} << content;
        EXPECT_TRUE(kept_drain(directory)) << content;
    }
}

TEST_F(DrainTest, KeepsNothingWithoutADirectory) {
    keep_drain("", Drained{});
    EXPECT_FALSE(kept_drain(""));
    keep_drain(directory + "/missing", Drained{});
    EXPECT_FALSE(kept_drain(directory + "/missing"));
}

}  // namespace
}  // namespace torii::app
