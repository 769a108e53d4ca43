#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "config/config.hpp"

namespace torii::config {
namespace {

namespace fs = std::filesystem;
const fs::path kBroken = fs::path{TORII_SOURCE_DIR} / "tests/vectors/config/broken";

std::string content(const fs::path& path) {
    std::ifstream in{path};
    std::stringstream out;
    out << in.rdbuf();
    return out.str();
}

std::string messages(const fs::path& path) {
    const auto loaded = load_text(content(path), path.filename().string());
    std::string out;
    if (!loaded)
        for (const auto& problem : loaded.error()) out += problem.to_string() + '\n';
    return out;
}

std::vector<fs::path> broken_files() {
    std::vector<fs::path> out;
    for (const auto& entry : fs::directory_iterator{kBroken})
        if (entry.path().extension() == ".cfg") out.push_back(entry.path());
    std::ranges::sort(out);
    return out;
}

// With UPDATE_VECTORS set the expected messages are written instead: read them
// before they are committed.
TEST(BrokenFiles, EachSaysWhatIsWrongAndHowToMendIt) {
    const auto files = broken_files();
    ASSERT_GE(files.size(), 20u);
    for (const auto& file : files) {
        auto expected = file;
        expected.replace_extension(".expected");
        if (std::getenv("UPDATE_VECTORS")) std::ofstream{expected} << messages(file);
        EXPECT_EQ(messages(file), content(expected)) << file;
        EXPECT_NE(messages(file), "") << file << " is accepted";
    }
}

TEST(BrokenFiles, ANameThatIsNoFileIsAProblemAndNotACrash) {
    for (const auto* name : {"/nowhere/torii.cfg", "/tmp", "/dev/null/x"}) {
        const auto loaded = load(name);
        ASSERT_FALSE(loaded) << name;
        EXPECT_NE(loaded.error()[0].message.find("cannot read"), std::string::npos);
    }
}

}  // namespace
}  // namespace torii::config
