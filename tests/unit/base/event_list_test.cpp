#include "base/event_list.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <regex>
#include <set>
#include <sstream>

namespace torii {
namespace {

namespace fs = std::filesystem;

std::string read(const fs::path& path) {
    std::ifstream in{path};
    std::stringstream text;
    text << in.rdbuf();
    return text.str();
}

static_assert(EventId{"LINK-DOWN"}.severity() == Severity::Warning);
static_assert(EventId{"LINK-UP"}.name() == "LINK-UP");

TEST(EventList, HasEachNameOnce) {
    std::set<std::string_view> names;
    for (const auto& kind : kEvents) EXPECT_TRUE(names.insert(kind.name).second) << kind.name;
}

TEST(EventList, IsWrittenInWholeSentencesThatFitATable) {
    const std::regex name{"[A-Z0-9]+(-[A-Z0-9]+)*"};
    for (const auto& kind : kEvents) {
        EXPECT_TRUE(std::regex_match(std::string{kind.name}, name)) << kind.name;
        for (const auto text : {kind.meaning, kind.action}) {
            ASSERT_FALSE(text.empty()) << kind.name;
            EXPECT_TRUE(text.ends_with('.')) << kind.name << ": " << text;
            EXPECT_EQ(text.find_first_of("|\n"), text.npos) << kind.name << ": " << text;
            EXPECT_EQ(text.find("  "), text.npos) << kind.name << ": " << text;
            EXPECT_EQ(std::ranges::count(text, '`') % 2, 0) << kind.name << ": " << text;
        }
    }
}

TEST(EventList, NamesOnlyItsOwnEventsInItsTexts) {
    const std::regex name{"[A-Z]+(-[A-Z0-9]{2,})+"};
    for (const auto& kind : kEvents) {
        const auto text = std::string{kind.meaning} + ' ' + std::string{kind.action};
        for (std::sregex_iterator at{text.begin(), text.end(), name}, end; at != end; ++at)
            EXPECT_NE(find_event(at->str()), nullptr) << kind.name << ": " << at->str();
    }
}

TEST(EventList, HasNoRowThatNothingEmits) {
    std::string code;
    for (const char* room : {"app", "bgp", "config", "dataplane", "mgmt", "rib"})
        for (const auto& file : fs::recursive_directory_iterator{fs::path{TORII_SOURCE_DIR} / room})
            if (file.path().extension() == ".cpp" || file.path().extension() == ".hpp")
                code += read(file.path());
    for (const auto& kind : kEvents)
        EXPECT_NE(code.find('"' + std::string{kind.name} + '"'), std::string::npos) << kind.name;
}

TEST(EventList, IsDocsEventsMd) {
    const auto path = fs::path{TORII_SOURCE_DIR} / "docs/events.md";
    if (std::getenv("UPDATE_VECTORS"))
        std::ofstream{path} << events_document();
    else
        EXPECT_EQ(read(path), events_document())
            << "write it again: UPDATE_VECTORS=1 build/tests/unit/base/base_test";
}

}  // namespace
}  // namespace torii
