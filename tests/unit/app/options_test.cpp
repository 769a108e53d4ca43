#include "app/options.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <vector>

namespace torii::app {
namespace {

Result<Options, ExitCode> parse(std::vector<std::string> words) {
    words.insert(words.begin(), "toriid");
    std::vector<char*> argv;
    for (auto& word : words) argv.push_back(word.data());
    argv.push_back(nullptr);
    return parse_options(static_cast<int>(words.size()), argv.data());
}

int exit_code(const std::vector<std::string>& words) {
    const auto parsed = parse(words);
    return parsed ? -1 : parsed.error().code;
}

TEST(Options, HaveDefaults) {
    ::unsetenv("STATE_DIRECTORY");
    const auto options = parse({});
    ASSERT_TRUE(options);
    EXPECT_EQ(options->config, "/etc/torii/torii.cfg");
    EXPECT_EQ(options->state, "");
    EXPECT_FALSE(options->check);
    EXPECT_FALSE(options->reference);
}

TEST(Options, AreTakenInEverySpelling) {
    for (const auto& words : std::vector<std::vector<std::string>>{
             {"-c", "a.cfg"}, {"-ca.cfg"}, {"--config", "a.cfg"}, {"--config=a.cfg"}}) {
        const auto options = parse(words);
        ASSERT_TRUE(options);
        EXPECT_EQ(options->config, "a.cfg");
        EXPECT_FALSE(options->check);
    }
    EXPECT_TRUE(parse({"--reference"})->reference);
}

TEST(Options, AFileToCheckGoesBeforeTheOneToRun) {
    const auto options = parse({"--check", "b.cfg", "-c", "a.cfg"});
    ASSERT_TRUE(options);
    EXPECT_TRUE(options->check);
    EXPECT_EQ(options->config, "b.cfg");
}

TEST(Options, TheStateDirectoryOfTheEnvironmentYieldsToTheOption) {
    ::setenv("STATE_DIRECTORY", "/var/lib/torii", 1);
    EXPECT_EQ(parse({})->state, "/var/lib/torii");
    EXPECT_EQ(parse({"--state", "/tmp/state"})->state, "/tmp/state");
    ::unsetenv("STATE_DIRECTORY");
}

TEST(Options, EndWithZeroAfterHelpAndVersion) {
    EXPECT_EQ(exit_code({"--help"}), 0);
    EXPECT_EQ(exit_code({"-h"}), 0);
    EXPECT_EQ(exit_code({"--version"}), 0);
}

TEST(Options, EndWithAnErrorOnWhatIsWrong) {
    EXPECT_GE(exit_code({"--nonsense"}), 2);
    EXPECT_GE(exit_code({"-x"}), 2);
    EXPECT_GE(exit_code({"-xy"}), 2);
    EXPECT_GE(exit_code({"extra"}), 2);
    EXPECT_GE(exit_code({"--config"}), 2);
    EXPECT_GE(exit_code({"--check"}), 2);
    EXPECT_GE(exit_code({"--reference=yes"}), 2);
}

}  // namespace
}  // namespace torii::app
